/// An IPv4 or IPv6 address. IPv4 addresses mapped into IPv6 (RFC 4291 §2.5.5.2) become IPv4, so
/// that an access rule for 192.0.2.1 holds on a dual-stack socket too.
public struct InternetAddress: Hashable, Sendable, CustomStringConvertible {
  public enum Family: Sendable { case v4, v6 }

  public let family: Family
  /// The address as a number; IPv4 in the low 32 bits.
  public let bits: UInt128
  /// The interface of a link-local IPv6 address, as in `fe80::1%eth0` (RFC 4007 §11).
  public let zone: String?

  private init(family: Family, bits: UInt128, zone: String?) {
    self.family = family
    self.bits = bits
    self.zone = zone
  }

  init(v4 bits: UInt32) { self.init(family: .v4, bits: UInt128(bits), zone: nil) }

  init(v6 bits: UInt128, zone: String? = nil) {
    if bits >> 32 == 0xFFFF, zone == nil {
      self.init(v4: UInt32(truncatingIfNeeded: bits))
    } else {
      self.init(family: .v6, bits: bits, zone: zone)
    }
  }

  /// Network byte order, 4 or 16 octets.
  public var networkBytes: [UInt8] {
    let count = bitWidth / 8
    return (0..<count).map { UInt8(truncatingIfNeeded: bits >> UInt128(8 * (count - 1 - $0))) }
  }

  var bitWidth: Int { family == .v4 ? 32 : 128 }

  /// 0.0.0.0 or ::, which a listening socket reads as "every address".
  public var isUnspecified: Bool { bits == 0 }

  /// From text: dotted decimal, or RFC 4291 §2.2 with an optional zone.
  public init?(_ text: String) {
    if let bits = Self.parseV4(text[...]) {
      self.init(v4: bits)
      return
    }
    let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let bits = Self.parseV6(first) else { return nil }
    let zone = parts.count == 2 ? String(parts[1]) : nil
    if let zone {
      let isPlain = zone.allSatisfy { $0.isASCII && !$0.isWhitespace && $0 != "/" && $0 != "]" }
      guard !zone.isEmpty, zone.utf8.count <= 15, isPlain else { return nil }
    }
    self.init(v6: bits, zone: zone)
  }

  /// The canonical text (RFC 5952 for IPv6), without brackets.
  public var description: String {
    switch family {
    case .v4: networkBytes.map { String($0) }.joined(separator: ".")
    case .v6: descriptionV6 + (zone.map { "%" + $0 } ?? "")
    }
  }
}

extension InternetAddress {
  /// Four decimal numbers. Leading zeros are refused: some systems read them as octal.
  private static func parseV4(_ text: Substring) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bits: UInt32 = 0
    for part in parts {
      let isPlain = part.utf8.allSatisfy { (0x30...0x39).contains($0) }
      guard isPlain, part.count == 1 || part.first != "0", let octet = UInt8(part) else {
        return nil
      }
      bits = bits << 8 | UInt32(octet)
    }
    return bits
  }

  private static func parseV6(_ text: Substring) -> UInt128? {
    let halves = text.split(separator: "::", omittingEmptySubsequences: false)
    guard halves.count <= 2, let head = groups(halves[0], isLast: halves.count == 1) else {
      return nil
    }
    guard halves.count == 2 else { return head.count == 8 ? number(head) : nil }
    guard let tail = groups(halves[1], isLast: true), head.count + tail.count <= 7 else {
      return nil
    }
    let zeros = [UInt16](repeating: 0, count: 8 - head.count - tail.count)
    return number(head + zeros + tail)
  }

  /// The 16-bit groups of one side of `::`. Only the last group may be dotted decimal.
  private static func groups(_ text: Substring, isLast: Bool) -> [UInt16]? {
    guard !text.isEmpty else { return [] }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 8 else { return nil }
    var groups: [UInt16] = []
    for (index, part) in parts.enumerated() {
      if isLast, index == parts.count - 1, part.contains(".") {
        guard let bits = parseV4(part) else { return nil }
        groups += [UInt16(truncatingIfNeeded: bits >> 16), UInt16(truncatingIfNeeded: bits)]
      } else {
        guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit),
          let group = UInt16(part, radix: 16)
        else { return nil }
        groups.append(group)
      }
    }
    return groups
  }

  private static func number(_ groups: [UInt16]) -> UInt128 {
    groups.reduce(into: 0) { $0 = $0 << 16 | UInt128($1) }
  }

  /// RFC 5952 §4: lower case, no leading zeros, the longest run of two or more zero groups as `::`.
  private var descriptionV6: String {
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
    var longest = 0..<0
    var index = 0
    while index < 8 {
      var end = index
      while end < 8, groups[end] == 0 { end += 1 }
      if end - index > max(longest.count, 1) { longest = index..<end }
      index = max(end, index + 1)
    }
    func text(_ part: ArraySlice<UInt16>) -> String {
      part.map { String($0, radix: 16) }.joined(separator: ":")
    }
    guard !longest.isEmpty else { return text(groups[...]) }
    return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
  }
}
