import ISCSIModel
import ISCSITarget
import Reactor
import SCSITarget
import TargetSimulation
import Testing

/// Units and rights that go while others come.
@Suite("Departures and arrivals")
struct LiveDepartureTests {
  @Test(
    "Who proved a secret that has changed is ended as who lost the right; the same secret stays")
  func secretChanged() throws {
    let target = try LiveUnitsTests.target(seed: 21)
    var definition = Example.open()
    let other = CHAPUser(name: "node2", secret: Secret("ba9876543210"))
    definition.users = [LoginTests.user, other]
    try target.publish([definition])
    let one = ScriptedInitiator(target)
    #expect(CHAPDialogue(user: LoginTests.user).login(one, to: Example.name) == .loggedIn)
    let two = ScriptedInitiator(target)
    two.initiatorName = "iqn.2026-11.com.example:node2"
    #expect(CHAPDialogue(user: other).login(two, to: Example.name) == .loggedIn)
    let changed = CHAPUser(name: LoginTests.user.name, secret: Secret("another secret"))
    definition.users = [changed, other]
    try target.publish([definition])
    var ended: Int?
    target.workers[1].endUnqualifiedSessions { ended = $0 }
    target.run { ended != nil }
    #expect(ended == 1)
    #expect(one.waitForClose(seconds: 1))
    #expect(!two.waitForClose(seconds: 1))
    let again = ScriptedInitiator(target)
    #expect(CHAPDialogue(user: changed).login(again, to: Example.name) == .loggedIn)
    #expect(target.isIdle(after: [two, again]))
  }

  @Test("A unit that is removed while it arrives does not come after it was taken for gone")
  func removedWhileArriving() throws {
    let target = try LiveUnitsTests.target(seed: 22, reactors: 3)
    var (added, removed): (Bool?, UnitRemoval?)
    target.workers[0].add(LiveUnitsTests.makeUnit("late", target)) { added = $0 }
    target.workers[0].remove(unitNamed: "late", force: true) { removed = $0 }
    target.run(seconds: 5) { removed != nil }
    #expect(added == true && removed == .removed)
    #expect(LiveUnitsTests.add(LiveUnitsTests.makeUnit("late", target), target) == true)
  }

  @Test("A unit does not come as long as the former of its name has not left")
  func addedWhileLeaving() throws {
    let target = try SimulatedTarget(
      seed: 23, targets: [Example.open(units: 2)], reactorCount: 2)
    let initiator = try ScriptedInitiator.loggedIn(target, luns: 2)
    let (_, hang) = try TaskManagementTests.hungWrite(initiator, target, unit: 1)
    var removed: UnitRemoval?
    target.workers[0].remove(unitNamed: "unit1", force: true) { removed = $0 }
    target.pass(milliseconds: 100)
    #expect(LiveUnitsTests.add(LiveUnitsTests.makeUnit("unit1", target), target) == false)
    hang.release()
    target.run(seconds: 5) { removed != nil }
    #expect(removed == .removed)
    #expect(LiveUnitsTests.add(LiveUnitsTests.makeUnit("unit1", target), target) == true)
  }

  @Test("A directory is in force before what it takes away has ended")
  func inForceBeforeDrained() throws {
    let target = try SimulatedTarget(
      seed: 24, targets: [Example.open(units: 2)], reactorCount: 3)
    let initiator = try ScriptedInitiator.loggedIn(target, luns: 2)
    let (_, hang) = try TaskManagementTests.hungWrite(initiator, target, unit: 1)
    let address = try #require(SocketAddress(SimulatedTarget.portal))
    let directory = TargetDirectory(
      targets: [Example.open()], portals: [PortalDefinition(address: address, groupTag: 1)])
    var (isInForce, isDone) = (false, false)
    target.workers[0].publish(directory) {
      isDone = true
    } whenInForce: {
      isInForce = true
    }
    target.pass(milliseconds: 500)
    #expect(isInForce && !isDone)
    hang.release()
    target.run(seconds: 5) { isDone }
    #expect(isDone)
  }
}
