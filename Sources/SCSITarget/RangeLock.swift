internal import Reactor
internal import SCSIModel

// How a command that reads, decides and writes excludes every other change of its blocks, and one that
// writes them as a whole every look at them too, from every nexus on every reactor:
//
//   claimant            home reactor                    every reactor
//   claim      ───►     queue: one after another
//                       of those that overlap   ───►    close: hold back what overlaps,
//                                               ◄───    answer when none of it executes
//   granted    ◄───     all have answered
//   release    ───►                             ───►    open: go on with what was held
//
// What waits for a lock has nothing in flight, and what a closing waits for never waits for a lock: so
// no two can wait for each other. A message that finds a mailbox full is delivered later, never
// dropped: a lock is granted only on the word of all, and always opened.

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

/// A device server's part in the range locks of its unit.
struct RangeLocks {
  /// Locks that are, or are about to be, granted: what overlaps one is held back here.
  var closed: [RangeLock] = []
  /// Dispatched tasks that wait, in order of arrival.
  var held: [SCSITask] = []
  /// How many claims were made here, to number them.
  var claimCount: UInt64 = 0

  // On the home reactor only.

  /// Not begun, in order of arrival.
  var queue: [RangeLock] = []
  /// Begun, not released.
  var begun: [RangeLock] = []

  /// Takes from the queue what overlaps neither a lock that is begun nor one that came before it.
  mutating func takeNext() -> RangeLock? {
    for (index, lock) in queue.enumerated() {
      let isFree =
        !begun.contains { $0.overlaps(lock) } && !queue[..<index].contains { $0.overlaps(lock) }
      guard isFree else { continue }
      begun.append(queue.remove(at: index))
      return lock
    }
    return nil
  }
}

// MARK: Claimant

extension DeviceServer {
  /// Asks for the range; `whenGranted` is called later, never before this returns. Nil: the home
  /// reactor cannot be reached now.
  func claimRange(
    offset: UInt64, count: UInt64, excludesReads: Bool = false,
    whenGranted: @escaping () -> Void
  ) -> RangeLockClaim? {
    rangeLocks.claimCount += 1
    let identifier = RangeLock.Identifier(
      reactorIndex: reactor.index, number: rangeLocks.claimCount)
    let claim = RangeLockClaim(identifier, whenGranted: whenGranted)
    let lock = RangeLock(
      identifier: identifier, offset: offset, count: count, excludesReads: excludesReads,
      claim: ReactorBound(claim, on: reactor))
    guard let home = unit.homeServer, home.post({ $0.queueLock(lock) }) else { return nil }
    return claim
  }

  /// Gives a granted range back.
  func release(_ claim: RangeLockClaim) {
    guard let home = unit.homeServer else { return }
    let identifier = claim.identifier
    courier.send(to: home) { $0.releaseLock(identifier) }
  }
}

// MARK: Home

extension DeviceServer {
  private func queueLock(_ lock: RangeLock) {
    rangeLocks.queue.append(lock)
    beginLocks()
  }

  private func beginLocks() {
    while let lock = rangeLocks.takeNext() { begin(lock) }
  }

  private func begin(_ lock: RangeLock) {
    unit.tellEveryReactor(from: reactor) { server, closed in
      server.close(lock, then: closed)
    } then: { [courier] in
      courier.send(to: lock.claim) { $0.granted() }
    }
  }

  private func releaseLock(_ identifier: RangeLock.Identifier) {
    rangeLocks.begun.removeAll { $0.identifier == identifier }
    for server in unit.deviceServers { courier.send(to: server) { $0.open(identifier) } }
    beginLocks()
  }
}

// MARK: Every reactor

extension DeviceServer {
  private func close(_ lock: RangeLock, then closed: @escaping () -> Void) {
    rangeLocks.closed.append(lock)
    let barrier = DrainBarrier(completion: closed)
    waitForExecuting(barrier) { $0.isExcluded(by: lock, table) }
    barrier.arm()
  }

  private func open(_ identifier: RangeLock.Identifier) {
    rangeLocks.closed.removeAll { $0.identifier == identifier }
    // One by one: starting a task may end others and admit new ones.
    while let index = rangeLocks.held.firstIndex(where: { !isExcluded($0) }) {
      let task = rangeLocks.held.remove(at: index)
      task.isGated = false
      task.phase = .collectingData
      begin(task)
    }
  }

  private func isExcluded(_ task: SCSITask) -> Bool {
    rangeLocks.closed.contains { task.isExcluded(by: $0, table) }
  }

  /// Whether a task that is about to be dispatched has to wait, and does.
  func holdIfExcluded(_ task: SCSITask) -> Bool {
    guard isExcluded(task) else { return false }
    task.phase = .held
    task.isGated = true
    rangeLocks.held.append(task)
    return true
  }

  /// A task that waited or has claimed leaves the task set.
  func forgetGate(of task: SCSITask) {
    task.isGated = false
    rangeLocks.held.removeAll { $0 === task }
    guard let claim = task.rangeClaim else { return }
    task.rangeClaim = nil
    release(claim)
  }
}

extension SCSITask {
  /// Claimants are kept apart by the home reactor, and of a copy only the steps count, which are tasks
  /// of their own. A list of ranges, or something this does not know, may be anywhere.
  fileprivate func isExcluded(by lock: RangeLock, _ table: CommandTable) -> Bool {
    let row = table[command]
    guard !command.claimsRange, !command.isCopy else { return false }
    guard row.traits.contains(.writesMedium) || lock.excludesReads && command.readsBlocks(row)
    else {
      return false
    }
    return row.blocks == .none || lock.overlaps(offset: workOffset, count: UInt64(workCount))
  }
}

extension Command {
  /// Whether it looks at the content of the blocks it names.
  fileprivate func readsBlocks(_ row: CommandRow) -> Bool {
    row.blocks != .none && !isSynchronizeCache
  }
}
