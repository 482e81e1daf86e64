internal import AdministrationModel
internal import DequeModule
internal import Synchronization

/// One reader's queue of events. It holds so many; of more the oldest are dropped and counted.
final class EventSubscription: Sendable {
  private struct State {
    var queue: Deque<Event> = []
    var missedCount: UInt64 = 0
    var waiter: CheckedContinuation<Void, Never>?
    var isEnded = false
  }

  private let state = Mutex(State())
  private let queueCountMax: Int
  /// Whether its reader may have it.
  let isAllowed: @Sendable () -> Bool

  init(queueCountMax: Int, while isAllowed: @escaping @Sendable () -> Bool = { true }) {
    precondition(queueCountMax > 0, "a queue without room would miss everything")
    self.queueCountMax = queueCountMax
    self.isAllowed = isAllowed
  }

  func offer(_ event: Event) {
    wake { state in
      if state.queue.count == queueCountMax {
        state.queue.removeFirst()
        state.missedCount += 1
      }
      state.queue.append(event)
    }
  }

  /// Says that there is nothing to say, unless there is.
  func offerAlive() {
    wake { state in
      guard state.queue.isEmpty, state.missedCount == 0 else { return }
      var alive = Event(.alive, "nothing happened")
      alive.at = .now
      state.queue.append(alive)
    }
  }

  func miss(_ count: UInt64) {
    wake { $0.missedCount += count }
  }

  func end() {
    wake { $0.isEnded = true }
  }

  private func wake(_ change: (inout State) -> Void) {
    let waiter = state.withLock { state in
      change(&state)
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// All that waits, preceded by what was missed; nil at the end. For one caller at a time.
  func next() async -> [Event]? {
    while true {
      if let batch = take() { return batch.isEmpty ? nil : batch }
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          guard state.queue.isEmpty, state.missedCount == 0, !state.isEnded else { return true }
          precondition(state.waiter == nil, "two readers of one subscription")
          state.waiter = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    }
  }

  /// Empty at the end; nil while there is nothing.
  private func take() -> [Event]? {
    state.withLock { state in
      if state.isEnded { return [] }
      guard !state.queue.isEmpty || state.missedCount > 0 else { return nil }
      var batch: [Event] = []
      if state.missedCount > 0 {
        var missed = Event(
          .missed, "\(state.missedCount) events were dropped", missed: state.missedCount)
        missed.at = .now
        batch.append(missed)
        state.missedCount = 0
      }
      batch += state.queue
      state.queue = []
      return batch
    }
  }
}
