import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

extension ScriptedInitiator.Received {
  var loginStatus: UInt16 { header.bytes.bigEndianUInt16(at: 36) }
  var isTransit: Bool { header.bytes[1] & 0x80 != 0 }
  var nextStage: UInt8 { header.bytes[1] & 3 }
}

/// An initiator's part of CHAP (RFC 7143 §12.1), for an algorithm of its choice.
struct CHAPDialogue {
  var user: CHAPUser
  /// What the target proves itself with, if it is asked to.
  var target: CHAPUser?
  var algorithm = CHAPAlgorithm.sha256

  enum Result: Equatable {
    case loggedIn
    case refused(UInt16)
    case targetNotProved
    case noAnswer
  }

  func login(_ initiator: ScriptedInitiator, to name: String?) -> Result {
    var pairs = [("InitiatorName", initiator.initiatorName), ("AuthMethod", "CHAP")]
    pairs.append(name.map { ("TargetName", $0) } ?? ("SessionType", "Discovery"))
    initiator.sendLogin(pairs, from: 0, to: nil)
    guard let offer = initiator.receive(.loginResponse) else { return .noAnswer }
    guard offer.loginStatus == 0 else { return .refused(offer.loginStatus) }
    initiator.sendLogin([("CHAP_A", "\(algorithm.rawValue)")], from: 0, to: nil)
    guard let challenge = initiator.receive(.loginResponse) else { return .noAnswer }
    guard challenge.loginStatus == 0 else { return .refused(challenge.loginStatus) }
    return prove(initiator, ScriptedInitiator.pairs(challenge.data))
  }

  private func prove(_ initiator: ScriptedInitiator, _ keys: [(String, String)]) -> Result {
    guard let identifier = keys.first(where: { $0.0 == "CHAP_I" }).flatMap({ UInt8($0.1) }),
      let challenge = keys.first(where: { $0.0 == "CHAP_C" }).flatMap({ HexText.bytes($0.1) })
    else { return .noAnswer }
    let response = algorithm.response(
      identifier: identifier, secret: user.secret, challenge: challenge)
    let ours = (0..<32).map { UInt8($0 * 7 + 1) }
    var pairs = [("CHAP_N", user.name), ("CHAP_R", HexText.hex(response))]
    if target != nil { pairs += [("CHAP_I", "77"), ("CHAP_C", HexText.hex(ours))] }
    initiator.sendLogin(pairs, from: 0, to: 1)
    guard let answer = initiator.receive(.loginResponse) else { return .noAnswer }
    guard answer.loginStatus == 0 else { return .refused(answer.loginStatus) }
    if let target {
      let proof = algorithm.response(identifier: 77, secret: target.secret, challenge: ours)
      let keys = ScriptedInitiator.pairs(answer.data)
      guard keys.contains(where: { $0.0 == "CHAP_N" && $0.1 == target.name }),
        let given = keys.first(where: { $0.0 == "CHAP_R" }), HexText.bytes(given.1) == proof
      else { return .targetNotProved }
    }
    initiator.sendLogin([("MaxRecvDataSegmentLength", "262144")], from: 1, to: 3)
    guard let last = initiator.receive(.loginResponse) else { return .noAnswer }
    return last.loginStatus == 0 && last.nextStage == 3 ? .loggedIn : .refused(last.loginStatus)
  }
}

/// Binary values of text keys, in hexadecimal (RFC 7143 §6.1).
enum HexText {
  static func hex(_ bytes: [UInt8]) -> String {
    "0x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  static func bytes(_ text: String) -> [UInt8]? {
    guard text.hasPrefix("0x"), text.count % 2 == 0 else { return nil }
    let digits = Array(text.dropFirst(2))
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
  }
}

@Suite("Login")
struct LoginTests {
  static let user = CHAPUser(name: "node1", secret: Secret("0123456789ab"))
  static let mutual = CHAPUser(name: "disk", secret: Secret("ba9876543210"))

  static func target(
    _ definition: TargetDefinition, limits: ServerLimits = ServerLimits(), reactors: Int = 1
  ) throws -> SimulatedTarget {
    try SimulatedTarget(seed: 3, targets: [definition], reactorCount: reactors, limits: limits)
  }

  /// One that asks for `user`.
  private static func askingTarget(mutualUser: CHAPUser? = nil) throws -> SimulatedTarget {
    var definition = Example.open()
    definition.users = [user]
    definition.mutualUser = mutualUser
    return try target(definition)
  }

  @Test("A login may start in the operational stage, and gets a session handle")
  func direct() throws {
    let target = try LoginTests.target(Example.open())
    let initiator = ScriptedInitiator(target)
    #expect(initiator.login(to: Example.name) == 0)
    #expect(initiator.tsih != .none)
    #expect(initiator.attention() == Sense.newNexus)
    #expect(initiator.attention() == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A login through both stages ends in full feature phase")
  func bothStages() throws {
    let target = try LoginTests.target(Example.open())
    let initiator = ScriptedInitiator(target)
    initiator.sendLogin(
      [
        ("InitiatorName", initiator.initiatorName), ("TargetName", Example.name),
        ("AuthMethod", "CHAP,None"),
      ], from: 0, to: 1)
    let security = try #require(initiator.receive(.loginResponse))
    #expect(security.loginStatus == 0)
    #expect(security.isTransit && security.nextStage == 1)
    #expect(ScriptedInitiator.pairs(security.data).contains { $0 == ("AuthMethod", "None") })
    initiator.sendLogin([("MaxBurstLength", "65536")], from: 1, to: 3)
    let last = try #require(initiator.receive(.loginResponse))
    #expect(last.loginStatus == 0)
    #expect(last.isTransit && last.nextStage == 3)
    #expect(last.header.bytes.bigEndianUInt16(at: 14) != 0)
    #expect(initiator.attention() == Sense.newNexus)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test(
    "One-way CHAP admits who knows the secret",
    arguments: [CHAPAlgorithm.md5, .sha1, .sha256, .sha3_256])
  func oneWay(algorithm: CHAPAlgorithm) throws {
    let target = try LoginTests.askingTarget()
    let initiator = ScriptedInitiator(target)
    let dialogue = CHAPDialogue(user: LoginTests.user, algorithm: algorithm)
    #expect(dialogue.login(initiator, to: Example.name) == .loggedIn)
    #expect(initiator.attention() == Sense.newNexus)
    #expect(target.isIdle(after: [initiator]))
    #expect(target.context.challenges.count == 0)
  }

  @Test("A wrong secret and an unknown user are both refused with 0201, and the connection ends")
  func wrongSecret() throws {
    let target = try LoginTests.askingTarget()
    for user in [
      CHAPUser(name: "node1", secret: Secret("0123456789aX")),
      CHAPUser(name: "nobody", secret: Secret("0123456789ab")),
    ] {
      let initiator = ScriptedInitiator(target)
      #expect(CHAPDialogue(user: user).login(initiator, to: Example.name) == .refused(0x0201))
      #expect(initiator.waitForClose(seconds: 5))
    }
    #expect(target.isIdle(after: []))
  }

  @Test("Without CHAP a target that asks for it is not reached")
  func chapRequired() throws {
    let target = try LoginTests.askingTarget()
    let initiator = ScriptedInitiator(target)
    #expect(initiator.login(to: Example.name) == 0x0201)
    #expect(initiator.waitForClose(seconds: 5))
    #expect(target.isIdle(after: []))
  }

  @Test("Mutual CHAP proves the target to the initiator")
  func mutualCHAP() throws {
    let target = try LoginTests.askingTarget(mutualUser: LoginTests.mutual)
    let initiator = ScriptedInitiator(target)
    let dialogue = CHAPDialogue(user: LoginTests.user, target: LoginTests.mutual)
    #expect(dialogue.login(initiator, to: Example.name) == .loggedIn)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("An initiator that asks for proof the target cannot give is refused")
  func mutualNotConfigured() throws {
    let target = try LoginTests.askingTarget()
    let initiator = ScriptedInitiator(target)
    let dialogue = CHAPDialogue(user: LoginTests.user, target: LoginTests.mutual)
    #expect(dialogue.login(initiator, to: Example.name) == .refused(0x0201))
    #expect(target.isIdle(after: [initiator]))
  }

  // MARK: Limits

  @Test("A connection that does not log in is closed after the login timeout, and no sooner")
  func loginTimeout() throws {
    var limits = ServerLimits()
    limits.loginTimeout = .seconds(7)
    let target = try LoginTests.target(Example.open(), limits: limits)
    let initiator = ScriptedInitiator(target)
    initiator.sendLogin(
      [("InitiatorName", initiator.initiatorName), ("TargetName", Example.name)], from: 0, to: nil)
    target.pass(milliseconds: 6_900)
    #expect(!initiator.isClosed)
    target.pass(milliseconds: 200)
    #expect(initiator.isClosed)
    #expect(target.isIdle(after: []))
  }

  @Test("A flood of half-open connections loses its oldest; an honest login succeeds meanwhile")
  func halfOpen() throws {
    var limits = ServerLimits()
    limits.halfOpenConnectionsMax = 8
    let target = try LoginTests.target(Example.open(), limits: limits)
    let flood = (0..<20).map { _ in
      let initiator = ScriptedInitiator(target)
      target.pass(milliseconds: 5)
      return initiator
    }
    let honest = ScriptedInitiator(target)
    #expect(honest.login(to: Example.name) == 0)
    #expect(flood.prefix(12).filter(\.isClosed).count == 12)
    // The honest login took one place for a moment.
    #expect(flood.suffix(7).filter(\.isClosed).count == 0)
    #expect(target.isIdle(after: flood + [honest]))
  }

  @Test("A flood of silent connections does not push out a login that waits for its old session")
  func floodBesideReinstatement() throws {
    var limits = ServerLimits()
    limits.halfOpenConnectionsMax = 8
    let target = try LoginTests.target(Example.open(), limits: limits)
    let old = try ScriptedInitiator.loggedIn(target)
    let (_, hang) = try TaskManagementTests.hungWrite(old, target)
    let new = SessionTests.successor(of: old, target)
    SessionTests.sendLogin(new)
    target.pass(milliseconds: 10)
    let flood = (0..<40).map { _ in
      let initiator = ScriptedInitiator(target)
      target.pass(milliseconds: 5)
      return initiator
    }
    #expect(!new.isClosed)
    #expect(flood.filter(\.isClosed).count >= 24)
    hang.release()
    #expect(new.receive(.loginResponse)?.loginStatus == 0)
    #expect(target.isIdle(after: flood + [new]))
  }

  @Test("One session more than sessionsMax is refused with 0302; a free place is used again")
  func sessionsMax() throws {
    var limits = ServerLimits()
    limits.sessionsMax = 2
    let target = try LoginTests.target(Example.open(), limits: limits)
    let first = try ScriptedInitiator.loggedIn(target, number: 1)
    let second = try ScriptedInitiator.loggedIn(target, number: 2)
    let third = ScriptedInitiator(target)
    third.initiatorName = "iqn.2026-11.com.example:node3"
    #expect(third.login(to: Example.name) == 0x0302)
    #expect(third.waitForClose(seconds: 5))
    #expect(first.logout(.closeSession) == .closed)
    let fourth = try ScriptedInitiator.loggedIn(target, number: 4)
    #expect(target.isIdle(after: [second, fourth]))
  }

  @Test("Past connectionsMax a connection is closed at once; then there is room again")
  func connectionsMax() throws {
    var limits = ServerLimits()
    limits.connectionsMax = 2
    let target = try LoginTests.target(Example.open(), limits: limits)
    let first = try ScriptedInitiator.loggedIn(target, number: 1)
    let second = try ScriptedInitiator.loggedIn(target, number: 2)
    let third = ScriptedInitiator(target)
    #expect(third.waitForClose(seconds: 1))
    first.peer.close()
    target.pass(milliseconds: 100)
    let fourth = try ScriptedInitiator.loggedIn(target, number: 4)
    #expect(target.isIdle(after: [second, fourth]))
  }

  @Test("The portal group's tag is in the first answer of a normal session")
  func portalGroupTag() throws {
    let target = try LoginTests.target(Example.open())
    let initiator = ScriptedInitiator(target)
    initiator.sendLogin(
      [("InitiatorName", initiator.initiatorName), ("TargetName", Example.name)])
    let answer = try #require(initiator.receive(.loginResponse))
    #expect(
      ScriptedInitiator.pairs(answer.data).contains { $0 == ("TargetPortalGroupTag", "1") })
    #expect(target.isIdle(after: [initiator]))
  }
}
