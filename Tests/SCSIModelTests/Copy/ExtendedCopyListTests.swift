import SCSIModel
import Testing

@Suite("EXTENDED COPY parameter lists")
struct ExtendedCopyListTests {
  private typealias List = ExtendedCopyParameterList

  private static let naa: [UInt8] = [0x60] + [UInt8](1...15)

  private static let cscd: [UInt8] =
    [
      0xE4, 0x00, 0, 0,  // identification descriptor of a disk
      0x01, 0x03, 0, 16,  // binary, NAA, of the logical unit
    ] + naa + [0, 0, 0, 0] + [0, 0x00, 0x02, 0x00]  // 512 bytes a block

  private static let segment: [UInt8] = [
    0x02, 0x02, 0, 24,  // block to block, DC
    0, 0, 0, 1,  // from the first to the second
    0, 0, 0x12, 0x34,  // blocks
    0, 0, 0, 0, 0, 0, 0x10, 0x00, 0, 0, 0, 0, 0, 0, 0x20, 0x00,
  ]

  private static func lid1(
    cscds: Int = 2, segments: Int = 1, usage: UInt8 = 0, identifier: UInt8 = 7
  ) -> [UInt8] {
    let descriptors =
      (0..<cscds).flatMap { _ in cscd } + (0..<segments).flatMap { _ in segment }
    return [identifier, usage << 3] + wide(cscds * 32, 2) + [0, 0, 0, 0] + wide(segments * 28, 4)
      + [0, 0, 0, 0] + descriptors
  }

  private static func lid4() -> [UInt8] {
    [0x01, 0x00, 0, 32] + [UInt8](repeating: 0, count: 12) + [0xFF, 0, 0, 0]
      + [0xDE, 0xAD, 0xBE, 0xEF] + [UInt8](repeating: 0, count: 18)
      + [0, 64, 0, 28, 0, 0] + cscd + cscd + segment
  }

  private static func wide(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * (count - 1 - $0))) }
  }

  private func refusal(_ bytes: [UInt8], _ form: List.Form = .lid1) -> String {
    do throws(SenseData) {
      _ = try List(decoding: bytes, form: form)
      return "none"
    } catch {
      return error.description
    }
  }

  @Test("Both forms say the same of the same copy")
  func golden() throws {
    let short = try List(decoding: Self.lid1(), form: .lid1)
    let long = try List(decoding: Self.lid4(), form: .lid4)
    #expect(short.listIdentifier == 7)
    #expect(long.listIdentifier == 0xDEAD_BEEF)
    #expect(short.usage == .hold)
    #expect(short.cscds == long.cscds && short.segments == long.segments)
    #expect(short.cscds[0] == CSCDDescriptor(naa: Self.naa, blockLengthBytes: 512))
    #expect(
      short.segments == [
        CopySegment(
          source: 0, destination: 1, blockCount: 0x1234, sourceBlock: 0x1000,
          destinationBlock: 0x2000, countsDestinationBlocks: true)
      ])
    #expect(short.cscds[0].encoded() == Self.cscd)
    #expect(short.segments[0].encoded() == Self.segment)
  }

  @Test("A list that is cut anywhere is a PARAMETER LIST LENGTH ERROR")
  func truncation() {
    for count in 0..<Self.lid1().count {
      #expect(refusal(Array(Self.lid1().prefix(count))) == "05/1A/00")
    }
    for count in 0..<Self.lid4().count {
      #expect(refusal(Array(Self.lid4().prefix(count)), .lid4) == "05/1A/00")
    }
  }

  @Test("Too many descriptors are named; too many of both are too long a list")
  func limits() {
    #expect(refusal(Self.lid1(cscds: 16, segments: 64)) == "none")
    #expect(refusal(Self.lid1(cscds: 17)) == "05/26/06")
    #expect(refusal(Self.lid1(cscds: 1, segments: 65)) == "05/26/08")
    #expect(refusal(Self.lid1(cscds: 17, segments: 65)) == "05/1A/00")
  }

  @Test("A descriptor of another type is refused for that, however short")
  func types() {
    for code in UInt8.min...UInt8.max where code != 0xE4 {
      var list = Self.lid1()
      list[16] = code
      #expect(refusal(list) == "05/26/07")
    }
    for code in UInt8.min...UInt8.max where code != 0x02 {
      #expect(refusal([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, code]) == "05/26/09")
    }
  }

  @Test("Fields without a meaning are refused where they stand")
  func fields() {
    func pointer(_ change: (inout [UInt8]) -> Void) -> SenseData? {
      var list = Self.lid1()
      change(&list)
      do throws(SenseData) {
        _ = try List(decoding: list, form: .lid1)
        return nil
      } catch {
        return error
      }
    }
    #expect(pointer { $0[1] = 0x08 } == .invalidFieldInParameterList(byte: 1, bit: 4))
    #expect(pointer { $0[1] = 0x18 } == .invalidFieldInParameterList(byte: 0, bit: 7))
    #expect(pointer { $0[17] = 0xC0 } == nil)  // LU ID TYPE means nothing in SPC-4
    #expect(pointer { $0[23] = 21 } == .invalidFieldInParameterList(byte: 23, bit: 7))
    #expect(pointer { $0[83] = 25 } == .invalidFieldInParameterList(byte: 82, bit: 7))
    var inline = Self.lid1() + [0]
    inline[15] = 1
    #expect(refusal(inline) == "05/26/0B")
    var immediate = Self.lid4()
    immediate[15] = 0x01
    #expect(refusal(immediate, .lid4) == "05/26/00")
  }

  @Test("Lengths that lie trap nothing")
  func anyLength() {
    for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
      for byte in 0..<16 {
        var list = Self.lid1()
        list[byte] = value
        _ = refusal(list)
      }
      for byte in 0..<48 {
        var list = Self.lid4()
        list[byte] = value
        _ = refusal(list, .lid4)
      }
    }
  }

  @Test("A list longer than any that is served is refused before memory is taken for it")
  func longest() {
    func answer(_ action: UInt8, _ length: Int) -> SenseData? {
      CommandTable.standard.refusal(
        of: CommandDescriptorBlock(
          [0x83, action, 0, 0, 0, 0, 0, 0, 0, 0] + Self.wide(length, 4) + [0, 0]))
    }
    for (action, most) in [(UInt8(0), 2320), (1, 2352), (0x10, 1040), (0x11, 1560)] {
      #expect(answer(action, most) == nil)
      #expect(answer(action, most + 1) == .parameterListLengthError)
      #expect(answer(action, 0xFFFF_FFFF) == .parameterListLengthError)
    }
  }
}
