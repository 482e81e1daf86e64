internal import Bytes
internal import DequeModule
internal import ISCSIModel
internal import Logging
internal import Reactor

// How a connection ends. The socket is closed, and memory given back, only when the last operation
// on it has completed.
extension Connection {
  /// Sends what is in the outbox, then closes. Nothing more is read.
  func closeAfterSending(_ reason: CloseReason) {
    guard phase != .closing, phase != .closed else { return }
    closesWhenSent = true
    closeReason = reason
    if outbox.isEmpty && !isSending { close(reason) }
  }

  func close(_ reason: CloseReason) {
    guard phase != .closing, phase != .closed else { return }
    let wasLoggedIn = phase == .fullFeature
    phase = .closing
    let reason = closesWhenSent ? closeReason ?? reason : reason
    log(reason, wasLoggedIn: wasLoggedIn)
    if !wasLoggedIn, let failure = LoginFailureReason(reason) {
      noteLoginFailure(failure, "\(reason)")
    }
    cancelTimers()
    reactor.engine.shutDown(socket.handle)
    while let item = outbox.popFirst() { drop(item) }
    session?.lost(self)
    finishClosingIfIdle()
  }

  private func log(_ reason: CloseReason, wasLoggedIn: Bool) {
    if reason == .outOfMemory { worker.limitReached("memory") }
    let metadata: Logger.Metadata = ["reason": "\(reason)"]
    if !wasLoggedIn {
      logger.debug("connection closed before login", metadata: metadata)
    } else if reason.isOrderly || endsDiscovery(reason) {
      logger.info("connection closed", metadata: metadata)
    } else {
      logger.warning("connection lost", metadata: metadata)
    }
  }

  /// open-iscsi's discovery ends without a logout, by a reset.
  private func endsDiscovery(_ reason: CloseReason) -> Bool {
    guard case .lost = reason else { return false }
    return session?.type == .discovery
  }

  private func cancelTimers() {
    for timer in [loginTimer, wayTimer, keepAliveTimer, logoutTimer, presenceTimer] {
      if let timer { reactor.cancelTimer(timer) }
    }
    loginTimer = nil
    wayTimer = nil
    keepAliveTimer = nil
    logoutTimer = nil
    presenceTimer = nil
  }

  func finishClosingIfIdle() {
    guard phase == .closing, !isReceiving, !isSending else { return }
    phase = .closed
    finishBatch()
    releaseArena()
    abandonArriving()
    releaseInput()
    endStranger()
    reactor.engine.close(socket.handle)
    if let name = countedInitiator.take() { worker.context.sessions.removeConnection(of: name) }
    session?.closed(self)
    session = nil
    worker.context.loads.change(reactor.index, by: -1)
    worker.removed(self)
  }

  /// Ends this object without the socket, which lives on elsewhere.
  func leave() {
    phase = .closed
    // Counted there from now on.
    countedInitiator = nil
    cancelTimers()
    releaseArena()
    releaseInput()
    endStranger()
    worker.context.loads.change(reactor.index, by: -1)
    worker.removed(self)
  }

  private func releaseInput() {
    if let input = receiver.exchangeInput(nil) { release(input) }
  }

  private func releaseArena() {
    if let arena = batch.takeArena() { release(arena) }
  }

  /// Lets go of a PDU that will never be complete.
  func abandonArriving() {
    switch exchange(&arriving, with: .ignored) {
    case .ignored: break
    case .collected(_, let data):
      if let data { releasePayload(data) }
    case .held(let pdu):
      // The session let go of it when the connection was lost.
      if let data = pdu.data { releasePayload(data) }
    case .command(let task), .dataOut(let task):
      task.isReceiving = false
      task.session?.released(task)
    }
  }
}
