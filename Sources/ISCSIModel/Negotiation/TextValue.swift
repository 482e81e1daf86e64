/// Values in the notations of RFC 7143 §6.1. Every function answers nil for what the grammar or the
/// bound does not admit, before it allocates.
public enum TextValue {
  /// Values of one list, `a,b,c`; the longest list that exists has five.
  public static let listValueCountMax = 64

  /// A decimal-constant (no leading zeros, no sign) or a hex-constant (`0x`/`0X`, one digit or
  /// more).
  public static func number(_ text: some StringProtocol) -> UInt64? {
    let bytes = Array(text.utf8.prefix(numberBytesMax + 1))
    guard !bytes.isEmpty, bytes.count <= numberBytesMax else { return nil }
    if let digits = afterPrefix(bytes, UInt8(ascii: "x")) { return accumulate(digits, radix: 16) }
    guard bytes.count == 1 || bytes[0] != UInt8(ascii: "0") else { return nil }
    return accumulate(bytes[...], radix: 10)
  }

  /// Longer than any 64-bit number in decimal, and enough zeros before a hexadecimal one.
  private static let numberBytesMax = 34

  /// `Yes` or `No`.
  public static func boolean(_ text: String) -> Bool? {
    switch text {
    case "Yes": true
    case "No": false
    default: nil
    }
  }

  public static func text(_ flag: Bool) -> String { flag ? "Yes" : "No" }

  /// The values of a comma-separated list; nil if it is empty, has empty values, or too many.
  public static func list(_ text: String) -> [Substring]? {
    let values = text.split(
      separator: ",", maxSplits: listValueCountMax, omittingEmptySubsequences: false)
    guard values.count <= listValueCountMax, values.allSatisfy({ !$0.isEmpty }) else { return nil }
    return values
  }

  /// A large-binary-value: an even number of digits after `0x`, or canonical base64 after `0b`, of
  /// 1…`bytesMax` bytes. The length is bounded before anything is decoded.
  public static func binary(_ text: String, bytesMax: Int) -> [UInt8]? {
    let utf8 = text.utf8
    guard utf8.count <= 2 + 2 * max(bytesMax, 2) else { return nil }
    let bytes = Array(utf8)
    let decoded: [UInt8]?
    if let digits = afterPrefix(bytes, UInt8(ascii: "x")) {
      decoded = hexadecimal(digits)
    } else if let digits = afterPrefix(bytes, UInt8(ascii: "b")) {
      decoded = base64(digits)
    } else {
      decoded = nil
    }
    guard let decoded, (1...bytesMax).contains(decoded.count) else { return nil }
    return decoded
  }

  /// `0x` and two lower-case digits for each byte.
  public static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text = Array("0x".utf8)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 0x0F)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func afterPrefix(_ bytes: [UInt8], _ letter: UInt8) -> ArraySlice<UInt8>? {
    guard bytes.count > 2, bytes[0] == UInt8(ascii: "0"), bytes[1] | 0x20 == letter else {
      return nil
    }
    return bytes[2...]
  }

  private static func accumulate(_ digits: ArraySlice<UInt8>, radix: UInt64) -> UInt64? {
    var value: UInt64 = 0
    for digit in digits {
      guard let step = hexDigit(digit).map(UInt64.init), step < radix else { return nil }
      let scaled = value.multipliedReportingOverflow(by: radix)
      let sum = scaled.partialValue.addingReportingOverflow(step)
      guard !scaled.overflow, !sum.overflow else { return nil }
      value = sum.partialValue
    }
    return value
  }

  private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    var high: UInt8?
    for digit in digits {
      guard let nibble = hexDigit(digit) else { return nil }
      if let first = high {
        bytes.append(first << 4 | nibble)
        high = nil
      } else {
        high = nibble
      }
    }
    return bytes
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// RFC 4648 §4 with padding; bits that no byte uses must be zero, so one value has one encoding.
  private static func base64(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
    guard digits.count.isMultiple(of: 4) else { return nil }
    let padding = digits.suffix(2).filter { $0 == UInt8(ascii: "=") }.count
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for digit in digits.dropLast(padding) {
      guard let sextet = base64Digit(digit) else { return nil }
      bits = (bits << 6 | UInt32(sextet)) & 0xFFFF
      bitCount += 6
      if bitCount >= 8 {
        bitCount -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
      }
    }
    guard bits & ((1 << bitCount) - 1) == 0 else { return nil }
    return bytes
  }

  private static func base64Digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
