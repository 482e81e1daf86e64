internal import Reactor
internal import SCSIModel

/// A device server's part in the range locks of its unit.
struct RangeLocks {
  /// Locks that are, or are about to be, granted: what overlaps one is held back here.
  var closed: [RangeLock] = []
  /// Dispatched tasks that wait, in order of arrival.
  var held: [SCSITask] = []
  /// How many claims were made here, to number them.
  var claimCount: UInt64 = 0
  /// On the home reactor only.
  var queue = RangeLockQueue()

  func exclude(_ task: SCSITask, _ table: CommandTable) -> Bool {
    closed.contains { task.isExcluded(by: $0, table) }
  }

  /// Takes out what `opened` has held back and no lock does now, with the entries by which to know
  /// a task that is another command by the time.
  mutating func takeFreed(
    by opened: RangeLock, _ table: CommandTable
  ) -> [(task: SCSITask, entry: UInt64)] {
    var freed: [(task: SCSITask, entry: UInt64)] = []
    var stillHeld: [SCSITask] = []
    for task in held {
      if task.isExcluded(by: opened, table), !exclude(task, table) {
        freed.append((task, task.entry))
      } else {
        stillHeld.append(task)
      }
    }
    if !freed.isEmpty { held = stillHeld }
    return freed
  }
}

// MARK: Claimant

extension DeviceServer {
  /// Asks for the range; `whenGranted` is called later, never before this returns. nil: the home
  /// reactor cannot be reached now, or the unit has as many claims as it may have, or as the
  /// initiator of `nexus` may make of them; nil is for what nobody can have many of.
  func claimRange(
    offset: UInt64, count: UInt64, excludesReads: Bool = false, for nexus: LogicalUnitNexus? = nil,
    whenGranted: @escaping () -> Void
  ) -> RangeLockClaim? {
    guard unit.rangeClaims.take(held: { claimCount(of: nexus) }) else { return nil }
    rangeLocks.claimCount += 1
    let identifier = RangeLock.Identifier(
      reactorIndex: reactor.index, number: rangeLocks.claimCount)
    let claim = RangeLockClaim(identifier, whenGranted: whenGranted)
    let lock = RangeLock(
      identifier: identifier, offset: offset, count: count, excludesReads: excludesReads,
      claim: ReactorBound(claim, on: reactor))
    guard let home = unit.homeServer, home.post({ $0.queueLock(lock) }) else {
      unit.rangeClaims.giveBack()
      return nil
    }
    return claim
  }

  private func claimCount(of nexus: LogicalUnitNexus?) -> Int {
    guard let nexus else { return 0 }
    return tasks.count { $0.rangeClaim != nil && $0.isInitiator(of: nexus) }
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
    if rangeLocks.queue.enter(lock) { begin(lock) }
  }

  private func begin(_ lock: RangeLock) {
    unit.askEveryReactor(from: reactor) { server, closed in
      server.close(lock, then: closed)
    } then: { [courier] in
      courier.send(to: lock.claim) { $0.granted() }
    }
  }

  private func releaseLock(_ identifier: RangeLock.Identifier) {
    guard let next = rangeLocks.queue.release(identifier) else { return }
    unit.rangeClaims.giveBack()
    for server in unit.deviceServers { courier.send(to: server) { $0.open(identifier) } }
    for lock in next { begin(lock) }
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

  /// What this lock held back, and no other does, goes on. Each held task is looked at once, and
  /// those that go on are out of the list before the first of them starts, which may end others of
  /// them and admit new ones.
  private func open(_ identifier: RangeLock.Identifier) {
    guard let index = rangeLocks.closed.firstIndex(where: { $0.identifier == identifier }) else {
      return
    }
    let opened = rangeLocks.closed.remove(at: index)
    for (task, entry) in rangeLocks.takeFreed(by: opened, table)
    where task.phase == .held && task.entry == entry {
      task.isGated = false
      task.phase = .collectingData
      begin(task)
    }
  }

  private func isExcluded(_ task: SCSITask) -> Bool {
    rangeLocks.exclude(task, table)
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
    if task.phase == .held { rangeLocks.held.removeAll { $0 === task } }
    guard let claim = task.rangeClaim else { return }
    task.rangeClaim = nil
    release(claim)
  }
}

extension SCSITask {
  /// Claimants are kept apart by the home reactor, and of a copy only the steps count, which are
  /// tasks of their own. A list of ranges, or something this does not know, may be anywhere.
  fileprivate func isExcluded(by lock: RangeLock, _ table: CommandTable) -> Bool {
    let row = table[command]
    guard row.traits.isDisjoint(with: [.claimsRange, .copies]) else { return false }
    guard row.traits.contains(.writesMedium) || lock.excludesReads && row.readsBlocks
    else {
      return false
    }
    return row.blocks == .none || lock.overlaps(offset: workOffset, count: UInt64(workCount))
  }
}
