/// What SendTargets announces in place of the listening address: a host name is allowed there
/// (RFC 7143 §13.8, TargetAddress).
public struct AdvertisedEndpoint: Hashable, Sendable, CustomStringConvertible {
  /// A DNS name, an IPv4 address, or an IPv6 address without brackets.
  public var host: String
  public var port: UInt16

  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  init(parsing text: String) throws(Endpoint.ParseError) {
    (host, port) = try Endpoint.split(text)
    if let address = InternetAddress(host) {
      guard !address.isUnspecified else {
        throw Endpoint.ParseError(
          sentence: "cannot be reached: announce an address that initiators can connect to")
      }
      host = address.description
      return
    }
    let isName = host.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x2D
        || byte == 0x2E
    }
    guard isName, !host.isEmpty, host.utf8.count <= 253, !host.hasPrefix("-") else {
      throw Endpoint.ParseError(sentence: "is neither a host name nor an IP address")
    }
  }
}
