internal import AdministrationModel
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOSSL

/// Makes a new channel a connection, by where it came from.
struct Acceptor: Sendable {
  enum Origin: Sendable {
    case local(PeerPolicy)
    case network(NetworkListener)
  }

  let service: RequestService
  let connections: ConnectionTable
  let logger: Logger

  func accept(_ channel: any Channel, from origin: Origin) -> EventLoopFuture<Void> {
    let admission = connections.admit(channel)
    guard admission != .closed else {
      return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
    }
    let accepted = accept(channel, from: origin, admission)
    accepted.whenFailure { [connections] _ in connections.remove(channel) }
    return accepted
  }

  private func accept(
    _ channel: any Channel, from origin: Origin, _ admission: ConnectionTable.Admission
  ) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture {
      switch origin {
      case .local(let policy):
        let peer = try Self.peer(of: channel)
        return (Self.authorization(peer, policy), peer.map { "uid \($0.user) pid \($0.processID)" })
      case .network(let listener):
        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: listener.tls))
        return (.bearer(listener.tokens), channel.remoteAddress?.ipAddress)
      }
    }.flatMap { (authorization: Authorization, peer: String?) in
      let tooMany = AdministrationError(
        .unavailable, "too many connections", remedy: "try again later")
      let isRefused = admission == .refused && authorization.isOpen
      return serve(channel, peer, isRefused ? .refused(tooMany) : authorization)
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
    _ channel: any Channel, _ peer: String?, _ authorization: Authorization
  ) -> EventLoopFuture<Void> {
    var logger = logger
    if let peer { logger[metadataKey: "peer"] = "\(peer)" }
    let departure = Departure()
    let connection = Connection(
      service: service, authorization: authorization, departure: departure, logger: logger)
    var configuration = HTTP1Channel.Configuration(
      additionalChannelHandlers: [DepartureHandler(departure)],
      idleTimeout: TimeAmount(service.limits.idleTime))
    configuration.httpDecoder = .init(
      maxHeaderFieldSize: service.limits.headerFieldBytesMax,
      maxHeaderListSize: service.limits.headerBytesMax,
      maxHeaderFieldCount: service.limits.headerFieldCountMax)
    let http = HTTP1Channel(responder: { _, _, _ in }, configuration: configuration)
    return http.setup(channel: channel, logger: logger).map { [connections] value in
      _ = Task {
        await connection.run(value)
        connections.remove(channel)
      }
    }
  }
}
