internal import NIOCore
internal import Synchronization

/// Tells that a client closed its end, or its half of it, while an answer is under way.
final class Departure: Sendable {
  private struct State {
    var hasHappened = false
    var action: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  /// At once, if it has happened already.
  func onDeparture(_ action: @escaping @Sendable () -> Void) {
    let isNow = state.withLock { state in
      guard !state.hasHappened else { return true }
      state.action = action
      return false
    }
    if isNow { action() }
  }

  func happen() {
    let action = state.withLock { state in
      state.hasHappened = true
      defer { state.action = nil }
      return state.action
    }
    action?()
  }
}

/// Watches the channel for `Departure`.
final class DepartureHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = NIOAny
  private let departure: Departure

  init(_ departure: Departure) { self.departure = departure }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { departure.happen() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    departure.happen()
    context.fireChannelInactive()
  }
}
