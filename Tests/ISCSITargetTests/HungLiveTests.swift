import ISCSIModel
import ISCSITarget
import Reactor
import SCSITarget
import TargetSimulation
import Testing

/// What administrators change while a store hangs and an initiator has logged in anew.
@Suite("Changes beside hung units")
struct HungLiveTests {
  /// Publishes without waiting for what hangs.
  private static func publish(
    _ targets: [TargetDefinition], _ target: SimulatedTarget, completion: @escaping () -> Void
  ) throws {
    let address = try #require(SocketAddress(SimulatedTarget.portal))
    let directory = TargetDirectory(
      targets: targets, portals: [PortalDefinition(address: address, groupTag: 1)])
    target.workers[0].publish(directory, completion: completion)
  }

  @Test(
    "A LUN taken away while it is shut leaves when the old write has landed, as a reset answers",
    arguments: 1...3)
  func removedWhileShut(reactors: Int) throws {
    let target = try SimulatedTarget(
      seed: 91, targets: [Example.open(units: 2)], reactorCount: reactors)
    let old = try ScriptedInitiator.loggedIn(target, luns: 2)
    let (_, hang) = try TaskManagementTests.hungWrite(old, target)
    let new = SessionTests.successor(of: old, target)
    try #require(new.login(to: Example.name) == 0)
    let tag = new.sendManagement(.logicalUnitReset)
    target.pass(milliseconds: 50)
    var without = Example.open(units: 2)
    without.units.removeAll { $0.lun == 0 }
    var isDone = false
    try Self.publish([without], target) { isDone = true }
    target.pass(milliseconds: 2_000)
    #expect(!isDone)
    #expect(!new.inbox.contains { $0.header.initiatorTaskTag == tag })
    #expect(new.attention() == LiveUnitsTests.noUnit)
    hang.release()
    let answer = new.receive { $0.header.initiatorTaskTag == tag }
    #expect(answer.map { TaskManagementFunctionResponse($0.header).response } == .functionComplete)
    #expect(try target.disk("unit0").writesLanded.count == 1)
    target.pass(milliseconds: 100)
    #expect(isDone)
    #expect(target.isIdle(after: [new]))
  }

  @Test(
    "A login that waits for a hung session is refused when its target has gone meanwhile",
    arguments: 1...3)
  func targetGone(reactors: Int) throws {
    let target = try SimulatedTarget(
      seed: 92, targets: [Example.open(), LiveUnitsTests.other], reactorCount: reactors)
    let old = try ScriptedInitiator.loggedIn(target)
    let (_, hang) = try TaskManagementTests.hungWrite(old, target)
    let new = SessionTests.successor(of: old, target)
    SessionTests.sendLogin(new)
    target.pass(milliseconds: 1_000)
    var isDone = false
    try Self.publish([LiveUnitsTests.other], target) { isDone = true }
    let answer = new.receive(.loginResponse)
    #expect(answer?.loginStatus == LoginStatus.notFound.rawValue)
    #expect(!isDone, "the old session has not ended")
    hang.release()
    target.pass(milliseconds: 100)
    #expect(isDone)
    #expect(target.isIdle(after: [new]))
  }

  @Test(
    "A session of a removed target that a disk keeps from ending holds up no other unit or change",
    arguments: 1...3)
  func targetGoneOthersFree(reactors: Int) throws {
    let target = try SimulatedTarget(
      seed: 93, targets: [Example.open(units: 2), LiveUnitsTests.other], reactorCount: reactors)
    let old = try ScriptedInitiator.loggedIn(target, luns: 2)
    let other = try LiveUnitsTests.otherSession(target)
    let (_, hang) = try TaskManagementTests.hungWrite(old, target)
    var isGone = false
    try Self.publish([LiveUnitsTests.other], target) { isGone = true }
    target.pass(milliseconds: 500)
    #expect(!isGone, "the write has not ended")
    // The session had this one, too.
    #expect(LiveUnitsTests.remove("unit1", force: true, target) == .removed)
    #expect(LiveUnitsTests.remove("unit2", force: true, target) == .removed)
    #expect(LiveUnitsTests.add(LiveUnitsTests.makeUnit("late", target), target) == true)
    #expect(LiveUnitsTests.remove("late", force: true, target) == .removed)
    var isPublished = false
    try Self.publish([LiveUnitsTests.other], target) { isPublished = true }
    target.run(seconds: 5) { isPublished }
    #expect(isPublished)
    var hung: UnitRemoval?
    target.workers[0].remove(unitNamed: "unit0", force: true) { hung = $0 }
    target.pass(milliseconds: 1_000)
    #expect(hung == nil && !isGone)
    hang.release()
    target.run(seconds: 5) { hung != nil && isGone }
    #expect(hung == .removed && isGone)
    #expect(try target.disk("unit0").writesLanded.count == 1)
    #expect(target.isIdle(after: [other]))
  }
}
