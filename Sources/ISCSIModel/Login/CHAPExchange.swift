/// Why CHAP failed; for the log. The initiator sees status 0201 for all but the last.
public enum CHAPFailure: Error, Hashable, Sendable {
  case noCommonAlgorithm
  case missingKey(String)
  case malformedValue(String)
  case unknownUser(String)
  case wrongResponse(user: String)
  /// The initiator wants proof of the target, and there is no secret to give it with.
  case mutualNotConfigured
  /// CHAP_C is a challenge of this process.
  case reflectedChallenge
  /// Both directions share a secret, so either side's response would prove the other (§9.2.1).
  case equalSecrets
  /// Our answer would be the bytes the initiator just sent.
  case reflectedResponse
  case tooManyChallenges
}

/// One CHAP challenge of ours waiting for its response (RFC 1994, RFC 7143 §12.1.3). It answers
/// once and is then gone, whatever came of it.
struct CHAPExchange: Sendable {
  /// A challenge shorter than this has too few values to be used once only.
  static let minChallengeBytes = 16
  /// RFC 7143 §12.1.3: CHAP_C is at most 1024 bytes.
  static let challengeBytesMax = 1024

  let algorithm: CHAPAlgorithm
  let identifier: UInt8
  private let lease: ChallengeLease
  private let registry: any ChallengeRegistry

  /// Chooses the strongest algorithm both sides have and makes a fresh challenge. RFC 7143 §6.2.1
  /// has the answer to a list be its first value that is acceptable: one before a stronger one of
  /// the same list is not acceptable here, whatever the initiator would rather have.
  init(
    offered list: String, admitted: [CHAPAlgorithm], registry: any ChallengeRegistry,
    randomBytes: (Int) -> [UInt8]
  ) throws(CHAPFailure) {
    algorithm = try CHAPExchange.strongest(in: list, admitted: admitted)
    let count = max(CHAPExchange.minChallengeBytes, algorithm.digestByteCount)
    let random = randomBytes(1 + count)
    precondition(random.count == 1 + count, "the generator gave another length than asked")
    guard let lease = ChallengeLease(Array(random[1...]), in: registry) else {
      throw .tooManyChallenges
    }
    identifier = random[0]
    self.lease = lease
    self.registry = registry
  }

  private static func strongest(
    in list: String, admitted: [CHAPAlgorithm]
  ) throws(CHAPFailure) -> CHAPAlgorithm {
    guard let values = TextValue.list(list) else { throw .malformedValue("CHAP_A") }
    var offered: Set<CHAPAlgorithm> = []
    for value in values {
      guard let number = TextValue.number(value) else { throw .malformedValue("CHAP_A") }
      if let code = UInt8(exactly: number), let algorithm = CHAPAlgorithm(rawValue: code) {
        offered.insert(algorithm)
      }
    }
    let common = CHAPAlgorithm.strongestFirst.first {
      offered.contains($0) && admitted.contains($0)
    }
    guard let common else { throw .noCommonAlgorithm }
    return common
  }

  var challenge: [UInt8] { lease.challenge }

  /// CHAP_A, CHAP_I and CHAP_C, the target's second step.
  var challengePairs: [TextPair] {
    [
      TextPair("CHAP_A", String(algorithm.rawValue)),
      TextPair("CHAP_I", String(identifier)),
      TextPair("CHAP_C", TextValue.hexadecimal(challenge)),
    ]
  }

  /// Judges CHAP_N and CHAP_R, and only if they are right answers the initiator's own challenge.
  /// The user and our pairs.
  func verify(
    _ keys: TextKeys, users: [CHAPUser], mutual: CHAPUser?
  ) throws(CHAPFailure) -> (user: CHAPUser, answer: [TextPair]) {
    guard let name = keys["CHAP_N"] else { throw .missingKey("CHAP_N") }
    guard let text = keys["CHAP_R"] else { throw .missingKey("CHAP_R") }
    guard let response = TextValue.binary(text, bytesMax: algorithm.digestByteCount),
      response.count == algorithm.digestByteCount
    else { throw .malformedValue("CHAP_R") }
    let counter = try counterChallenge(keys)
    let user = try authenticate(name: name, response: response, users: users)
    guard let counter else { return (user, []) }
    guard let mutual else { throw .mutualNotConfigured }
    guard mutual.secret != user.secret else { throw .equalSecrets }
    guard counter.challenge != challenge, !registry.contains(counter.challenge) else {
      throw .reflectedChallenge
    }
    let proof = algorithm.response(
      identifier: counter.identifier, secret: mutual.secret, challenge: counter.challenge)
    guard !constantTimeEquals(proof, response) else { throw .reflectedResponse }
    return (
      user,
      [TextPair("CHAP_N", mutual.name), TextPair("CHAP_R", TextValue.hexadecimal(proof))]
    )
  }

  /// A name nobody has costs the same hash and the same comparison as a wrong secret.
  private func authenticate(
    name: String, response: [UInt8], users: [CHAPUser]
  ) throws(CHAPFailure) -> CHAPUser {
    var found: CHAPUser?
    for user in users where user.name == name { found = user }
    let candidate = found ?? CHAPExchange.nobody
    let expected = algorithm.response(
      identifier: identifier, secret: candidate.secret, challenge: challenge)
    let matches = constantTimeEquals(expected, response)
    guard let found else { throw .unknownUser(name) }
    guard matches else { throw .wrongResponse(user: name) }
    return found
  }

  private static let nobody = CHAPUser(
    name: "", secret: Secret(bytes: Array(repeating: 0, count: 16)))

  private func counterChallenge(
    _ keys: TextKeys
  ) throws(CHAPFailure) -> (identifier: UInt8, challenge: [UInt8])? {
    switch (keys["CHAP_I"], keys["CHAP_C"]) {
    case (nil, nil): return nil
    case (nil, _): throw .missingKey("CHAP_I")
    case (_, nil): throw .missingKey("CHAP_C")
    case (let identifierText?, let challengeText?):
      guard let identifier = TextValue.number(identifierText).flatMap(UInt8.init(exactly:)) else {
        throw .malformedValue("CHAP_I")
      }
      guard
        let challenge = TextValue.binary(
          challengeText, bytesMax: CHAPExchange.challengeBytesMax),
        challenge.count >= CHAPExchange.minChallengeBytes
      else { throw .malformedValue("CHAP_C") }
      return (identifier, challenge)
    }
  }
}
