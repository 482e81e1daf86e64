import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSIModel
import SCSITarget
import Synchronization
import TargetSimulation
import Testing

/// Reservations as an administrator sees and clears them.
@Suite("Live reservations")
struct LiveReservationTests {
  final class Result<Value: Sendable>: Sendable {
    private let state = Mutex<Value?>(nil)
    var value: Value? { state.withLock { $0 } }
    func set(_ value: Value) { state.withLock { $0 = value } }
  }

  static func snapshot(_ target: SimulatedTarget) throws -> ReservationSnapshot {
    let result = Result<ReservationSnapshot>()
    #expect(target.units[0].reservations { result.set($0) })
    target.run(seconds: 1) { result.value != nil }
    return try #require(result.value)
  }

  static func clear(_ target: SimulatedTarget) -> ReservationClearing? {
    let result = Result<ReservationClearing>()
    #expect(target.units[0].clearReservations { result.set($0) })
    target.run(seconds: 5) { result.value != nil }
    return result.value
  }

  @Test("The table says who is registered, who of them is there, and who holds what")
  func table() throws {
    let target = try SimulatedTarget(seed: 41, targets: [Example.open()], reactorCount: 3)
    #expect(try LiveReservationTests.snapshot(target).registrations.isEmpty)
    let nodes = try ReservationTests.cluster(target, count: 3)
    #expect(nodes[2].logout(.closeSession) == .closed)
    target.pass(milliseconds: 100)
    let snapshot = try LiveReservationTests.snapshot(target)
    #expect(snapshot.registrations.map(\.key) == [1, 2, 3])
    #expect(snapshot.registrations.map(\.isHolder) == [false, true, false])
    #expect(snapshot.registrations.map(\.isLoggedIn) == [true, true, false])
    #expect(
      snapshot.registrations.first?.nexus.initiator.name == "iqn.2026-11.com.example:node1")
    #expect(snapshot.registrations.first?.nexus.initiator.isid == 0x0002_3D00_0001)
    #expect(snapshot.registrations.first?.nexus.target.name == Example.name)
    #expect(snapshot.type != nil)
    #expect(snapshot.since != nil)
    #expect(snapshot.generation == 3)
    #expect(snapshot.legacyHolder == nil)
    #expect(target.isIdle(after: nodes))
  }

  @Test(
    "Clearing is saved first, in force everywhere when it is done, and told to who lost something")
  func clearing() throws {
    let target = try SimulatedTarget(seed: 42, targets: [Example.open()], reactorCount: 3)
    let nodes = try ReservationTests.cluster(target, count: 3)
    let other = try ScriptedInitiator.loggedIn(target, number: 9)
    #expect(other.write(0, Example.pattern(512))?.status == ReservationTests.conflict)
    #expect(LiveReservationTests.clear(target) == .cleared)
    #expect(target.reservations.saved["unit0"]?.registrations.isEmpty == true)
    for node in nodes {
      #expect(node.attention() == 0x06_2A_03)
      #expect(node.attention() == 0)
    }
    #expect(other.write(0, Example.pattern(512))?.status == 0)
    #expect(nodes[1].keys() == [])
    let snapshot = try LiveReservationTests.snapshot(target)
    #expect(snapshot.type == nil)
    #expect(snapshot.since == nil)
    #expect(snapshot.generation == 4)
    #expect(LiveReservationTests.clear(target) == .cleared)
    #expect(try LiveReservationTests.snapshot(target).generation == 4)
    #expect(target.isIdle(after: nodes + [other]))
  }

  @Test("What cannot be saved is not cleared")
  func notSaved() throws {
    let target = try SimulatedTarget(seed: 43, targets: [Example.open()], reactorCount: 2)
    let nodes = try ReservationTests.cluster(target, count: 2)
    target.reservations.failure = .inputOutput
    #expect(LiveReservationTests.clear(target) == .notSaved)
    #expect(nodes[0].keys() == [1, 2])
    #expect(nodes[1].attention() == 0)
    target.reservations.failure = nil
    #expect(LiveReservationTests.clear(target) == .cleared)
    #expect(target.isIdle(after: nodes))
  }

  @Test("A RESERVE is shown and cleared, too")
  func legacy() throws {
    let target = try SimulatedTarget(seed: 44, targets: [Example.open()], reactorCount: 2)
    let one = try ScriptedInitiator.loggedIn(target, number: 1)
    let two = try ScriptedInitiator.loggedIn(target, number: 2)
    #expect(one.command([0x16, 0, 0, 0, 0, 0])?.status == 0)
    #expect(
      try LiveReservationTests.snapshot(target).legacyHolder?.initiator.name == one.initiatorName)
    #expect(two.read(0, 1)?.status == ReservationTests.conflict)
    #expect(LiveReservationTests.clear(target) == .cleared)
    #expect(two.read(0, 1)?.status == 0)
    #expect(one.attention() == 0x06_2A_03)
    #expect(target.isIdle(after: [one, two]))
  }
}
