import Bytes
import Glibc
import ISCSIModel
import ISCSITarget
import Reactor
import SCSITarget
import TargetSimulation
import Testing

/// What an administrator sees of sessions and does to them.
@Suite("Live sessions")
struct LiveSessionsTests {
  static func sessions(_ target: SimulatedTarget) throws -> [SessionSummary] {
    var result: [SessionSummary]?
    target.workers[target.workers.count - 1].sessions { result = $0 }
    target.run(seconds: 1) { result != nil }
    return try #require(result).sorted { $0.initiatorName < $1.initiatorName }
  }

  @Test("A session tells who it is, what it sees and what went over it")
  func summary() throws {
    let target = try SimulatedTarget(
      seed: 21, targets: [Example.open(units: 2)], reactorCount: 2)
    let one = try ScriptedInitiator.loggedIn(target, number: 1, luns: 2)
    let two = ScriptedInitiator(target)
    two.initiatorName = "iqn.2026-11.com.example:node2"
    #expect(
      two.login(to: Example.name, [("HeaderDigest", "CRC32C"), ("InitiatorAlias", "two")]) == 0)
    let data = Example.pattern(4096)
    #expect(one.write(0, data, immediate: 4096)?.status == 0)
    #expect(one.read(0, 8)?.status == 0)
    #expect(one.read(1 << 40, 8)?.status == 2)
    let sessions = try LiveSessionsTests.sessions(target)
    try #require(sessions.count == 2)
    let first = sessions[0]
    #expect(first.id != sessions[1].id)
    #expect(first.initiatorName == one.initiatorName)
    #expect(sessions.map(\.initiatorAlias) == [nil, "two"])
    #expect(first.targetName == Example.name)
    #expect(first.initiatorSessionID == one.isid)
    #expect(first.handle == one.tsih)
    #expect(first.portalGroupTag == 1)
    #expect(first.user == nil)
    #expect(first.units.map(\.lun) == [0, 1])
    #expect(first.units.map(\.unit) == ["unit0", "unit1"])
    #expect(first.commands.reads == 1)
    #expect(first.commands.writes == 1)
    #expect(first.commands.bytesRead == 4096)
    #expect(first.commands.bytesWritten == 4096)
    #expect(first.commands.failures[5] == 1)
    #expect(first.commands.failures[6] == 2)
    #expect(first.queueDepth == 0)
    let connection = try #require(first.connections.first)
    #expect(connection.localAddress.description == SimulatedTarget.portal)
    // A login, five commands.
    #expect(connection.counters.bytesReceived > 6 * 48 + 4096)
    #expect(connection.counters.bytesSent > 6 * 48 + 4096)
    #expect(!connection.headerDigest)
    #expect(sessions[1].connections.first?.headerDigest == true)
    #expect(target.isIdle(after: [one, two]))
  }

  @Test("A connection that joins a session has a beginning of its own")
  func connectionTimes() throws {
    let target = try SessionTests.target(reactors: 2)
    let first = try ScriptedInitiator.loggedIn(target, keys: [("MaxConnections", "2")])
    usleep(5000)
    let second = first.sibling(target, connectionID: 1)
    #expect(second.login(to: Example.name) == 0)
    let session = try #require(try LiveSessionsTests.sessions(target).first)
    try #require(session.connections.count == 2)
    #expect(session.connections[0].since >= session.since)
    #expect(session.connections[1].since > session.connections[0].since)
    #expect(target.isIdle(after: [first, second]))
  }

  @Test("A logout is asked for; who does not obey is cut off after the grace, drained")
  func logOut() throws {
    let target = try SimulatedTarget(seed: 22, targets: [Example.open()], reactorCount: 2)
    let obedient = try ScriptedInitiator.loggedIn(target, number: 1)
    let stubborn = try ScriptedInitiator.loggedIn(target, number: 2)
    let other = try ScriptedInitiator.loggedIn(target, number: 3)
    let sessions = try LiveSessionsTests.sessions(target)
    var ended: [Bool] = []
    for session in sessions.prefix(2) {
      target.workers[0].logOut(session.id, grace: .seconds(3)) { ended.append($0) }
    }
    let asked = try #require(obedient.receive(.asynchronousMessage, seconds: 1))
    #expect(AsynchronousMessage(asked.header).event == .logoutRequest)
    #expect(AsynchronousMessage(asked.header).parameter3 == 3)
    #expect(obedient.logout(.closeSession) == .closed)
    target.pass(milliseconds: 100)
    #expect(ended == [true])
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    _ = stubborn.startWrite(0, Example.pattern(512), style: WriteStyle(immediate: 512))
    target.pass(milliseconds: 3_000)
    #expect(stubborn.isClosed)
    #expect(ended == [true], "its write may still land")
    hang.release()
    target.pass(milliseconds: 100)
    #expect(ended == [true, true])
    #expect(other.inbox.isEmpty)
    #expect(try LiveSessionsTests.sessions(target).map(\.id) == [sessions[2].id])
    target.workers[1].logOut(sessions[0].id, grace: .seconds(1)) { ended.append($0) }
    target.pass(milliseconds: 10)
    #expect(ended == [true, true, false])
    #expect(target.isIdle(after: [other]))
  }

  @Test("Of a session's connections the one that is cut off is not waited for, the other is")
  func oneConnectionGone() throws {
    let target = try SimulatedTarget(seed: 25, targets: [Example.open()])
    let first = try ScriptedInitiator.loggedIn(target, keys: [("MaxConnections", "2")])
    let second = first.sibling(target, connectionID: 1)
    #expect(second.login(to: Example.name) == 0)
    let id = try LiveSessionsTests.sessions(target)[0].id
    second.peer.cut()
    var ended: Bool?
    target.workers[0].logOut(id, grace: .seconds(3)) { ended = $0 }
    target.pass(milliseconds: 1_500)
    #expect(target.world.openSocketCount == 1)
    #expect(!first.isClosed && ended == nil)
    #expect(first.logout(.closeSession) == .closed)
    target.pass(milliseconds: 100)
    #expect(ended == true)
    #expect(target.isIdle(after: []))
    withExtendedLifetime(second) {}
  }

  @Test("A session is killed with its writes drained, and only that one")
  func kill() throws {
    let target = try SimulatedTarget(seed: 23, targets: [Example.open()], reactorCount: 3)
    target.world.latencies.diskWrite = 30_000_000...40_000_000
    let initiators = try (1...3).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    _ = initiators[1].startWrite(0, Example.pattern(512), style: WriteStyle(immediate: 512))
    target.pass(milliseconds: 5)
    let id = try LiveSessionsTests.sessions(target)[1].id
    var isDone: Bool?
    target.workers[0].kill(id) { isDone = $0 }
    target.pass(milliseconds: 5)
    #expect(isDone == nil)
    target.run(seconds: 1) { isDone != nil }
    #expect(isDone == true)
    #expect(try target.disk().operationsInFlight == 0)
    let areClosed = initiators.map(\.isClosed)
    #expect(areClosed == [false, true, false])
    #expect(initiators[0].read(0, 1)?.status == 0)
    #expect(target.isIdle(after: initiators))
  }

  @Test("A connection does not join a session that is being logged out")
  func noJoin() throws {
    let target = try SimulatedTarget(seed: 24, targets: [Example.open()])
    let keys = [("MaxConnections", "2")]
    let first = try ScriptedInitiator.loggedIn(target, keys: keys)
    let id = try LiveSessionsTests.sessions(target)[0].id
    var isDone: Bool?
    target.workers[0].logOut(id, grace: .seconds(2)) { isDone = $0 }
    target.pass(milliseconds: 10)
    let second = first.sibling(target, connectionID: 1)
    #expect(second.login(to: Example.name, keys) == 0x020A)
    target.pass(milliseconds: 2_100)
    #expect(isDone == true)
    #expect(target.isIdle(after: [second]))
  }
}
