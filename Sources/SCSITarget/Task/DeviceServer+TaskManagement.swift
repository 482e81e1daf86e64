internal import Reactor
public import SCSIModel

// Task management functions (SAM-5 §7). Each ends when every affected task has ended by its own
// completion, on all reactors.
extension DeviceServer {
  /// ABORT TASK SET (SAM-5 §7.3): the tasks of one nexus, all of which live on this reactor. Those
  /// of earlier sessions of the same I_T nexus are its tasks as well, and aborted already.
  public func abortTaskSet(of nexus: LogicalUnitNexus, completion: @escaping () -> Void) {
    let barrier = DrainBarrier(completion: completion)
    nexus.waitForOpening(barrier)
    abortTasks(barrier: barrier) { $0.nexus === nexus }
    barrier.arm()
  }

  /// CLEAR TASK SET (SAM-5 §7.5): the tasks of all nexuses; the others are told, by TASK ABORTED
  /// status or by a unit attention as TAS says (SAM-5 §5.14.2).
  public func clearTaskSet(by nexus: LogicalUnitNexus, completion: @escaping () -> Void) {
    let origin = nexus.initiatorTarget.identity
    unit.askEveryReactor(
      from: reactor,
      { server, drained in
        let barrier = DrainBarrier(completion: drained)
        server.clearTasks(by: origin, barrier: barrier)
        barrier.arm()
      }, then: completion)
  }

  /// Aborts the tasks that `isVictim` names and tells their nexuses, but those of the I_T nexus
  /// `origin`, which asked for it: by whichever LUN, its tasks are its own.
  func clearTasks(
    by origin: NexusIdentity?, barrier: DrainBarrier,
    where isVictim: (SCSITask) -> Bool = { _ in true }
  ) {
    let reportsTaskAborted = unit.modes.reportsTaskAborted
    let isOthers = { (task: SCSITask) in task.isOfOther(than: origin) }
    var losers: [LogicalUnitNexus] = []
    abortTasks(
      status: { task in
        guard let nexus = task.nexus, isOthers(task) else { return .good }
        if reportsTaskAborted { return .taskAborted }
        if !losers.contains(where: { $0 === nexus }) { losers.append(nexus) }
        return .good
      }, isOthers: isOthers, isToldAtOnce: { !reportsTaskAborted && isOthers($0) },
      barrier: barrier, where: isVictim)
    for nexus in losers { nexus.establish(.commandsClearedByAnotherInitiator) }
  }

  /// LOGICAL UNIT RESET (SAM-5 §7.7), also each unit's part of a target reset: all tasks, and a
  /// unit attention for every nexus. Tasks of other I_T nexuses than `origin`'s were aborted by
  /// somebody else's action, so with TAS they end with TASK ABORTED (SPC-4 §7.5.8), unless the
  /// reset `isHard`, of which no task tells, as of a power on (SAM-5 §6.3.2). When they have
  /// ended, MODE SELECT among them, the mode parameters revert, and last of all RESERVE ends
  /// (SPC-2 §5.5; a registration does not): before, others would meet what its holder still writes.
  public func reset(
    by origin: LogicalUnitNexus, attention: SenseData, isHard: Bool = false,
    completion: @escaping () -> Void
  ) {
    let origin = origin.initiatorTarget.identity
    let ticket = reservations.takeTicket()
    unit.askEveryReactor(from: reactor) { server, drained in
      server.reservations.home?.resetBegan(ticket)
      server.resetTasks(by: origin, attention, isHard: isHard, drained: drained)
    } then: { [self] in
      revertModes { [self] in reservations.resetEnded(ticket, then: completion) }
    }
  }

  private func resetTasks(
    by origin: NexusIdentity, _ attention: SenseData, isHard: Bool,
    drained: @escaping () -> Void
  ) {
    let reportsTaskAborted = unit.modes.reportsTaskAborted
    // The sessions of the target end with a hard reset.
    let isTold = { (task: SCSITask) in
      !isHard || task.nexus?.initiatorTarget.identity.target.name != origin.target.name
    }
    let isOthers = { (task: SCSITask) in task.isOfOther(than: origin) }
    let barrier = DrainBarrier(completion: drained)
    replaceAttentionsForAll(with: attention)
    allowRemovalForAll()
    abortTasks(
      status: { reportsTaskAborted && isOthers($0) && isTold($0) ? .taskAborted : .good },
      isOthers: isOthers, isToldAtOnce: isOthers, barrier: barrier)
    barrier.arm()
  }

  /// I_T NEXUS RESET (SAM-5 §7.6), one unit's part: what a nexus loss does (§6.3.4), to one nexus.
  /// Its RESERVE ends after its tasks: before, others would meet what they still write, and a
  /// RESERVE among them may yet come into force.
  public func resetNexus(_ nexus: LogicalUnitNexus, completion: @escaping () -> Void) {
    nexus.establish(.nexusLossOccurred)
    abortTaskSet(of: nexus) { [self] in lose(nexus, completion: completion) }
  }

  /// What ends with a nexus that has no task any more: its RESERVE, and its prevention of medium
  /// removal (SBC-3 §5.10). `completion` follows when that is in force on every reactor.
  public func lose(_ nexus: LogicalUnitNexus, completion: @escaping () -> Void) {
    nexus.setPreventsRemoval(false)
    reservations.nexusLost(nexus, then: completion)
  }
}

extension SCSITask {
  /// Whether it came in through another I_T nexus than `origin`.
  fileprivate func isOfOther(than origin: NexusIdentity?) -> Bool {
    nexus.map { $0.initiatorTarget.identity != origin } ?? false
  }
}
