internal import Bytes

/// A login between its first request and its last: what the first request fixed, the stage, and the
/// texts under way in both directions.
struct LoginConversation: Sendable {
  enum Step {
    case reply(LoginReply)
    case complete(LoginReply, LoginOutcome)
  }

  /// What no later request may change (RFC 7143 §6.3, §11.12).
  struct Identity: Hashable {
    let initiatorSessionID: InitiatorSessionID
    let targetSessionID: TargetSessionID
    let connectionID: ConnectionID
    let initiatorTaskTag: InitiatorTaskTag

    init(_ request: LoginRequest) {
      initiatorSessionID = request.initiatorSessionID
      targetSessionID = request.targetSessionID
      connectionID = request.connectionID
      initiatorTaskTag = request.initiatorTaskTag
    }
  }

  private let identity: Identity
  /// Login requests are immediate: they do not advance CmdSN (§11.12.8).
  private let initialCmdSN: SerialNumber
  private var statSN: SerialNumber
  private var stage: LoginStage?
  private var pduCount = 0
  private var textBytes = 0
  private var accumulator = TextAccumulator()
  /// What of our last text is still to be sent, next piece first.
  private var unsent: ArraySlice<[UInt8]> = []
  /// Who it says it is, believed or not.
  private(set) var claim = LoginClaim()
  /// Who it is; nil until the first text is whole.
  private var party: LoginParty?

  init(first request: LoginRequest) {
    identity = Identity(request)
    initialCmdSN = request.cmdSN
    // §11.13.4 lets the target choose; the initiator's own expectation surprises nobody.
    statSN = request.expStatSN
    stage = request.currentStage
  }

  mutating func received(
    _ request: LoginRequest, data: [UInt8], _ context: LoginContext
  ) throws(LoginFailure) -> Step {
    try check(request, data)
    if !unsent.isEmpty {
      guard data.isEmpty, !request.isContinued else { throw .textWhileAnswering }
      return try sendNext(request)
    }
    guard let text = try accumulate(data, request) else { return .reply(reply(to: request)) }
    let answer = try answer(to: text, request, context)
    let pieces = answer.chunks(maxSegmentLength: LoginMachine.dataSegmentLengthMax)
    unsent = pieces[...]
    return try sendNext(request)
  }

  /// The refusal's reply: status, stages as asked, no transit (§11.13.5).
  mutating func refusal(_ failure: LoginFailure, of request: LoginRequest) -> LoginReply {
    var reply = reply(to: request)
    reply.response.status = failure.status
    if case .redirected(let address, _) = failure {
      reply.text = TextKeys([TextPair("TargetAddress", address)]).encoded
    }
    return reply
  }

  // MARK: - Header

  private mutating func check(_ request: LoginRequest, _ data: [UInt8]) throws(LoginFailure) {
    pduCount += 1
    guard pduCount <= LoginMachine.pduCountMax else { throw .tooManyPDUs }
    guard data.count <= LoginMachine.dataSegmentLengthMax else { throw .dataSegmentTooLong }
    textBytes += data.count
    guard textBytes <= LoginMachine.textBytesMax else { throw .tooMuchText }
    guard request.totalAHSLengthBytes == 0 else { throw .additionalHeader }
    guard request.versionMin <= LoginResponse.version else { throw .unsupportedVersion }
    guard Identity(request) == identity else { throw .identityChanged }
    try checkStages(request)
  }

  private func checkStages(_ request: LoginRequest) throws(LoginFailure) {
    guard let current = request.currentStage, current != .fullFeature else { throw .reservedStage }
    guard current == stage else { throw .wrongStage }
    guard request.isTransit else { return }
    guard !request.isContinued else { throw .continuedTransit }
    guard let next = request.nextStage else { throw .reservedStage }
    guard next.rawValue > current.rawValue else { throw .illegalTransit }
  }

  // MARK: - Text

  private mutating func accumulate(
    _ data: [UInt8], _ request: LoginRequest
  ) throws(LoginFailure) -> [UInt8]? {
    do throws(TextError) {
      return try accumulator.append(data, continues: request.isContinued)
    } catch { throw .text(error) }
  }

  private mutating func answer(
    to text: [UInt8], _ request: LoginRequest, _ context: LoginContext
  ) throws(LoginFailure) -> [UInt8] {
    let keys: TextKeys
    do throws(TextError) { keys = try TextKeys(parsing: text) } catch { throw .text(error) }
    var answer = TextKeys()
    if party == nil {
      claim = LoginClaim(keys)
      let admitted = try LoginParty(
        keys, joining: identity.targetSessionID != .none, stage: stage, context)
      party = admitted
      answer.append(admitted.greeting)
    } else {
      try party?.checkUnchanged(keys)
    }
    answer.append(try party?.answer(keys, in: stage, context) ?? [])
    return answer.encoded
  }

  // MARK: - Replies

  /// Sends the next piece of our text; with the last one goes the stage transition.
  private mutating func sendNext(_ request: LoginRequest) throws(LoginFailure) -> Step {
    var reply = reply(to: request)
    reply.text = unsent.popFirst() ?? []
    guard unsent.isEmpty else {
      reply.response.isContinued = true
      return .reply(reply)
    }
    guard request.isTransit, let next = request.nextStage, let party,
      try party.isReady(toLeave: stage)
    else { return .reply(reply) }
    reply.response.isTransit = true
    reply.response.nextStage = next
    stage = next
    guard next == .fullFeature else { return .reply(reply) }
    return .complete(reply, try outcome(party))
  }

  /// ExpCmdSN and MaxCmdSN before the session is known. A leading login makes it. One that joins a
  /// session must not tell that commands have come which may still be on their way over another
  /// connection: it sends numbers so old, a whole window before its own, that the initiator knows
  /// better (§4.2.2.1: a smaller ExpCmdSN or MaxCmdSN is ignored).
  private var commandNumbers: (expected: SerialNumber, max: SerialNumber) {
    guard identity.targetSessionID != .none else { return (initialCmdSN, initialCmdSN) }
    let expected = initialCmdSN - UInt32(CommandWindow.widthMax)
    return (expected, expected - 1)
  }

  private mutating func reply(to request: LoginRequest) -> LoginReply {
    let numbers = commandNumbers
    let response = LoginResponse(
      currentStage: request.currentStage ?? .security,
      initiatorSessionID: request.initiatorSessionID,
      targetSessionID: request.targetSessionID,
      initiatorTaskTag: request.initiatorTaskTag,
      statSN: statSN.next(), expCmdSN: numbers.expected, maxCmdSN: numbers.max)
    return LoginReply(response: response, text: [])
  }

  private func outcome(_ party: LoginParty) throws(LoginFailure) -> LoginOutcome {
    LoginOutcome(
      initiatorName: party.initiatorName, initiatorAlias: party.initiatorAlias,
      initiatorSessionID: identity.initiatorSessionID,
      requestedTargetSessionID: identity.targetSessionID, connectionID: identity.connectionID,
      sessionType: party.sessionType, targetName: party.targetName,
      targetPortalGroupTag: party.grant.targetPortalGroupTag,
      parameters: try party.agreedParameters(), credential: party.credential,
      initialCmdSN: initialCmdSN, nextStatSN: statSN, grant: party.grant)
  }
}
