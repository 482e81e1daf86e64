import SCSIModel
import Testing

@Suite struct TransportIDTests {
  /// FORMAT 01b, protocol 5; ADDITIONAL LENGTH 32; "iqn.x:n,i,0x000137010203" and NULs.
  static let port: [UInt8] =
    [0x45, 0x00, 0x00, 0x20] + Array("iqn.x:n,i,0x000137010203".utf8)
    + [UInt8](repeating: 0, count: 8)
  /// FORMAT 00b; ADDITIONAL LENGTH 20, the least; "iqn.x:n" and NULs.
  static let device: [UInt8] =
    [0x05, 0x00, 0x00, 0x14] + Array("iqn.x:n".utf8) + [UInt8](repeating: 0, count: 13)

  private func field(_ byte: Int, _ bit: UInt8 = 7) -> SenseData {
    .invalidFieldInParameterList(byte: byte, bit: bit)
  }

  @Test("A name with ISID is a port, a name alone a device")
  func decode() throws {
    let port = try TransportID.decode(Self.port, at: 0)
    #expect(port.transportID == .port(InitiatorPort(name: "iqn.x:n", isid: 0x0001_3701_0203)))
    #expect(port.byteCount == 36)
    let device = try TransportID.decode([9, 9] + Self.device, at: 2)
    #expect(device.transportID == .device(name: "iqn.x:n"))
    #expect(device.byteCount == 24)
  }

  @Test("What is encoded is padded to four bytes, at least twenty, and decodes to itself")
  func roundTrip() throws {
    for length in [1, 2, 3, 4, 19, 20, 21, 222, 223] {
      let name = String(repeating: "n", count: length)
      for transportID in [
        TransportID.device(name: name),
        .port(InitiatorPort(name: name, isid: 0)),
        .port(InitiatorPort(name: name, isid: 0xFFFF_FFFF_FFFF)),
      ] {
        let bytes = transportID.encoded
        #expect(bytes.count % 4 == 0 && (24...TransportID.byteCountMax).contains(bytes.count))
        #expect(bytes.last == 0)
        let decoded = try TransportID.decode(bytes, at: 0)
        #expect(decoded.transportID == transportID && decoded.byteCount == bytes.count)
      }
    }
    #expect(
      TransportID.port(InitiatorPort(name: "iqn.x:n", isid: 0x0001_3701_0203)).encoded
        == [0x45, 0, 0, 28] + Array("iqn.x:n,i,0x000137010203".utf8) + [0, 0, 0, 0])
  }

  /// T-PR-1.
  @Test("A TransportID that the list cuts anywhere is a PARAMETER LIST LENGTH ERROR")
  func truncated() {
    for list in [Self.port, Self.device] {
      for count in 0..<list.count {
        #expect(throws: SenseData.parameterListLengthError) {
          try TransportID.decode(Array(list.prefix(count)), at: 0)
        }
      }
      #expect(throws: SenseData.parameterListLengthError) {
        try TransportID.decode(list, at: list.count + 1)
      }
    }
  }

  /// T-PR-1.
  @Test("Other protocols, formats and lengths are refused with a pointer at the field")
  func header() {
    func refusal(_ change: (inout [UInt8]) -> Void) -> SenseData? {
      var list = Self.port
      change(&list)
      do throws(SenseData) {
        _ = try TransportID.decode(list, at: 0)
        return nil
      } catch { return error }
    }
    #expect(refusal { $0[0] = 0x46 } == field(0, 3))  // SAS
    #expect(refusal { $0[0] = 0x55 } == field(0, 5))  // a reserved bit
    #expect(refusal { $0[0] = 0x85 } == field(0))  // FORMAT 10b
    #expect(refusal { $0[0] = 0xC5 } == field(0))
    #expect(refusal { $0[3] = 0x21 } == field(2))  // not a multiple of 4
    #expect(refusal { $0[3] = 0x10 } == field(2))  // less than 20
    #expect(refusal { $0[2] = 0x01 } == field(2))  // longer than any name
    #expect(refusal { $0[2] = 0xFF } == field(2))
    #expect(refusal { $0[3] = 0xF4 } == .parameterListLengthError)  // more than there is
    #expect(refusal { $0[3] = 0x14 } == field(23))  // no NUL within
    #expect(refusal { $0[35] = 1 } == field(35))  // padding
    #expect(refusal { _ in } == nil)
  }

  /// T-PR-1.
  @Test(
    "Names and ISIDs that no login could have are refused",
    arguments: [
      "iqn.x:n", "iqn.x:n,i,0x", "iqn.x:n,i,0x0001370102034", "iqn.x:n,i,0x00013701020g",
      "iqn.x:n,i,000137010203", "iqn.x:n,t,0x000137010203", ",i,0x000137010203",
      "iqn x,i,0x000137010203", "iqn,x,i,0x000137010203", "iqn\u{7}x,i,0x000137010203", "",
    ])
  func badPort(_ text: String) {
    let list = [0x45, 0, 0, 32] + Array(text.utf8) + [UInt8](repeating: 0, count: 32)
    #expect(throws: field(4)) { try TransportID.decode(Array(list.prefix(36)), at: 0) }
  }

  @Test("A name is at most 223 bytes of UTF-8, its ASCII folded as logins fold it")
  func names() throws {
    func decode(_ name: [UInt8]) throws(SenseData) -> TransportID {
      let length = (name.count + 4) / 4 * 4
      let list =
        [0x05, 0, 0, UInt8(max(20, length))] + name + [UInt8](repeating: 0, count: 24)
      return try TransportID.decode(list.prefix(4 + max(20, length)) + [], at: 0).transportID
    }
    #expect(try decode(Array("IQN.X:N".utf8)) == .device(name: "iqn.x:n"))
    #expect(try decode([UInt8](repeating: 0x61, count: 223)).name.utf8.count == 223)
    #expect(throws: field(4)) { try decode([UInt8](repeating: 0x61, count: 224)) }
    #expect(throws: field(4)) { try decode([0x69, 0xFF, 0xFE]) }
    #expect(throws: field(4)) { try decode([]) }
  }

  @Test("An ISID may be written with fewer digits and in either case")
  func isid() throws {
    let list = [0x45, 0, 0, 20] + Array("iqn.x:n,i,0xAb".utf8) + [0, 0, 0, 0, 0, 0]
    #expect(
      try TransportID.decode(list, at: 0).transportID
        == .port(InitiatorPort(name: "iqn.x:n", isid: 0xAB)))
  }
}
