/// A name of a logical unit in NAA format (SPC-4 §7.8.6.6): what the initiator shows as `wwn-0x…`.
public struct NAAIdentifier: Hashable, Sendable, CustomStringConvertible {
  /// 16 octets; the first half-octet is the format, 6: IEEE Registered Extended (§7.8.6.6.5), the
  /// one that units have always had here and that initiators know their disks by.
  public let bytes: [UInt8]

  /// From 32 hexadecimal digits that begin with 6.
  public init?(_ text: String) {
    guard Self.problem(in: text) == nil else { return nil }
    let digits = text.compactMap(\.hexDigitValue)
    bytes = stride(from: 0, to: digits.count - 1, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }

  public var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  static func problem(in text: String) -> String? {
    let isHexadecimal = text.allSatisfy { $0.isASCII && $0.isHexDigit }
    guard isHexadecimal, text.count == 32, text.first == "6" else {
      return "is not an NAA identifier: write 32 hexadecimal digits that begin with 6 "
        + "(SPC-4 §7.8.6.6.5)"
    }
    return nil
  }
}
