public import AdministrationModel
internal import Glibc
public import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The HTTP server of the API, on a Unix socket, and on the network where it is told to. It knows
/// who asks and what HTTP is, and leaves the rest to an `Administrator`.
///
/// It has a thread of its own for the sockets; requests run as tasks.
public final class AdministrationServer: Sendable {
  public struct Configuration: Sendable {
    public var socketPath: String
    /// The system group that may use the socket; nil: root and the daemon's own user alone.
    public var group: String?
    /// nil: nobody on the network.
    public var network: NetworkEndpoint?
    public var limits = APILimits()
    /// Called on every thread that works for a request, each time before it does: what is served
    /// may want the CPU first.
    public var standBack: @Sendable () -> Void = {}

    public init(socketPath: String = AdministrationSocket.standardPath, group: String? = nil) {
      self.socketPath = socketPath
      self.group = group
    }
  }

  /// Where the API is served with TLS (1.2 or later) to whoever has a bearer token.
  public struct NetworkEndpoint: Sendable {
    public var host: String
    /// 0: any, for tests.
    public var port: Int
    /// PEM: the certificate, then those that lead to its root.
    public var certificateFile: String
    /// PEM, not readable by everybody.
    public var keyFile: String
    /// A token a line, of at least 16 bytes, not readable by everybody.
    public var tokenFile: String

    public init(
      host: String, port: Int, certificateFile: String, keyFile: String, tokenFile: String
    ) {
      self.host = host
      self.port = port
      self.certificateFile = certificateFile
      self.keyFile = keyFile
      self.tokenFile = tokenFile
    }

    /// As in the configuration: the host of IPv6 stands in brackets.
    var address: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
  }

  private enum Phase: Sendable {
    case idle
    case starting
    case running(Running)
    case stopped
  }

  private struct Running: Sendable {
    var file: SocketFile
    var channels: [any Channel]
    var threads: MultiThreadedEventLoopGroup
    var network: NetworkAccess?
  }

  public let configuration: Configuration
  private let hub: EventHub
  private let acceptor: Acceptor
  private let logger: Logger
  private let phase = Mutex(Phase.idle)

  public init(
    _ administrator: any Administrator, events: EventHub, configuration: Configuration,
    logger: Logger
  ) {
    self.configuration = configuration
    self.logger = logger
    hub = events
    acceptor = Acceptor(
      service: RequestService(
        administrator: administrator, hub: events, limits: configuration.limits,
        standBack: configuration.standBack),
      connections: ConnectionTable(countMax: configuration.limits.connectionCountMax),
      networkConnections: ConnectionTable(
        countMax: configuration.limits.networkConnectionCountMax,
        addressCountMax: configuration.limits.addressConnectionCountMax),
      logger: logger)
  }

  // MARK: Start

  /// Returns when clients can connect. To be called once; after an error it may be called again.
  public func start() async throws(AdministrationServerError) {
    let isFirst = phase.withLock { phase in
      guard case .idle = phase else { return false }
      phase = .starting
      return true
    }
    guard isFirst else { throw .alreadyStarted }
    do throws(AdministrationServerError) {
      let running = try await listen()
      phase.withLock { $0 = .running(running) }
    } catch {
      phase.withLock { $0 = .idle }
      throw error
    }
    logger.info("administration socket \(configuration.socketPath)")
    if let endpoint = configuration.network {
      logger.notice("the API is open on the network to who has a token: \(endpoint.address)")
    }
  }

  private func listen() async throws(AdministrationServerError) -> Running {
    var group: UInt32?
    if let name = configuration.group {
      group = SystemGroup.number(of: name)
      guard group != nil else { throw .noSuchGroup(name) }
    }
    let network = try configuration.network.map { endpoint throws(AdministrationServerError) in
      NetworkAccess(try NetworkListener(endpoint))
    }
    let file = try SocketFile(path: configuration.socketPath, group: group)
    var running = Running(
      file: file, channels: [], threads: MultiThreadedEventLoopGroup(numberOfThreads: 1),
      network: network)
    running.threads.next().execute(configuration.standBack)
    do {
      let policy = PeerPolicy(user: geteuid(), group: group)
      running.channels.append(
        try await bootstrap(running.threads, .local(policy))
          .withBoundSocket(file.descriptor).get())
      if let network {
        running.channels.append(try await listen(network, running.threads))
      }
      return running
    } catch {
      await close(running)
      if let error = error as? AdministrationServerError { throw error }
      throw .socket(path: file.path, "\(error)")
    }
  }

  private func listen(
    _ access: NetworkAccess, _ threads: MultiThreadedEventLoopGroup
  ) async throws -> any Channel {
    let endpoint = access.endpoint
    do {
      return try await bootstrap(threads, .network(access))
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .bind(host: endpoint.host, port: endpoint.port).get()
    } catch {
      throw NetworkListener.failure(endpoint, "\(error)")
    }
  }

  private func bootstrap(
    _ threads: MultiThreadedEventLoopGroup, _ origin: Acceptor.Origin
  ) -> ServerBootstrap {
    ServerBootstrap(group: threads)
      .serverChannelOption(.backlog, value: 512)
      // A client may close its half when it has asked.
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { [acceptor] in acceptor.accept($0, from: origin) }
  }

  // MARK: Renewal

  /// Certificate, key and tokens of the network, read anew and found good.
  public struct Renewal: Sendable {
    fileprivate let access: NetworkAccess
    fileprivate let listener: NetworkListener
    /// Whether the tokens are others.
    public var changesTokens: Bool { access.tokens != listener.tokens }
    /// Whether any token opens the API with it.
    public var hasTokens: Bool { listener.tokens.count > 0 }
  }

  /// Reads them anew, while what was read before counts; nil: nobody on the network.
  public func readRenewal() throws(AdministrationServerError) -> Renewal? {
    guard let network else { return nil }
    return Renewal(access: network, listener: try NetworkListener(network.endpoint))
  }

  /// For when they are not good: what is there, but without the tokens that their file does not
  /// name any more. Without that file, or with an empty one, no token is left.
  public func readWithdrawal() -> Renewal? {
    guard let network else { return nil }
    return Renewal(access: network, listener: network.listener.withoutWithdrawnTokens())
  }

  private var network: NetworkAccess? {
    phase.withLock { phase in
      if case .running(let running) = phase { return running.network }
      return nil
    }
  }

  /// From the next connection on they show the certificate, and from the next request on the tokens
  /// count; streams of events end that are open by a token which counts no more.
  public func adopt(_ renewal: Renewal) {
    renewal.access.exchange(for: renewal.listener)
    hub.endForbidden()
  }

  // MARK: Stop

  /// Takes no more connections, ends streams, lets requests that run finish within the time for
  /// that, and removes the socket file. Of a request that does not end even then it is not waited
  /// for.
  public func stop() async {
    let running = phase.withLock { phase -> Running? in
      defer { phase = .stopped }
      if case .running(let running) = phase { return running }
      return nil
    }
    guard let running else { return }
    hub.close()
    await close(running)
  }

  private func close(_ running: Running) async {
    running.file.remove()
    for channel in running.channels { try? await channel.close() }
    let tables = [acceptor.connections, acceptor.networkConnections]
    for table in tables { table.quiesce() }
    let stopTime = TimeAmount(configuration.limits.stopTime)
    let deadlines = [
      running.threads.next().scheduleTask(in: stopTime) {
        for table in tables { table.closeAll() }
      },
      running.threads.next().scheduleTask(in: stopTime * 2) {
        for table in tables { table.giveUp() }
      },
    ]
    var isEmpty = true
    for table in tables { isEmpty = await table.waitUntilEmpty() && isEmpty }
    for deadline in deadlines { deadline.cancel() }
    guard isEmpty else {
      logger.error("a request of the API does not end")
      return
    }
    try? await running.threads.shutdownGracefully()
  }

  // MARK: For tests

  var connectionCount: Int {
    acceptor.connections.count + acceptor.networkConnections.count
  }

  /// Of the listener on the network.
  var networkPort: Int? {
    phase.withLock { phase in
      guard case .running(let running) = phase else { return nil }
      return running.channels.last?.localAddress?.port
    }
  }
}
