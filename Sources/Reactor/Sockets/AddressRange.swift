/// The addresses that share a prefix, as an access list names them: "192.168.90.0/24", "fe80::/10",
/// or a single address. Bits behind the prefix do not matter and are shown as zero.
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
  public let network: IPAddress
  /// 0 … 32 for IPv4, 0 … 128 for IPv6.
  public let prefixBits: Int

  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let (bytes, scope) = IPAddress.parse(String(first)), scope == 0
    else { return nil }
    var prefixBits = bytes.count * 8
    if parts.count == 2 {
      guard !parts[1].isEmpty, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let wanted = Int(parts[1]), wanted <= prefixBits
      else { return nil }
      prefixBits = wanted
    }
    // A range within ::ffff:0:0/96 is one of IPv4, as its addresses are.
    if IPAddress.isMapped(bytes), prefixBits >= 96 {
      self.init(network: IPAddress(bytes: Array(bytes.suffix(4))), prefixBits: prefixBits - 96)
    } else {
      self.init(bytes: bytes, prefixBits: prefixBits)
    }
  }

  /// `prefixBits` of at most 32 for IPv4, 128 for IPv6.
  public init(network: IPAddress, prefixBits: Int) {
    self.init(bytes: network.bytes, prefixBits: prefixBits)
  }

  private init(bytes: [UInt8], prefixBits: Int) {
    precondition((0...bytes.count * 8).contains(prefixBits), "a prefix lies within the address")
    self.prefixBits = prefixBits
    network = IPAddress(bytes: AddressRange.masked(bytes, prefixBits))
  }

  /// The interface of a link-local address does not matter.
  public func contains(_ address: IPAddress) -> Bool {
    address.bytes.count == network.bytes.count
      && AddressRange.masked(address.bytes, prefixBits) == network.bytes
  }

  private static func masked(_ bytes: [UInt8], _ prefixBits: Int) -> [UInt8] {
    bytes.enumerated().map { index, byte in
      let kept = min(max(prefixBits - index * 8, 0), 8)
      return byte & UInt8(truncatingIfNeeded: 0xFF00 >> kept)
    }
  }

  public var description: String {
    prefixBits == network.bytes.count * 8 ? "\(network)" : "\(network)/\(prefixBits)"
  }
}
