internal import AdministrationModel
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOSSL

/// Makes a new channel a connection, by where it came from.
struct Acceptor: Sendable {
  enum Origin: Sendable {
    case local(PeerPolicy)
    case network(NetworkAccess)
  }

  let service: RequestService
  /// Of the Unix socket, and of the network.
  let connections: ConnectionTable
  let networkConnections: ConnectionTable
  let logger: Logger

  func accept(_ channel: any Channel, from origin: Origin) -> EventLoopFuture<Void> {
    let (connections, address) = table(of: channel, from: origin)
    let admission = connections.admit(channel, from: address)
    guard admission != .closed else {
      return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
    }
    let accepted = accept(channel, from: origin, admission, connections)
    accepted.whenFailure { _ in connections.remove(channel) }
    return accepted
  }

  private func table(
    of channel: any Channel, from origin: Origin
  ) -> (ConnectionTable, address: String?) {
    switch origin {
    case .local: (connections, nil)
    case .network: (networkConnections, channel.remoteAddress?.ipAddress ?? "")
    }
  }

  private func accept(
    _ channel: any Channel, from origin: Origin, _ admission: ConnectionTable.Admission,
    _ connections: ConnectionTable
  ) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture {
      switch origin {
      case .local(let policy):
        let peer = try Self.peer(of: channel)
        let name = peer.map { "uid \($0.user) pid \($0.processID)" }
        let authorization = Self.authorization(peer, policy)
        if !authorization.isOpen {
          // The modes of the socket should have kept it out: somebody wants to know.
          logger.warning(
            "somebody who may not administer has connected",
            metadata: ["peer": "\(name ?? "unknown")"])
        }
        return (authorization, name)
      case .network(let access):
        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: access.tls))
        return (.bearer(access), channel.remoteAddress?.ipAddress)
      }
    }.flatMap { (authorization: Authorization, peer: String?) in
      let tooMany = AdministrationError(
        .unavailable, "too many connections", remedy: "try again later")
      let isRefused = admission == .refused && authorization.isOpen
      return serve(
        channel, peer, isRefused ? .refused(tooMany) : authorization, in: connections,
        greeting: greeting(of: channel, from: origin))
    }
  }

  /// Closes a connection of the network that does not say in time who it is.
  private func greeting(of channel: any Channel, from origin: Origin) -> Scheduled<Void>? {
    guard case .network = origin else { return nil }
    return channel.eventLoop.scheduleTask(in: TimeAmount(service.limits.greetingTime)) {
      channel.close(promise: nil)
    }
  }

  private static func peer(of channel: any Channel) throws -> Peer? {
    try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { Peer(socket: $0) } ?? nil
  }

  private static func authorization(_ peer: Peer?, _ policy: PeerPolicy) -> Authorization {
    guard let peer, policy.admits(peer) else {
      return .refused(
        AdministrationError(
          .forbidden, "user \(peer.map { "\($0.user)" } ?? "unknown") may not administer",
          remedy: "be root, or of the group that the key \"admin\" names"))
    }
    return .none
  }

  private func serve(
    _ channel: any Channel, _ peer: String?, _ authorization: Authorization,
    in connections: ConnectionTable, greeting: Scheduled<Void>?
  ) -> EventLoopFuture<Void> {
    var logger = logger
    if let peer { logger[metadataKey: "peer"] = "\(peer)" }
    let departure = Departure()
    let connection = Connection(
      service: service, authorization: authorization, greeting: greeting, departure: departure,
      logger: logger)
    var configuration = HTTP1Channel.Configuration(
      additionalChannelHandlers: [DepartureHandler(departure)],
      idleTimeout: TimeAmount(service.limits.idleTime))
    configuration.httpDecoder = .init(
      maxHeaderFieldSize: service.limits.headerFieldBytesMax,
      maxHeaderListSize: service.limits.headerBytesMax,
      maxHeaderFieldCount: service.limits.headerFieldCountMax)
    let http = HTTP1Channel(responder: { _, _, _ in }, configuration: configuration)
    return http.setup(channel: channel, logger: logger).map { value in
      _ = Task {
        await connection.run(value)
        greeting?.cancel()
        connections.remove(channel)
      }
    }
  }
}
