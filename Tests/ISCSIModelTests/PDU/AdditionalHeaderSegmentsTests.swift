import ISCSIModel
import Testing

@Suite("Additional header segments")
struct AdditionalHeaderSegmentsTests {
  private static let golden: [UInt8] = [
    0x00, 0x11, 0x01, 0x00,  // AHSLength 17, Extended CDB, reserved
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,  // CDB bytes 16…31
    0x00, 0x02, 0x3F, 0xEE, 0xEE, 0, 0, 0,  // AHSLength 2, unknown type, padding
    0x00, 0x05, 0x02, 0x00,  // AHSLength 5, bidirectional length, reserved
    0x00, 0x01, 0x00, 0x02,  // 65,538 bytes
  ]

  @Test("An extended CDB, an unknown segment and a bidirectional length")
  func everything() throws {
    let segments = try AdditionalHeaderSegments(parsing: Self.golden)
    #expect(segments.extendedCDB == Array(1...16))
    #expect(segments.expectedBidirectionalReadDataLength == 65538)
  }

  @Test("No bytes say nothing")
  func nothing() throws {
    let segments = try AdditionalHeaderSegments(parsing: [])
    #expect(segments.extendedCDB.isEmpty && segments.expectedBidirectionalReadDataLength == nil)
  }

  @Test("Cut at any place but between segments, the bytes are refused as truncated")
  func truncation() throws {
    let starts = [0, 20, 28, 36]
    for count in 0...Self.golden.count {
      let bytes = Array(Self.golden.prefix(count))
      if starts.contains(count) {
        _ = try AdditionalHeaderSegments(parsing: bytes)
      } else {
        let start = starts.last { $0 <= count } ?? 0
        #expect(throws: AdditionalHeaderError.truncated(offset: start)) {
          try AdditionalHeaderSegments(parsing: bytes)
        }
      }
    }
  }

  @Test("A known type with an impossible length, or a second time, is refused")
  func lies() {
    #expect(throws: AdditionalHeaderError.wrongLength(type: 2, length: 4)) {
      try AdditionalHeaderSegments(parsing: [0, 4, 2, 0, 0, 0, 0, 0])
    }
    #expect(throws: AdditionalHeaderError.wrongLength(type: 1, length: 1)) {
      try AdditionalHeaderSegments(parsing: [0, 1, 1, 0])
    }
    #expect(throws: AdditionalHeaderError.wrongLength(type: 1, length: 246)) {
      try AdditionalHeaderSegments(parsing: [0, 246, 1] + Array(repeating: 0, count: 249))
    }
    #expect(throws: AdditionalHeaderError.truncated(offset: 0)) {
      try AdditionalHeaderSegments(parsing: [0xFF, 0xFF, 0x3F, 0])
    }
    let length: [UInt8] = [0, 5, 2, 0, 0, 0, 0, 1]
    #expect(throws: AdditionalHeaderError.repeated(type: 2)) {
      try AdditionalHeaderSegments(parsing: length + length)
    }
  }

  @Test("The longest CDB of SPC-4, 260 bytes, passes")
  func longest() throws {
    let bytes: [UInt8] = [0, 245, 1, 0] + Array(repeating: 0xAB, count: 244)
    #expect(try AdditionalHeaderSegments(parsing: bytes).extendedCDB.count == 244)
  }
}

@Suite("PDU framing")
struct PDUFramingTests {
  @Test("A PDU's length counts padding, and digests where there is something to digest")
  func lengths() {
    var header = BasicHeaderSegment(opcode: .nopOut)
    let plain = PDUFraming()
    let both = PDUFraming(headerDigest: true, dataDigest: true)
    #expect(plain.totalLength(of: header) == 48)
    #expect(both.totalLength(of: header) == 52)
    header.bytes[4] = 255
    for (length, padded) in [(1, 4), (3, 4), (4, 4), (5, 8), (0xFF_FFFF, 0x100_0000)] {
      header.dataSegmentLength = length
      #expect(plain.totalLength(of: header) == 48 + 1020 + padded)
      #expect(both.totalLength(of: header) == 48 + 1020 + 4 + padded + 4)
      #expect(PDUFraming(dataDigest: true).headerLength(of: header) == 1068)
      #expect(PDUFraming(headerDigest: true).dataLength(of: header) == padded)
    }
  }
}
