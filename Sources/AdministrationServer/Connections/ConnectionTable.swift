internal import NIOCore
internal import Synchronization

/// The connections that are open, and how many may be.
final class ConnectionTable: Sendable {
  enum Admission: Sendable, Equatable {
    case served
    /// One too many: it is told so.
    case refused
    /// Far too many: it is closed.
    case closed
  }

  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isClosed = false
    var waiters: [CheckedContinuation<Bool, Never>] = []
  }

  private let state = Mutex(State())
  private let countMax: Int

  init(countMax: Int) { self.countMax = countMax }

  func admit(_ channel: any Channel) -> Admission {
    state.withLock { state in
      // Those who are told take as much room again.
      guard !state.isClosed, state.channels.count < 2 * countMax else { return .closed }
      let admission: Admission = state.channels.count < countMax ? .served : .refused
      state.channels[ObjectIdentifier(channel)] = channel
      return admission
    }
  }

  func remove(_ channel: any Channel) {
    let waiters = state.withLock { state -> [CheckedContinuation<Bool, Never>] in
      state.channels[ObjectIdentifier(channel)] = nil
      guard state.channels.isEmpty else { return [] }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(returning: true) }
  }

  var count: Int { state.withLock { $0.channels.count } }

  /// Takes no more, and lets go those that are not in the middle of a request.
  func quiesce() {
    let channels = state.withLock { state in
      state.isClosed = true
      return Array(state.channels.values)
    }
    for channel in channels {
      channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
  }

  func closeAll() {
    let channels = state.withLock { Array($0.channels.values) }
    for channel in channels { channel.close(promise: nil) }
  }

  /// True when there is none left; false when `giveUp` was called before.
  func waitUntilEmpty() async -> Bool {
    await withCheckedContinuation { continuation in
      let isEmpty = state.withLock { state in
        guard !state.channels.isEmpty else { return true }
        state.waiters.append(continuation)
        return false
      }
      if isEmpty { continuation.resume(returning: true) }
    }
  }

  func giveUp() {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(returning: false) }
  }
}
