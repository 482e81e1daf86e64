internal import Bytes
internal import ISCSIModel
internal import Logging
internal import Reactor
internal import SCSIModel
internal import SCSITarget

// Task management functions (RFC 7143 §11.5) and logout (§11.14). Each is answered only when every
// task it affects has ended by its own completion.
extension Session {
  /// Functions that wait for their tasks at a time; they are immediate commands, which no window
  /// bounds.
  static let managementFunctionsMax = 16

  func manage(_ request: TaskManagementFunctionRequest, on connection: Connection) {
    guard managementFunctionsInProgress < Session.managementFunctionsMax else {
      // One with a number is answered: a Reject would leave its number missing.
      guard request.header.isImmediate else {
        return connection.answer(request, TaskManagementResult(.functionRejected))
      }
      return connection.reject(request.header, .tooManyImmediateCommands)
    }
    managementFunctionsInProgress += 1
    let answer: (TaskManagementResult) -> Void = { [weak self, weak connection] result in
      self?.managementFunctionsInProgress -= 1
      connection?.answer(request, result)
    }
    connection.notice(
      "task management",
      ["function": "\(request.function)", "lun": "\(request.lun)"])
    switch request.function {
    case .queryTask, .queryTaskSet, .nexusReset, .queryAsynchronousEvent:
      performExtended(request, answer)
    default:
      perform(request) { answer(TaskManagementResult($0)) }
    }
  }

  private func perform(
    _ request: TaskManagementFunctionRequest,
    _ answer: @escaping (TaskManagementResponseCode) -> Void
  ) {
    switch request.function {
    case .abortTask: abortTask(request, answer)
    case .abortTaskSet, .clearTaskSet, .logicalUnitReset:
      guard let nexus = unitNexus(of: request.lun) else { return answer(.lunDoesNotExist) }
      // Who may only read does not end what others write, not even in his error recovery: a Linux
      // initiator that is refused here goes on to log in anew, which ends his own tasks as well.
      if nexus.isReadOnly, request.function != .abortTaskSet {
        return answer(.functionAuthorizationFailed)
      }
      inOrder(request.cmdSN) { [weak self] in
        self?.performOnUnit(request.function, nexus, answer)
      }
    case .targetWarmReset, .targetColdReset:
      guard mayResetTarget else { return answer(.functionAuthorizationFailed) }
      inOrder(request.cmdSN) { [weak self] in self?.resetTarget(request.function, answer) }
    case .taskReassign: answer(.reassignmentNotSupported)
    default: answer(.functionNotSupported)
    }
  }

  // MARK: ABORT TASK

  private func abortTask(
    _ request: TaskManagementFunctionRequest,
    _ answer: @escaping (TaskManagementResponseCode) -> Void
  ) {
    guard let task = task(request.referencedTaskTag), task.request.lun == request.lun else {
      return abortTaskToCome(request, answer)
    }
    if task.hasEnded, !task.isAnswering {
      forgetIfUntold(task)
      return answer(.functionComplete)
    }
    // Its status is on the way already: for the initiator it ended before the abort (§11.6.1).
    guard !task.hasEnded, let server = task.nexus?.server else { return answer(.taskDoesNotExist) }
    let barrier = DrainBarrier { answer(.functionComplete) }
    task.transfer = nil
    server.abort(task.scsi, barrier: barrier)
    barrier.arm()
  }

  /// ABORT TASK of a command that is no task yet: held, perhaps not even whole, or on its way.
  private func abortTaskToCome(
    _ request: TaskManagementFunctionRequest,
    _ answer: (TaskManagementResponseCode) -> Void
  ) {
    let code: TaskManagementResponseCode
    if let pdu = heldCommand(request.referencedTaskTag), pdu.header.lun == request.lun {
      discardHeld(pdu)
      code = .functionComplete
    } else {
      code = window.abortUnknownTask(
        refCmdSN: request.refCmdSN, functionCmdSN: request.cmdSN)
    }
    deliverHeld()
    answer(code)
  }

  // MARK: Functions on a logical unit

  private func performOnUnit(
    _ function: TaskManagementFunction, _ nexus: LogicalUnitNexus,
    _ answer: @escaping (TaskManagementResponseCode) -> Void
  ) {
    // It may have been taken away while the function waited for its turn.
    guard self.nexus?.unitNexus(at: nexus.lun) === nexus else { return answer(.lunDoesNotExist) }
    // The task set is the unit's, under whichever of its LUNs.
    let affected = orderedTasks.filter {
      function == .abortTaskSet ? $0.nexus === nexus : $0.nexus?.server === nexus.server
    }
    let answer = answering(afterDataFor: affected, answer)
    let report = { answer(.functionComplete) }
    switch function {
    case .abortTaskSet: nexus.server.abortTaskSet(of: nexus, completion: report)
    case .clearTaskSet: nexus.server.clearTaskSet(by: nexus, completion: report)
    default:
      nexus.server.reset(
        by: nexus, attention: .busDeviceResetFunctionOccurred, completion: report)
    }
  }

  /// Target resets abort what others do on every logical unit of this nexus, so each of them must
  /// be one that the initiator may write to. Who has none resets nothing: his login alone is no
  /// right to end sessions (§11.5.1 leaves it to the target to require authorisation).
  private var mayResetTarget: Bool {
    guard let nexuses = nexus?.unitNexuses, !nexuses.isEmpty else { return false }
    return !nexuses.contains(where: \.isReadOnly)
  }

  /// TARGET WARM RESET and TARGET COLD RESET (§11.5.1): every logical unit this initiator can see
  /// at this target; the cold one ends the sessions at this target that use one of them, too.
  private func resetTarget(
    _ function: TaskManagementFunction,
    _ answer: @escaping (TaskManagementResponseCode) -> Void
  ) {
    guard function == .targetColdReset else {
      return resetUnits(.busDeviceResetFunctionOccurred, answer)
    }
    let units = Set((nexus?.unitNexuses ?? []).map { ObjectIdentifier($0.server.unit) })
    resetUnits(.powerOnOccurred, isHard: true) { [weak self] code in
      answer(code)
      self?.coldResetEnded(units)
    }
  }

  private func resetUnits(
    _ attention: SenseData, isHard: Bool = false,
    _ answer: @escaping (TaskManagementResponseCode) -> Void
  ) {
    let answer = answering(afterDataFor: orderedTasks, answer)
    onEveryUnit({
      $0.server.reset(by: $0, attention: attention, isHard: isHard, completion: $1)
    }) {
      answer(.functionComplete)
    }
  }

  /// Calls `body` with every logical unit of this nexus; `completion` follows when each has called
  /// back.
  func onEveryUnit(
    _ body: (LogicalUnitNexus, @escaping () -> Void) -> Void, completion: @escaping () -> Void
  ) {
    let nexuses = nexus?.unitNexuses ?? []
    guard !nexuses.isEmpty else { return completion() }
    let gathering = Gathering(count: nexuses.count, completion: completion)
    for nexus in nexuses { body(nexus) { gathering.arrived() } }
  }

  /// A cold reset ends the sessions of the target (§11.5.1), this one after its answer has left.
  /// Those that use none of `units` stay: to their initiators LUN mapping has made this another
  /// target.
  private func coldResetEnded(_ units: Set<ObjectIdentifier>) {
    guard let name = key?.targetName else { return }
    let handle = handle
    for other in worker.workers {
      worker.reactor.courier.send(to: other) { worker in
        for session in worker.sessions(ofTarget: name)
        where session.handle != handle && session.uses(anyOf: units) {
          session.end(.targetReset)
        }
      }
    }
    for connection in connections { connection.closeAfterSending(.targetReset) }
  }

  private func uses(anyOf units: Set<ObjectIdentifier>) -> Bool {
    nexus?.unitNexuses.contains { units.contains(ObjectIdentifier($0.server.unit)) } ?? false
  }

  // MARK: Logout

  func logout(_ request: LogoutRequest, on connection: Connection) {
    switch request.reason {
    case .closeSession:
      closeSession(request, on: connection)
    case .closeConnection:
      guard let leaving = self.connection(request.connectionID) else {
        return connection.answer(request, .connectionNotFound)
      }
      let hasOther = connections.contains {
        $0 !== leaving && $0.phase == .fullFeature && !$0.isLeaving
      }
      // The last connection takes the session with it.
      guard hasOther else { return closeSession(request, on: connection) }
      leaving.isLeaving = true
      for pdu in held.values where pdu.connection === leaving { discardHeld(pdu) }
      drain([leaving]) { [weak connection] in connection?.answer(request, .closed) }
      if leaving !== connection { leaving.close(.done) }
    case .removeConnectionForRecovery:
      connection.answer(request, .recoveryNotSupported)
    default:
      connection.reject(request.header, .invalidPDUField)
    }
  }

  /// Answers when nothing of the I_T nexus is under way any more, and others find free what it
  /// held. No connection joins from here on.
  private func closeSession(_ request: LogoutRequest, on connection: Connection) {
    isEnding = true
    for connection in connections { connection.isLeaving = true }
    for pdu in held.values { discardHeld(pdu) }
    // What the sessions before it have left is as much of this I_T nexus.
    drain(connections) { [weak self, weak connection] in
      self?.afterPredecessors { self?.loseNexus { connection?.answer(request, .closed) } }
    }
    for other in connections where other !== connection { other.close(.done) }
  }

  private func loseNexus(_ completion: @escaping () -> Void) {
    onEveryUnit({ $0.server.lose($0, completion: $1) }, completion: completion)
  }

  /// Aborts the tasks of `connections` and calls back when the last has ended.
  private func drain(_ connections: [Connection], completion: @escaping () -> Void) {
    let barrier = DrainBarrier(completion: completion)
    for task in tasksInProgress {
      guard connections.contains(where: { $0 === task.connection }) else { continue }
      task.transfer = nil
      task.nexus?.server.abort(task.scsi, barrier: barrier)
    }
    barrier.arm()
  }
}

extension Connection {
  func answer(_ request: TaskManagementFunctionRequest, _ result: TaskManagementResult) {
    let pdu = TaskManagementFunctionResponse(
      response: result.code, information: result.information,
      initiatorTaskTag: request.initiatorTaskTag, numbers: .unset)
    enqueue(pdu.encoded(), .status)
  }

  /// Answers a logout; when it closes this connection, nothing is read after it.
  func answer(_ request: LogoutRequest, _ code: LogoutResponseCode) {
    let pdu = LogoutResponse(
      response: code, initiatorTaskTag: request.initiatorTaskTag, numbers: .unset)
    enqueue(pdu.encoded(), .status)
    let closesThis =
      request.reason == .closeSession
      || (request.reason == .closeConnection && request.connectionID == connectionID)
    if code == .closed, closesThis { closeAfterSending(.done) }
  }
}
