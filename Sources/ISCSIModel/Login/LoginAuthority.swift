/// Who asks to be let in, as soon as the login has said so. Names are normalised.
public struct AdmissionRequest: Hashable, Sendable {
  public let initiatorName: String
  public let sessionType: SessionType
  /// nil in a discovery session.
  public let targetName: String?

  public init(initiatorName: String, sessionType: SessionType, targetName: String?) {
    self.initiatorName = initiatorName
    self.sessionType = sessionType
    self.targetName = targetName
  }
}

/// What proof a login owes.
public enum AuthenticationRequirement: Sendable, Equatable {
  case none
  /// One of `users`; `mutual` is what the target proves itself with if asked.
  case chap(users: [CHAPUser], mutual: CHAPUser?)
}

/// What an admitted initiator meets.
public struct AdmissionGrant: Sendable, Equatable {
  public var authentication: AuthenticationRequirement
  /// The hashes CHAP may use; leave one out to forbid it.
  public var chapAlgorithms = CHAPAlgorithm.strongestFirst
  public var targetPortalGroupTag: UInt16
  public var targetAlias: String?
  public var policy: NegotiationPolicy
  /// The owner's, handed back in the outcome.
  public var token: Int

  public init(
    authentication: AuthenticationRequirement, targetPortalGroupTag: UInt16,
    targetAlias: String? = nil, policy: NegotiationPolicy = NegotiationPolicy(), token: Int = 0
  ) {
    self.authentication = authentication
    self.targetPortalGroupTag = targetPortalGroupTag
    self.targetAlias = targetAlias
    self.policy = policy
    self.token = token
  }
}

public enum Admission: Sendable {
  case refused(LoginStatus)
  /// To another portal, `address[:port][,tag]` (RFC 7143 §13.8).
  case redirect(address: String, permanent: Bool)
  case granted(AdmissionGrant)
}

/// Decides who may log in, before authentication, from an immutable snapshot of the configuration
/// as seen by one connection. Unknown and forbidden targets must get the same answer, 0203, after
/// the same work.
public protocol LoginAuthority: Sendable {
  func admission(_ request: AdmissionRequest) -> Admission
}
