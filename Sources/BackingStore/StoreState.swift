internal import Synchronization

/// The readiness of a store, shared by all reactors: four facts in one atomic byte, each set or
/// cleared by itself, so that no update can lose another's.
struct StoreState: ~Copyable {
  private static let holdsLock: UInt8 = 1
  private static let isLatched: UInt8 = 2
  private static let isGone: UInt8 = 4
  private static let isUnusable: UInt8 = 8

  private let facts: Atomic<UInt8>

  init(isLatched: Bool) {
    facts = Atomic(isLatched ? StoreState.isLatched : 0)
  }

  /// The fact that matters most.
  var readiness: StoreReadiness {
    let facts = facts.load(ordering: .acquiring)
    if facts == StoreState.holdsLock { return .ready }
    if facts & StoreState.isGone != 0 { return .gone }
    if facts & StoreState.isUnusable != 0 { return .unusable }
    return facts & StoreState.holdsLock == 0 ? .waitingForLock : .latched
  }

  var holdsLock: Bool { facts.load(ordering: .acquiring) & StoreState.holdsLock != 0 }
  var isLatched: Bool { facts.load(ordering: .acquiring) & StoreState.isLatched != 0 }

  func noteLock() { facts.bitwiseOr(StoreState.holdsLock, ordering: .acquiringAndReleasing) }

  func noteGone() { facts.bitwiseOr(StoreState.isGone, ordering: .acquiringAndReleasing) }

  func noteUnusable() { facts.bitwiseOr(StoreState.isUnusable, ordering: .acquiringAndReleasing) }

  /// Whether this call was the one that latched it.
  func latch() -> Bool {
    let change = facts.bitwiseOr(StoreState.isLatched, ordering: .acquiringAndReleasing)
    return change.oldValue & StoreState.isLatched == 0
  }

  func clearLatch() { facts.bitwiseAnd(~StoreState.isLatched, ordering: .acquiringAndReleasing) }
}
