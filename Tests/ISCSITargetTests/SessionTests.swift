import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

/// Reinstatement, several sessions of one initiator, several connections of one session.
@Suite("Sessions")
struct SessionTests {
  static func target(seed: UInt64 = 51, reactors: Int = 1) throws -> SimulatedTarget {
    try SimulatedTarget(seed: seed, targets: [Example.open()], reactorCount: reactors)
  }

  /// Another connection that starts the session of the same name and ISID anew.
  static func successor(
    of initiator: ScriptedInitiator, _ target: SimulatedTarget
  ) -> ScriptedInitiator {
    let successor = ScriptedInitiator(target)
    successor.initiatorName = initiator.initiatorName
    successor.isid = initiator.isid
    return successor
  }

  static func sendLogin(_ initiator: ScriptedInitiator) {
    initiator.sendLogin([
      ("InitiatorName", initiator.initiatorName), ("TargetName", Example.name),
      ("MaxRecvDataSegmentLength", "262144"),
    ])
  }

  static func oldData() -> [UInt8] { Array(repeating: 1, count: 512) }
  static func newData() -> [UInt8] { Array(repeating: 2, count: 512) }

  // MARK: Reinstatement

  @Test(
    "A new login of the same port waits for the old session's writes; then the newer data wins",
    arguments: [1, 2])
  func reinstatement(reactors: Int) throws {
    let target = try SessionTests.target(reactors: reactors)
    let old = try ScriptedInitiator.loggedIn(target)
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    _ = old.startWrite(0, SessionTests.oldData(), style: WriteStyle(immediate: 512))
    target.pass(milliseconds: 50)
    #expect(hang.heldCount == 1)
    // With two reactors the new connection is accepted on the other, which has fewer.
    let new = SessionTests.successor(of: old, target)
    SessionTests.sendLogin(new)
    target.pass(milliseconds: 2_900)
    #expect(old.isClosed)
    #expect(new.inbox.isEmpty && !new.isClosed)
    #expect(try target.disk().writesLanded.isEmpty)
    hang.release()
    let answer = try #require(new.receive(.loginResponse))
    #expect(answer.loginStatus == 0)
    #expect(try target.disk().writesLanded.count == 1)
    #expect(new.attention() == Sense.newNexus)
    #expect(new.write(0, SessionTests.newData(), immediate: 512)?.status == 0)
    #expect(reads(SessionTests.newData(), at: 0, new))
    #expect(target.context.sessions.count == 1)
    #expect(target.isIdle(after: [new]))
  }

  @Test("Of several logins that wait for the same session one gets it, and none leaks")
  func severalSuccessors() throws {
    let target = try SessionTests.target(reactors: 2)
    let old = try ScriptedInitiator.loggedIn(target)
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    _ = old.startWrite(0, SessionTests.oldData(), style: WriteStyle(immediate: 512))
    target.pass(milliseconds: 50)
    let waiting = (0..<4).map { _ in
      let new = SessionTests.successor(of: old, target)
      SessionTests.sendLogin(new)
      target.pass(milliseconds: 20)
      return new
    }
    hang.release()
    target.pass(milliseconds: 1_000)
    #expect(waiting.filter { $0.inbox.first?.loginStatus == 0 }.count == 1)
    #expect(target.context.sessions.count == 1)
    target.pass(milliseconds: 20_000)
    #expect(target.isIdle(after: waiting))
  }

  @Test(
    "Reinstatement over and over, across reactors, keeps one session and its last data",
    arguments: 1...8)
  func reinstatementStorm(seed: UInt64) throws {
    let target = try SessionTests.target(seed: seed, reactors: 3)
    var all: [ScriptedInitiator] = []
    for round in 0..<30 {
      let initiator = ScriptedInitiator(target)
      all.append(initiator)
      if round % 3 == 2 {
        SessionTests.sendLogin(initiator)
        target.pass(milliseconds: target.world.pick(0...2))
        continue
      }
      guard initiator.login(to: Example.name) == 0 else { continue }
      initiator.clearUnitAttention()
      _ = initiator.startWrite(
        0, Array(repeating: UInt8(round), count: 512), style: WriteStyle(immediate: 512))
      #expect(target.context.sessions.count == 1)
    }
    // The last of those that did not wait may still be on its way.
    target.pass(milliseconds: 500)
    let last = ScriptedInitiator(target)
    try #require(last.login(to: Example.name) == 0)
    last.clearUnitAttention()
    #expect(last.write(0, SessionTests.newData(), immediate: 512)?.status == 0)
    target.pass(milliseconds: 20_000)
    let landed = try target.disk().visibleBytes(0..<512)
    let isNewest = landed == SessionTests.newData()
    #expect(isNewest)
    #expect(target.isIdle(after: all + [last]))
  }

  @Test(
    "Every new nexus starts with POWER ON, RESET, OR BUS DEVICE RESET OCCURRED, which initiators retry"
  )
  func attentions() throws {
    let target = try SessionTests.target()
    let first = ScriptedInitiator(target)
    try #require(first.login(to: Example.name) == 0)
    #expect(first.attention() == Sense.newNexus)
    #expect(first.logout(.closeSession) == .closed)
    let second = ScriptedInitiator(target)
    try #require(second.login(to: Example.name) == 0)
    #expect(second.attention() == Sense.newNexus)
    #expect(second.attention() == 0)
    let other = ScriptedInitiator(target)
    other.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0002)
    try #require(other.login(to: Example.name) == 0)
    #expect(other.attention() == Sense.newNexus)
    #expect(target.isIdle(after: [second, other]))
  }

  @Test("One initiator may have several sessions, by ISID, each with its own life")
  func severalSessions() throws {
    let target = try SessionTests.target(reactors: 2)
    let sessions = try (1...4).map { number in
      let initiator = ScriptedInitiator(target)
      initiator.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0000 + UInt64(number))
      try #require(initiator.login(to: Example.name) == 0)
      initiator.clearUnitAttention()
      return initiator
    }
    #expect(Set(sessions.map(\.tsih)).count == 4)
    #expect(target.context.sessions.count == 4)
    let data = Example.pattern(512)
    #expect(sessions[0].write(0, data)?.status == 0)
    sessions[0].peer.reset()
    target.pass(milliseconds: 100)
    for session in sessions.dropFirst() { #expect(reads(data, at: 0, session)) }
    #expect(target.isIdle(after: sessions))
  }

  @Test("A connection for a session that is not there, or is another's, is refused with 020A")
  func joinUnknown() throws {
    let target = try SessionTests.target()
    let initiator = try ScriptedInitiator.loggedIn(
      target, keys: [("MaxConnections", "2")])
    let wrongHandle = initiator.sibling(target, connectionID: 1)
    wrongHandle.tsih = TargetSessionID(rawValue: initiator.tsih.rawValue ^ 0x55)
    #expect(wrongHandle.login(to: Example.name) == 0x020A)
    let thief = initiator.sibling(target, connectionID: 1)
    thief.initiatorName = "iqn.2026-11.com.example:thief"
    #expect(thief.login(to: Example.name) == 0x020A)
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [initiator, wrongHandle, thief]))
  }

  // MARK: Several connections

  /// A session of two connections.
  static func pair(
    reactors: Int = 1
  ) throws -> (SimulatedTarget, ScriptedInitiator, ScriptedInitiator) {
    let target = try SessionTests.target(reactors: reactors)
    let first = try ScriptedInitiator.loggedIn(target, keys: [("MaxConnections", "2")])
    let second = first.sibling(target, connectionID: 1)
    try #require(second.login(to: Example.name) == 0)
    return (target, first, second)
  }

  @Test(
    "Commands go over both connections of a session, wherever they were accepted",
    arguments: [1, 2])
  func bothConnections(reactors: Int) throws {
    let (target, first, second) = try SessionTests.pair(reactors: reactors)
    #expect(second.tsih == first.tsih)
    #expect(target.context.sessions.count == 1)
    for round in 0..<20 {
      let (one, other) = round % 2 == 0 ? (first, second) : (second, first)
      other.cmdSN = max(first.cmdSN, second.cmdSN)
      one.cmdSN = other.cmdSN
      let data = Example.pattern(4096, seed: UInt64(round))
      #expect(one.write(UInt64(round) * 8, data, immediate: 512)?.status == 0)
      other.cmdSN = one.cmdSN
      #expect(reads(data, at: UInt64(round) * 8, other))
      one.cmdSN = other.cmdSN
    }
    #expect(target.isIdle(after: [first, second]))
  }

  @Test("A third connection of two is refused with 0206")
  func tooMany() throws {
    let (target, first, second) = try SessionTests.pair()
    let third = first.sibling(target, connectionID: 2)
    #expect(third.login(to: Example.name) == 0x0206)
    #expect(first.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [first, second, third]))
  }

  @Test("Commands that overtook on another connection are held and executed in order")
  func gaps() throws {
    let (target, first, second) = try SessionTests.pair()
    let start = first.cmdSN
    // On the second connection the odd numbers, all to one block; on the first the even ones.
    var tags: [InitiatorTaskTag] = []
    for number in stride(from: UInt32(1), to: 10, by: 2) {
      tags.append(SessionTests.write(second, start + number, UInt8(number)))
    }
    target.pass(milliseconds: 100)
    #expect(second.inbox.isEmpty)
    #expect(try target.disk().startedCount(.write) == 0)
    for number in stride(from: UInt32(0), to: 10, by: 2) {
      let tag = SessionTests.write(first, start + number, UInt8(number))
      #expect(first.finish(tag)?.status == 0)
      #expect(second.finish(tags[Int(number) / 2])?.status == 0)
      target.pass(milliseconds: 20)
      #expect(try target.disk().startedCount(.write) == Int(number) + 2)
    }
    first.cmdSN = start + 10
    #expect(reads(Array(repeating: 9, count: 512), at: 9, first))
    #expect(target.isIdle(after: [first, second]))
  }

  private static func write(
    _ initiator: ScriptedInitiator, _ number: SerialNumber, _ value: UInt8
  ) -> InitiatorTaskTag {
    initiator.sendCommand(
      ScriptedInitiator.write16(UInt64(value), 1), expected: 512, isWrite: true, cmdSN: number,
      immediateData: Array(repeating: value, count: 512))
  }

  @Test("What a lost connection held is given up, and the other goes on")
  func lostWithHeld() throws {
    let (target, first, second) = try SessionTests.pair()
    let start = first.cmdSN
    _ = SessionTests.write(second, start + 1, 1)
    _ = SessionTests.write(second, start + 2, 2)
    target.pass(milliseconds: 50)
    second.peer.reset()
    target.pass(milliseconds: 50)
    #expect(first.command(ScriptedInitiator.testUnitReady)?.status == 0)
    first.cmdSN = start + 3
    #expect(first.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(try target.disk().writesLanded.isEmpty)
    #expect(target.isIdle(after: [first]))
  }

  @Test("A connection with the same CID replaces the old one once its writes have landed")
  func connectionReinstatement() throws {
    let (target, first, second) = try SessionTests.pair()
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    _ = second.startWrite(0, SessionTests.oldData(), style: WriteStyle(immediate: 512))
    first.cmdSN = second.cmdSN
    target.pass(milliseconds: 50)
    let again = first.sibling(target, connectionID: 1)
    SessionTests.sendLogin(again)
    target.pass(milliseconds: 2_000)
    #expect(second.isClosed)
    #expect(again.inbox.isEmpty)
    #expect(first.command(ScriptedInitiator.testUnitReady)?.status == 0)
    hang.release()
    #expect(try #require(again.receive(.loginResponse)).loginStatus == 0)
    #expect(try target.disk().writesLanded.count == 1)
    again.nextTag = 0x20001
    again.cmdSN = first.cmdSN
    #expect(again.write(0, SessionTests.newData(), immediate: 512)?.status == 0)
    #expect(reads(SessionTests.newData(), at: 0, again))
    #expect(target.isIdle(after: [first, again]))
  }

  @Test("A session whose only connection is being replaced ends if the new one gives up")
  func replacementGivesUp() throws {
    let target = try SessionTests.target()
    let first = try ScriptedInitiator.loggedIn(target)
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    _ = first.startWrite(0, SessionTests.oldData(), style: WriteStyle(immediate: 512))
    target.pass(milliseconds: 50)
    let again = first.sibling(target, connectionID: 0)
    SessionTests.sendLogin(again)
    #expect(again.waitForClose(seconds: 16))
    hang.release()
    target.pass(milliseconds: 100)
    #expect(target.context.sessions.count == 0)
    #expect(target.isIdle(after: []))
  }

  @Test("The only connection of a session is replaced without losing the session")
  func replaceOnlyConnection() throws {
    let target = try SessionTests.target(reactors: 2)
    let first = try ScriptedInitiator.loggedIn(target)
    let again = first.sibling(target, connectionID: 0)
    #expect(again.login(to: Example.name) == 0)
    #expect(again.tsih == first.tsih)
    #expect(first.waitForClose(seconds: 1))
    again.cmdSN = first.cmdSN
    #expect(again.attention() == 0)
    #expect(target.context.sessions.count == 1)
    #expect(target.isIdle(after: [again]))
  }

  @Test("Logging one connection out leaves the session and the other connection")
  func logoutOne() throws {
    let (target, first, second) = try SessionTests.pair()
    #expect(first.logout(.closeConnection, connectionID: 1) == .closed)
    #expect(second.waitForClose(seconds: 1))
    #expect(first.command(ScriptedInitiator.testUnitReady)?.status == 0)
    let third = first.sibling(target, connectionID: 1)
    third.nextTag = 0x30001
    #expect(third.login(to: Example.name) == 0)
    #expect(third.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(third.logout(.closeConnection, connectionID: 1) == .closed)
    #expect(third.waitForClose(seconds: 1))
    first.cmdSN = third.cmdSN
    #expect(first.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [first]))
  }

  @Test("The logout of the last connection waits for what one before it has left")
  func logoutLast() throws {
    let (target, first, second) = try SessionTests.pair(reactors: 2)
    let (_, hang) = try TaskManagementTests.hungWrite(second, target)
    second.peer.reset()
    target.pass(milliseconds: 100)
    first.sendLogout(.closeConnection)
    target.pass(milliseconds: 1_000)
    #expect(first.inbox.isEmpty, "the write is under way")
    hang.release()
    #expect(first.receive(.logoutResponse).map { LogoutResponse($0.header).response } == .closed)
    #expect(first.waitForClose(seconds: 1))
    #expect(target.isIdle(after: []))
  }

  @Test("Nobody joins a session whose logout waits for an operation")
  func joinWhileLeaving() throws {
    let (target, first, second) = try SessionTests.pair(reactors: 2)
    let (_, hang) = try TaskManagementTests.hungWrite(second, target)
    first.sendLogout(.closeSession)
    target.pass(milliseconds: 100)
    for id: UInt16 in [1, 2] {
      let late = first.sibling(target, connectionID: id)
      #expect(late.login(to: Example.name) == 0x020A)
    }
    hang.release()
    #expect(first.receive(.logoutResponse).map { LogoutResponse($0.header).response } == .closed)
    #expect(target.isIdle(after: []))
  }

  @Test("A session logout closes all its connections")
  func logoutAll() throws {
    let (target, first, second) = try SessionTests.pair(reactors: 2)
    #expect(first.logout(.closeSession) == .closed)
    #expect(first.waitForClose(seconds: 1))
    #expect(second.waitForClose(seconds: 1))
    #expect(target.isIdle(after: []))
  }
}

private func max(_ one: SerialNumber, _ other: SerialNumber) -> SerialNumber {
  one.precedes(other) ? other : one
}
