internal import NIOSSL
internal import Synchronization

/// What the listener on the network works with now: certificate and tokens are exchanged while it
/// listens.
final class NetworkAccess: Sendable {
  private let current: Mutex<NetworkListener>

  init(_ listener: NetworkListener) { current = Mutex(listener) }

  var endpoint: AdministrationServer.NetworkEndpoint { current.withLock { $0.endpoint } }
  /// For connections from here on.
  var tls: NIOSSLContext { current.withLock { $0.tls } }
  /// For requests from here on.
  var tokens: BearerTokens { current.withLock { $0.tokens } }

  var listener: NetworkListener { current.withLock { $0 } }

  func exchange(for listener: NetworkListener) { current.withLock { $0 = listener } }
}
