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
      let barrier = DrainBarrier(completion: drained)
      server.clearTasks(barrier: barrier, exceptTelling: { ObjectIdentifier($0) == origin })
      barrier.arm()
    }
  }

  /// Aborts the tasks that `isVictim` names and tells their nexuses, but the one that asked for it.
  func clearTasks(
    barrier: DrainBarrier, exceptTelling isOrigin: (LogicalUnitNexus) -> Bool,
    where isVictim: (SCSITask) -> Bool = { _ in true }
  ) {
    let reportsTaskAborted = unit.modes.reportsTaskAborted
    var losers: [LogicalUnitNexus] = []
    abortTasks(
      status: { task in
        guard let nexus = task.nexus, !isOrigin(nexus) else { return .good }
        if reportsTaskAborted { return .taskAborted }
        if !losers.contains(where: { $0 === nexus }) { losers.append(nexus) }
        return .good
      }, barrier: barrier, where: isVictim)
    for nexus in losers { nexus.establish(.commandsClearedByAnotherInitiator) }
  }

  /// LOGICAL UNIT RESET (SAM-5 §7.7), also each unit's part of a target reset: all tasks, and a
  /// unit attention for every nexus. Tasks of other nexuses than `origin`'s were aborted by
  /// somebody else's action, so with TAS they end with TASK ABORTED (SPC-4 §7.5.8). When they have
  /// ended, MODE SELECT among them, the mode parameters revert.
  public func reset(
    by origin: LogicalUnitNexus? = nil, attention: SenseData,
    completion: @escaping (ManagementOutcome) -> Void
  ) {
    let origin = origin.map { ObjectIdentifier($0) }
    onEveryReactor({ [self] outcome in revertModes { completion(outcome) } }) { server, drained in
      server.resetTasks(by: origin, attention, drained: drained)
    }
  }

  private func resetTasks(
    by origin: ObjectIdentifier?, _ attention: SenseData, drained: @escaping () -> Void
  ) {
    let reportsTaskAborted = unit.modes.reportsTaskAborted && origin != nil
    let barrier = DrainBarrier(completion: drained)
    replaceAttentionsForAll(with: attention)
    allowRemovalForAll()
    abortTasks(
      status: { task in
        let isOthers = task.nexus.map { ObjectIdentifier($0) } != origin
        return reportsTaskAborted && isOthers ? .taskAborted : .good
      }, barrier: barrier)
    // SPC-2 §5.5: a reset ends RESERVE, and no registration.
    reservations.home?.releaseLegacyReservation(of: nil, barrier)
    barrier.arm()
  }

  /// I_T NEXUS RESET (SAM-5 §7.6), one unit's part: what a nexus loss does (§6.3.4), to one nexus.
  /// Its RESERVE ends after its tasks: before, others would meet what they still write, and a
  /// RESERVE among them may yet come into force.
  public func resetNexus(_ nexus: LogicalUnitNexus, completion: @escaping () -> Void) {
    nexus.establish(.nexusLossOccurred)
    // SBC-3 §5.10
    nexus.setPreventsRemoval(false)
    abortTaskSet(of: nexus) { [self] in
      reservations.nexusEnded(nexus, then: completion)
    }
  }

  /// Runs `body` on every reactor's part of this logical unit; `completion` on this one, when all
  /// have called back. A reactor that cannot be reached (its mailbox is full) is never taken for
  /// one that has nothing left to do; the way back is tried until it is free.
  func onEveryReactor(
    _ completion: @escaping (ManagementOutcome) -> Void,
    _ body: @escaping @Sendable (DeviceServer, @escaping () -> Void) -> Void
  ) {
    let servers = unit.deviceServers
    let gathering = Gathering(count: servers.count, completion: completion)
    let answer = ReactorBound(gathering, on: reactor)
    for server in servers {
      let isPosted = server.post { server in
        body(server) { [courier = server.courier] in
          courier.send(to: answer) { $0.arrived(.complete) }
        }
      }
      if !isPosted { gathering.arrived(.incomplete) }
    }
  }

  /// A unit attention for every nexus of the unit but `nexus`; `body` follows on this reactor when
  /// all reactors have established it. Nobody who acts on the status that `body` sends finds one
  /// that does not know of the change.
  func establishEverywhere(
    _ attention: SenseData, except nexus: LogicalUnitNexus, then body: @escaping () -> Void
  ) {
    let origin = ObjectIdentifier(nexus)
    tellEverywhere({ $0.establishForAll(attention, except: origin) }, then: body)
  }

  /// Runs `news` on every reactor's part of the unit, here at once; `body` follows on this reactor.
  func tellEverywhere(
    _ news: @escaping @Sendable (DeviceServer) -> Void, then body: @escaping () -> Void
  ) {
    let servers = unit.deviceServers
    // Withdrawn: there is nobody left whom it could matter to.
    guard !servers.isEmpty else { return body() }
    let gathering = Gathering(count: servers.count) { _ in body() }
    let answer = ReactorBound(gathering, on: reactor)
    for (index, server) in servers.enumerated() where index != share {
      courier.send(to: server) { server in
        news(server)
        server.courier.send(to: answer) { $0.arrived(.complete) }
      }
    }
    news(self)
    gathering.arrived(.complete)
  }

  /// GOOD for a change that every other nexus has been told of.
  func finish(_ task: SCSITask, _ nexus: LogicalUnitNexus, telling attention: SenseData) {
    establishEverywhere(attention, except: nexus) { [self] in end(task, .good) }
  }
}
