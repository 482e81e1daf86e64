internal import AdministrationModel
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// One request and its answer on a connection of their own.
struct Exchange {
  typealias HTTPChannel = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
  typealias Answer = NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator

  var socketPath: String
  var timeout: Duration
  /// Whether the answer has to end in that time, and not only to begin.
  var boundsAnswer = true
  var request: APIRequest

  /// More than any answer has.
  static let answerBytesMax = 256 << 20

  /// The whole answer.
  func run() async throws -> (status: HTTPResponseStatus, body: ByteBuffer) {
    try await run { head, parts in
      (head.status, try await Self.collect(&parts))
    }
  }

  /// Hands the head of the answer and what follows to `receive`.
  func run<Result: Sendable>(
    _ receive: (HTTPResponseHead, inout Answer) async throws -> Result
  ) async throws -> Result {
    let channel = try await connect()
    let peer = try? await channel.channel.peerProcessID()
    let deadline = channel.channel.eventLoop.scheduleTask(in: TimeAmount(timeout)) {
      [timeout = timeout] in
      let error = TimedOut(timeout: timeout, process: peer.map { PeerProcess($0) })
      channel.channel.pipeline.fireErrorCaught(error)
      channel.channel.close(promise: nil)
    }
    defer { deadline.cancel() }
    do {
      return try await channel.executeThenClose { inbound, outbound in
        // A refusal may come before all was sent. It says more than a failed write, as do the end
        // of the connection and that of the time, which all end the reading.
        try? await outbound.write(contentsOf: request.parts)
        var parts = inbound.makeAsyncIterator()
        while case .head(let head)? = try await parts.next() {
          // 100 Continue and its like come before the answer.
          guard head.status.code >= 200 else {
            continue
          }
          if !boundsAnswer { deadline.cancel() }
          return try await receive(head, &parts)
        }
        throw ClosedEarly()
      }
    } catch let error as AdministrationError {
      throw error
    } catch {
      throw Unanswered(cause: error)
    }
  }

  static func collect(_ parts: inout Answer) async throws -> ByteBuffer {
    var body = ByteBuffer()
    while let part = try await parts.next() {
      switch part {
      case .head: throw ClosedEarly()
      case .body(var bytes):
        guard body.readableBytes + bytes.readableBytes <= answerBytesMax else {
          throw AdministrationError(.internal, "the answer has no end")
        }
        body.writeBuffer(&bytes)
      case .end: return body
      }
    }
    throw ClosedEarly()
  }

  // MARK: Connecting

  /// A full queue of connections (EAGAIN, unix(7)) is for a moment only.
  private func connect() async throws -> HTTPChannel {
    for _ in 0..<100 {
      do {
        return try await connectOnce()
      } catch let error as IOError where error.errnoCode == EAGAIN {
        try await Task.sleep(for: .milliseconds(20))
      }
    }
    return try await connectOnce()
  }

  private func connectOnce() async throws -> HTTPChannel {
    try await ClientBootstrap(group: AdministrationClient.threads)
      .connectTimeout(.seconds(5))
      .connect(unixDomainSocketPath: socketPath) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          return try HTTPChannel(wrappingChannelSynchronously: channel)
        }
      }
  }
}

/// There was a connection, so that the request may have arrived, but no whole answer came.
struct Unanswered: Error {
  var cause: any Error
}

/// The daemon took too long.
struct TimedOut: Error {
  var timeout: Duration
  /// Who it was; nil: not known.
  var process: PeerProcess?
}

/// The daemon closed the connection before its answer was whole.
struct ClosedEarly: Error {}
