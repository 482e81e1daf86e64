/// An address and a TCP port to listen on: `192.0.2.1:3260`, `[2001:db8::1]:3260`.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
  public var address: InternetAddress
  public var port: UInt16

  /// The port that IANA assigned to iSCSI targets.
  public static let defaultPort: UInt16 = 3260

  public init(address: InternetAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  public var description: String {
    address.family == .v6 ? "[\(address)]:\(port)" : "\(address):\(port)"
  }

  struct ParseError: Error {
    /// Completes "<value> …".
    var sentence: String
  }

  init(
    parsing text: String, defaultPort: UInt16 = defaultPort
  ) throws(ParseError) {
    let (host, port) = try Self.split(text, defaultPort: defaultPort)
    guard let address = InternetAddress(host) else {
      throw ParseError(
        sentence: "is not an IP address with a port: write for example \"0.0.0.0:3260\" or "
          + "\"[::]:3260\" (host names are not looked up)")
    }
    self.init(address: address, port: port)
  }

  /// Takes host and port apart without judging the host.
  static func split(
    _ text: String, defaultPort: UInt16 = defaultPort
  ) throws(ParseError) -> (host: String, port: UInt16) {
    if InternetAddress(text)?.family == .v6 {
      throw ParseError(sentence: "needs brackets: write \"[\(text)]:\(defaultPort)\"")
    }
    var host = text[...]
    var digits: Substring?
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":"), InternetAddress(String(host))?.family == .v6 else {
        throw ParseError(sentence: "is not \"[IPv6 address]:port\"")
      }
      digits = rest.isEmpty ? nil : rest.dropFirst()
    } else if let colon = text.lastIndex(of: ":") {
      host = text[..<colon]
      digits = text[text.index(after: colon)...]
    }
    guard let digits else { return (String(host), defaultPort) }
    let isPlain = digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard isPlain, let port = UInt16(digits), port > 0 else {
      throw ParseError(sentence: "has no valid port: after the last \":\" stands 1 to 65535")
    }
    return (String(host), port)
  }
}
