import SCSIModel
import Testing

@Suite("Parameter lists of FORMAT UNIT and SANITIZE, and the answer of GET LBA STATUS")
struct FormatParameterTests {
  private func format(_ bytes: [UInt8], isLong: Bool = false) throws(SenseData)
    -> FormatParameterList
  {
    try FormatParameterList(decoding: bytes, isLong: isLong, blockBytes: 512)
  }

  @Test("Both headers say IMMED and a pattern, and every truncated length is an error")
  func formatLists() throws {
    let pattern: [UInt8] = [
      0x20, 1, 0, 3,  // SI, pattern type 1: repeated; length 3
      7, 8, 9,
    ]
    let short: [UInt8] = [0, 0x8A, 0, 0] + pattern  // FOV, IP, IMMED; no defects
    let long: [UInt8] = [0, 0x8A, 0, 0, 0, 0, 0, 0] + pattern
    for (list, isLong) in [(short, false), (long, true)] {
      let decoded = try format(list, isLong: isLong)
      #expect(decoded.isImmediate && decoded.pattern == [7, 8, 9])
      for count in 0..<list.count {
        #expect(throws: SenseData.parameterListLengthError, "\(count)") {
          try format(Array(list.prefix(count)), isLong: isLong)
        }
      }
    }
    #expect(try format([0, 0, 0, 0]) == FormatParameterList())
  }

  @Test(
    "What cannot be done is refused where it stands",
    arguments: [
      ([1, 0, 0, 0], false, 0, 2),  // protection
      ([0, 0x20, 0, 0], false, 1, 7),  // DCRT without FOV
      ([0, 0x80, 0, 8], false, 2, 7),  // defects
      ([0, 0, 0, 0, 0, 0, 0, 8], true, 4, 7),
      ([0, 0, 0, 0x10, 0, 0, 0, 0], true, 3, 7),
      ([0, 0x88, 0, 0, 0x40, 1, 0, 1, 9], false, 4, 7),  // IP MODIFIER
      ([0, 0x88, 0, 0, 0, 2, 0, 1, 9], false, 5, 7),  // pattern type
      ([0, 0x88, 0, 0, 0, 1, 2, 1, 9], false, 6, 7),  // longer than a block
      ([0, 0x88, 0, 0, 0, 1, 0, 0], false, 6, 7),
      ([0, 0x88, 0, 0, 0, 0, 0, 1, 9], false, 6, 7),
    ] as [([UInt8], Bool, Int, UInt8)])
  func refusals(_ list: [UInt8], isLong: Bool, byte: Int, bit: UInt8) {
    #expect(throws: SenseData.invalidFieldInParameterList(byte: byte, bit: bit)) {
      try format(list, isLong: isLong)
    }
  }

  @Test("An overwrite has a count and a pattern, and every truncated length is an error")
  func overwriteList() throws {
    let list: [UInt8] = [0x9F, 0, 0, 2, 0xAA, 0xBB]
    let decoded = try OverwriteParameterList(decoding: list, blockBytes: 512)
    #expect(decoded.isInverted && decoded.overwriteCount == 31 && decoded.pattern == [0xAA, 0xBB])
    for count in 0..<list.count {
      #expect(throws: SenseData.parameterListLengthError, "\(count)") {
        try OverwriteParameterList(decoding: Array(list.prefix(count)), blockBytes: 512)
      }
    }
  }

  @Test("Descriptors join what belongs together and split what passes 32 bits")
  func lbaStatus() {
    var status = LBAStatus()
    status.append(BlockRange(start: 5, count: 1), .mapped)
    status.append(BlockRange(start: 6, count: 2), .mapped)
    status.append(BlockRange(start: 8, count: 0), .deallocated)
    status.append(BlockRange(start: 8, count: 0x1_0000_0001), .deallocated)
    #expect(status.descriptors.count == 2)
    let bytes = status.encoded(lengthMax: 4096)
    #expect(Array(bytes[0..<4]) == [0, 0, 0, 52])
    #expect(Array(bytes[8..<24]) == [0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0, 0])
    #expect(
      Array(bytes[24..<40]) == [0, 0, 0, 0, 0, 0, 0, 8, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0])
    #expect(Array(bytes[40...]) == [0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 2, 1, 0, 0, 0])
    #expect(status.encoded(lengthMax: 0).count == 24)
  }
}
