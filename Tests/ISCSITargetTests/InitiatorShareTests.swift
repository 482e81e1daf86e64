import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

/// What one initiator may have of the server, however many ISIDs it thinks of.
@Suite("Shares of initiators")
struct InitiatorShareTests {
  static let otherTarget = "iqn.2026-11.com.example:other"
  static let outOfResources: UInt16 = 0x0302

  private static func target(
    reactors: Int = 2, _ change: (inout ServerLimits) -> Void
  ) throws -> SimulatedTarget {
    var limits = ServerLimits()
    change(&limits)
    let other = TargetDefinition(
      name: otherTarget, portalGroupTags: [1],
      units: [UnitPresentation(lun: 0, unit: "unit0")], admitsAnyInitiator: true)
    return try SimulatedTarget(
      seed: 91, targets: [Example.open(), other], reactorCount: reactors, limits: limits)
  }

  private static func initiator(
    _ target: SimulatedTarget, node: Int = 1, session: UInt64
  ) -> ScriptedInitiator {
    let initiator = ScriptedInitiator(target)
    initiator.initiatorName = "iqn.2026-11.com.example:node\(node)"
    initiator.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0000 + session)
    return initiator
  }

  @Test("By itself an initiator gets 64 sessions at a target, a quarter of all, and keeps none out")
  func defaults() throws {
    let limits = ServerLimits(
      sessionsMax: 1024, connectionsMax: 4096, halfOpenConnectionsMax: 256,
      loginTimeout: .seconds(15))
    #expect(limits.sessionsPerInitiatorAtTargetMax == 64)
    #expect(limits.sessionsPerInitiatorMax == 256)
    #expect(limits.connectionsPerInitiatorMax == 1024)
    let small = ServerLimits(
      sessionsMax: 16, connectionsMax: 16, halfOpenConnectionsMax: 16, loginTimeout: .seconds(15))
    #expect(small.sessionsPerInitiatorMax == 64)
    #expect(small.connectionsPerInitiatorMax == 128)
    let target = try Self.target { _ in }
    let greedy = (0..<65).map { Self.initiator(target, session: $0) }
    for (index, session) in greedy.enumerated() {
      #expect(session.login(to: Example.name) == (index < 64 ? 0 : Self.outOfResources))
    }
    let honest = try ScriptedInitiator.loggedIn(target, number: 2)
    #expect(target.isIdle(after: greedy + [honest]))
  }

  @Test("At the bound a session may be reinstated, and one that ends makes room")
  func sessions() throws {
    let target = try Self.target { $0.sessionsPerInitiatorAtTargetMax = 3 }
    let sessions = (0..<3).map { Self.initiator(target, session: $0) }
    for session in sessions { #expect(session.login(to: Example.name) == 0) }
    let fourth = Self.initiator(target, session: 3)
    #expect(fourth.login(to: Example.name) == Self.outOfResources)
    #expect(fourth.waitForClose(seconds: 5))
    let again = (0..<9).map { Self.initiator(target, session: $0 % 3) }
    for session in again { #expect(session.login(to: Example.name) == 0) }
    let late = Self.initiator(target, session: 3)
    #expect(late.login(to: Example.name) == Self.outOfResources)
    #expect(again[8].logout(.closeSession) == .closed)
    target.pass(milliseconds: 100)
    let fifth = Self.initiator(target, session: 4)
    #expect(fifth.login(to: Example.name) == 0)
    #expect(target.isIdle(after: sessions + again + [late, fifth]))
  }

  @Test("The sessions at all targets count together, those of discovery do not")
  func targets() throws {
    let target = try Self.target { $0.sessionsPerInitiatorMax = 3 }
    let sessions = (0..<4).map { Self.initiator(target, session: $0) }
    for (index, session) in sessions.enumerated() {
      let name = index % 2 == 0 ? Example.name : Self.otherTarget
      #expect(session.login(to: name) == (index < 3 ? 0 : Self.outOfResources))
    }
    let discovery = Self.initiator(target, session: 9)
    #expect(discovery.login(to: Example.name, discovery: true) == 0)
    #expect(target.isIdle(after: sessions + [discovery]))
  }

  @Test("Connections count over all sessions; replacing one or a session needs no room")
  func connections() throws {
    let target = try Self.target { $0.connectionsPerInitiatorMax = 3 }
    let keys = [("MaxConnections", "4")]
    let first = Self.initiator(target, session: 0)
    #expect(first.login(to: Example.name, keys) == 0)
    let second = first.sibling(target, connectionID: 1)
    #expect(second.login(to: Example.name) == 0)
    let other = Self.initiator(target, session: 1)
    #expect(other.login(to: Example.name, keys) == 0)
    let third = first.sibling(target, connectionID: 2)
    #expect(third.login(to: Example.name) == Self.outOfResources)
    let more = Self.initiator(target, session: 2)
    #expect(more.login(to: Example.name) == Self.outOfResources)
    target.pass(milliseconds: 100)
    // The connection 1 of the first session anew, then the other session.
    let replaced = first.sibling(target, connectionID: 1)
    #expect(replaced.login(to: Example.name) == 0)
    #expect(second.waitForClose(seconds: 1))
    let again = Self.initiator(target, session: 1)
    #expect(again.login(to: Example.name) == 0)
    let honest = try ScriptedInitiator.loggedIn(target, number: 2)
    replaced.peer.close()
    target.pass(milliseconds: 100)
    let free = Self.initiator(target, session: 3)
    #expect(free.login(to: Example.name) == 0)
    #expect(target.isIdle(after: [first, other, again, honest, free]))
  }

  @Test(
    "However logins end, on whatever reactor, nothing of them stays counted", arguments: 0..<8)
  func counts(seed: UInt64) throws {
    let target = try Self.target(reactors: 1 + Int(seed % 3)) {
      $0.sessionsPerInitiatorAtTargetMax = 3
      $0.connectionsPerInitiatorMax = 3
      $0.loginTimeout = .seconds(2)
    }
    let disk = try target.disk()
    disk.inject(DiskFault(.delay(.seconds(4)), skipping: 20, count: 10))
    var all: [ScriptedInitiator] = []
    for round in 0..<120 {
      let node = Self.initiator(target, session: target.world.pick(0...2))
      all.append(node)
      SessionTests.sendLogin(node)
      target.pass(milliseconds: target.world.pick(0...3))
      _ = node.startWrite(0, SessionTests.newData(), style: WriteStyle(immediate: 512))
      if round % 2 == 0 { target.pass(milliseconds: target.world.pick(0...200)) }
      if round % 3 == 0 { node.peer.reset() }
    }
    #expect(target.isIdle(after: all))
    let sessions = (0..<3).map { Self.initiator(target, session: $0) }
    for session in sessions { #expect(session.login(to: Example.name) == 0) }
    #expect(target.isIdle(after: sessions))
  }

  @Test("Logins that wait for one session are few, whoever sends them")
  func waiting() throws {
    let target = try Self.target(reactors: 1) { _ in }
    let old = try ScriptedInitiator.loggedIn(target)
    let (_, hang) = try TaskManagementTests.hungWrite(old, target)
    let crowd = (0..<40).map { _ in
      let new = SessionTests.successor(of: old, target)
      SessionTests.sendLogin(new)
      target.pass(milliseconds: 5)
      return new
    }
    target.pass(milliseconds: 100)
    #expect(crowd.filter { !$0.isClosed }.count == 8)
    hang.release()
    #expect(crowd[39].receive(.loginResponse)?.loginStatus == 0)
    #expect(target.isIdle(after: crowd))
  }
}
