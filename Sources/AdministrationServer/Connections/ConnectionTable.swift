internal import NIOCore
internal import Synchronization

/// The connections that are open, and how many may be: in all, and from one address.
final class ConnectionTable: Sendable {
  enum Admission: Sendable, Equatable {
    case served
    /// One too many: it is told so.
    case refused
    /// Far too many: it is closed.
    case closed
  }

  private struct Entry {
    var channel: any Channel
    var address: String?
  }

  private struct State {
    var entries: [ObjectIdentifier: Entry] = [:]
    /// How many there are from each address.
    var addresses: [String: Int] = [:]
    var isClosed = false
    var waiters: [CheckedContinuation<Bool, Never>] = []
  }

  private let state = Mutex(State())
  private let countMax: Int
  private let addressCountMax: Int

  init(countMax: Int, addressCountMax: Int = .max) {
    self.countMax = countMax
    self.addressCountMax = addressCountMax
  }

  /// `address`: nil for one that is not counted by itself.
  func admit(_ channel: any Channel, from address: String? = nil) -> Admission {
    state.withLock { state in
      let count = state.entries.count
      let near = address.map { state.addresses[$0] ?? 0 } ?? 0
      // Those who are told take as much room again.
      guard !state.isClosed, count < 2 * countMax, near / 2 < addressCountMax else {
        return .closed
      }
      state.entries[ObjectIdentifier(channel)] = Entry(channel: channel, address: address)
      if let address { state.addresses[address] = near + 1 }
      return count < countMax && near < addressCountMax ? .served : .refused
    }
  }

  func remove(_ channel: any Channel) {
    let waiters = state.withLock { state -> [CheckedContinuation<Bool, Never>] in
      let entry = state.entries.removeValue(forKey: ObjectIdentifier(channel))
      if let address = entry?.address, let near = state.addresses[address] {
        state.addresses[address] = near > 1 ? near - 1 : nil
      }
      guard state.entries.isEmpty else { return [] }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(returning: true) }
  }

  var count: Int { state.withLock { $0.entries.count } }

  /// Takes no more, and lets go those that are not in the middle of a request.
  func quiesce() {
    let channels = state.withLock { state in
      state.isClosed = true
      return state.entries.values.map(\.channel)
    }
    for channel in channels {
      channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
  }

  func closeAll() {
    let channels = state.withLock { $0.entries.values.map(\.channel) }
    for channel in channels { channel.close(promise: nil) }
  }

  /// True when there is none left; false when `giveUp` was called before.
  func waitUntilEmpty() async -> Bool {
    await withCheckedContinuation { continuation in
      let isEmpty = state.withLock { state in
        guard !state.entries.isEmpty else { return true }
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
