/// A 32-bit sequence number that wraps: CmdSN, StatSN, DataSN (RFC 7143 §4.2.2, arithmetic of
/// RFC 1982).
///
/// Deliberately not `Comparable`: the order is not transitive around the circle, so sorting by it
/// would be a bug.
public struct SerialNumber: RawRepresentable, Hashable, Sendable, BitwiseCopyable,
  CustomStringConvertible
{
  public var rawValue: UInt32

  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  @inlinable
  public init(_ rawValue: UInt32) { self.rawValue = rawValue }

  /// How far `self` is ahead of `other`; negative when it is behind. Numbers exactly 2^31 apart
  /// have no order in RFC 1982; here both count as behind the other, which no window ever admits.
  @inlinable
  public func distance(from other: SerialNumber) -> Int32 {
    Int32(bitPattern: rawValue &- other.rawValue)
  }

  @inlinable
  public func precedes(_ other: SerialNumber) -> Bool { distance(from: other) < 0 }

  @inlinable
  public static func + (number: SerialNumber, count: UInt32) -> SerialNumber {
    SerialNumber(number.rawValue &+ count)
  }

  @inlinable
  public static func - (number: SerialNumber, count: UInt32) -> SerialNumber {
    SerialNumber(number.rawValue &- count)
  }

  /// Advances by one and returns the number before: "use it, then count it".
  @inlinable
  public mutating func next() -> SerialNumber {
    defer { rawValue &+= 1 }
    return self
  }

  public var description: String { String(rawValue) }
}
