internal import ISCSIModel
internal import Reactor

// What a connection does by the clock: finds out whether the initiator is still there, and asks it
// to leave before an orderly stop.
extension Connection {
  func startKeepAlive(_ policy: SessionPolicy) {
    keepAlive.heard(at: reactor.now)
    dataDue.restart(at: reactor.now)
    armKeepAlive(policy)
  }

  private static let tickMin = Milliseconds(10)
  private static let tickMax = Milliseconds.seconds(5)
  private static let tickGrid = Milliseconds.seconds(1)

  private func armKeepAlive(_ policy: SessionPolicy) {
    let next = keepAlive.nextCheck(
      at: reactor.now, interval: policy.nopInterval, timeout: policy.nopTimeout)
    // Now and then in any case, for the initiator that does not take our answers.
    let delay = min(max(next ?? Connection.tickMax, Connection.tickMin), Connection.tickMax)
    // On the full second, if nobody waits for it: a thousand idle sessions then share their turns.
    let mayBeLate = !keepAlive.hasAsked && delay >= Connection.tickGrid + Connection.tickGrid
    keepAliveTimer = reactor.startTimer(
      after: mayBeLate ? delay.roundedUp(to: Connection.tickGrid, from: reactor.now) : delay,
      for: self)
  }

  /// The keep-alive timer has fired.
  func tick() {
    guard phase == .fullFeature, let session else { return }
    noticeCount = 0
    if isSending,
      reactor.now.milliseconds(since: sendStarted) >= worker.context.limits.sendTimeout
    {
      return close(.sendStalled)
    }
    if isOwed(session, for: worker.context.limits.sendTimeout) {
      return close(.dataWithheld)
    }
    if session.type == .discovery,
      keepAlive.silence(at: reactor.now) >= Session.discoveryIdleMax
    {
      return close(.discoveryIdle)
    }
    let policy = session.policy
    switch keepAlive.check(
      at: reactor.now, interval: policy.nopInterval, timeout: policy.nopTimeout)
    {
    case .wait: break
    case .ping: ping(session)
    case .giveUp: return close(.initiatorSilent)
    }
    armKeepAlive(policy)
  }

  private func ping(_ session: Session) {
    let pdu = NopIn(
      lun: 0, initiatorTaskTag: .reserved, targetTransferTag: session.nextTransferTag(),
      numbers: .unset, dataSegmentLength: 0)
    enqueue(pdu.encoded(), .noStatus)
  }

  // MARK: Stop

  /// Asks the initiator to log out (RFC 7143 §11.9.1, event 1), and closes after `grace` if it has
  /// not, or as soon as it is found to be gone.
  func requestLogout(
    within grace: Milliseconds, else reason: CloseReason = .serverStopping
  ) {
    guard phase == .fullFeature, session?.type == .normal else { return close(reason) }
    let pdu = AsynchronousMessage(
      event: .logoutRequest, numbers: .unset,
      parameter3: UInt16(clamping: (grace.rawValue + 999) / 1000))
    enqueue(pdu.encoded(), .status)
    if let logoutTimer { reactor.cancelTimer(logoutTimer) }
    logoutReason = reason
    logoutTimer = reactor.startTimer(after: grace, for: self)
    if presenceTimer == nil { startPresenceTimer(after: .seconds(1)) }
  }

  /// One system call each time, and `grace` bounds how many. The first comes late: where a system
  /// retransmits sooner than Linux does by itself, a pause of the initiator would pass for its end.
  private func startPresenceTimer(after delay: Milliseconds) {
    presenceTimer = reactor.startTimer(after: delay, for: self)
  }

  /// The presence timer has fired: who acknowledges nothing will not log out either.
  func checkPresence() {
    if let state = reactor.engine.transmission(of: socket.handle), state.isPeerGone {
      return close(.initiatorGone)
    }
    startPresenceTimer(after: Milliseconds(250))
  }
}
