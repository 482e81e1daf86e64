internal import Reactor
public import SCSIModel

// Task management functions (SAM-5 §7). Each ends when every affected task has ended by its own
// completion, on all reactors.
extension DeviceServer {
  /// ABORT TASK SET (SAM-5 §7.3): the tasks of one nexus, all of which live on this reactor.
  public func abortTaskSet(of nexus: LogicalUnitNexus, completion: @escaping () -> Void) {
    let barrier = DrainBarrier(completion: completion)
    abortTasks(barrier: barrier) { $0.nexus === nexus }
    barrier.arm()
  }

  /// CLEAR TASK SET (SAM-5 §7.5): the tasks of all nexuses; the others are told, by TASK ABORTED
  /// status or by a unit attention as TAS says (SAM-5 §5.14.2).
  public func clearTaskSet(
    by nexus: LogicalUnitNexus, completion: @escaping (ManagementOutcome) -> Void
  ) {
    let origin = ObjectIdentifier(nexus)
    onEveryReactor(completion) { server, drained in
      server.clearTasks(exceptTelling: origin, drained: drained)
    }
  }

  private func clearTasks(exceptTelling origin: ObjectIdentifier, drained: @escaping () -> Void) {
    let reportsTaskAborted = unit.modes.reportsTaskAborted
    let barrier = DrainBarrier(completion: drained)
    var losers: [LogicalUnitNexus] = []
    abortTasks(
      status: { task in
        guard let nexus = task.nexus, ObjectIdentifier(nexus) != origin else { return .good }
        if reportsTaskAborted { return .taskAborted }
        if !losers.contains(where: { $0 === nexus }) { losers.append(nexus) }
        return .good
      }, barrier: barrier)
    for nexus in losers { nexus.establish(.commandsClearedByAnotherInitiator) }
    barrier.arm()
  }

  /// LOGICAL UNIT RESET (SAM-5 §7.6), also each unit's part of a target reset: all tasks, and a unit
  /// attention for every nexus.
  public func reset(
    attention: SenseData, completion: @escaping (ManagementOutcome) -> Void
  ) {
    onEveryReactor(completion) { server, drained in
      let barrier = DrainBarrier(completion: drained)
      server.replaceAttentionsForAll(with: attention)
      server.abortTasks(barrier: barrier)
      barrier.arm()
    }
  }

  /// Runs `body` on every reactor's part of this logical unit; `completion` on this one, when all
  /// have called back. A reactor that cannot be reached (its mailbox is full) is never taken for one
  /// that has nothing left to do.
  private func onEveryReactor(
    _ completion: @escaping (ManagementOutcome) -> Void,
    _ body: @escaping @Sendable (DeviceServer, @escaping () -> Void) -> Void
  ) {
    let servers = unit.deviceServers
    let gathering = Gathering(count: servers.count, completion: completion)
    let answer = ReactorBound(gathering, on: reactor)
    for server in servers {
      let isPosted = server.post { server in
        body(server) { answer.post { $0.arrived(.complete) } }
      }
      if !isPosted { gathering.arrived(.incomplete) }
    }
  }
}
