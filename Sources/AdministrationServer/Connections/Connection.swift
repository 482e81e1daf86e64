internal import AdministrationModel
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// A connection of a client: one request after another, until either side has enough.
struct Connection: Sendable {
  typealias HTTPChannel = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
  private typealias Parts = NIOAsyncChannelInboundStream<HTTPRequestPart>.AsyncIterator
  private typealias Outbound = NIOAsyncChannelOutboundWriter<HTTPResponsePart>

  let service: RequestService
  let authorization: Authorization
  /// The end of a connection that does not say who it is; nil: it is known.
  let greeting: Scheduled<Void>?
  let departure: Departure
  let logger: Logger

  /// Why no more requests are taken.
  private struct Refusal: Error {
    var error: AdministrationError
  }

  func run(_ channel: HTTPChannel) async {
    do {
      try await channel.executeThenClose { inbound, outbound in
        try await serve(inbound, outbound, channel.channel)
      }
    } catch {
      // The client went away, or was sent away.
      logger.trace("connection ended: \(error)")
    }
  }

  private func serve(
    _ inbound: NIOAsyncChannelInboundStream<HTTPRequestPart>, _ outbound: Outbound,
    _ channel: any Channel
  ) async throws {
    var parts = inbound.makeAsyncIterator()
    do {
      while case .head(let head)? = try await parts.next() {
        guard try await serve(head, &parts, outbound, channel) else { break }
      }
    } catch let refusal as Refusal {
      try await refuse(refusal.error, outbound)
    } catch let error as HTTPParserError {
      try await refuse(Self.problem(error), outbound)
    }
    outbound.finish()
    try await linger(&parts, channel)
  }

  /// False: that was the last one.
  private func serve(
    _ head: HTTPRequest, _ parts: inout Parts, _ outbound: Outbound, _ channel: any Channel
  ) async throws -> Bool {
    let right = service.right(for: head)
    if let error = authorization.problem(with: head, needing: right) {
      throw Refusal(error: error)
    }
    greeting?.cancel()
    let share = BodyRoom.Share(of: service.bodyRoom)
    defer { share.giveBack() }
    let body = try await body(of: head, share, &parts, outbound, channel)
    let request = Request(head: head, body: RequestBody(buffer: body))
    var context = CallContext(
      source: ApplicationRequestContextSource(channel: channel, logger: logger))
    context.departure = departure
    context.isAuthorized = { [authorization] in
      authorization.problem(with: head, needing: right) == nil
    }
    var response = await service.respond(to: request, in: context)
    response.headers[.date] = HTTPDate.now
    let isLast = head.headerFields[.connection]?.lowercased() == "close"
    if isLast { response.headers[.connection] = "close" }
    let writer = ResponseWriter(outbound: outbound)
    if head.method == .head {
      try await writer.writeResponse(response.head)
    } else {
      try await writer.write(response: response.head, body: response.body)
    }
    return !isLast
  }

  // MARK: Bodies

  private func body(
    of head: HTTPRequest, _ share: BodyRoom.Share, _ parts: inout Parts, _ outbound: Outbound,
    _ channel: any Channel
  ) async throws -> ByteBuffer {
    let bytesMax = service.bodyBytesMax(of: head)
    if let length = head.headerFields[.contentLength], Int(length).map({ $0 > bytesMax }) ?? true {
      throw tooLarge(bytesMax)
    }
    if head.headerFields[.expect]?.lowercased() == "100-continue" {
      try await outbound.write(.head(HTTPResponse(status: .continue)))
    }
    // A client that never finishes is closed, however many single bytes it sends.
    let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(service.limits.requestTime)) {
      channel.close(promise: nil)
    }
    defer { deadline.cancel() }
    var body = ByteBuffer()
    while let part = try await parts.next() {
      switch part {
      case .head: throw Refusal(error: AdministrationError(.invalid, "the request has no end"))
      case .body(var bytes):
        guard body.readableBytes + bytes.readableBytes <= bytesMax else {
          throw tooLarge(bytesMax)
        }
        guard share.grow(by: bytes.readableBytes) else { throw noRoom }
        body.writeBuffer(&bytes)
      case .end: return body
      }
    }
    throw ChannelError.inputClosed
  }

  private func tooLarge(_ bytesMax: Int) -> Refusal {
    Refusal(error: AdministrationError(.tooLarge, "the body has more than \(bytesMax) bytes"))
  }

  private var noRoom: Refusal {
    Refusal(
      error: AdministrationError(
        .unavailable, "too many large requests at a time", remedy: "try again later"))
  }

  // MARK: Ends

  private func refuse(_ error: AdministrationError, _ outbound: Outbound) async throws {
    var response = Response(error)
    response.headers[.date] = HTTPDate.now
    response.headers[.connection] = "close"
    if error.code == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
    try await ResponseWriter(outbound: outbound).write(
      response: response.head, body: response.body)
  }

  /// Closing with unread bytes would take the answer from a client that still sends (RFC 9112
  /// §9.6): what comes is dropped for a moment.
  private func linger(_ parts: inout Parts, _ channel: any Channel) async throws {
    let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(service.limits.lingerTime)) {
      channel.close(promise: nil)
    }
    defer { deadline.cancel() }
    while try await parts.next() != nil {}
  }

  private static func problem(_ error: HTTPParserError) -> AdministrationError {
    switch error {
    case .headerOverflow: AdministrationError(.tooLarge, "the head of the request is too large")
    default: AdministrationError(.invalid, "that is not HTTP/1.1")
    }
  }
}
