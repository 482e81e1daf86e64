/// A negotiation that cannot go on.
public enum NegotiationFailure: Error, Hashable, Sendable {
  /// Offered or declared a second time in one login (RFC 7143 §6.2).
  case repeatedKey(String)
  /// A declaration has no answer in which it could be rejected.
  case illegalDeclaration(TextPair)
  /// The policy demands a digest the initiator did not choose.
  case digestRequired(String)
}

/// The target's side of the operational negotiation of one login (RFC 7143 §6.2, §13): offers in,
/// answers out, results in `parameters`. The target offers nothing of its own and so never waits
/// for an answer; it only declares.
public struct Negotiator: Sendable {
  private let policy: NegotiationPolicy
  private let sessionType: SessionType
  private let isLeading: Bool
  private var agreed = OperationalParameters()
  private var seen: Set<String> = []
  private var hasDeclared = false

  /// `isLeading` is false for a connection that joins a session: it may not touch session-wide
  /// keys.
  public init(policy: NegotiationPolicy, sessionType: SessionType, isLeading: Bool) {
    policy.checkInvariants()
    self.policy = policy
    self.sessionType = sessionType
    self.isLeading = isLeading
  }

  public var parameters: OperationalParameters {
    var result = agreed
    result.session.firstBurstLength = min(
      agreed.session.firstBurstLength, agreed.session.maxBurstLength)
    return result
  }

  /// The answers to `keys`, in their order; declarations get none. FirstBurstLength is judged last,
  /// because its meaning depends on three other keys (§13.14), and so is TaskReporting, whose
  /// choice depends on MaxConnections.
  public mutating func answer(_ keys: TextKeys) throws(NegotiationFailure) -> [TextPair] {
    var answers = [String?](repeating: nil, count: keys.pairs.count)
    for (index, pair) in keys.pairs.enumerated() where !KeyRule.areJudgedLast.contains(pair.key) {
      answers[index] = try answer(pair)
    }
    for (index, pair) in keys.pairs.enumerated() where KeyRule.areJudgedLast.contains(pair.key) {
      answers[index] = try answer(pair)
    }
    return zip(keys.pairs, answers).compactMap { pair, value in
      value.map { TextPair(pair.key, $0) }
    }
  }

  /// The MaxRecvDataSegmentLength we declare: the pair the first time, nothing after (§13.12).
  public mutating func declaration() -> [TextPair] {
    guard !hasDeclared else { return [] }
    hasDeclared = true
    agreed.connection.targetMaxRecvDataSegmentLength = policy.maxRecvDataSegmentLength
    return [TextPair("MaxRecvDataSegmentLength", String(policy.maxRecvDataSegmentLength))]
  }

  /// Whether what was agreed, or left at its default, is enough for the policy.
  public func checkRequirements() throws(NegotiationFailure) {
    guard policy.headerDigests.contains(agreed.connection.headerDigest) else {
      throw .digestRequired("HeaderDigest")
    }
    guard policy.dataDigests.contains(agreed.connection.dataDigest) else {
      throw .digestRequired("DataDigest")
    }
  }

  private mutating func answer(_ pair: TextPair) throws(NegotiationFailure) -> String? {
    guard !KeyRule.isAnswer(pair.value) else { return nil }
    guard let rule = KeyRule.named(pair.key) else { return "NotUnderstood" }
    if case .initiatorText = rule.function { return nil }
    guard seen.insert(pair.key).inserted else { throw .repeatedKey(pair.key) }
    guard rule.phase != .fullFeature else { return "Reject" }
    guard isLeading || rule.scope != .leadingOnly else { return "Reject" }
    guard !isIrrelevant(rule) else { return "Irrelevant" }
    return try result(rule.function, of: pair)
  }

  private func isIrrelevant(_ rule: KeyRule) -> Bool {
    if sessionType == .discovery && rule.isIrrelevantInDiscovery { return true }
    let session = agreed.session
    return rule.name == KeyRule.firstBurstLength && session.initialR2T && !session.immediateData
  }

  private mutating func result(
    _ function: KeyRule.Function, of pair: TextPair
  ) throws(NegotiationFailure) -> String? {
    switch function {
    case .or(let result, let ours):
      guard let theirs = TextValue.boolean(pair.value) else { return "Reject" }
      return settle(result, theirs || policy[keyPath: ours])
    case .and(let result, let ours):
      guard let theirs = TextValue.boolean(pair.value) else { return "Reject" }
      return settle(result, theirs && policy[keyPath: ours])
    case .minimum(let range, let result, let ours):
      guard let theirs = number(pair.value, in: range) else { return "Reject" }
      return settleMinimum(pair.key, result, min(theirs, policy[keyPath: ours]))
    case .maximum(let range, let result, let ours):
      guard let theirs = number(pair.value, in: range) else { return "Reject" }
      return settle(result, max(theirs, policy[keyPath: ours]))
    case .digest(let result, let ours):
      guard let choice = firstChoice(pair.value, admitted: policy[keyPath: ours]) else {
        return "Reject"
      }
      agreed[keyPath: result] = choice
      return choice.rawValue
    case .taskReporting:
      guard let choice = firstChoice(pair.value, admitted: admittedTaskReporting) else {
        return "Reject"
      }
      agreed.session.taskReporting = choice
      return choice.rawValue
    case .declaration(let range, let result):
      guard let theirs = number(pair.value, in: range) else { throw .illegalDeclaration(pair) }
      agreed[keyPath: result] = theirs
      return nil
    case .initiatorText: return nil
    case .targetOnly, .sendTargets: return "Reject"
    case .obsolete(let constant): return constant
    }
  }

  private mutating func settle(_ result: KeyRule.Flag, _ value: Bool) -> String {
    agreed[keyPath: result] = value
    return TextValue.text(value)
  }

  private mutating func settle(_ result: KeyRule.Number, _ value: Int) -> String {
    agreed[keyPath: result] = value
    return String(value)
  }

  private func isFenced(_ reporting: TaskReporting) -> Bool { reporting != .rfc3720 }

  /// A fence over several connections is not offered.
  private var admittedTaskReporting: [TaskReporting] {
    agreed.session.maxConnections == 1
      ? policy.taskReporting : policy.taskReporting.filter { !isFenced($0) }
  }

  /// Whoever chose a fence in an earlier request has one connection.
  private mutating func settleMinimum(
    _ key: String, _ result: KeyRule.Number, _ value: Int
  ) -> String {
    if key == KeyRule.maxConnections, isFenced(agreed.session.taskReporting) {
      return settle(result, 1)
    }
    return settleBurst(key, result, value)
  }

  /// §13.14: FirstBurstLength MUST NOT exceed MaxBurstLength. The one that comes second yields: the
  /// first burst is cut, a burst below an agreed first burst is rejected.
  private mutating func settleBurst(_ key: String, _ result: KeyRule.Number, _ value: Int) -> String
  {
    if key == KeyRule.firstBurstLength {
      return settle(result, min(value, agreed.session.maxBurstLength))
    }
    if key == "MaxBurstLength", seen.contains(KeyRule.firstBurstLength),
      value < agreed.session.firstBurstLength
    {
      return "Reject"
    }
    return settle(result, value)
  }

  private func number(_ text: String, in range: ClosedRange<UInt64>) -> Int? {
    guard let value = TextValue.number(text), range.contains(value) else { return nil }
    return Int(exactly: value)
  }

  private func firstChoice<Choice: RawRepresentable<String> & Equatable>(
    _ text: String, admitted: [Choice]
  ) -> Choice? {
    guard let offered = TextValue.list(text) else { return nil }
    return offered.lazy.compactMap { Choice(rawValue: String($0)) }.first { admitted.contains($0) }
  }
}

/// Type of a session (RFC 7143 §13.21).
public enum SessionType: String, Sendable {
  case discovery = "Discovery"
  case normal = "Normal"
}
