import ISCSIModel
import Testing

private let node = CHAPUser(name: "node1", secret: Secret("123456789adm"))
private let target = CHAPUser(name: "target", secret: Secret("a different one"))

@Suite("CHAP")
struct CHAPTests {
  let required = AuthenticationRequirement.chap(users: [node], mutual: nil)
  let mutual = AuthenticationRequirement.chap(users: [node], mutual: target)

  /// Python's hashlib over 0x27, "123456789adm", and the bytes 0, 1, 2, … as many as the digest
  /// has.
  @Test(
    "The response of each algorithm equals an independent implementation's",
    arguments: [
      (CHAPAlgorithm.md5, "0d1e634dd4037809a8310b14fb8e1378"),
      (.sha1, "170477525ddb6e8fc47e359aac2b55b24bede59e"),
      (.sha256, "939663630234b7938e8c2e783c32dbf69a0c85f8fadfc737145adc6b4441e365"),
      (.sha3_256, "2f672866e7cdf714e2ab095af2d8c2070a1072dbdb5c973bc4e4194873a17083"),
    ])
  func vectors(algorithm: CHAPAlgorithm, expected: String) {
    let challenge = (0..<algorithm.digestByteCount).map { UInt8($0) }
    let response = algorithm.response(
      identifier: 0x27, secret: node.secret, challenge: challenge)
    #expect(hexadecimal(response) == "0x" + expected)
  }

  /// A login up to our challenge.
  private func challenged(
    _ requirement: AuthenticationRequirement, algorithms: String = "5",
    registry: any ChallengeRegistry = OutstandingChallenges()
  ) throws -> (login: LoginDialogue, challenge: LoginAction) {
    var login = LoginDialogue(OneTarget(requirement), challenges: registry)
    let first = login.send(securityToOperational, opening + ["AuthMethod=CHAP,None"])
    #expect(first["AuthMethod"] == "CHAP")
    #expect(first.reply?.response.isTransit == false)
    let challenge = login.send(securityStay, ["CHAP_A=\(algorithms)"])
    return (login, challenge)
  }

  private func response(
    to challenge: LoginAction, secret: Secret = node.secret
  ) throws -> String {
    let code = try #require(challenge["CHAP_A"].flatMap { UInt8($0) })
    let algorithm = try #require(CHAPAlgorithm(rawValue: code))
    let identifier = try #require(challenge["CHAP_I"].flatMap { UInt8($0) })
    let bytes = try #require(
      challenge["CHAP_C"].flatMap { TextValue.binary($0, bytesMax: 1024) })
    return hexadecimal(
      algorithm.response(identifier: identifier, secret: secret, challenge: bytes))
  }

  @Test("One-way CHAP with every algorithm", arguments: CHAPAlgorithm.allCases)
  func oneWay(algorithm: CHAPAlgorithm) throws {
    var (login, challenge) = try challenged(required, algorithms: "\(algorithm.rawValue)")
    let bytes = try #require(
      challenge["CHAP_C"].flatMap { TextValue.binary($0, bytesMax: 1024) })
    #expect(bytes.count == max(16, algorithm.digestByteCount))
    let proved = login.send(
      securityToOperational, ["CHAP_N=node1", "CHAP_R=\(try response(to: challenge))"])
    #expect(proved.status == .success)
    #expect(proved.reply?.response.isTransit == true)
    let outcome = login.send(operationalToFullFeature).outcome
    #expect(outcome?.authenticatedUser == "node1")
  }

  @Test("Mutual CHAP with every algorithm proves the target", arguments: CHAPAlgorithm.allCases)
  func bothWays(algorithm: CHAPAlgorithm) throws {
    var (login, challenge) = try challenged(mutual, algorithms: "\(algorithm.rawValue)")
    let theirs = [UInt8](repeating: 0x5A, count: 16)
    let proved = login.send(
      securityToOperational,
      [
        "CHAP_N=node1", "CHAP_R=\(try response(to: challenge))", "CHAP_I=200",
        "CHAP_C=\(hexadecimal(theirs))",
      ])
    let expected = algorithm.response(
      identifier: 200, secret: target.secret, challenge: theirs)
    #expect(proved.answers == ["CHAP_N=target", "CHAP_R=\(hexadecimal(expected))"])
    #expect(proved.reply?.response.nextStage == .operational)
  }

  @Test("The strongest common algorithm is chosen, whatever the order")
  func strongest() throws {
    #expect(try challenged(required, algorithms: "5,6,7,8").challenge["CHAP_A"] == "8")
    #expect(try challenged(required, algorithms: "5,0x7,99").challenge["CHAP_A"] == "7")
  }

  @Test("T-CHAP-1: no challenge repeats over many logins, and no byte of them is constant")
  func freshChallenges() throws {
    var seen: Set<[UInt8]> = []
    var positions = [Set<UInt8>](repeating: [], count: 16)
    for _ in 0..<200 {
      let text = try #require(try challenged(required).challenge["CHAP_C"])
      let bytes = try #require(TextValue.binary(text, bytesMax: 1024))
      #expect(bytes.count == 16)
      #expect(seen.insert(bytes).inserted)
      for (index, byte) in bytes.enumerated() { positions[index].insert(byte) }
    }
    #expect(positions.allSatisfy { $0.count > 1 })
  }

  @Test("T-CHAP-2: a CHAP_R of any other length or notation is refused with 0201")
  func malformedResponse() throws {
    var values = ["", "0x", "0b", "0x0", "0xZZ", "zz", "0b====", "0bAAA", "0bAAAA=AAA", "12345"]
    for count in [1, 15, 17, 20, 32, 79, 1024, 2000] {
      values.append("0x" + String(repeating: "ab", count: count))
      values.append("0X" + String(repeating: "AB", count: count))
      values.append("0b" + String(repeating: "QUFB", count: count))
    }
    values.append("0x" + String(repeating: "ab", count: 15) + "a")
    for value in values {
      var (login, _) = try challenged(required)
      let action = login.send(securityToOperational, ["CHAP_N=node1", "CHAP_R=\(value)"])
      #expect(action.failure == .chap(.malformedValue("CHAP_R")), "\(value)")
      #expect(action.status == .authenticationFailure)
    }
  }

  @Test("T-CHAP-2: CHAP_R is read in base64 as in hexadecimal; CHAP_C is bounded")
  func notations() throws {
    var (login, challenge) = try challenged(required)
    let hex = try response(to: challenge)
    let bytes = try #require(TextValue.binary(hex, bytesMax: 16))
    let action = login.send(
      securityToOperational, ["CHAP_N=node1", "CHAP_R=0b\(base64(bytes))"])
    #expect(action.status == .success)

    for challengeText in [
      "0x" + String(repeating: "ab", count: 15), "0x", "0b!", "0xabc",
      "0x" + String(repeating: "ab", count: 1025), "0b" + String(repeating: "AAAA", count: 342),
    ] {
      var (login, challenge) = try challenged(mutual)
      let action = login.send(
        securityToOperational,
        [
          "CHAP_N=node1", "CHAP_R=\(try response(to: challenge))", "CHAP_I=1",
          "CHAP_C=\(challengeText)",
        ])
      #expect(action.failure == .chap(.malformedValue("CHAP_C")), "\(challengeText.prefix(8))")
    }
  }

  @Test(
    "T-CHAP-3: CHAP_I is a number of 0…255 in decimal or hexadecimal, nothing else",
    arguments: [
      ("7", true), ("0x07", true), ("0X07", true), ("255", true), ("256", false), ("-1", false),
      ("", false), ("0x", false), ("0x100", false), ("07", false), ("7 ", false),
    ])
  func identifiers(text: String, isGood: Bool) throws {
    var (login, challenge) = try challenged(mutual)
    let action = login.send(
      securityToOperational,
      [
        "CHAP_N=node1", "CHAP_R=\(try response(to: challenge))", "CHAP_I=\(text)",
        "CHAP_C=0x" + String(repeating: "5a", count: 16),
      ])
    #expect(action.status == (isGood ? .success : .authenticationFailure))
  }

  @Test("T-CHAP-4: our own challenge, of this or another connection, is no challenge to us")
  func reflection() throws {
    let registry = OutstandingChallenges()
    let (_, otherChallenge) = try challenged(mutual, registry: registry)
    let other = try challenged(mutual, registry: registry)
    for reflected in [nil, other.challenge["CHAP_C"]] {
      var (login, challenge) = try challenged(mutual, registry: registry)
      let text = try #require(reflected ?? challenge["CHAP_C"])
      let action = login.send(
        securityToOperational,
        ["CHAP_N=node1", "CHAP_R=\(try response(to: challenge))", "CHAP_I=9", "CHAP_C=\(text)"])
      #expect(action.failure == .chap(.reflectedChallenge))
      #expect(action.answers.isEmpty)
    }
    // The first login is gone, and its challenge with it.
    let stale = try #require(
      otherChallenge["CHAP_C"].flatMap { TextValue.binary($0, bytesMax: 64) })
    #expect(!registry.contains(stale))
    withExtendedLifetime(other.login) {}
  }

  @Test("T-CHAP-4: a wrong CHAP_R gets no answer to its challenge; equal secrets are refused")
  func proofFirst() throws {
    var (login, challenge) = try challenged(mutual)
    let wrong = login.send(
      securityToOperational,
      [
        "CHAP_N=node1", "CHAP_R=\(try response(to: challenge, secret: target.secret))",
        "CHAP_I=1", "CHAP_C=0x" + String(repeating: "5a", count: 16),
      ])
    #expect(wrong.failure == .chap(.wrongResponse(user: "node1")))
    #expect(wrong.answers.isEmpty)

    let same = AuthenticationRequirement.chap(
      users: [node], mutual: CHAPUser(name: "target", secret: node.secret))
    var (second, secondChallenge) = try challenged(same)
    let action = second.send(
      securityToOperational,
      [
        "CHAP_N=node1", "CHAP_R=\(try response(to: secondChallenge))", "CHAP_I=1",
        "CHAP_C=0x" + String(repeating: "5a", count: 16),
      ])
    #expect(action.failure == .chap(.equalSecrets))
  }

  @Test("T-CHAP-5: a recorded login replayed never succeeds, and its challenge is released")
  func replay() throws {
    let registry = OutstandingChallenges()
    let recorded = try response(to: try challenged(required, registry: registry).challenge)
    for _ in 0..<500 {
      var (login, _) = try challenged(required, registry: registry)
      let action = login.send(securityToOperational, ["CHAP_N=node1", "CHAP_R=\(recorded)"])
      #expect(action.failure == .chap(.wrongResponse(user: "node1")))
      #expect(login.send(securityToOperational, ["CHAP_N=node1", "CHAP_R=\(recorded)"]) == .close)
    }
    #expect(registry.count == 0)
  }

  @Test("T-CHAP-6: an unknown user and a wrong secret get the same bytes")
  func sameAnswer() throws {
    var replies: [LoginReply?] = []
    for name in ["node1", "nobody"] {
      var (login, challenge) = try challenged(required)
      let proof = try response(to: challenge, secret: Secret("guess"))
      replies.append(
        login.send(securityToOperational, ["CHAP_N=\(name)", "CHAP_R=\(proof)"]).reply)
    }
    #expect(replies[0] == replies[1])
    #expect(replies[0]?.response.status == .authenticationFailure)
  }

  @Test("T-CHAP-6: the user nobody has cannot log in with the stand-in secret")
  func standInSecret() throws {
    for name in ["", "nobody"] {
      var (login, challenge) = try challenged(required)
      let proof = try response(
        to: challenge, secret: Secret(bytes: [UInt8](repeating: 0, count: 16)))
      let action = login.send(securityToOperational, ["CHAP_N=\(name)", "CHAP_R=\(proof)"])
      #expect(action.failure == .chap(.unknownUser(name)))
    }
  }

  @Test("A secret shows neither in descriptions nor in dumps")
  func redaction() {
    var dumped = ""
    dump(AdmissionGrant(authentication: mutual, targetPortalGroupTag: 1), to: &dumped)
    #expect(!dumped.contains("123456789adm"))
    #expect(!dumped.contains("49"))
    #expect("\(node)".contains("<secret>"))
    #expect(!"\(node)".contains("123456789adm"))
    #expect(String(reflecting: node.secret) == "<secret>")
  }

  @Test(
    "T-CHAP-8: every way around CHAP ends the login",
    arguments: [
      ([["AuthMethod=None"]], LoginStatus.authenticationFailure),
      ([["AuthMethod=KRB5,None"]], .authenticationFailure),
      ([["AuthMethod=Reject"]], .authenticationFailure),
      ([[]], .authenticationFailure),
      ([["AuthMethod=None,CHAP"], ["AuthMethod=None"]], .initiatorError),
      ([["AuthMethod=CHAP"], ["AuthMethod=CHAP"]], .initiatorError),
      ([["AuthMethod=CHAP", "CHAP_A=5"]], .initiatorError),
      ([["CHAP_A=5"]], .initiatorError),
      ([["AuthMethod=CHAP"], ["CHAP_N=node1", "CHAP_R=0x00"]], .initiatorError),
      ([["AuthMethod=CHAP"], ["CHAP_A=99"]], .authenticationFailure),
      ([["AuthMethod=CHAP"], ["CHAP_A="]], .authenticationFailure),
      ([["AuthMethod=CHAP"], ["CHAP_A=5"], ["CHAP_A=5"]], .initiatorError),
      ([["AuthMethod=CHAP"], ["CHAP_A=5"], ["AuthMethod=None"]], .initiatorError),
      ([["AuthMethod=CHAP"], ["CHAP_A=5"], ["CHAP_N=node1"]], .authenticationFailure),
    ] as [([[String]], LoginStatus)])
  func downgrade(texts: [[String]], status: LoginStatus) {
    var login = LoginDialogue(OneTarget(required))
    var last = login.send(securityToFullFeature, opening + texts[0])
    for text in texts.dropFirst() {
      #expect(last.status == .success)
      #expect(last.reply?.response.isTransit == false)
      last = login.send(securityToFullFeature, text)
    }
    #expect(last.status == status)
    #expect(login.send(securityToFullFeature) == .close)
  }

  @Test("T-CHAP-8: CHAP keys and AuthMethod have no place in the operational stage")
  func wrongStage() {
    for text in ["AuthMethod=None", "CHAP_A=5", "CHAP_N=node1"] {
      var login = LoginDialogue()
      let action = login.send(operationalToFullFeature, opening + [text])
      #expect(action.status == .initiatorError)
    }
  }

  @Test("An algorithm the grant leaves out is not negotiated")
  func noMD5() {
    var authority = OneTarget(required)
    authority.grant.chapAlgorithms = [.sha256]
    var login = LoginDialogue(authority)
    _ = login.send(securityStay, opening + ["AuthMethod=CHAP"])
    #expect(login.send(securityStay, ["CHAP_A=5"]).failure == .chap(.noCommonAlgorithm))
  }

  @Test("A full registry refuses with 0302 instead of growing")
  func boundedRegistry() throws {
    let registry = OutstandingChallenges(capacity: 1)
    let held = try challenged(required, registry: registry)
    #expect(try challenged(required, registry: registry).challenge.status == .outOfResources)
    withExtendedLifetime(held.login) {}
  }

  @Test("CHAP alone, where none is configured, is refused")
  func chapWithoutUsers() {
    var login = LoginDialogue()
    let action = login.send(securityToOperational, opening + ["AuthMethod=CHAP"])
    #expect(action.failure == .noCommonAuthenticationMethod)
    #expect(action.status == .authenticationFailure)
  }
}

private func base64(_ bytes: [UInt8]) -> String {
  let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  var text = ""
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
    var four = ""
    for position in 0..<4 {
      four = (position < 3 - group.count ? "=" : String(digits[Int(bits & 63)])) + four
      bits >>= 6
    }
    text += four
  }
  return text
}
