/// The initiator of a login once it has said who it is: its names, what it was granted, how far its
/// authentication is, and what it negotiated.
struct LoginParty: Sendable {
  /// Data for each step of the security stage (RFC 7143 §12.1). CHAP goes strictly forward, so
  /// nothing can be asked or answered twice.
  enum Authentication: Sendable {
    /// AuthMethod has not been offered.
    case undecided
    case notNeeded
    case awaitingAlgorithm
    case challenged(CHAPExchange)
    case proved(CHAPUser)
  }

  let initiatorName: String
  private(set) var initiatorAlias: String?
  let sessionType: SessionType
  let targetName: String?
  let grant: AdmissionGrant
  private var authentication = Authentication.undecided
  private var negotiator: Negotiator
  private var hasSentAlias = false

  /// Longest alias kept, as long as an iSCSI name can be (§13.6 asks for at least 255).
  static let aliasBytesMax = 255

  /// Reads the first text and asks the authority. Nothing about the target leaks before this.
  init(
    _ keys: TextKeys, joining: Bool, stage: LoginStage?, _ context: LoginContext
  ) throws(LoginFailure) {
    initiatorName = try LoginParty.name("InitiatorName", keys)
    sessionType = try LoginParty.sessionType(keys)
    guard sessionType == .normal || !joining else { throw .cannotJoinDiscovery }
    targetName = sessionType == .normal ? try LoginParty.name("TargetName", keys) : nil
    let request = AdmissionRequest(
      initiatorName: initiatorName, sessionType: sessionType, targetName: targetName)
    switch context.authority.admission(request) {
    case .refused(let status): throw .admission(status)
    case .redirect(let address, let permanent):
      throw .redirected(address: address, permanent: permanent)
    case .granted(let grant): self.grant = grant
    }
    negotiator = Negotiator(
      policy: grant.policy, sessionType: sessionType, isLeading: !joining)
    // CVE-2005-3327: starting in the operational stage must not skip the proof.
    if stage == .operational {
      guard grant.authentication == .none else { throw .authenticationRequired }
      authentication = .notNeeded
    }
  }

  private static func name(_ key: String, _ keys: TextKeys) throws(LoginFailure) -> String {
    guard let text = keys[key] else { throw .missingKey(key) }
    guard let name = ISCSIName.normalized(text) else { throw .illegalValue(key) }
    return name
  }

  private static func sessionType(_ keys: TextKeys) throws(LoginFailure) -> SessionType {
    guard let text = keys["SessionType"] else { return .normal }
    guard let type = SessionType(rawValue: text) else { throw .sessionTypeNotSupported }
    return type
  }

  /// §13.9: the first answer of a normal session's login names the portal group.
  var greeting: [TextPair] {
    guard sessionType == .normal else { return [] }
    return [TextPair("TargetPortalGroupTag", String(grant.targetPortalGroupTag))]
  }

  var credential: CHAPUser? {
    if case .proved(let user) = authentication { user } else { nil }
  }

  /// Later texts may repeat who it is, never change it.
  func checkUnchanged(_ keys: TextKeys) throws(LoginFailure) {
    if let text = keys["InitiatorName"] {
      guard ISCSIName.normalized(text) == initiatorName else { throw .identityChanged }
    }
    if let text = keys["TargetName"], sessionType == .normal {
      guard ISCSIName.normalized(text) == targetName else { throw .identityChanged }
    }
    if let text = keys["SessionType"] {
      guard text == sessionType.rawValue else { throw .identityChanged }
    }
  }

  mutating func answer(
    _ keys: TextKeys, in stage: LoginStage?, _ context: LoginContext
  ) throws(LoginFailure) -> [TextPair] {
    if let alias = keys["InitiatorAlias"] {
      guard alias.utf8.count <= LoginParty.aliasBytesMax else {
        throw .illegalValue("InitiatorAlias")
      }
      initiatorAlias = alias
    }
    return stage == .security
      ? try answerSecurity(keys, context) : try answerOperational(keys)
  }

  /// Whether T may be granted. A proof still owed keeps the stage; asking to leave without even
  /// having offered AuthMethod is refused.
  func isReady(toLeave stage: LoginStage?) throws(LoginFailure) -> Bool {
    guard stage == .security else { return true }
    switch authentication {
    case .notNeeded, .proved: return true
    case .awaitingAlgorithm, .challenged: return false
    case .undecided:
      guard grant.authentication == .none else { throw .authenticationRequired }
      return true
    }
  }

  func agreedParameters() throws(LoginFailure) -> OperationalParameters {
    do throws(NegotiationFailure) { try negotiator.checkRequirements() } catch {
      throw .negotiation(error)
    }
    return negotiator.parameters
  }
}

// MARK: - Operational stage

extension LoginParty {
  private mutating func answerOperational(_ keys: TextKeys) throws(LoginFailure) -> [TextPair] {
    if let pair = keys.pairs.first(where: { LoginParty.isSecurityKey($0.key) }) {
      throw .unexpectedKey(pair.key)
    }
    var answers = try negotiate(keys)
    answers += negotiator.declaration()
    if let alias = grant.targetAlias, !hasSentAlias, sessionType == .normal {
      answers.append(TextPair("TargetAlias", alias))
    }
    hasSentAlias = true
    return answers
  }

  private mutating func negotiate(_ keys: TextKeys) throws(LoginFailure) -> [TextPair] {
    do throws(NegotiationFailure) { return try negotiator.answer(keys) } catch {
      throw .negotiation(error)
    }
  }

  private static func isSecurityKey(_ key: String) -> Bool {
    key == "AuthMethod" || key.hasPrefix("CHAP_")
  }
}

// MARK: - Security stage

extension LoginParty {
  private mutating func answerSecurity(
    _ keys: TextKeys, _ context: LoginContext
  ) throws(LoginFailure) -> [TextPair] {
    let security = keys.pairs.filter { LoginParty.isSecurityKey($0.key) }
    let others = keys.pairs.filter { !LoginParty.isSecurityKey($0.key) }
    for pair in others {
      // §6.3.2: the stage is for security; only keys with Use ALL or about identity may come along.
      if let rule = KeyRule.named(pair.key), !rule.mayAccompanySecurity {
        throw .unexpectedKey(pair.key)
      }
    }
    let answers = try authenticate(TextKeys(security), context)
    return answers + (try negotiate(TextKeys(others)))
  }

  private mutating func authenticate(
    _ keys: TextKeys, _ context: LoginContext
  ) throws(LoginFailure) -> [TextPair] {
    guard let first = keys.pairs.first else { return [] }
    switch authentication {
    case .undecided: return try chooseMethod(keys)
    case .awaitingAlgorithm: return try challenge(keys, context)
    case .challenged(let exchange): return try verify(keys, exchange)
    case .notNeeded, .proved: throw .unexpectedKey(first.key)
    }
  }

  private mutating func chooseMethod(_ keys: TextKeys) throws(LoginFailure) -> [TextPair] {
    let list = try value("AuthMethod", keys)
    guard let offered = TextValue.list(list) else { throw .illegalValue("AuthMethod") }
    let method: String
    switch grant.authentication {
    case .none:
      method = "None"
      authentication = .notNeeded
    case .chap:
      method = "CHAP"
      authentication = .awaitingAlgorithm
    }
    guard offered.contains(where: { $0 == method }) else { throw .noCommonAuthenticationMethod }
    return [TextPair("AuthMethod", method)]
  }

  private mutating func challenge(
    _ keys: TextKeys, _ context: LoginContext
  ) throws(LoginFailure) -> [TextPair] {
    let list = try value("CHAP_A", keys)
    do throws(CHAPFailure) {
      let exchange = try CHAPExchange(
        offered: list, admitted: grant.chapAlgorithms, registry: context.challenges,
        randomBytes: context.randomBytes)
      authentication = .challenged(exchange)
      return exchange.challengePairs
    } catch { throw .chap(error) }
  }

  private mutating func verify(
    _ keys: TextKeys, _ exchange: CHAPExchange
  ) throws(LoginFailure) -> [TextPair] {
    guard case .chap(let users, let mutual) = grant.authentication else {
      preconditionFailure("a challenge was sent where no CHAP is required")
    }
    try check(keys, areAmong: ["CHAP_N", "CHAP_R", "CHAP_I", "CHAP_C"])
    do throws(CHAPFailure) {
      let verdict = try exchange.verify(keys, users: users, mutual: mutual)
      authentication = .proved(verdict.user)
      return verdict.answer
    } catch { throw .chap(error) }
  }

  /// The value of `key`, which must be the only security key.
  private func value(_ key: String, _ keys: TextKeys) throws(LoginFailure) -> String {
    try check(keys, areAmong: [key])
    guard let value = keys[key] else { throw .missingKey(key) }
    return value
  }

  private func check(_ keys: TextKeys, areAmong admitted: [String]) throws(LoginFailure) {
    if let stranger = keys.pairs.first(where: { !admitted.contains($0.key) }) {
      throw .unexpectedKey(stranger.key)
    }
  }
}

extension KeyRule {
  /// Names and declarations that belong to no stage.
  var mayAccompanySecurity: Bool {
    if case .initiatorText = function { return true }
    return phase == .any
  }
}
