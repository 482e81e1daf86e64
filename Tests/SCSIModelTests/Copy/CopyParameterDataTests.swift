import SCSIModel
import Testing

@Suite("Parameter data of third-party copies")
struct CopyParameterDataTests {
  private let zeros = { (count: Int) in [UInt8](repeating: 0, count: count) }

  @Test("The operating parameters say what the decoder accepts")
  func operatingParameters() {
    let expected: [UInt8] =
      [0, 0, 0, 42, 0x01, 0, 0, 0] + [0, 16, 0, 64]
      + [0, 0, 0x09, 0x00]  // 16 × 32 + 64 × 28
      + [0x10, 0, 0, 0] + zeros(12) + [0, 0] + [0, 16, 16] + [9, 0, 0] + [0, 0, 0]
      + [2, 0x02, 0xE4]
    #expect(CopyOperatingParameters.encoded() == expected)
  }

  @Test("The third-party copy page is made of descriptors whose lengths are multiples of four")
  func page() throws {
    let page = ThirdPartyCopyPage(blockLengthBytes: 512).page.encoded()
    #expect(page[1] == 0x8F)
    #expect(Int(page[2]) << 8 | Int(page[3]) == page.count - 4)
    var types: [Int] = []
    var offset = 4
    while offset + 4 <= page.count {
      types.append(Int(page[offset]) << 8 | Int(page[offset + 1]))
      let length = Int(page[offset + 2]) << 8 | Int(page[offset + 3])
      #expect(length % 4 == 0)
      offset += 4 + length
    }
    #expect(offset == page.count)
    #expect(types == [0x0000, 0x0001, 0x0004, 0x0008, 0x000C, 0x0106, 0x0108, 0x8001])
    // What Windows looks for: ranges, time-outs, 256 MiB and 64 MiB in blocks.
    #expect(
      Array(page[4..<40])
        == [0, 0, 0, 32] + zeros(6) + [0, 64] + [0, 0, 0x01, 0x2C] + [0, 0, 0, 60]
        + [0, 0, 0, 0, 0, 0x08, 0, 0] + [0, 0, 0, 0, 0, 0x02, 0, 0])
    #expect(
      Array(page[40..<60])
        == [0, 1, 0, 16, 15, 0x83, 5, 0x00, 0x01, 0x10, 0x11, 0x1C]
        + [0x84, 6, 0x00, 0x01, 0x03, 0x04, 0x05, 0x07])
  }

  @Test("A copy that goes on, has ended and has failed is reported in each form")
  func results() {
    var results = CopyResults(serviceAction: 0, blockLengthBytes: 512)
    #expect(results.statusLID1() == [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0])
    results.status = .completed
    results.segmentsProcessed = 3
    results.bytesTransferred = 0x1_0000
    #expect(results.statusLID1() == [0, 0, 0, 8, 1, 0, 3, 0, 0, 1, 0, 0])
    #expect(results.failureDetailsLID1(.fixed) == [0, 0, 0, 0])
    results.bytesTransferred = 1 << 40
    #expect(results.statusLID1().suffix(5) == [1, 0x40, 0, 0, 0])
    results.status = .completedWithErrors
    results.completion = .checkCondition
    results.sense = .thirdPartyDeviceFailure(segment: 5)
    let sense: [UInt8] = [0x70, 0, 0x0A, 0, 0, 0, 0, 10, 0, 0, 0, 5, 0x0D, 0x01, 0, 0, 0, 0]
    #expect(
      results.failureDetailsLID1(.fixed)
        == [0, 0, 0, 74] + zeros(52) + [0x02, 0, 0, 18] + sense)
    #expect(
      results.statusLID4(.fixed)
        == [0, 0, 0, 46, 0, 0x02, 0, 3, 0xFF, 0xFF, 0xFF, 0xFE, 0x02, 18, 18, 0]
        + [0, 0, 1, 0, 0, 0, 0, 0] + [0, 3] + zeros(6) + sense)
  }

  @Test("A token is told with its length, and counts are in blocks")
  func tokenInformation() {
    var results = CopyResults(serviceAction: 0x10, blockLengthBytes: 512)
    results.status = .completed
    results.bytesTransferred = 4096
    #expect(results.tokenInformation(.fixed).count == 36)
    results.token = [UInt8](repeating: 0xAA, count: 512)
    let data = results.tokenInformation(.fixed)
    #expect(data.count == 32 + 4 + 2 + 512)
    #expect(Array(data[0..<6]) == [0, 0, 0x02, 0x22, 0x10, 0x01])
    #expect(data[15] == 0xF1 && Array(data[16..<24]) == [0, 0, 0, 0, 0, 0, 0, 8])
    #expect(Array(data[32..<38]) == [0, 0, 0x02, 0x02, 0, 0])
  }

  @Test(
    "COPY ABORTED points into its segment, in both formats, and is read back", arguments: [0, 9])
  func sense(segment: Int) {
    let sense = SenseData.copySegmentOutOfRange(segment: segment, byte: 20)
    #expect(
      sense.encoded(.fixed).bytes
        == [0x70, 0, 0x0A, 0, 0, 0, 0, 10, 0, 0, 0, UInt8(segment), 0, 0, 0, 0xA0, 0, 20])
    #expect(
      sense.encoded(.descriptor).bytes
        == [0x72, 0x0A, 0, 0, 0, 0, 0, 20] + [0x01, 10, 0, 0] + zeros(7) + [UInt8(segment)]
        + [0x02, 6, 0, 0, 0xA0, 0, 20, 0])
    for format in [SenseFormat.fixed, .descriptor] {
      #expect(SenseData(decoding: sense.encoded(format).bytes) == sense)
    }
  }

  @Test("A token is 512 bytes, the secret last; nothing else is one")
  func token() throws {
    let token = RODToken.encoded(
      identifier: 0x0102, creator: CSCDDescriptor(naa: [0x60, 1], blockLengthBytes: 4096),
      byteCount: 8192, secret: [UInt8](repeating: 0x5A, count: 32))
    #expect(Array(token[0..<16]) == [0, 1, 0, 0, 0, 0, 0x01, 0xF8, 0, 0, 0, 0, 0, 0, 1, 2])
    #expect(Array(token[48..<64]) == zeros(14) + [0x20, 0])
    #expect(token.suffix(33) == [0] + [UInt8](repeating: 0x5A, count: 32))
    #expect(try RODToken.type(of: token) == .accessUponReference)
    var other = token
    other[0] = 0x80
    #expect(throws: SenseData.unsupportedTokenType) { try RODToken.type(of: other) }
    other = token
    other[7] = 0
    #expect(throws: SenseData.invalidTokenLength) { try RODToken.type(of: other) }
    #expect(throws: SenseData.invalidTokenLength) {
      try RODToken.type(of: Array(token.prefix(100)))
    }
  }

  @Test("Token lists are whole, of ranges that share nothing, or refused")
  func tokenLists() throws {
    func range(_ start: UInt8, _ count: UInt8) -> [UInt8] {
      [0, 0, 0, 0, 0, 0, 0, start, 0, 0, 0, count, 0, 0, 0, 0]
    }
    func populate(_ ranges: [[UInt8]], timeout: UInt8 = 0) -> [UInt8] {
      let length = UInt8(ranges.count * 16)
      return [0, 14 + length, 0, 0, 0, 0, 0, timeout] + zeros(6) + [0, length]
        + ranges.flatMap { $0 }
    }
    let list = populate([range(0, 4), range(4, 2)])
    let decoded = try PopulateTokenParameterList(decoding: list)
    #expect(decoded.ranges == [BlockRange(start: 0, count: 4), BlockRange(start: 4, count: 2)])
    #expect(decoded.inactivitySeconds == 60)
    for count in 0..<list.count {
      #expect(throws: SenseData.parameterListLengthError) {
        try PopulateTokenParameterList(decoding: Array(list.prefix(count)))
      }
    }
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 32, bit: 7)) {
      try PopulateTokenParameterList(decoding: populate([range(0, 4), range(3, 2)]))
    }
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 14, bit: 7)) {
      try PopulateTokenParameterList(decoding: populate([]))
    }
    let use =
      [0x02, 0x26, 0x02, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 5] + zeros(512) + zeros(6)
      + [0, 16] + range(9, 1)
    let using = try WriteUsingTokenParameterList(decoding: use)
    #expect(using.deletesToken && using.offsetBlocks == 5)
    #expect(using.ranges == [BlockRange(start: 9, count: 1)])
    for count in 0..<use.count {
      #expect(throws: SenseData.parameterListLengthError) {
        try WriteUsingTokenParameterList(decoding: Array(use.prefix(count)))
      }
    }
  }
}
