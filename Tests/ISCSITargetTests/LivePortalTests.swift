import Bytes
import ISCSIModel
import Reactor
import TargetSimulation
import Testing

@testable import ISCSITarget

/// Portals that open and close while sessions run.
@Suite("Live portals")
struct LivePortalTests {
  static let second = "10.0.0.1:3261"

  static func session(
    _ target: SimulatedTarget, number: Int, at portal: String
  ) throws -> ScriptedInitiator {
    let initiator = ScriptedInitiator(target, to: portal)
    initiator.initiatorName = "iqn.2026-11.com.example:node\(number)"
    try #require(initiator.login(to: Example.name) == 0)
    initiator.clearUnitAttention()
    return initiator
  }

  @Test("A portal that stops asks its own initiators to log out, then cuts them off")
  func stop() throws {
    let target = try SimulatedTarget(seed: 61, targets: [Example.open()], reactorCount: 3)
    let listener = try target.listen(at: LivePortalTests.second, groupTag: 1)
    let kept = try (1...3).map {
      try LivePortalTests.session(target, number: $0, at: SimulatedTarget.portal)
    }
    let lost = try (4...6).map {
      try LivePortalTests.session(target, number: $0, at: LivePortalTests.second)
    }
    let halfOpen = ScriptedInitiator(target, to: LivePortalTests.second)
    target.pass(milliseconds: 20)
    var isStopped = false
    listener.stop(grace: .seconds(2)) { isStopped = true }
    for initiator in lost {
      let message = try #require(initiator.receive(.asynchronousMessage, seconds: 1))
      #expect(AsynchronousMessage(message.header).event == .logoutRequest)
    }
    #expect(halfOpen.isClosed)
    #expect(lost[0].logout(.closeSession) == .closed)
    #expect(lost[1].write(0, Example.pattern(512))?.status == 0)
    target.pass(milliseconds: 1_500)
    #expect(!isStopped)
    target.pass(milliseconds: 600)
    #expect(isStopped)
    let areClosed = lost.map(\.isClosed)
    #expect(areClosed == [true, true, true])
    for initiator in kept {
      #expect(initiator.inbox.isEmpty)
      #expect(initiator.read(0, 1)?.status == 0)
    }
    #expect(target.isIdle(after: kept))
  }

  @Test("A portal that nobody uses stops at once, and its address can be opened again")
  func reopened() throws {
    let target = try SimulatedTarget(seed: 62, targets: [Example.open()], reactorCount: 2)
    for number in 1...3 {
      let listener = try target.listen(at: LivePortalTests.second, groupTag: 1)
      let initiator = try LivePortalTests.session(
        target, number: number, at: LivePortalTests.second)
      #expect(initiator.logout(.closeSession) == .closed)
      target.pass(milliseconds: 50)
      var isStopped = false
      listener.stop(grace: .seconds(2)) { isStopped = true }
      target.run(seconds: 1) { isStopped }
      #expect(isStopped)
    }
    #expect(target.isIdle(after: []))
  }

  /// The tags that REPORT TARGET PORT GROUPS names.
  private static func groups(_ initiator: ScriptedInitiator) -> [UInt8] {
    let data =
      initiator.command([0xA3, 0x0A, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0], expected: 64)?.data ?? []
    return stride(from: 4, to: data.count - 7, by: 12).map { data[$0 + 3] }
  }

  @Test("A session knows the ports that its target has, not those of its login")
  func ports() throws {
    let target = try SimulatedTarget(seed: 70, targets: [Example.open()], reactorCount: 2)
    let initiator = try ScriptedInitiator.loggedIn(target)
    var definition = Example.open()
    for (tags, bit) in [([1, 2], 0x10), ([1], 0), ([2], 0x10)] as [([UInt16], UInt8)] {
      definition.portalGroupTags = tags
      try target.publish([definition])
      #expect(initiator.attention() == 0x06_3F_03)
      #expect(initiator.attention() == 0)
      let inquiry = try #require(initiator.command([0x12, 0, 0, 0, 96, 0], expected: 96)).data
      #expect(inquiry[6] & 0x10 == bit, "MULTIP")
      // That of the session stays as long as the session.
      #expect(LivePortalTests.groups(initiator) == (tags == [1] ? [1] : [1, 2]))
    }
    try target.publish([definition])
    #expect(initiator.attention() == 0, "nothing has changed")
    // REGISTER, ALL_TG_PT 1.
    let list = [UInt8](repeating: 0, count: 15) + [7, 0, 0, 0, 0, 0x04, 0, 0, 0]
    let register = initiator.sendCommand(
      [0x5F, 0, 0, 0, 0, 0, 0, 0, 24, 0], expected: 24, isWrite: true, immediateData: list)
    #expect(initiator.finish(register)?.status == 0)
    #expect(initiator.keys() == [7, 7])
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Discovery names a portal no more as soon as it closes, until a directory does again")
  func concealed() throws {
    let target = try SimulatedTarget(seed: 71, targets: [Example.open()], reactorCount: 2)
    let portals = try [SimulatedTarget.portal, LivePortalTests.second].map {
      PortalDefinition(address: try #require(SocketAddress($0)), groupTag: 1)
    }
    func addresses() throws -> [String] {
      let client = ScriptedInitiator(target)
      try #require(client.login(to: "", discovery: true) == 0)
      let pairs = try #require(client.text([("SendTargets", "All")]))
      client.peer.close()
      return pairs.filter { $0.0 == "TargetAddress" }.map(\.1)
    }
    try target.publish([Example.open()], portals: portals)
    #expect(try addresses().count == 2)
    var isDone = false
    target.workers[0].conceal(portals: [portals[1].address]) { isDone = true }
    #expect(target.run(seconds: 1) { isDone })
    for _ in 0..<3 { #expect(try addresses() == ["\(SimulatedTarget.portal),1"]) }
    try target.publish([Example.open()], portals: portals)
    #expect(try addresses().count == 2)
    #expect(target.isIdle(after: []))
  }

  @Test("Of portals that closed long ago nothing is kept")
  func forgets() throws {
    let target = try SimulatedTarget(seed: 69, targets: [Example.open()], reactorCount: 2)
    let count = Worker.closedListenersMax + 9
    var closed = 0
    for number in 0..<UInt64(count) {
      target.workers[0].dismissConnections(of: 1_000_000 + number, grace: .seconds(1)) {
        closed += 1
      }
    }
    target.run(seconds: 1) { closed == count }
    #expect(closed == count)
    for worker in target.workers {
      #expect(worker.closedListeners.count == Worker.closedListenersMax)
      #expect(worker.closedListeners.contains(1_000_000 + UInt64(count) - 1))
    }
  }
}
