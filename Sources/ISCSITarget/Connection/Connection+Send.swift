internal import Bytes
internal import DequeModule
internal import ISCSIModel
internal import Logging
internal import Reactor
internal import SCSIModel
internal import SCSITarget

// What leaves a connection: PDUs get their numbers and digests when they are put into a batch, so
// StatSN counts in the order of sending and the command window is as fresh as it can be.
extension Connection {
  /// Moves from the outbox into the batch what fits into one send.
  func fillBatch() {
    while batch.hasRoom, let item = outbox.popFirst() {
      let isDone: Bool
      switch item {
      case .pdu(let pdu): isDone = put(pdu)
      case .readyToTransfer(let task): isDone = putReadyToTransfer(task)
      case .answer(let task): isDone = putAnswer(task)
      }
      guard isDone else { return outbox.prepend(item) }
    }
  }

  /// Gives back what the batch carried; its send is over.
  func finishBatch() {
    while let task = batch.takeTask() { task.session?.answered(task) }
    while let payload = batch.takePayload() {
      controlByteCount -= payload.capacity
      releasePayload(payload)
    }
    batch.reset()
  }

  /// Lets go of something that will not be sent any more.
  func drop(_ item: OutgoingItem) {
    switch item {
    case .pdu(let pdu):
      if let payload = pdu.payload { releasePayload(payload) }
    case .readyToTransfer(let task):
      task.isSoliciting = false
      task.session?.released(task)
    case .answer(let task):
      task.session?.answered(task)
    }
  }

  /// The numbers of a PDU that leaves now, taking a StatSN if it carries a status.
  private func numbers(takingStatSN: Bool) -> SequenceNumbers {
    let number = takingStatSN ? statSN.next() : statSN
    guard let session else {
      return SequenceNumbers(statSN: number, expCmdSN: SerialNumber(0), maxCmdSN: SerialNumber(0))
    }
    session.offerWindow()
    session.announcedMaxCmdSN = session.window.maxCmdSN
    return SequenceNumbers(
      statSN: number, expCmdSN: session.window.expCmdSN, maxCmdSN: session.window.maxCmdSN)
  }

  private func put(_ pdu: OutgoingPDU) -> Bool {
    controlPDUCount -= 1
    var header = pdu.header
    if pdu.numbering != .complete {
      header.setNumbers(numbers(takingStatSN: pdu.numbering == .status))
    }
    // Login PDUs never carry digests (RFC 7143 §13.1), the last one included.
    let framing = pdu.numbering == .complete ? PDUFraming() : framing
    guard let payload = pdu.payload else {
      batch.append(header, bytes: pdu.shortPayload, framing)
      return true
    }
    batch.append(header, payload.slice(0..<pdu.payloadCount), framing)
    batch.carries(payload)
    return true
  }

  private func putReadyToTransfer(_ task: CommandTask) -> Bool {
    guard let session else { return true }
    while !task.hasEnded, task.transfer?.wantsR2T == true {
      guard batch.hasRoom else { return false }
      guard let plan = task.transfer?.nextR2T(tag: session.nextTransferTag()) else { break }
      let pdu = ReadyToTransfer(
        lun: task.request.lun, initiatorTaskTag: task.request.initiatorTaskTag,
        targetTransferTag: plan.targetTransferTag, numbers: numbers(takingStatSN: false),
        r2tSN: plan.r2tSN, bufferOffset: plan.bufferOffset,
        desiredDataTransferLength: plan.desiredLength)
      batch.append(pdu.encoded(), nil, framing)
    }
    task.isSoliciting = false
    session.released(task)
    return true
  }

  /// Data-In as far as there is room, then the status: in the last Data-In if it is GOOD, and no
  /// sense data goes with it.
  private func putAnswer(_ task: CommandTask) -> Bool {
    if task.sequence == nil { task.sequence = dataInSequence(task) }
    while task.sequence?.isFinished == false {
      guard batch.hasRoom else { return false }
      guard let piece = task.sequence?.next() else { break }
      put(piece, of: task)
      if piece.carriesStatus {
        batch.completes(task)
        return true
      }
    }
    guard batch.hasRoom else { return false }
    putResponse(to: task)
    batch.completes(task)
    return true
  }

  private func dataInSequence(_ task: CommandTask) -> DataInSequence {
    let length = task.dataInCount
    return DataInSequence(
      length: UInt32(length), parameters: transferParameters,
      collapsesStatus: length > 0 && task.scsi.status == .good && task.scsi.sense == nil)
  }

  private func put(_ piece: DataInSequence.Piece, of task: CommandTask) {
    if piece.carriesStatus { session?.statusLeaves(task) }
    let status =
      piece.carriesStatus
      ? DataIn.Status(status: task.scsi.status.rawValue, residual: task.residual) : nil
    let pdu = DataIn(
      isFinal: piece.isFinal, status: status, initiatorTaskTag: task.request.initiatorTaskTag,
      numbers: numbers(takingStatSN: piece.carriesStatus), dataSN: piece.dataSN,
      bufferOffset: piece.bufferOffset, dataSegmentLength: piece.length)
    let start = Int(piece.bufferOffset)
    batch.append(pdu.encoded(), task.scsi.data?.slice(start..<start + piece.length), framing)
  }

  private func putResponse(to task: CommandTask) {
    session?.statusLeaves(task)
    let sense = senseData(of: task)
    let pdu = SCSIResponse(
      response: .commandCompleted, status: task.scsi.status.rawValue,
      statusQualifier: statusQualifier(of: task), initiatorTaskTag: task.request.initiatorTaskTag,
      numbers: numbers(takingStatSN: true),
      expDataSN: task.sequence?.expDataSN ?? SerialNumber(0), residual: task.residual,
      dataSegmentLength: sense.count)
    batch.append(pdu.encoded(), bytes: sense, framing)
  }

  /// SAM-5 §5.3.2, in units of 100 ms: when room that was missing may be there again. Protocol
  /// levels before 2 have no such field.
  private func statusQualifier(of task: CommandTask) -> UInt16 {
    switch task.scsi.status {
    case .busy, .taskSetFull: session?.hasProtocolLevel2 == true ? 1 : 0
    default: 0
    }
  }

  /// The data segment of a SCSI Response: SenseLength and the sense data (RFC 7143 §11.4.7).
  private func senseData(of task: CommandTask) -> [UInt8] {
    let encoded = task.scsi.encodedSense
    if encoded.isEmpty { return [] }
    return [UInt8(encoded.count >> 8), UInt8(encoded.count & 0xFF)] + encoded
  }

  // MARK: Control PDUs

  var canSpeak: Bool { phase == .fullFeature && !closesWhenSent }

  /// Whether a PDU of the session waits to leave. A task that has ended asks for no more data.
  var hasToSpeak: Bool {
    phase == .fullFeature
      && outbox.contains { item in
        if case .readyToTransfer(let task) = item { !task.hasEnded } else { true }
      }
  }

  /// A NOP-In that wants no answer: it carries the numbers (RFC 7143 §11.19).
  func announceNumbers() {
    let pdu = NopIn(
      lun: 0, initiatorTaskTag: .reserved, targetTransferTag: .reserved, numbers: .unset,
      dataSegmentLength: 0)
    enqueue(pdu.encoded(), .noStatus)
  }

  /// Queues a PDU with `payload` as its data segment. Without memory for a long one the connection
  /// ends: an answer that cannot be given is not left out silently.
  func enqueue(
    _ header: BasicHeaderSegment, _ numbering: OutgoingPDU.Numbering, payload: [UInt8] = []
  ) {
    var header = header
    header.dataSegmentLength = payload.count
    var pdu = OutgoingPDU(header: header, numbering: numbering)
    if payload.count <= SendBatch.shortPayloadMax {
      pdu.shortPayload = payload
    } else {
      guard let buffer = allocatePayload(payload.count) else { return close(.outOfMemory) }
      buffer.store(payload, at: 0)
      pdu.payload = buffer
      pdu.payloadCount = payload.count
    }
    enqueue(.pdu(pdu))
  }

  /// A Reject that returns the complete offending header (RFC 7143 §11.17), as far as the initiator
  /// takes so much: its least MaxRecvDataSegmentLength is 512 bytes, and additional header segments
  /// may be 1020. They are those of the PDU now arriving if no others are given.
  func reject(
    _ header: BasicHeaderSegment, _ reason: RejectReason, additionalHeader: [UInt8]? = nil
  ) {
    notice("PDU rejected", ["opcode": "\(header.opcode)", "reason": "\(reason)"])
    let pdu = Reject(reason: reason, numbers: .unset)
    let basic = (0..<BasicHeaderSegment.byteCount).map { header.bytes[$0] }
    let complete = basic + (additionalHeader ?? receiver.additionalHeader)
    let returned = complete.prefix(transferParameters.initiatorMaxRecvDataSegmentLength)
    enqueue(pdu.encoded(), .status, payload: Array(returned))
  }

  /// Rejects, then closes: at error recovery level 0 a protocol error ends the connection.
  func rejectAndClose(_ header: BasicHeaderSegment, _ reason: RejectReason) {
    reject(header, reason)
    closeAfterSending(.protocolError(reason))
  }
}

extension SequenceNumbers {
  /// For a header whose numbers are filled in when it leaves.
  static let unset = SequenceNumbers(
    statSN: SerialNumber(0), expCmdSN: SerialNumber(0), maxCmdSN: SerialNumber(0))
}

extension BasicHeaderSegment {
  /// StatSN, ExpCmdSN and MaxCmdSN are at bytes 24–35 of everything a target sends.
  fileprivate mutating func setNumbers(_ numbers: SequenceNumbers) {
    bytes.setBigEndian(numbers.statSN.rawValue, at: 24)
    bytes.setBigEndian(numbers.expCmdSN.rawValue, at: 28)
    bytes.setBigEndian(numbers.maxCmdSN.rawValue, at: 32)
  }
}
