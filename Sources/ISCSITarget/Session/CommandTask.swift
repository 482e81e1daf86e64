internal import Bytes
internal import ISCSIModel
internal import Reactor
internal import SCSIModel
internal import SCSITarget

/// One SCSI command as iSCSI sees it: tags, data transfer in either direction, and the SCSI task
/// behind it. Pooled by the worker.
final class CommandTask: SCSITaskOwner {
  /// A constant, made without its owner: a lazy property costs a reference count at every look.
  let scsi = SCSITask()

  private(set) var request = SCSICommandRequest(BasicHeaderSegment(opcode: .scsiCommand))
  /// Where the command came in and its data and status go (allegiance, RFC 7143 §4.2.1).
  private(set) var connection: Connection?
  private(set) var session: Session?
  /// The I_T_L nexus it was admitted to; nil for a LUN that is not there.
  var nexus: LogicalUnitNexus?

  /// Data-out still to come, wanted or not. Whatever changes it, or ends it, is noted where it is
  /// counted.
  var transfer: DataOutTransfer? { didSet { noteDue() } }
  /// What of the transfer is counted in the connection's `DataDue`.
  private var openSequences = 0
  private var isCollecting = false
  /// What of its memory is counted in the initiator's account.
  private var accountedBytes = 0
  /// Data-in on its way out.
  var sequence: DataInSequence?
  /// The SCSI task has ended: an answer is due as soon as nothing more can arrive for it.
  var hasEnded = false
  /// A PDU for it is arriving into its memory, which must stay until the PDU is whole.
  var isReceiving = false
  /// It is in the outbox to ask for data.
  var isSoliciting = false
  /// Its answer is in the outbox or on its way out.
  var isAnswering = false
  /// The memory it took when it was admitted.
  var lentBytes = 0
  /// It counts as a fence of its initiator (`InitiatorAccount.fenceCount`).
  private var countsAsFence = false
  /// It counts against the session's command window: until its status leaves, or never will.
  var occupiesWindow = false

  /// Data for it may still come, after which it is answered.
  var isOwedData: Bool { !(transfer?.isComplete ?? true) }

  /// Nothing refers to it any more: it may be used for another command.
  var isFree: Bool { hasEnded && !isReceiving && !isSoliciting && !isAnswering && !isOwedData }

  /// It was aborted and its initiator is told nothing; TASK ABORTED is a status to send.
  var isAbortedSilently: Bool { scsi.isAborted && scsi.status == .good }

  /// A length was announced, but not as data that the initiator sends, for a command that takes
  /// some (RFC 7143 §11.3.1).
  var announcesWrongDirection: Bool {
    scsi.direction == .dataOut && !request.isWrite && request.expectedDataTransferLength > 0
  }

  /// The most memory the command can get of `pool`: what it announces, as far as any command may.
  func bytesAskedFor(of pool: BufferPool) -> Int {
    min(Int(request.expectedDataTransferLength), pool.largestShareBytes)
  }

  /// Bytes of data-in to send: what the command returned, as far as the initiator expects it.
  var dataInCount: Int {
    guard request.isRead, scsi.direction == .dataIn else { return 0 }
    return min(scsi.dataCount, Int(request.expectedDataTransferLength))
  }

  /// What the initiator is told of a difference between what it expected and what the command moves
  /// (RFC 7143 §11.4.5).
  var residual: Residual {
    let direction: Residual.Direction =
      switch scsi.direction {
      case .none: .none
      case .dataIn: .read
      case .dataOut: .write
      }
    return Residual(of: request, transferLength: scsi.transferLength, direction: direction)
  }

  init() { scsi.belong(to: self) }

  func begin(_ request: SCSICommandRequest, on connection: Connection, in session: Session) {
    self.request = request
    self.connection = connection
    self.session = session
    occupiesWindow = true
    // Its own PDU: a command that fails at once must not be answered before its data segment is
    // past, or it would be answered again then.
    isReceiving = true
  }

  private func noteDue() {
    let open = transfer?.openSequenceCount ?? 0
    if open != openSequences, let connection {
      connection.dataDue.opened(open - openSequences, at: connection.reactor.now)
      openSequences = open
    }
    let collects = transfer != nil
    guard collects != isCollecting else { return }
    isCollecting = collects
    connection?.dataDue.collects(collects ? 1 : -1)
    noteMemory()
  }

  /// Its memory waits for its initiator while it collects data, and from its end on: to be called
  /// when it has ended, too.
  func noteMemory() {
    let waits = transfer != nil || hasEnded
    let byteCount = waits ? scsi.data?.capacity ?? 0 : 0
    guard byteCount != accountedBytes else { return }
    session?.account.lends(byteCount - accountedBytes)
    accountedBytes = byteCount
  }

  func mayUseReserve(_ task: SCSITask) -> Bool {
    if !countsAsFence { countsAsFence = session?.account.beginsFence() ?? false }
    return countsAsFence
  }

  /// Its data was given back.
  func leaveReserve() {
    guard countsAsFence else { return }
    countsAsFence = false
    session?.account.endsFence()
  }

  /// Once its memory has been given back.
  func reset() {
    leaveReserve()
    // Before those with whom it is counted.
    transfer = nil
    noteMemory()
    nexus = nil
    connection = nil
    session = nil
    sequence = nil
    hasEnded = false
    isReceiving = false
    isSoliciting = false
    isAnswering = false
  }

  func taskEnded(_ task: SCSITask) {
    hasEnded = true
    session?.commandEnded(self)
  }
}

extension SCSICommandRequest {
  /// The CDB with what the additional header segments add to it (RFC 7143 §11.2.2.2); nil if they
  /// lie or ask for a bidirectional transfer, which no command here makes.
  func commandDescriptorBlock(_ additionalHeader: [UInt8]) -> CommandDescriptorBlock? {
    guard !additionalHeader.isEmpty else { return CommandDescriptorBlock(cdb) }
    guard let segments = try? AdditionalHeaderSegments(parsing: additionalHeader),
      segments.expectedBidirectionalReadDataLength == nil
    else { return nil }
    return CommandDescriptorBlock(cdb, extension: segments.extendedCDB)
  }
}
