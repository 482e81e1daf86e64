internal import Bytes

/// The parameter list of POPULATE TOKEN (SBC-3 §5.7.2).
///
/// | byte  | field                                                             |
/// |-------|-------------------------------------------------------------------|
/// | 0–1   | POPULATE TOKEN DATA LENGTH: bytes that follow it                  |
/// | 2     | bit 1 RTV, bit 0 IMMED                                            |
/// | 4–7   | INACTIVITY TIMEOUT in seconds; 0: the default                     |
/// | 8–11  | ROD TYPE, if RTV                                                  |
/// | 14–15 | BLOCK DEVICE RANGE DESCRIPTOR LENGTH                              |
/// | 16…   | descriptors of 16 bytes: LBA (8), NUMBER OF LOGICAL BLOCKS (4), reserved (4) |
///
/// IMMED is accepted: status comes when the work is done, which is at once.
public struct PopulateTokenParameterList: Sendable {
  static let headerBytes = 16
  public static let byteCountMax = headerBytes + CopyLimits.rangeDescriptorsMax * 16

  public let inactivitySeconds: UInt32
  public let ranges: [BlockRange]

  public init(decoding bytes: [UInt8]) throws(SenseData) {
    var reader = ByteReader(bytes)
    guard let dataLength = reader.uint16(), let flags = reader.uint8(), reader.skip(1),
      let inactivity = reader.uint32(), let type = reader.uint32()
    else { throw .parameterListLengthError }
    guard inactivity <= CopyLimits.tokenSecondsMax else {
      throw .invalidFieldInParameterList(byte: 4, bit: 7)
    }
    guard flags & 0x02 == 0 || type == RODType.accessUponReference.rawValue else {
      throw .invalidFieldInParameterList(byte: 8, bit: 7)
    }
    inactivitySeconds = inactivity == 0 ? CopyLimits.tokenSecondsDefault : inactivity
    ranges = try BlockRange.list(
      bytes, lengthAt: Self.headerBytes - 2, dataLength: Int(dataLength))
  }
}

/// The parameter list of WRITE USING TOKEN (SBC-3 §5.46.2).
///
/// | byte    | field                                                           |
/// |---------|-----------------------------------------------------------------|
/// | 0–1     | WRITE USING TOKEN DATA LENGTH: bytes that follow it             |
/// | 2       | bit 1 DEL_TKN, bit 0 IMMED                                      |
/// | 8–15    | OFFSET INTO ROD, in blocks of the unit that is written           |
/// | 16–527  | ROD TOKEN                                                       |
/// | 534–535 | BLOCK DEVICE RANGE DESCRIPTOR LENGTH                            |
/// | 536…    | descriptors as above                                            |
///
/// IMMED is accepted: status comes when the work is done.
public struct WriteUsingTokenParameterList: Sendable {
  static let headerBytes = 536
  public static let byteCountMax = headerBytes + CopyLimits.rangeDescriptorsMax * 16

  /// DEL_TKN: nobody needs the token after this command.
  public let deletesToken: Bool
  public let offsetBlocks: UInt64
  /// 512 bytes.
  public let token: [UInt8]
  public let ranges: [BlockRange]

  public init(decoding bytes: [UInt8]) throws(SenseData) {
    var reader = ByteReader(bytes)
    guard let dataLength = reader.uint16(), let flags = reader.uint8(), reader.skip(5),
      let offset = reader.uint64(), let token = reader.bytes(RODToken.byteCount)
    else { throw .parameterListLengthError }
    deletesToken = flags & 0x02 != 0
    offsetBlocks = offset
    self.token = Array(token)
    ranges = try BlockRange.list(
      bytes, lengthAt: Self.headerBytes - 2, dataLength: Int(dataLength))
  }
}

extension BlockRange {
  /// The block device range descriptors (SBC-3 §5.7.3) of a list whose length is in the two bytes
  /// at `offset`, before them. No two share a block.
  fileprivate static func list(
    _ bytes: [UInt8], lengthAt offset: Int, dataLength: Int
  ) throws(SenseData) -> [BlockRange] {
    var reader = ByteReader(bytes)
    guard reader.skip(offset), let field = reader.uint16() else { throw .parameterListLengthError }
    let length = Int(field)
    guard dataLength + 2 <= bytes.count, length <= reader.remaining else {
      throw .parameterListLengthError
    }
    guard offset + length <= dataLength, length >= 16 else {
      throw .invalidFieldInParameterList(byte: offset, bit: 7)
    }
    let count = length / 16
    guard count <= CopyLimits.rangeDescriptorsMax else { throw .tooManySegmentDescriptors }
    var ranges: [BlockRange] = []
    for index in 0..<count {
      guard let start = reader.uint64(), let blocks = reader.uint32(), reader.skip(4) else {
        throw .parameterListLengthError
      }
      let range = BlockRange(start: start, count: UInt64(blocks))
      guard !ranges.contains(where: { $0.overlaps(range) }) else {
        throw .invalidFieldInParameterList(byte: offset + 2 + index * 16, bit: 7)
      }
      ranges.append(range)
    }
    return ranges
  }
}
