// Big-endian integers in fixed-size wire blocks. Offsets are constants at every call site, so the
// bounds checks fold away and each load is one move and one byte swap.

extension InlineArray where Element == UInt8 {
  @inlinable
  public func bigEndianUInt16(at offset: Int) -> UInt16 {
    UInt16(self[offset]) << 8 | UInt16(self[offset + 1])
  }

  /// A 24-bit field, such as DataSegmentLength (RFC 7143 §11.2.1.6).
  @inlinable
  public func bigEndianUInt24(at offset: Int) -> UInt32 {
    UInt32(self[offset]) << 16 | UInt32(self[offset + 1]) << 8 | UInt32(self[offset + 2])
  }

  @inlinable
  public func bigEndianUInt32(at offset: Int) -> UInt32 {
    UInt32(self[offset]) << 24 | UInt32(self[offset + 1]) << 16
      | UInt32(self[offset + 2]) << 8 | UInt32(self[offset + 3])
  }

  @inlinable
  public func bigEndianUInt64(at offset: Int) -> UInt64 {
    UInt64(bigEndianUInt32(at: offset)) << 32 | UInt64(bigEndianUInt32(at: offset + 4))
  }

  @inlinable
  public mutating func setBigEndian(_ value: UInt16, at offset: Int) {
    self[offset] = UInt8(truncatingIfNeeded: value >> 8)
    self[offset + 1] = UInt8(truncatingIfNeeded: value)
  }

  /// Stores the low 24 bits of `value`; the caller has bounded it.
  @inlinable
  public mutating func setBigEndianUInt24(_ value: UInt32, at offset: Int) {
    precondition(value < 1 << 24, "a 24-bit field cannot hold the value")
    self[offset] = UInt8(truncatingIfNeeded: value >> 16)
    self[offset + 1] = UInt8(truncatingIfNeeded: value >> 8)
    self[offset + 2] = UInt8(truncatingIfNeeded: value)
  }

  @inlinable
  public mutating func setBigEndian(_ value: UInt32, at offset: Int) {
    self[offset] = UInt8(truncatingIfNeeded: value >> 24)
    self[offset + 1] = UInt8(truncatingIfNeeded: value >> 16)
    self[offset + 2] = UInt8(truncatingIfNeeded: value >> 8)
    self[offset + 3] = UInt8(truncatingIfNeeded: value)
  }

  @inlinable
  public mutating func setBigEndian(_ value: UInt64, at offset: Int) {
    setBigEndian(UInt32(truncatingIfNeeded: value >> 32), at: offset)
    setBigEndian(UInt32(truncatingIfNeeded: value), at: offset + 4)
  }
}
