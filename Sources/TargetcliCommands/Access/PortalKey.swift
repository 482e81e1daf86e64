internal import AdministrationModel
internal import TargetConfig

/// A portal as targetcli counts them. `0.0.0.0` and `[::0]` are one: LIO's socket for every address
/// takes both families, and here each has its own.
struct PortalKey: Hashable {
  var address: InternetAddress
  var port: UInt16

  /// What a new target gets: every address, at the port of iSCSI. Never nil.
  static let standard = PortalKey(address: "0.0.0.0", port: Endpoint.defaultPort)

  private static let everyAddress = InternetAddress("0.0.0.0")

  /// An address as `create` takes it, with or without brackets; nil: it is none.
  init?(address text: String, port: UInt16) {
    let plain = text.hasPrefix("[") && text.hasSuffix("]") ? text.dropFirst().dropLast() : text[...]
    guard let address = InternetAddress(String(plain == "::0" ? "::" : plain)), port > 0 else {
      return nil
    }
    self.address = address
    self.port = port
    if address.isUnspecified, let every = Self.everyAddress { self.address = every }
  }

  /// `192.0.2.7:3260`, as in the configuration and in paths.
  init?(path text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    self.init(address: String(text[..<colon]), port: port)
  }

  var isEveryAddress: Bool { address.isUnspecified }

  var endpoint: Endpoint { Endpoint(address: address, port: port) }
}
