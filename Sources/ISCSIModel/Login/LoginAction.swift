public import Bytes

/// What a login came to, before the session directory has its say.
public struct LoginOutcome: Sendable, Equatable {
  public let initiatorName: String
  public let initiatorAlias: String?
  public let initiatorSessionID: InitiatorSessionID
  /// `.none` asks for a new session, or to reinstate the one of the same name, ISID and portal
  /// group; else the session to join.
  public let requestedTargetSessionID: TargetSessionID
  public let connectionID: ConnectionID
  public let sessionType: SessionType
  /// nil in a discovery session.
  public let targetName: String?
  public let targetPortalGroupTag: UInt16
  /// For a connection that joins, only `parameters.connection` counts.
  public let parameters: OperationalParameters
  /// The CHAP user that proved itself, with the secret it knew; nil if no proof was asked.
  public let credential: CHAPUser?
  public var authenticatedUser: String? { credential?.name }
  /// CmdSN of the first Login Request: a new session's ExpCmdSN (RFC 7143 §11.12.8).
  public let initialCmdSN: SerialNumber
  /// StatSN of the first PDU after the final Login Response.
  public let nextStatSN: SerialNumber
  public let grant: AdmissionGrant
}

/// What the owner does after an event.
public enum LoginAction: Sendable, Equatable {
  /// Send it and read on.
  case respond(LoginReply)
  /// The negotiation succeeded. Ask the session directory, then call `finish` or `refuse`.
  case complete(LoginOutcome)
  /// Send it, then close; the reason is for the log.
  case refuse(LoginReply, LoginFailure)
  /// Close without a word.
  case close
}

/// Why a login was refused.
public enum LoginFailure: Error, Hashable, Sendable {
  case text(TextError)
  case negotiation(NegotiationFailure)
  case chap(CHAPFailure)
  case admission(LoginStatus)
  case redirected(address: String, permanent: Bool)
  case directory(LoginStatus)
  case additionalHeader
  case dataSegmentTooLong
  case tooManyPDUs
  case tooMuchText
  case unsupportedVersion
  case reservedStage
  case wrongStage
  /// T with an NSG that is not ahead of CSG.
  case illegalTransit
  /// T and C at once.
  case continuedTransit
  /// Text in a PDU that should only have asked for the rest of our answer.
  case textWhileAnswering
  /// ISID, TSIH, CID, ITT, a name or the session type is not the first PDU's.
  case identityChanged
  case missingKey(String)
  case illegalValue(String)
  case unexpectedKey(String)
  case sessionTypeNotSupported
  /// A discovery session has one connection.
  case cannotJoinDiscovery
  case authenticationRequired
  /// AuthMethod offers nothing we would take.
  case noCommonAuthenticationMethod

  public var status: LoginStatus {
    switch self {
    case .text(.textTooLong), .text(.tooManyPDUs), .tooManyPDUs, .tooMuchText,
      .chap(.tooManyChallenges):
      .outOfResources
    case .text, .negotiation, .additionalHeader, .dataSegmentTooLong, .reservedStage, .wrongStage,
      .illegalTransit, .continuedTransit, .textWhileAnswering, .identityChanged, .illegalValue,
      .unexpectedKey:
      .initiatorError
    case .chap, .authenticationRequired, .noCommonAuthenticationMethod: .authenticationFailure
    case .admission(let status), .directory(let status): status
    case .redirected(_, let permanent):
      permanent ? .targetMovedPermanently : .targetMovedTemporarily
    case .unsupportedVersion: .unsupportedVersion
    case .missingKey: .missingParameter
    case .sessionTypeNotSupported: .sessionTypeNotSupported
    case .cannotJoinDiscovery: .cannotIncludeInSession
    }
  }
}
