/// A cursor over bytes somebody else wrote. Every read is checked and answers nil past the end, so
/// a length that lies is a value to handle, never a trap.
public struct ByteReader {
  private let bytes: [UInt8]
  public private(set) var offset: Int

  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
    offset = 0
  }

  public var remaining: Int { bytes.count - offset }

  public mutating func uint8() -> UInt8? {
    guard remaining >= 1 else { return nil }
    defer { offset += 1 }
    return bytes[offset]
  }

  public mutating func uint16() -> UInt16? { integer(byteCount: 2).map { UInt16($0) } }
  public mutating func uint32() -> UInt32? { integer(byteCount: 4).map { UInt32($0) } }
  public mutating func uint64() -> UInt64? { integer(byteCount: 8) }

  /// The next `count` bytes, or nil if there are fewer (or `count` is negative).
  public mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, remaining >= count else { return nil }
    defer { offset += count }
    return bytes[offset..<offset + count]
  }

  /// Moves past `count` bytes; false, and nothing moves, if there are fewer.
  public mutating func skip(_ count: Int) -> Bool { bytes(count) != nil }

  private mutating func integer(byteCount: Int) -> UInt64? {
    bytes(byteCount)?.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  }
}
