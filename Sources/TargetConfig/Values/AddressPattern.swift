/// Which addresses an entry means: a network in CIDR notation, or a single address, as in
/// `192.168.90.0/24`, `2001:db8::/32`, `::1`.
public struct AddressPattern: Hashable, Sendable, CustomStringConvertible {
  public let base: InternetAddress
  /// 0…32 or 0…128; the full width for a single address.
  public let prefixLength: Int

  struct ParseError: Error {
    /// Completes "<value> …".
    var sentence: String
  }

  /// nil: it is none.
  public init?(_ text: String) {
    do throws(ParseError) { self = try Self(parsing: text) } catch { return nil }
  }

  init(parsing text: String) throws(ParseError) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let base = InternetAddress(String(first)) else {
      throw ParseError(
        sentence: "is not an IP address or network: "
          + "write for example \"192.168.90.7\", \"192.168.90.0/24\" or \"2001:db8::/32\"")
    }
    guard base.zone == nil else {
      throw ParseError(sentence: "names an interface: write the address without \"%\"")
    }
    self.base = base
    guard parts.count == 2 else {
      prefixLength = base.bitWidth
      return
    }
    let digits = parts[1]
    let isPlain = digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard isPlain, let length = Int(digits), length <= base.bitWidth else {
      throw ParseError(
        sentence: "has no valid prefix length: after the \"/\" stands 0 to \(base.bitWidth)")
    }
    prefixLength = length
    let network = base.bits & Self.mask(length, base.bitWidth)
    guard network == base.bits else {
      let whole =
        base.family == .v4
        ? InternetAddress(v4: UInt32(truncatingIfNeeded: network)) : InternetAddress(v6: network)
      throw ParseError(
        sentence: "has bits set behind its prefix: write \"\(whole)/\(length)\" for the network "
          + "or \"\(base)\" for the one address")
    }
  }

  /// Addresses of two families are never in one network.
  public func isNarrower(than other: AddressPattern) -> Bool {
    base.family == other.base.family && prefixLength > other.prefixLength
  }

  /// Whether `address` lies in it. A zone does not matter; another family never matches.
  func contains(_ address: InternetAddress) -> Bool {
    address.family == base.family
      && address.bits & Self.mask(prefixLength, base.bitWidth) == base.bits
  }

  /// Whether every address of `other` lies in this one too.
  public func contains(_ other: AddressPattern) -> Bool {
    other.prefixLength >= prefixLength && contains(other.base)
  }

  public var description: String {
    prefixLength == base.bitWidth ? base.description : "\(base)/\(prefixLength)"
  }

  private static func mask(_ length: Int, _ width: Int) -> UInt128 {
    let all: UInt128 = width == 32 ? 0xFFFF_FFFF : .max
    return length == 0 ? 0 : all & ~(all >> UInt128(length))
  }
}
