internal import Bytes
internal import ISCSIModel
internal import Logging
internal import Reactor
internal import SCSITarget

/// What becomes of the PDU now arriving, once it is complete.
enum ArrivingPDU {
  case ignored
  /// To be handled whole, with its data segment.
  case collected(BasicHeaderSegment, Buffer?)
  /// A command that overtook an earlier one: kept whole until its turn.
  case held(HeldPDU)
  /// Immediate data of a command.
  case command(CommandTask)
  case dataOut(CommandTask)
}

/// A PDU that waits for the CmdSN before its own (RFC 7143 §4.2.2.1).
struct HeldPDU {
  let connection: Connection
  let header: BasicHeaderSegment
  let additionalHeader: [UInt8]
  let data: Buffer?
  /// Its data segment is there, too.
  var isWhole = false
}

// What arrives on a connection in full feature phase.
extension Connection {
  /// Looks at a header that has arrived and says where its data goes; nil if the connection is
  /// closing.
  func begin(_ header: BasicHeaderSegment) -> DataDestination? {
    guard phase == .fullFeature, let session else { return beginLogin(header) }
    switch header.opcode {
    case .scsiCommand, .taskManagementRequest:
      guard session.type == .normal else { return protocolViolation(header) }
      return beginNumbered(header, session)
    case .nopOut, .textRequest, .logoutRequest:
      return beginNumbered(header, session)
    case .dataOut:
      guard session.type == .normal else { return protocolViolation(header) }
      return beginDataOut(DataOut(header), session)
    case .loginRequest:
      // §6.3: a second login on a live connection is a protocol error.
      return protocolViolation(header)
    default:
      return refuse(header, .commandNotSupported)
    }
  }

  /// Rejects a PDU and goes on; its data segment goes nowhere.
  private func refuse(_ header: BasicHeaderSegment, _ reason: RejectReason) -> DataDestination {
    arriving = .ignored
    reject(header, reason)
    return .nowhere
  }

  private func protocolViolation(_ header: BasicHeaderSegment) -> DataDestination? {
    rejectAndClose(header, .protocolError)
    return nil
  }

  private func beginNumbered(
    _ header: BasicHeaderSegment, _ session: Session
  ) -> DataDestination? {
    if isLeaving || session.isEnding {
      // Behind a logout nothing is begun any more.
      arriving = .ignored
      return .nowhere
    }
    let cmdSN = SerialNumber(header.bytes.bigEndianUInt32(at: 24))
    let command = header.opcode == .scsiCommand ? SCSICommandRequest(header) : nil
    let reason =
      if let command { session.refusal(of: command) } else { refusal(of: header) }
    if let reason {
      return refuseNumbered(header, cmdSN, reason, session)
    }
    if header.opcode == .textRequest, !header.isImmediate, cmdSN == session.window.expCmdSN,
      session.window.awaits(cmdSN)
    {
      // Its number is taken when its text has proved to be one.
      return collect(header) { .collected(header, $0) }
    }
    switch session.window.receive(cmdSN: cmdSN, isImmediate: header.isImmediate) {
    case .ignore:
      arriving = .ignored
      return .nowhere
    case .hold:
      return hold(header, cmdSN, session)
    case .deliver:
      guard let command else { return collect(header) { .collected(header, $0) } }
      let destination = begin(command, receiver.additionalHeader, session)
      // Any other PDU is handled when it is whole; what comes after it in order has to wait for
      // that.
      session.deliverHeld()
      return destination
    }
  }

  /// Why a PDU that is no command must be rejected, as far as its header shows: asked before its
  /// number is taken, because a PDU that is rejected counts as not received (RFC 7143 §7.3). Of a
  /// text request the text decides, too.
  private func refusal(of header: BasicHeaderSegment) -> RejectReason? {
    switch header.opcode {
    // §11.18: without a task tag it must be immediate, or its CmdSN would be two PDUs'.
    case .nopOut: NopOut(header).isWellFormed ? nil : .protocolError
    case .logoutRequest: LogoutRequest(header).reason.isReserved ? .invalidPDUField : nil
    case .textRequest: refusal(of: TextRequest(header))
    default: nil
    }
  }

  private func refusal(of request: TextRequest) -> RejectReason? {
    text?.failure(of: request.fields, byteCount: request.header.dataSegmentLength)?.reason
  }

  /// Rejects a PDU without taking its number; one that is no longer due is dropped without a word.
  private func refuseNumbered(
    _ header: BasicHeaderSegment, _ cmdSN: SerialNumber, _ reason: RejectReason,
    _ session: Session
  ) -> DataDestination {
    guard header.isImmediate || session.window.awaits(cmdSN) else {
      arriving = .ignored
      return .nowhere
    }
    if header.opcode == .textRequest { text?.reset() }
    return refuse(header, reason)
  }

  private func hold(
    _ header: BasicHeaderSegment, _ cmdSN: SerialNumber, _ session: Session
  ) -> DataDestination? {
    guard session.mayHold(header.dataSegmentLength) else {
      // The window has taken its number: the other connections must not wait for it.
      session.window.plug(cmdSN)
      session.deliverHeld()
      close(.outOfMemory)
      return nil
    }
    let destination = collect(header) { buffer in
      .held(
        HeldPDU(
          connection: self, header: header, additionalHeader: receiver.additionalHeader,
          data: buffer))
    }
    if case .held(let pdu) = arriving {
      session.hold(pdu)
    } else {
      session.window.plug(cmdSN)
      session.deliverHeld()
    }
    return destination
  }

  private func begin(
    _ request: SCSICommandRequest, _ additionalHeader: [UInt8], _ session: Session
  ) -> DataDestination {
    let cdb = request.isWellFormed ? request.commandDescriptorBlock(additionalHeader) : nil
    let task = session.admit(request, cdb, on: self)
    arriving = .command(task)
    return destination(of: task, at: 0, wanted: task.transfer?.wantedImmediateLength ?? 0)
  }

  private func destination(
    of task: CommandTask, at offset: Int, wanted: Int
  ) -> DataDestination {
    task.isReceiving = true
    return DataDestination(buffer: task.scsi.data, offset: offset, wanted: wanted)
  }

  private func collect(
    _ header: BasicHeaderSegment, _ arrival: (Buffer?) -> ArrivingPDU
  ) -> DataDestination? {
    let count = header.dataSegmentLength
    guard count > 0, header.needsData else {
      arriving = arrival(nil)
      return .nowhere
    }
    guard let buffer = allocatePayload(count) else { return lackMemory(for: header) }
    arriving = arrival(buffer)
    return DataDestination(buffer: buffer, offset: 0, wanted: count)
  }

  /// Nothing holds the data of a PDU, which may not be handled without. An immediate one is
  /// rejected, and the initiator may send it again (RFC 7143 §11.17.1); for that of a ping it is an
  /// answer as good as any. It does not wait in the socket: the initiator could then not reach the
  /// commands behind it either, a fence among them. One with a number cannot be rejected without
  /// leaving that number missing (§7.3), and all that comes behind would need memory until it is
  /// sent again: the connection ends.
  private func lackMemory(for header: BasicHeaderSegment) -> DataDestination? {
    guard header.isImmediate else {
      close(.outOfMemory)
      return nil
    }
    worker.limitReached("memory")
    if header.opcode == .textRequest { text?.reset() }
    return refuse(header, .tooManyImmediateCommands)
  }

  /// Data for a task that is not there any more was on its way when the task was aborted: it is
  /// dropped, and touches nothing.
  private func beginDataOut(_ pdu: DataOut, _ session: Session) -> DataDestination? {
    guard let task = session.task(pdu.initiatorTaskTag), task.connection === self,
      let verdict = task.transfer?.received(pdu)
    else {
      session.lateDataArrived(pdu)
      arriving = .ignored
      return .nowhere
    }
    switch verdict {
    case .accepted(let wanted), .sequenceComplete(let wanted), .allDataReceived(let wanted):
      arriving = .dataOut(task)
      return destination(of: task, at: Int(pdu.bufferOffset), wanted: wanted)
    case .violation(let violation):
      return violated(violation, pdu, task, session)
    }
  }

  private func violated(
    _ violation: DataOutTransfer.Violation, _ pdu: DataOut, _ task: CommandTask,
    _ session: Session
  ) -> DataDestination? {
    arriving = .ignored
    notice(
      "wrong data-out",
      ["violation": "\(violation)", "task": "\(pdu.initiatorTaskTag.rawValue)"])
    if let reason = violation.condition.rejectReason {
      rejectAndClose(pdu.header, reason)
      return nil
    }
    task.transfer?.discardRest()
    _ = task.transfer?.received(pdu)
    // Not answered before this PDU is past.
    task.isReceiving = true
    arriving = .dataOut(task)
    session.fail(task, violation.condition)
    return .nowhere
  }

  // MARK: Complete PDUs

  func pduCompleted() {
    switch exchange(&arriving, with: .ignored) {
    case .ignored: break
    case .collected(let header, let data):
      handle(header, receiver.additionalHeader, data)
      session?.deliverHeld()
    case .held(let pdu):
      heldCompleted(pdu)
    case .command(let task), .dataOut(let task):
      task.isReceiving = false
      session?.dataArrived(for: task)
    }
  }

  private func heldCompleted(_ pdu: HeldPDU) {
    guard let session, session.heldArrived(pdu) else {
      if let data = pdu.data { releasePayload(data) }
      return
    }
    awaitsOrder = pdu.announcesData
    // The gap may have been filled while its data arrived.
    session.deliverHeld()
  }

  /// Handles a PDU whose turn has come after it was held.
  func deliver(_ pdu: HeldPDU) {
    guard let session, phase == .fullFeature, !isLeaving, !session.isEnding else {
      if pdu.takesNumberItself { session?.window.plug(pdu.cmdSN) }
      if let data = pdu.data { releasePayload(data) }
      return
    }
    guard pdu.header.opcode == .scsiCommand else {
      return handle(pdu.header, pdu.additionalHeader, pdu.data)
    }
    defer { continueAfterOrder(pdu) }
    let current = arriving
    defer {
      arriving = current
      // It may have ended the connection, while another PDU was arriving.
      if phase == .closed { abandonArriving() }
      if let data = pdu.data { releasePayload(data) }
    }
    let destination = begin(SCSICommandRequest(pdu.header), pdu.additionalHeader, session)
    if let data = pdu.data, let buffer = destination.buffer, destination.wanted > 0 {
      buffer.copy(from: data, at: 0, to: 0, count: destination.wanted)
    }
    pduCompleted()
  }

  /// The held write has its memory: reads on, in a later event, as this one may be another
  /// connection's.
  func continueAfterOrder(_ pdu: HeldPDU) {
    guard awaitsOrder, pdu.announcesData else { return }
    awaitsOrder = false
    reactor.complete(OperationResult(rawValue: 0), for: self, context: Connection.resumption)
  }

  /// A PDU other than a SCSI command or Data-Out, in full. Takes `data` over.
  private func handle(
    _ header: BasicHeaderSegment, _ additionalHeader: [UInt8], _ data: Buffer?
  ) {
    if header.opcode == .nopOut { return answer(NopOut(header), data) }
    let bytes = data?.bytes(0..<header.dataSegmentLength) ?? []
    if let data { releasePayload(data) }
    switch header.opcode {
    case .loginRequest: loginCompleted(header, bytes)
    case .textRequest: answer(TextRequest(header), additionalHeader, bytes)
    case .logoutRequest: session?.logout(LogoutRequest(header), on: self)
    case .taskManagementRequest:
      session?.manage(TaskManagementFunctionRequest(header), on: self)
    default: break
    }
  }

  /// A NOP-Out comes back with its own data (RFC 7143 §11.19), or answers one of our pings and has
  /// none. `data` is all it brought, as the limit of what goes back may have risen since its header
  /// arrived.
  private func answer(_ nop: NopOut, _ data: Buffer?) {
    guard nop.wantsAnswer else { return }
    let count = min(
      nop.header.dataSegmentLength, transferParameters.initiatorMaxRecvDataSegmentLength)
    let pdu = NopIn(
      lun: nop.lun, initiatorTaskTag: nop.initiatorTaskTag, targetTransferTag: .reserved,
      numbers: .unset, dataSegmentLength: count)
    enqueue(
      .pdu(
        OutgoingPDU(
          header: pdu.encoded(), numbering: .status, payload: data, payloadCount: count)))
  }

  private func answer(_ request: TextRequest, _ additionalHeader: [UInt8], _ data: [UInt8]) {
    guard let session, var exchange = text else { return }
    let cmdSN = SerialNumber(request.header.bytes.bigEndianUInt32(at: 24))
    let isImmediate = request.header.isImmediate
    // The number may have become another connection's PDU's while the text arrived.
    guard isImmediate || session.window.awaits(cmdSN) else { return }
    let action = exchange.received(request.fields, data: data) {
      session.targets(for: $0, on: self)
    }
    text = exchange
    let reply: TextReply
    switch action {
    case .respond(let answer): reply = answer
    case .reject(let failure):
      return reject(request.header, failure.reason, additionalHeader: additionalHeader)
    }
    _ = session.window.receive(cmdSN: cmdSN, isImmediate: isImmediate)
    transferParameters.initiatorMaxRecvDataSegmentLength =
      exchange.initiatorMaxRecvDataSegmentLength
    let pdu = TextResponse(
      isFinal: reply.isFinal, continues: reply.isContinued, lun: request.lun,
      initiatorTaskTag: request.initiatorTaskTag, targetTransferTag: reply.targetTransferTag,
      numbers: .unset, dataSegmentLength: reply.text.count)
    enqueue(pdu.encoded(), .status, payload: reply.text)
  }
}

extension BasicHeaderSegment {
  /// Whether the data segment of such a PDU is of any use.
  fileprivate var needsData: Bool {
    switch opcode {
    case .nopOut: NopOut(self).wantsAnswer
    case .logoutRequest, .taskManagementRequest: false
    default: true
    }
  }
}

extension TextRequest {
  fileprivate var fields: TextRequestFields {
    TextRequestFields(
      isFinal: isFinal, isContinued: continues, targetTransferTag: targetTransferTag)
  }
}

extension TextFailure {
  /// RFC 7143 §11.17.1: 0x09 for a field that should name a transfer and names none.
  fileprivate var reason: RejectReason {
    self == .unknownTransferTag ? .invalidPDUField : .protocolError
  }
}
