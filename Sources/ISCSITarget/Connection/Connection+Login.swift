internal import Bytes
internal import ISCSIModel
internal import Logging
internal import Reactor
internal import SCSITarget

/// A login that succeeded, on its way to the reactor where its session lives.
struct FinishedLogin: Sendable {
  enum Destination: Sendable {
    /// The session of the same name and ISID there must end first.
    case reinstate
    case join(TargetSessionID)
  }

  let socket: AcceptedSocket
  let machine: LoginMachine
  let outcome: LoginOutcome
  let destination: Destination
  /// What the initiator sent beyond the login, which it should not have; kept for the parser to
  /// judge.
  let unread: [UInt8]
}

// The Login Phase (RFC 7143 §6.3): the machine decides, the connection does.
extension Connection {
  /// Takes a login PDU's header; nil when the connection is closing.
  func beginLogin(_ header: BasicHeaderSegment) -> DataDestination? {
    guard header.opcode == .loginRequest else {
      _ = machine.receivedOtherPDU()
      logger.notice("refused: a PDU before login", metadata: ["opcode": "\(header.opcode)"])
      close(.protocolError(.protocolError))
      return nil
    }
    let count = header.dataSegmentLength
    guard count > 0 else {
      arriving = .collected(header, nil)
      return .nowhere
    }
    guard let buffer = allocatePayload(count) else {
      close(.outOfMemory)
      return nil
    }
    arriving = .collected(header, buffer)
    return DataDestination(buffer: buffer, offset: 0, wanted: count)
  }

  func loginCompleted(_ header: BasicHeaderSegment, _ data: [UInt8]) {
    guard let request = LoginRequest(header: header) else { return close(.peerClosed) }
    switch machine.received(request, data: data) {
    case .respond(let reply): send(reply)
    case .complete(let outcome): place(outcome)
    case .refuse(let reply, let failure): refuse(reply, because: "\(failure)")
    case .close: close(.protocolError(.protocolError))
    }
  }

  private func send(_ reply: LoginReply) { enqueue(reply.header, .complete, payload: reply.text) }

  private func refuse(_ reply: LoginReply, because reason: String) {
    var metadata: Logger.Metadata = [
      "status": "\(reply.response.status)", "reason": "\(reason)",
    ]
    metadata["initiator"] = machine.claim.initiatorName.map { "\($0)" }
    metadata["target"] = machine.claim.targetName.map { "\($0)" }
    logger.notice("login refused", metadata: metadata)
    noteLoginFailure(LoginFailureReason(reply.response.status), reason)
    send(reply)
    closeAfterSending(.loginRefused)
  }

  // MARK: Which session

  private func place(_ outcome: LoginOutcome) {
    guard let key = outcome.sessionKey else { return enterDiscovery(outcome) }
    guard let standing = standing(of: outcome) else { return refuse(.notFound) }
    let sessions = worker.context.sessions
    if countedInitiator == nil {
      guard sessions.addConnection(of: key.initiatorName) else {
        return refuse(.connectionsOfInitiator)
      }
      countedInitiator = key.initiatorName
    }
    let placement = sessions.place(
      key, requested: outcome.requestedTargetSessionID, onReactor: reactor.index)
    switch placement {
    case .create(let handle):
      establish(outcome, standing, key, handle)
    case .reinstate(let index): moveOrResume(outcome, .reinstate, to: index)
    case .join(let handle, let index): moveOrResume(outcome, .join(handle), to: index)
    case .refused(let status): refuse(status)
    case .crowded(let limit): refuse(limit)
    }
  }

  /// 0302 (RFC 7143 §11.13.5): there are not enough sessions or connections, now; of those that
  /// one session may have, 0206 speaks.
  private func refuse(_ limit: SessionDirectory.Limit) {
    worker.limitReached(limit.rawValue)
    let reply = machine.refuse(.outOfResources)
    refuse(reply, because: "no place for the session: \(limit.rawValue) reached")
  }

  private func refuse(_ status: LoginStatus) {
    refuse(machine.refuse(status), because: "\(LoginFailure.directory(status))")
  }

  private func enterDiscovery(_ outcome: LoginOutcome) {
    enterFullFeature(Session(discovery: outcome, from: socket.peer, worker: worker), outcome)
  }

  /// By which rule the directory of this moment lets the initiator in, and what it presents; nil:
  /// not at all. The login may have begun under another directory, whose units are gone by now.
  private func standing(of outcome: LoginOutcome) -> SessionStanding? {
    guard let name = outcome.targetName else { return nil }
    let authority = PortalAuthority(
      directory: worker.directory, portalGroupTag: socket.portalGroupTag,
      initiatorAddress: socket.peer)
    let credential = outcome.credential
    guard let grant = authority.grant(to: outcome.initiatorName, at: name, as: credential) else {
      return nil
    }
    return SessionStanding(
      rights: SessionRights(grantToken: grant.token, user: credential?.name),
      credential: credential, address: socket.peer,
      presentation: authority.presentation(for: grant))
  }

  private func establish(
    _ outcome: LoginOutcome, _ standing: SessionStanding, _ key: SessionKey,
    _ handle: TargetSessionID, after predecessors: [Session] = []
  ) {
    let session = Session(
      outcome, key: key, handle: handle, standing: standing, worker: worker,
      predecessors: predecessors)
    worker.add(session, for: key)
    if let luns = session.nexus?.unitNexuses.filter(\.isShut).map(\.lun), !luns.isEmpty {
      logger.warning(
        "commands of the session before have not ended: their units are busy till they have",
        metadata: ["initiator": "\(key.initiatorName)", "luns": "\(luns)"])
    }
    enterFullFeature(session, outcome)
  }

  private func moveOrResume(
    _ outcome: LoginOutcome, _ destination: FinishedLogin.Destination, to index: Int
  ) {
    // It has proved itself: newer connections, of which anybody may make many, do not push it out.
    // Its own time limit ends it, and what one initiator may have bounds their number.
    worker.loginEnded(self)
    let login = FinishedLogin(
      socket: socket, machine: machine, outcome: outcome, destination: destination,
      unread: receiver.unread)
    guard index != reactor.index else { return continueLogin(login) }
    phase = .handingOver
    handover = (login, index)
    handOverIfIdle()
  }

  /// Moves once every answer so far has left and its send has completed: the initiator may be
  /// quicker.
  func handOverIfIdle() {
    guard phase == .handingOver, !isSending, outbox.isEmpty, let (login, index) = handover.take()
    else { return }
    precondition(!isReceiving, "between a request and its answer nothing is received")
    worker.context.loads.change(index, by: 1)
    reactor.engine.detach(socket.handle)
    if worker.workers[index].post({ $0.adopt(login) }) { return leave() }
    worker.context.loads.change(index, by: -1)
    phase = .login
    refuse(.outOfResources)
  }

  // MARK: On the session's reactor

  /// Goes on with a login that began on another reactor.
  func resume(_ login: FinishedLogin) {
    countedInitiator = login.outcome.initiatorName
    guard provideMemory() else { return close(.outOfMemory) }
    machine = login.machine
    receiver.restore(login.unread)
    loginTimer = reactor.startTimer(after: worker.context.limits.loginTimeout, for: self)
    continueLogin(login)
    process()
  }

  private func continueLogin(_ login: FinishedLogin) {
    guard let key = login.outcome.sessionKey else { return close(.peerClosed) }
    phase = .login
    switch login.destination {
    case .join(let handle): join(login.outcome, key, handle)
    case .reinstate: reinstate(login, key)
    }
  }

  private func join(_ outcome: LoginOutcome, _ key: SessionKey, _ handle: TargetSessionID) {
    guard let session = worker.session(key), session.handle == handle, !session.isEnding,
      !session.isExpelled
    else {
      return refuse(.sessionDoesNotExist)
    }
    // Another rule, or another user, may give other rights than the session was made with.
    guard let standing = standing(of: outcome) else { return refuse(.notFound) }
    guard session.rights == standing.rights else { return refuse(.cannotIncludeInSession) }
    // The same CID again replaces the connection that had it (RFC 7143 §6.3.4).
    if let old = session.connection(outcome.connectionID) {
      phase = .awaitingSession
      return session.replace(old, by: self) { [weak self] in
        guard let self, phase == .awaitingSession else { return }
        phase = .login
        join(outcome, key, handle)
        process()
      }
    }
    guard session.connections.count < session.parameters.maxConnections else {
      return refuse(.tooManyConnections)
    }
    guard worker.context.sessions.isWithinConnections(key.initiatorName) else {
      return refuse(.connectionsOfInitiator)
    }
    enterFullFeature(session, outcome)
  }

  /// Ends the old session first: its writes must not land after those of the new one. If they take
  /// long, as a store hangs, only the logical units wait where they are.
  private func reinstate(_ login: FinishedLogin, _ key: SessionKey) {
    guard let old = worker.session(key) else {
      // It ended while this login was on its way here; another may have come between.
      return place(login.outcome)
    }
    // A user may only end the sessions that the same user made.
    guard old.rights.user == login.outcome.authenticatedUser else {
      return refuse(.authorizationFailure)
    }
    phase = .awaitingSession
    let successor = Successor(connection: self) { [weak self] in
      self?.standingOfSuccessor(login.outcome)
    } succeed: { [weak self] standing, predecessors in
      guard let self else { return }
      phase = .login
      establish(
        login.outcome, standing, key,
        worker.context.sessions.replace(key, onReactor: reactor.index), after: predecessors)
      process()
    }
    logger.notice(
      "session reinstatement", metadata: ["initiator": "\(key.initiatorName)"])
    awaited = old
    startWayTimer()
    old.end(.sessionReinstated, successor: successor)
  }

  /// It is its turn; nil: it has given up, or is refused now, as the directory may be another one.
  private func standingOfSuccessor(_ outcome: LoginOutcome) -> SessionStanding? {
    guard phase == .awaitingSession else { return nil }
    if let standing = standing(of: outcome) { return standing }
    phase = .login
    refuse(.notFound)
    return nil
  }

  private func startWayTimer() {
    let limits = worker.context.limits
    // Before its own time is up, however short that was made.
    let wait = min(limits.reinstatementWait, Milliseconds(limits.loginTimeout.rawValue / 2))
    wayTimer = reactor.startTimer(after: wait, for: self)
  }

  /// It has waited for the old session's end, and does so again if that may not make way yet.
  func askForWay() {
    awaited?.makeWay()
    if phase == .awaitingSession, awaited != nil { startWayTimer() }
  }

  // MARK: Full feature phase

  /// Makes the connection its session's, then sends the final response: whatever fails from here on
  /// ends as a connection in full feature phase ends.
  private func enterFullFeature(_ session: Session, _ outcome: LoginOutcome) {
    if let timer = loginTimer.take() { reactor.cancelTimer(timer) }
    if let timer = wayTimer.take() { reactor.cancelTimer(timer) }
    // A discovery session can still be dropped for newer connections: anybody may have one.
    if session.type == .normal {
      worker.loginEnded(self)
      leaveStrangers(for: session)
    }
    phase = .fullFeature
    since = WallClock.milliseconds
    self.session = session
    connectionID = outcome.connectionID
    statSN = outcome.nextStatSN
    logger[metadataKey: "initiator"] = "\(outcome.initiatorName)"
    if let name = outcome.targetName { logger[metadataKey: "target"] = "\(name)" }
    apply(outcome.parameters.connection, session)
    session.add(self)
    logger.info(
      outcome.sessionType == .discovery ? "discovery session" : "logged in",
      metadata: outcome.authenticatedUser.map { ["user": "\($0)"] } ?? [:])
    // Discovery moves a few small PDUs; anybody may have many of it.
    if session.type == .normal, !provideInput(Connection.inputBytes) {
      return close(.outOfMemory)
    }
    if session.type == .normal { worker.logins &+= 1 }
    startKeepAlive(session.policy)
    send(
      machine.finish(
        tsih: session.handle, expCmdSN: session.window.expCmdSN,
        maxCmdSN: session.window.maxCmdSN))
  }

  private func apply(_ parameters: OperationalParameters.Connection, _ session: Session) {
    let agreed = session.parameters
    transferParameters = DataTransferParameters(
      immediateData: agreed.immediateData, initialR2T: agreed.initialR2T,
      firstBurstLength: agreed.firstBurstLength, maxBurstLength: agreed.maxBurstLength,
      maxOutstandingR2T: agreed.maxOutstandingR2T,
      targetMaxRecvDataSegmentLength: parameters.targetMaxRecvDataSegmentLength,
      initiatorMaxRecvDataSegmentLength: parameters.initiatorMaxRecvDataSegmentLength)
    receiver.dataSegmentLengthMax = parameters.targetMaxRecvDataSegmentLength
    let framing = PDUFraming(
      headerDigest: parameters.headerDigest == .crc32c,
      dataDigest: parameters.dataDigest == .crc32c)
    receiver.framing = framing
    self.framing = framing
    text = TextExchange(
      sessionType: session.type, sessionTarget: session.key?.targetName,
      transferTag: session.nextTransferTag(),
      initiatorMaxRecvDataSegmentLength: parameters.initiatorMaxRecvDataSegmentLength)
  }
}

extension LoginOutcome {
  /// nil for discovery sessions, which are never reinstated.
  var sessionKey: SessionKey? {
    targetName.map {
      SessionKey(
        initiatorName: initiatorName, initiatorSessionID: initiatorSessionID, targetName: $0,
        portalGroupTag: targetPortalGroupTag)
    }
  }
}
