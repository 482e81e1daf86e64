import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

/// A login that ends on one reactor for a session on another, and what may happen on the way.
@Suite("Handover between reactors")
struct HandoverTests {
  @Test("A login on its way to a reactor that stops meanwhile is closed, and the stop completes")
  func stopOnTheWay() throws {
    let target = try SessionTests.target(reactors: 2)
    let old = try ScriptedInitiator.loggedIn(target)
    let new = SessionTests.successor(of: old, target)
    target.pass(milliseconds: 10)
    #expect(target.reactors[1].operationsInFlight == 1)
    SessionTests.sendLogin(new)
    // It has left reactor 1, and reactor 0 has not turned yet.
    try #require(target.run(seconds: 1) { target.reactors[1].operationsInFlight == 0 })
    var stopped = 0
    for worker in target.workers { worker.stop(grace: .seconds(2)) { stopped += 1 } }
    target.pass(milliseconds: 3_000)
    #expect(stopped == 2)
    #expect(new.isClosed && old.isClosed)
    #expect(target.isIdle(after: []))
  }

  @Test("A login that arrives after its old session has ended ends the one that came between")
  func overtaken() throws {
    let target = try SessionTests.target(reactors: 2)
    var options = ConnectionOptions()
    options.bufferBytes = 32
    let old = try ScriptedInitiator.loggedIn(target, number: 1)
    // Reactor 0 has three connections, reactor 1 two.
    let others = try (2...5).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    let late = HandoverTests.sendTwoStageLogin(target, options)
    target.pass(milliseconds: 100)
    others[0].peer.close()
    others[2].peer.close()
    old.peer.close()
    target.pass(milliseconds: 100)
    #expect(target.context.sessions.count == 2)
    #expect(target.reactors.map(\.operationsInFlight) == [3, 1])
    let between = try ScriptedInitiator.loggedIn(target, number: 1)
    #expect(target.reactors.map(\.operationsInFlight) == [3, 2])
    late.peer.isReading = true
    let isIn = { late.inbox.last.map { $0.loginStatus == 0 && $0.nextStage == 3 } ?? false }
    #expect(target.run(seconds: 5, until: isIn))
    #expect(between.waitForClose(seconds: 1))
    #expect(target.context.sessions.count == 3)
    #expect(target.isIdle(after: others + [late]))
  }

  /// Both requests of a login at once, and the first answer does not get through: the login is
  /// decided, and cannot move yet.
  private static func sendTwoStageLogin(
    _ target: SimulatedTarget, _ options: ConnectionOptions
  ) -> ScriptedInitiator {
    let late = ScriptedInitiator(target, options: options)
    late.peer.isReading = false
    late.sendLogin(
      [
        ("InitiatorName", late.initiatorName), ("TargetName", Example.name),
        ("AuthMethod", "None"),
      ], from: 0, to: 1)
    late.sendLogin([], from: 1, to: 3)
    return late
  }
}
