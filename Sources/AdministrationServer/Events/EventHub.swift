public import AdministrationModel
internal import DequeModule
internal import FoundationEssentials
internal import Synchronization

/// Where events go from whoever notices them to whoever listens. Any thread may publish: that never
/// waits for a reader.
public final class EventHub: Sendable {
  private struct State {
    var lastID: UInt64 = 0
    /// The newest, for those who come back after a break.
    var recent: Deque<Event> = []
    var subscriptions: [ObjectIdentifier: EventSubscription] = [:]
    var isClosed = false
  }

  private let state = Mutex(State())
  private let recentCountMax: Int

  public init(recentCountMax: Int = 1024) {
    self.recentCountMax = recentCountMax
  }

  /// Gives the event its number and its time.
  public func publish(_ event: Event) {
    var event = event
    event.at = .now
    state.withLock { state in
      guard !state.isClosed else { return }
      state.lastID += 1
      event.id = state.lastID
      if state.recent.count == recentCountMax { state.recent.removeFirst() }
      state.recent.append(event)
      // Under the lock, so that each reader gets them in order.
      for subscription in state.subscriptions.values { subscription.offer(event) }
    }
  }

  /// Events from now on; with `id`, first those after that one, as far as they are still known.
  /// `isAllowed` is asked now and by `endForbidden`.
  func subscribe(
    after id: UInt64?, queueCountMax: Int,
    while isAllowed: @escaping @Sendable () -> Bool = { true }
  ) -> EventSubscription {
    let subscription = EventSubscription(queueCountMax: queueCountMax, while: isAllowed)
    state.withLock { state in
      // Under the lock: what is forbidden from now on is seen here, or by `endForbidden`.
      if state.isClosed || !isAllowed() { return subscription.end() }
      state.subscriptions[ObjectIdentifier(subscription)] = subscription
      guard let id, id < state.lastID else { return }
      let oldest = state.recent.first?.id ?? state.lastID + 1
      if oldest > id + 1 { subscription.miss(oldest - id - 1) }
      for event in state.recent where event.id > id { subscription.offer(event) }
    }
    return subscription
  }

  func unsubscribe(_ subscription: EventSubscription) {
    _ = state.withLock {
      $0.subscriptions.removeValue(forKey: ObjectIdentifier(subscription))
    }
    subscription.end()
  }

  var subscriptionCount: Int { state.withLock { $0.subscriptions.count } }

  /// Ends the streams of those who have no right to them any more.
  func endForbidden() {
    let ended = state.withLock { state in
      let ended = state.subscriptions.filter { !$0.value.isAllowed() }
      for key in ended.keys { state.subscriptions[key] = nil }
      return Array(ended.values)
    }
    for subscription in ended { subscription.end() }
  }

  /// Ends all streams, now and later.
  func close() {
    let ended = state.withLock { state in
      state.isClosed = true
      defer { state.subscriptions = [:] }
      return Array(state.subscriptions.values)
    }
    for subscription in ended { subscription.end() }
  }
}

extension Timestamp {
  static var now: Timestamp {
    Timestamp(millisecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1000))
  }
}
