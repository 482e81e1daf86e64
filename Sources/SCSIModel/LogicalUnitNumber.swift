/// A logical unit number as the target uses it, and its eight-byte form (SAM-5 §4.7).
///
/// | form                       | byte 0                     | byte 1  | bytes 2–7 |
/// |----------------------------|----------------------------|---------|-----------|
/// | peripheral device, bus 0    | 00b, bus identifier 000000b | 0…255   | 0         |
/// | flat space                 | 01b, six high bits         | low byte | 0        |
/// | REPORT LUNS well known     | C1h                        | 01h     | 0         |
public enum LogicalUnitNumber: Hashable, Sendable, BitwiseCopyable {
  /// 0…16383.
  case number(UInt16)
  /// The well known logical unit that only lists the others (SPC-4 §8.2).
  case reportLUNs

  public static let numberMax: UInt16 = 16_383

  /// Decodes the LUN field of a command. nil for what names no unit here: second-level addresses,
  /// other buses, extended addressing.
  @inlinable
  public init?(field: UInt64) {
    guard field & 0x0000_FFFF_FFFF_FFFF == 0 else { return nil }
    let first = UInt16(truncatingIfNeeded: field >> 48)
    switch first >> 14 {
    case 0b00 where first <= 0x00FF: self = .number(first)
    case 0b01: self = .number(first & 0x3FFF)
    case 0b11 where first == 0xC101: self = .reportLUNs
    default: return nil
    }
  }

  /// The form that REPORT LUNS lists: peripheral below 256, flat space above (SAM-5 §4.7.4).
  @inlinable
  public var field: UInt64 {
    switch self {
    case .number(let number):
      precondition(number <= Self.numberMax, "a LUN has 14 bits")
      return UInt64(number < 256 ? number : 0x4000 | number) << 48
    case .reportLUNs: return 0xC101 << 48
    }
  }
}
