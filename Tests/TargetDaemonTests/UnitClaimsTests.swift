import Testing

@testable import TargetDaemon

@Suite("What units have to themselves")
struct UnitClaimsTests {
  private static func naa(_ end: UInt8...) -> [UInt8] { [0x60, 0x20] + end }

  @Test("The group is the end of the identifier, or the next that is free")
  func group() throws {
    var claims = UnitClaims()
    #expect(try claims.claim(Self.naa(1, 0xFF, 0xFF), for: "a") == 0xFFFF)
    #expect(try claims.claim(Self.naa(2, 0xFF, 0xFF), for: "b") == 0)
    #expect(try claims.claim(Self.naa(3, 0xFF, 0xFE), for: "c") == 0xFFFE)
    #expect(try claims.claim(Self.naa(4, 0xFF, 0xFE), for: "d") == 1)
    claims.release(Self.naa(2, 0xFF, 0xFF))
    #expect(try claims.claim(Self.naa(5, 0xFF, 0xFF), for: "e") == 0)
  }

  @Test("An identifier that another unit has is refused with the names of both")
  func identifier() throws {
    var claims = UnitClaims()
    _ = try claims.claim(Self.naa(1), for: "one")
    let error = #expect(throws: DaemonError.self) { try claims.claim(Self.naa(1), for: "two") }
    #expect(error?.description.contains("one") == true)
    #expect(error?.description.contains("two") == true)
    claims.release(Self.naa(1))
    #expect(throws: Never.self) { try claims.claim(Self.naa(1), for: "two") }
  }
}
