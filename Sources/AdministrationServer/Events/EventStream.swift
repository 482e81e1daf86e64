internal import AdministrationModel
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The answer that never ends: one JSON event a line (application/x-ndjson), until the client goes
/// away, has the right to it no more, or the server stops.
enum EventStream {
  static func response(
    hub: EventHub, after id: UInt64?, limits: APILimits, to context: CallContext
  ) -> Response {
    let body = ResponseBody { writer in
      let subscription = hub.subscribe(
        after: id, queueCountMax: limits.eventQueueCountMax, while: context.isAuthorized)
      defer { hub.unsubscribe(subscription) }
      context.departure.onDeparture { subscription.end() }
      let aliveTime = TimeAmount(limits.aliveTime)
      let alive = context.channel.eventLoop.scheduleRepeatedTask(
        initialDelay: aliveTime, delay: aliveTime
      ) { _ in subscription.offerAlive() }
      defer { alive.cancel() }
      while let events = await subscription.next() {
        // Waits while the client does not read; meanwhile the queue drops.
        try await writer.write(lines(events))
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok, headers: [.contentType: "application/x-ndjson", .cacheControl: "no-store"],
      body: body)
  }

  private static func lines(_ events: [Event]) throws -> ByteBuffer {
    var buffer = ByteBuffer()
    for event in events {
      buffer.writeBytes(try JSON.compact(event))
      buffer.writeInteger(UInt8(ascii: "\n"))
    }
    return buffer
  }
}
