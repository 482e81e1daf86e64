internal import Bytes
internal import ISCSIModel
internal import Reactor
internal import SCSIModel
internal import SCSITarget

// A command's way through its session: admitted, its data collected, executed, answered, forgotten.
extension Session {
  func task(_ tag: InitiatorTaskTag) -> CommandTask? { tasks[tag] }

  /// Tasks that have not ended.
  var tasksInProgress: [CommandTask] { orderedTasks.filter { !$0.hasEnded } }

  /// In an order that does not depend on hashing, so that equal events make equal runs.
  var orderedTasks: [CommandTask] {
    tasks.values.sorted {
      $0.request.initiatorTaskTag.rawValue < $1.request.initiatorTaskTag.rawValue
    }
  }

  /// Why a command must be rejected, before its number is taken: there is no tag to answer it
  /// under, or no room. nil if it need not; then no task and no held command has its tag.
  func refusal(of request: SCSICommandRequest) -> RejectReason? {
    if request.initiatorTaskTag == .reserved { return .invalidPDUField }
    if tasks[request.initiatorTaskTag] != nil { return .taskInProgress }
    if !held.isEmpty, heldCommand(request.initiatorTaskTag) != nil { return .taskInProgress }
    if request.isImmediate, tasks.count >= policy.queueDepth + Session.immediateTasksMax {
      return .tooManyImmediateCommands
    }
    return nil
  }

  /// Makes a task of a command whose turn has come. Its data, if it has any, is still on the way.
  /// No `cdb`: the PDU is malformed. That, too, is a task's end and not a Reject, which would leave
  /// its number missing (RFC 7143 §7.3), and initiators do not send another command in its place.
  func admit(
    _ request: SCSICommandRequest, _ cdb: CommandDescriptorBlock?, on connection: Connection
  ) -> CommandTask {
    let task = worker.takeTask()
    task.begin(request, on: connection, in: self)
    tasks[request.initiatorTaskTag] = task
    commandsInWindow += 1
    let answersOnTheirWay = connection.acknowledgedStatus.countOnTheirWay(
      request.expStatSN, before: connection.statSN, countMax: policy.queueDepth)
    worker.reactor.requestArrived(outstanding: commandsInWindow + answersOnTheirWay)
    let expected = Int(request.expectedDataTransferLength)
    task.scsi.begin(
      cdb ?? CommandDescriptorBlock(request.cdb),
      expectedDataIn: request.isRead ? expected : 0,
      expectedDataOut: request.isWrite ? expected : 0, attribute: request.attribute.ofTask)
    let needed = cdb == nil ? refuseMalformed(task) : admit(task)
    task.lentBytes = task.scsi.data?.capacity ?? 0
    lentBytes += task.lentBytes
    if task.hasEnded { task.noteMemory() }
    guard request.isWrite else { return task }
    do throws(DataOutTransfer.Violation) {
      task.transfer = try DataOutTransfer(
        of: request, neededLength: UInt64(needed), parameters: connection.transferParameters)
    } catch {
      task.transfer = DataOutTransfer(discarding: request)
      fail(task, error.condition)
    }
    return task
  }

  /// Hands the task to its logical unit; the bytes of data-out the command needs.
  private func admit(_ task: CommandTask) -> Int {
    guard let nexus = unitNexus(of: task.request.lun) else {
      self.nexus?.perform(task.scsi, on: worker.reactor)
      task.hasEnded = true
      return 0
    }
    task.nexus = nexus
    // Who wants to fence is not kept from it by what his other commands hold.
    guard
      hasMemory(for: task)
        || (nexus.server.mayAlwaysEnter(task.scsi, nexus) && task.mayUseReserve(task.scsi))
    else {
      task.scsi.refuseBusy()
      task.hasEnded = true
      return 0
    }
    switch nexus.server.admit(task.scsi, nexus) {
    case .collect(let byteCount): return byteCount
    case .execute:
      if task.announcesWrongDirection {
        nexus.server.fail(task.scsi, .invalidFieldInCommandInformationUnit)
      }
      return 0
    case .refused:
      task.hasEnded = true
      return 0
    }
  }

  /// Whether the session may have the memory that `task` asks for, and its initiator, who has yet
  /// to send the data, or will have to take it.
  private func hasMemory(for task: CommandTask) -> Bool {
    let byteCount = task.bytesAskedFor(of: worker.reactor.buffers)
    return lentBytes + byteCount <= memoryMax && account.mayLend(byteCount)
  }

  private func refuseMalformed(_ task: CommandTask) -> Int {
    task.nexus = unitNexus(of: task.request.lun)
    task.scsi.refuse(.invalidFieldInCommandInformationUnit, for: task.nexus)
    task.hasEnded = true
    return 0
  }

  func unitNexus(of field: UInt64) -> LogicalUnitNexus? {
    guard case .number(let lun) = LogicalUnitNumber(field: field) else { return nil }
    return nexus?.unitNexus(at: lun)
  }

  /// The PDU that was arriving for `task` is complete: go on with whatever it waited for.
  func dataArrived(for task: CommandTask) {
    if task.isAbortedSilently { return released(task) }
    if task.hasEnded {
      if task.dataInCount == 0 { settleMemory(of: task) }
      // Its status may have left while this was arriving, which then was not asked for.
      return task.occupiesWindow ? answerIfQuiet(task) : released(task)
    }
    guard let transfer = task.transfer, !transfer.isComplete else { return execute(task) }
    guard transfer.wantsR2T, !task.isSoliciting, let connection = task.connection else { return }
    task.isSoliciting = true
    connection.enqueue(.readyToTransfer(task))
  }

  private func execute(_ task: CommandTask) {
    task.transfer = nil
    task.nexus?.server.execute(task.scsi)
  }

  /// Ends a task whose initiator sent the wrong data (RFC 7143 §11.4.7.2). It is answered when the
  /// rest of its data has come, too; that is given as long as any other.
  func fail(_ task: CommandTask, _ condition: DataOutTransfer.Condition) {
    guard !task.hasEnded, let server = task.nexus?.server else { return answerIfQuiet(task) }
    server.fail(task.scsi, condition.sense)
  }

  /// The SCSI task behind `task` has ended.
  func commandEnded(_ task: CommandTask) {
    // What it has been asked for and comes yet is of no use, and no further R2T is sent.
    task.transfer?.discardRest()
    settleMemory(of: task)
    if task.isAbortedSilently {
      task.transfer = nil
      // Its tag is the initiator's again, although a PDU of it may still be arriving elsewhere.
      statusIsLost(task)
      released(task)
      return announceWindow()
    }
    answerIfQuiet(task)
  }

  /// From here on the memory of `task` waits for the initiator to take the answer. What is not sent
  /// goes back at once, or when the PDU that is arriving into it is whole; blocks that were read do
  /// so, too, if the initiator has left as much untaken as it may: it reads them again, as reads
  /// change nothing. They were not its own before, or a disk that hangs would keep it from its
  /// other units.
  private func settleMemory(of task: CommandTask) {
    guard let byteCount = task.scsi.data?.capacity else { return }
    if task.isAbortedSilently || task.dataInCount == 0 {
      if !task.isReceiving { releaseData(of: task) }
    } else if task.lentBytes > 0, !account.mayLend(byteCount) {
      task.scsi.endBusyInstead()
      releaseData(of: task)
    }
    task.noteMemory()
  }

  private func releaseData(of task: CommandTask) {
    task.scsi.releaseData(to: worker.reactor.buffers)
    task.leaveReserve()
    lentBytes -= task.lentBytes
    task.lentBytes = 0
  }

  /// Queues the answer, unless data for the task is still due: it has to be taken first (RFC 7143
  /// §11.4.2), at the rate that `DataDue` asks for. Of a task that was aborted nobody else waits
  /// for that.
  private func answerIfQuiet(_ task: CommandTask) {
    guard task.hasEnded, !task.isReceiving, !task.isAnswering, !task.isOwedData,
      let connection = task.connection
    else { return }
    task.isAnswering = true
    connection.enqueue(.answer(task))
  }

  /// Aborts `task` if it has ended and was not told, as its data is still due: no status follows.
  func forgetIfUntold(_ task: CommandTask) {
    guard task.hasEnded, !task.isAnswering else { return }
    task.transfer = nil
    statusIsLost(task)
    released(task)
  }

  /// The answer has left, or never will.
  func answered(_ task: CommandTask) {
    task.isAnswering = false
    released(task)
  }

  /// Something let go of `task`; if nothing holds it any more, it is free and so is its place in
  /// the window.
  func released(_ task: CommandTask) {
    guard task.isFree, task.session === self else { return }
    statusIsLost(task)
    lentBytes -= task.lentBytes
    task.scsi.recycle(to: worker.reactor.buffers)
    task.reset()
    worker.returnTask(task)
    finishIfDrained()
  }

  /// The status of `task` is leaving: the same PDU already offers its place in the window, or an
  /// initiator that uses the whole window would wait for ever. Its tag is the initiator's again as
  /// soon as it has read the status, which may be long before the whole batch has left.
  func statusLeaves(_ task: CommandTask) {
    guard task.occupiesWindow else { return }
    task.occupiesWindow = false
    tasks[task.request.initiatorTaskTag] = nil
    commandsInWindow -= 1
    if !task.isAbortedSilently { counters.count(task.scsi) }
    switch task.scsi.status {
    // A unit that waits for something else tells nothing of how much others take.
    case .busy where task.nexus?.isHeldUp ?? false: window.completed()
    case .busy, .taskSetFull: window.refused(task.request.cmdSN, inProgress: commandsInWindow + 1)
    default: window.completed()
    }
    offerWindow()
  }

  /// As `statusLeaves`, of a task whose status never will: if that has not left, what it would have
  /// told of is told by the next.
  private func statusIsLost(_ task: CommandTask) {
    guard task.occupiesWindow else { return }
    task.nexus?.statusWasNotSent(of: task.scsi)
    statusLeaves(task)
  }

  /// Opens the window as far as the commands in progress allow. Asked whenever something leaves:
  /// pings, text and refused commands take a CmdSN, too, and no place.
  func offerWindow() { window.offer(inProgress: commandsInWindow) }

  /// Tells the initiator that the window is open, if it was last told that it is closed and nothing
  /// is about to leave that would say so: it would wait for ever (RFC 7143 §4.2.2.1). To be asked
  /// when tasks have ended without a status.
  func announceWindow() {
    offerWindow()
    guard announcedMaxCmdSN.precedes(window.expCmdSN),
      announcedMaxCmdSN.precedes(window.maxCmdSN), !connections.contains(where: \.hasToSpeak),
      let connection = connections.first(where: \.canSpeak)
    else { return }
    connection.announceNumbers()
  }
}

extension TaskAttribute {
  /// Untagged means what SAM-5 left of it: SIMPLE.
  fileprivate var ofTask: SCSITask.Attribute {
    switch self {
    case .ordered: .ordered
    case .headOfQueue: .headOfQueue
    case .aca: .aca
    default: .simple
    }
  }
}

extension DataOutTransfer.Condition {
  fileprivate var sense: SenseData {
    switch self {
    case .unexpectedUnsolicitedData: .unexpectedUnsolicitedData
    case .incorrectAmountOfData: .notEnoughUnsolicitedData
    case .lostData, .protocolError, .invalidField: .protocolServiceCRCError
    }
  }
}
