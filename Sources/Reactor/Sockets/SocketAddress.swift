internal import CLinux
internal import Glibc

/// An IP address without a port. An IPv4-mapped IPv6 address is the IPv4 address it maps, so that
/// one initiator has one address whatever the listener.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
  /// 4 or 16 bytes in network order.
  public let bytes: [UInt8]
  /// The interface of a link-local IPv6 address; 0 if none.
  public let scope: UInt32

  public var isIPv6: Bool { bytes.count == 16 }
  /// 0.0.0.0 or ::, every address of the machine.
  public var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }

  private static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]

  /// Whether the 16 bytes are in ::ffff:0:0/96 (RFC 4291 section 2.5.5.2).
  static func isMapped(_ bytes: [UInt8]) -> Bool {
    bytes.count == 16 && bytes.prefix(12).elementsEqual(mappedPrefix)
  }

  /// 4 or 16 bytes in network order.
  public init(bytes: [UInt8], scope: UInt32 = 0) {
    precondition(bytes.count == 4 || bytes.count == 16, "an address has 4 or 16 bytes")
    let isMapped = IPAddress.isMapped(bytes)
    self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
    self.scope = isMapped ? 0 : scope
  }

  /// "192.168.90.1", "2001:db8::1", "fe80::1%eth0".
  public init?(_ text: String) {
    guard let (bytes, scope) = IPAddress.parse(text) else { return nil }
    self.init(bytes: bytes, scope: scope)
  }

  /// The bytes as written, mapped addresses not yet made IPv4.
  static func parse(_ text: String) -> (bytes: [UInt8], scope: UInt32)? {
    let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = parts.first, !text.utf8.contains(0) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 16)
    let isIPv6 = address.utf8.contains(UInt8(ascii: ":"))
    let family = isIPv6 ? AF_INET6 : AF_INET
    guard unsafe inet_pton(family, String(address), &bytes) == 1 else { return nil }
    guard parts.count == 2 else { return (isIPv6 ? bytes : Array(bytes.prefix(4)), 0) }
    guard isIPv6, let scope = scope(ofInterface: String(parts[1])) else { return nil }
    return (bytes, scope)
  }

  /// The scope that an interface gives to link-local addresses, by its name or number; nil: this
  /// machine has no such interface.
  public static func scope(ofInterface name: String) -> UInt32? {
    let number = unsafe UInt32(name) ?? if_nametoindex(name)
    return number == 0 ? nil : number
  }

  public var description: String {
    var text = [CChar](repeating: 0, count: 64)
    let family = isIPv6 ? AF_INET6 : AF_INET
    guard unsafe inet_ntop(family, bytes, &text, 64) != nil else { return "?" }
    let address = String(
      decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return scope == 0 ? address : "\(address)%\(scope)"
  }
}

/// Where a TCP socket listens or is connected to: an IP address and a port.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  public let ip: IPAddress
  public let port: UInt16

  public init(ip: IPAddress, port: UInt16) {
    self.ip = ip
    self.port = port
  }

  /// "192.168.90.1:3260", "[2001:db8::1]:3260". Both parts are required.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let port = UInt16(digits)
    else { return nil }
    var host = text[..<colon]
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    if isBracketed { host = host.dropFirst().dropLast() }
    // Brackets are what tells the last colon of an IPv6 address from the port's.
    guard host.utf8.contains(UInt8(ascii: ":")) == isBracketed, let ip = IPAddress(String(host))
    else { return nil }
    self.init(ip: ip, port: port)
  }

  /// The socket's own address; nil if it has none (it is closed, or not TCP).
  public init?(of socket: SocketHandle) { self.init(socket, isPeer: false) }

  /// The address at the other end; nil if there is none any more.
  public init?(peerOf socket: SocketHandle) { self.init(socket, isPeer: true) }

  private init?(_ socket: SocketHandle, isPeer: Bool) {
    var storage = sockaddr_storage()
    guard unsafe clinux_socket_name(socket.rawValue, isPeer ? 1 : 0, &storage) == 0 else {
      return nil
    }
    var bytes = [UInt8](repeating: 0, count: 16)
    var port: UInt16 = 0
    var scope: UInt32 = 0
    let version = unsafe clinux_address_load(&storage, &bytes, &port, &scope)
    guard version == 4 || version == 6 else { return nil }
    let ip = IPAddress(bytes: version == 6 ? bytes : Array(bytes.prefix(4)), scope: scope)
    self.init(ip: ip, port: port)
  }

  public var description: String { ip.isIPv6 ? "[\(ip)]:\(port)" : "\(ip):\(port)" }

  /// Gives the address in the kernel's form.
  func withStorage<Result>(_ body: (UnsafePointer<sockaddr_storage>, socklen_t) -> Result) -> Result
  {
    var storage = sockaddr_storage()
    let length = unsafe clinux_address_store(&storage, ip.isIPv6 ? 1 : 0, ip.bytes, port, ip.scope)
    return unsafe withUnsafePointer(to: storage) { unsafe body($0, length) }
  }
}
