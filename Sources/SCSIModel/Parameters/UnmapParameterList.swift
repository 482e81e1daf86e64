/// The parameter list of UNMAP (SBC-3 §5.28).
///
/// | byte | field                                                             |
/// |------|-------------------------------------------------------------------|
/// | 0–1  | UNMAP DATA LENGTH: bytes that follow it                           |
/// | 2–3  | UNMAP BLOCK DESCRIPTOR DATA LENGTH: bytes of descriptors          |
/// | 8…   | descriptors of 16 bytes: LBA (8), NUMBER OF LOGICAL BLOCKS (4), reserved (4) |
///
/// Nothing is discarded on the word of a list that contradicts itself: a length that says more than
/// arrived is a PARAMETER LIST LENGTH ERROR, not a hint.
public struct UnmapParameterList: Sendable {
  /// What the block limits VPD page promises (B0h, bytes 20–27).
  public struct Limits: Sendable, BitwiseCopyable {
    /// MAXIMUM UNMAP LBA COUNT: blocks of all descriptors together. FFFFFFFFh: no limit.
    public var blockCountMax: UInt32
    /// MAXIMUM UNMAP BLOCK DESCRIPTOR COUNT.
    public var descriptorCountMax: UInt32

    public init(blockCountMax: UInt32, descriptorCountMax: UInt32) {
      self.blockCountMax = blockCountMax
      self.descriptorCountMax = descriptorCountMax
    }
  }

  /// In the list's order; possibly empty, overlapping, or past the end of the medium.
  public let ranges: [BlockRange]

  /// Decodes the bytes that arrived. An empty list asks for nothing and is no error.
  public init(decoding bytes: [UInt8], limits: Limits) throws(SenseData) {
    guard !bytes.isEmpty else {
      ranges = []
      return
    }
    let descriptors = try Self.descriptors(of: bytes)
    // An incomplete last descriptor is ignored (SBC-3 §5.28.2).
    let count = descriptors.count / 16
    guard count <= limits.descriptorCountMax else {
      throw .invalidFieldInParameterList(byte: 2, bit: 7)
    }
    var ranges: [BlockRange] = []
    ranges.reserveCapacity(count)
    var total: UInt64 = 0  // At most 4095 descriptors of 2^32 − 1 blocks: no overflow.
    for index in 0..<count {
      let start = descriptors.startIndex + index * 16
      let blocks = Self.integer(bytes[start + 8..<start + 12])
      total += blocks
      guard limits.blockCountMax == .max || total <= limits.blockCountMax else {
        throw .invalidFieldInParameterList(byte: start + 8, bit: 7)
      }
      ranges.append(BlockRange(start: Self.integer(bytes[start..<start + 8]), count: blocks))
    }
    self.ranges = ranges
  }

  private static func descriptors(of bytes: [UInt8]) throws(SenseData) -> ArraySlice<UInt8> {
    guard bytes.count >= 8 else { throw .parameterListLengthError }
    let dataLength = Int(integer(bytes[0..<2]))
    let descriptorLength = Int(integer(bytes[2..<4]))
    guard dataLength + 2 <= bytes.count, descriptorLength + 8 <= bytes.count else {
      throw .parameterListLengthError
    }
    guard descriptorLength + 6 <= dataLength || descriptorLength == 0 else {
      throw .invalidFieldInParameterList(byte: 2, bit: 7)
    }
    return bytes[8..<8 + descriptorLength]
  }

  private static func integer(_ field: ArraySlice<UInt8>) -> UInt64 {
    field.reduce(0) { $0 << 8 | UInt64($1) }
  }
}
