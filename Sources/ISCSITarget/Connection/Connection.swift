internal import Bytes
internal import DequeModule
internal import ISCSIModel
internal import Logging
internal import Reactor

/// One TCP connection, from its first byte to its last completion. Lives on one reactor; moves to
/// another at most once, between login and full feature phase, as a `FinishedLogin`.
final class Connection: OperationHandler, TurnEndHandler, TimerHandler {
  enum Phase {
    case login
    /// Logged in; waiting for an old session to end.
    case awaitingSession
    /// Logged in; about to move to the session's reactor.
    case handingOver
    case fullFeature
    /// Shut down; waiting for the last completions.
    case closing
    case closed
  }

  /// A login PDU carries at most 8 KiB, and its text does not pass through this buffer.
  static let loginInputBytes = 4096
  /// Full feature phase: fifteen 4 KiB writes with their headers in one receive.
  static let inputBytes = 65_536
  /// Answers to what an initiator may send without a window: past this many waiting, or when their
  /// data holds so many bytes of memory, we stop reading until they have left.
  static let controlPDUsMax = 64
  static let controlBytesMax = 16 << 10
  /// What the initiator's behaviour may put into the log between two looks at it, every few
  /// seconds.
  static let noticesMax = 10

  let socket: AcceptedSocket
  let worker: Worker
  let reactor: Reactor
  let authority: PortalAuthority
  var logger: Logger
  var noticeCount = 0

  var phase = Phase.login
  var closeReason: CloseReason?

  // Login.
  var machine: LoginMachine
  var loginTimer: TimerID?
  /// The session whose place it waits for, and when it asks it to make way.
  weak var awaited: Session?
  var wayTimer: TimerID?
  /// The initiator among whose connections it is counted, once it has proved to be it.
  var countedInitiator: String?
  var handover: (FinishedLogin, Int)?

  // Memory (Connection+Memory.swift).
  /// It has joined no normal session yet.
  var isStranger = true
  /// What it holds of the memory for those.
  var strangerBytes = 0
  /// Of its initiator, once it has joined a normal session: what its PDUs hold counts there.
  var account: InitiatorAccount?

  // Full feature phase.
  var session: Session?
  /// When it joined its session: milliseconds since 1970, UTC.
  var since: UInt64 = 0
  var connectionID = ConnectionID(rawValue: 0)
  var transferParameters = DataTransferParameters()
  var text: TextExchange?
  var arriving = ArrivingPDU.ignored
  /// What its initiator owes on it (Connection+DataDue.swift).
  var dataDue = DataDue()
  var keepAlive = KeepAlive()
  var keepAliveTimer: TimerID?
  var logoutTimer: TimerID?
  /// When it looks whether who was asked is still there.
  var presenceTimer: TimerID?
  /// Why the initiator was asked to log out.
  var logoutReason = CloseReason.serverStopping

  // Receiving.
  var receiver: PDUReceiver
  /// A write is held whose unsolicited data comes next: that has to wait in the socket, because
  /// only the command, once admitted, says where it goes.
  var awaitsOrder = false
  /// It logs out: what arrives behind that is dropped.
  var isLeaving = false
  var isReceiving = false
  /// What came in, in full feature phase or before; the fields of what was sent stay 0.
  var received = TransferCounters()

  // Sending.
  var outbox: Deque<OutgoingItem> = []
  var controlPDUCount = 0
  /// Memory of the answers that wait or are on their way out.
  var controlByteCount = 0
  let batch = SendBatch()
  var statSN = SerialNumber(0)
  var acknowledgedStatus = AcknowledgedStatus()
  var framing = PDUFraming()
  var isSending = false
  var isFlushScheduled = false
  var closesWhenSent = false
  var sendStarted: MonotonicTime
  private(set) var bytesSent: UInt64 = 0

  private enum OperationKind: UInt32 {
    case receive, send
    /// No operation of the engine's: goes on with what was received before.
    case resumption
  }

  static let resumption = OperationKind.resumption.rawValue

  init(_ socket: AcceptedSocket, worker: Worker) {
    self.socket = socket
    self.worker = worker
    reactor = worker.reactor
    authority = PortalAuthority(
      directory: worker.directory, portalGroupTag: socket.portalGroupTag,
      initiatorAddress: socket.peer)
    machine = LoginMachine(authority: authority, challenges: worker.context.challenges)
    receiver = PDUReceiver(dataSegmentLengthMax: LoginMachine.dataSegmentLengthMax)
    sendStarted = reactor.now
    logger = worker.context.logger
    logger[metadataKey: "address"] = "\(socket.peer)"
  }

  /// Begins the login of a socket just accepted.
  func start() {
    guard provideMemory() else { return close(.outOfMemory) }
    loginTimer = reactor.startTimer(after: worker.context.limits.loginTimeout, for: self)
    receive()
  }

  /// What a connection needs to log in.
  func provideMemory() -> Bool {
    guard let arena = allocate(SendBatch.arenaBytes) else { return false }
    batch.provideArena(arena)
    return provideInput(Connection.loginInputBytes)
  }

  /// An input buffer of `byteCount`, instead of the one there is.
  func provideInput(_ byteCount: Int) -> Bool {
    guard let buffer = allocate(byteCount) else { return false }
    if let old = receiver.exchangeInput(buffer) { release(old) }
    return true
  }

  /// Logs something that the initiator did; not everything, if it does it all the time.
  func notice(_ message: Logger.Message, _ metadata: @autoclosure () -> Logger.Metadata) {
    guard noticeCount < Connection.noticesMax else { return }
    noticeCount += 1
    logger.notice(message, metadata: metadata())
  }

  // MARK: Events

  func operationCompleted(_ context: UInt32, _ result: OperationResult) {
    switch OperationKind(rawValue: context) {
    case .receive:
      isReceiving = false
      receiveCompleted(result)
    case .send:
      isSending = false
      sendCompleted(result)
    case .resumption, nil:
      if !isReceiving { process() }
    }
    switch phase {
    case .closing: finishClosingIfIdle()
    case .handingOver: handOverIfIdle()
    case .login, .awaitingSession, .fullFeature, .closed: break
    }
  }

  private func receiveCompleted(_ result: OperationResult) {
    guard phase == .login || phase == .fullFeature else { return }
    switch result.value {
    case .some(0): close(.peerClosed)
    case .some(let count):
      receiver.received(count)
      received.bytesReceived &+= UInt64(count)
      keepAlive.heard(at: reactor.now)
      process()
    case nil:
      close(.lost(result.error ?? .inputOutput))
    }
  }

  private func sendCompleted(_ result: OperationResult) {
    guard let count = result.value else {
      finishBatch()
      return close(.lost(result.error ?? .inputOutput))
    }
    batch.list.advance(by: count)
    bytesSent &+= UInt64(count)
    guard phase != .closing, !batch.list.isEmpty else {
      finishBatch()
      if outbox.isEmpty, closesWhenSent { return close(.done) }
      if !outbox.isEmpty { scheduleFlush() }
      resumeReceiving()
      return
    }
    send()
  }

  func timerFired(_ timer: TimerID) {
    switch timer {
    case loginTimer:
      loginTimer = nil
      close(.loginTimeout)
    case wayTimer:
      wayTimer = nil
      askForWay()
    case logoutTimer:
      logoutTimer = nil
      close(logoutReason)
    case presenceTimer:
      presenceTimer = nil
      checkPresence()
    case keepAliveTimer:
      keepAliveTimer = nil
      tick()
    default: break
    }
  }

  // MARK: Receiving

  /// Handles every complete PDU there is, then receives more.
  func process() {
    while phase == .login || phase == .fullFeature, !closesWhenSent, !awaitsOrder,
      controlPDUCount < Connection.controlPDUsMax, controlByteCount < Connection.controlBytesMax
    {
      switch receiver.next() {
      case .header(let header):
        dataDue.arrivalBegan(at: reactor.now)
        guard let destination = begin(header) else { return }
        receiver.accept(header, destination)
      case .complete:
        noteArrived()
        pduCompleted()
      case .failed(let failure):
        if failure == .headerDigest { noteHeaderDigestError() }
        return close(.framing(failure))
      case .damaged(let header):
        noteDataDigestError()
        // §7.8: it MUST be answered so; at error recovery level 0 the connection then ends.
        return rejectAndClose(header, .dataDigestError)
      case .needsMore:
        return receive()
      }
    }
  }

  private func receive() {
    guard !isReceiving, !closesWhenSent else { return }
    isReceiving = true
    reactor.receive(
      on: socket.handle, into: receiver.prepareReceive(), for: self,
      context: OperationKind.receive.rawValue)
  }

  /// Goes on after too many answers were waiting, with what had arrived already.
  private func resumeReceiving() {
    if !isReceiving { process() }
  }

  // MARK: Sending

  func enqueue(_ item: OutgoingItem) {
    guard phase == .login || phase == .fullFeature else { return drop(item) }
    if case .pdu(let pdu) = item {
      controlPDUCount += 1
      controlByteCount += pdu.payload?.capacity ?? 0
    }
    outbox.append(item)
    scheduleFlush()
  }

  func scheduleFlush() {
    guard !isFlushScheduled, !isSending else { return }
    isFlushScheduled = true
    reactor.callAtTurnEnd(self)
  }

  func turnEnded() {
    isFlushScheduled = false
    guard !isSending, phase == .login || phase == .fullFeature || phase == .handingOver else {
      return
    }
    fillBatch()
    guard !batch.list.isEmpty else {
      // What was there asked for the data of tasks that have ended.
      if outbox.isEmpty, closesWhenSent { close(.done) }
      return
    }
    sendStarted = reactor.now
    send()
  }

  private func send() {
    isSending = true
    reactor.send(
      on: socket.handle, from: batch.list, for: self, context: OperationKind.send.rawValue)
  }
}
