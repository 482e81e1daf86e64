internal import Reactor
internal import Synchronization

// How a command that reads, decides and writes excludes every other change of its blocks, and one
// that writes them as a whole every look at them too, from every nexus on every reactor:
//
//   claimant            home reactor                    every reactor
//   claim      ───►     queue: one after another
//                       of those that overlap   ───►    close: hold back what overlaps,
//                                               ◄───    answer when none of it executes
//   granted    ◄───     all have answered
//   release    ───►                             ───►    open: go on with what was held
//
// What waits for a lock has nothing in flight, and what a closing waits for never waits for a lock:
// so no two can wait for each other. A claim that finds the home's mailbox full is not made, and
// its command is told BUSY. After that a message that finds a mailbox full is delivered later,
// never dropped: a lock is granted only on the word of all, and always opened.

/// Bytes of a store that one claimant has to itself.
struct RangeLock: Sendable {
  struct Identifier: Hashable, Sendable {
    let reactorIndex: Int
    let number: UInt64
  }

  let identifier: Identifier
  let offset: UInt64
  let count: UInt64
  /// Nobody may see what is half done.
  let excludesReads: Bool
  let claim: ReactorBound<RangeLockClaim>

  /// Both ranges lie within a store, so their ends do not wrap.
  func overlaps(offset other: UInt64, count otherCount: UInt64) -> Bool {
    offset < other + otherCount && other < offset + count
  }

  func overlaps(_ other: RangeLock) -> Bool { overlaps(offset: other.offset, count: other.count) }
}

/// The claimant's end of a lock, on its own reactor.
final class RangeLockClaim {
  let identifier: RangeLock.Identifier
  private var whenGranted: (() -> Void)?

  init(_ identifier: RangeLock.Identifier, whenGranted: @escaping () -> Void) {
    self.identifier = identifier
    self.whenGranted = whenGranted
  }

  func granted() {
    let body = whenGranted
    whenGranted = nil
    body?()
  }
}

/// How many claims there are on one logical unit, from all reactors. Each of them costs every other
/// one a comparison, so there is a bound, past which a command is told BUSY.
final class RangeClaimCount: Sendable {
  /// Two sessions of the default depth may fill it; what the claims of a unit cost each other then,
  /// 256 comparisons for each, stays below the cost of the store's operation.
  static let max = 256

  private let count = Atomic<Int>(0)

  /// Whether there was room for one more, for a nexus that has `held`.
  func take(held: () -> Int) -> Bool {
    let taken = count.add(1, ordering: .relaxed).oldValue
    if FairShare.admits(taken: taken, of: RangeClaimCount.max, held: held) { return true }
    giveBack()
    return false
  }

  /// The claim is released, and out of the home reactor's queue.
  func giveBack() {
    let left = count.subtract(1, ordering: .relaxed).newValue
    precondition(left >= 0, "a claim is given back once")
  }
}
