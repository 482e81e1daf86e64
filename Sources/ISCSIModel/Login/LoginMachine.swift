public import Bytes

/// The Login Phase of one connection, from the target's side (RFC 7143 §6.3, §11.12, §11.13): Login
/// Requests in, actions out, no I/O. Each request has exactly one response; a text longer than a
/// PDU goes out piece by piece, one for each empty request of the initiator (§6.2).
///
/// The final response carries a TSIH that only the session directory can give, so the last
/// transition returns `.complete` and the owner calls `finish` or `refuse`. A request in between
/// closes.
///
/// A copy is a fork; a dropped machine gives up its CHAP challenge.
public struct LoginMachine: Sendable {
  /// The default MaxRecvDataSegmentLength (§13.12), whatever is declared for full feature phase.
  public static let dataSegmentLengthMax = 8192
  /// Requests of one login. A mutual CHAP login takes five.
  public static let pduCountMax = TextAccumulator.pduCountMax
  /// Text of one login, all requests together.
  public static let textBytesMax = TextAccumulator.bytesMax

  enum Phase: Sendable {
    case idle
    case negotiating(LoginConversation)
    case awaitingDirectory(LoginReply)
    case ended
  }

  private var phase = Phase.idle
  /// For the log of a login that is refused.
  public private(set) var claim = LoginClaim()
  private let context: LoginContext

  /// `randomBytes` feeds the CHAP challenges and must be unpredictable in production.
  public init(
    authority: any LoginAuthority, challenges: any ChallengeRegistry,
    randomBytes: @escaping @Sendable (Int) -> [UInt8] = LoginMachine.systemRandomBytes
  ) {
    context = LoginContext(
      authority: authority, challenges: challenges, randomBytes: randomBytes)
  }

  @Sendable
  public static func systemRandomBytes(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  public mutating func received(_ request: LoginRequest, data: [UInt8]) -> LoginAction {
    var conversation: LoginConversation
    switch phase {
    case .idle: conversation = LoginConversation(first: request)
    case .negotiating(let current): conversation = current
    case .awaitingDirectory, .ended:
      phase = .ended
      return .close
    }
    phase = .ended  // lets go of the conversation, so that it is changed in place
    defer { claim = conversation.claim }
    do throws(LoginFailure) {
      return accept(try conversation.received(request, data: data, context), conversation)
    } catch {
      return .refuse(conversation.refusal(error, of: request), error)
    }
  }

  private mutating func accept(
    _ step: LoginConversation.Step, _ conversation: LoginConversation
  ) -> LoginAction {
    switch step {
    case .reply(let reply):
      phase = .negotiating(conversation)
      return .respond(reply)
    case .complete(let reply, let outcome):
      phase = .awaitingDirectory(reply)
      return .complete(outcome)
    }
  }

  /// A PDU that is no Login Request before the full feature phase (§6.3: the target terminates
  /// the connection).
  public mutating func receivedOtherPDU() -> LoginAction {
    phase = .ended
    return .close
  }

  /// The final Login Response, with the session's handle. A connection that joins a session passes
  /// the session's command window; a new session starts with a window of one command at its initial
  /// CmdSN.
  public mutating func finish(
    tsih: TargetSessionID, expCmdSN: SerialNumber? = nil, maxCmdSN: SerialNumber? = nil
  ) -> LoginReply {
    precondition(tsih != .none, "a session's handle is never zero")
    var reply = takeFinalReply()
    reply.response.targetSessionID = tsih
    if let expCmdSN { reply.response.expCmdSN = expCmdSN }
    reply.response.maxCmdSN = maxCmdSN ?? reply.response.expCmdSN
    return reply
  }

  /// The refusal of the session directory: no such session, too many connections, no resources.
  public mutating func refuse(_ status: LoginStatus) -> LoginReply {
    precondition(status.statusClass != 0, "a refusal has a status class")
    var reply = takeFinalReply()
    reply.response.isTransit = false
    reply.response.status = status
    reply.text = []
    return reply
  }

  private mutating func takeFinalReply() -> LoginReply {
    guard case .awaitingDirectory(let reply) = phase else {
      preconditionFailure("the login has no outcome to finish")
    }
    phase = .ended
    return reply
  }
}

/// What a login needs from around it.
struct LoginContext: Sendable {
  let authority: any LoginAuthority
  let challenges: any ChallengeRegistry
  let randomBytes: @Sendable (Int) -> [UInt8]
}
