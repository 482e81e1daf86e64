internal import Reactor
internal import TargetConfig

// Addresses of the configuration as the reactors take them.

extension IPAddress {
  /// Nil: the address names an interface that this machine does not have.
  init?(_ address: InternetAddress) {
    guard let zone = address.zone else {
      self.init(bytes: address.networkBytes)
      return
    }
    guard let scope = IPAddress.scope(ofInterface: zone) else { return nil }
    self.init(bytes: address.networkBytes, scope: scope)
  }
}

extension AddressRange {
  init(_ pattern: AddressPattern) {
    self.init(
      network: IPAddress(bytes: pattern.base.networkBytes), prefixBits: pattern.prefixLength)
  }
}

extension SocketAddress {
  /// nil: it names an interface that this machine does not have.
  init?(_ endpoint: Endpoint) {
    guard let ip = IPAddress(endpoint.address) else { return nil }
    self.init(ip: ip, port: endpoint.port)
  }
}
