import BackingStore
import Reactor
import SCSIModel
import StandardTables
import Testing

@testable import SCSITarget

/// Who may do what under reservations, end to end.
@Suite("Access under reservations")
struct ReservationAccessTests {
  /// T-RO-1, of a reservation. What is expected is the standards' and not the unit's own table; a
  /// command without an expectation fails.
  @Test(
    "Each command is admitted or refused on another reactor as the standards' tables say",
    arguments: [1, 3, 5, 6, 7, 8] as [UInt8])
  func walk(type: UInt8) throws {
    for row in CommandTable.standard.rows where row.opcode != Self.reserveOutOpcode {
      let (cdb, out) = AdmissionTests.sensibleCommand(row)
      let expected = try #require(
        ReservationConflict.of(
          opcode: row.opcode, action: row.serviceAction, flags: row.length == 6 ? cdb[4] : 0),
        "\(row.name) is in no table")
      // Anew for each of them: RESERVE would be another's, a MODE SELECT would be seen.
      for relation in ReservationRelation.allCases {
        let (cluster, node) = try Self.node(relation, type: type)
        let changesBefore = cluster.store.changes
        let outcome = node.run(cdb, row.direction == .dataOut ? out : [])
        #expect(
          (outcome == "reservationConflict") == !expected.admits(type, relation.under(type)),
          "\(row.name) by \(relation): \(outcome)")
        if outcome == "reservationConflict" {
          #expect(cluster.store.changes == changesBefore, "\(row.name) by \(relation)")
        }
      }
    }
  }

  @Test(
    "Each PERSISTENT RESERVE OUT with the sender's key is refused to whom SPC-4 table 67 says",
    arguments: [1, 3, 5, 6, 7, 8] as [UInt8])
  func reserveOut(type: UInt8) throws {
    var triedCount = 0
    for row in CommandTable.standard.rows where row.opcode == Self.reserveOutOpcode {
      let action = UInt8(row.serviceAction ?? 0xFF)
      for relation in ReservationRelation.allCases {
        guard let isAdmitted = ReservationAction.isAdmitted(action, from: relation.under(type))
        else { continue }
        triedCount += 1
        let (cluster, node) = try Self.node(relation, type: type)
        let before = cluster.unit.reservationState
        let key: UInt64 = relation == .holder ? 2 : relation == .registrant ? 1 : 0
        // The victim of a PREEMPT is the other of the two.
        let other: UInt64 = [0, 6].contains(action) ? 9 : key == 1 ? 2 : 1
        let outcome = node.run(Reserve.out(action, type: type, key: key, new: other))
        #expect(
          outcome == (isAdmitted ? "good" : "reservationConflict"),
          "\(row.name) by \(relation): \(outcome)")
        if !isAdmitted { #expect(cluster.unit.reservationState == before, "\(row.name)") }
      }
    }
    // Seven service actions, by each of the three.
    #expect(triedCount == 21)
  }

  private static let reserveOutOpcode: UInt8 = 0x5F

  /// One of three nodes of a cluster whose second holds a reservation of `type`, with nothing to be
  /// told of.
  private static func node(
    _ relation: ReservationRelation, type: UInt8
  ) throws -> (cluster: Cluster, node: Node) {
    let cluster = Cluster()
    cluster.store.image.replaceSubrange(0..<512, with: repeatElement(0x33, count: 512))
    let (registrant, holder) = try FenceTests.nodes(cluster, type: type)
    let stranger = cluster.node("c", on: 0)
    let node =
      switch relation {
      case .holder: holder
      case .registrant: registrant
      case .stranger: stranger
      }
    while node.run(CDB.testUnitReady) != "good" {}
    return (cluster, node)
  }

  @Test("Those whom a change concerns are told, wherever they are, and nobody else")
  func attentions() throws {
    let cluster = Cluster(reactors: 3)
    let (first, second) = try FenceTests.nodes(cluster)
    let stranger = cluster.node("c", on: 1)
    second.logout()
    let third = cluster.node("d", on: 1)
    #expect(third.run(Reserve.register(3)) == "good")
    // CLEAR: RESERVATIONS PREEMPTED for every other registrant.
    #expect(first.run(Reserve.out(3, key: 1)) == "good")
    #expect(third.run(CDB.testUnitReady) == "06/2A/03")
    #expect(third.run(CDB.testUnitReady) == "good")
    #expect(first.run(CDB.testUnitReady) == "good")
    #expect(stranger.run(CDB.testUnitReady) == "good")
    second.login()
    #expect(second.run(CDB.testUnitReady) == "good")
    #expect(cluster.unit.reservationState.registrations.isEmpty)
  }

  @Test("A conflict comes before a unit attention and leaves it pending, but for that of a reset")
  func conflictFirst() throws {
    let cluster = Cluster()
    let (fencer, victim) = try FenceTests.nodes(cluster)
    #expect(fencer.run(Reserve.preempt(1, 2)) == "good")
    for _ in 0..<2 { #expect(victim.run(victim.write()) == "reservationConflict") }
    // A CDB that is wrong conflicts with nothing.
    #expect(victim.run(CDB.ten(0x2A, 0, 1, flags: 0xE1)) == "06/2A/05")
    victim.lun.establish(.modeParametersChanged)
    victim.lun.establish(.nexusLossOccurred)
    #expect(victim.run(victim.write()) == "06/29/07")
    #expect(victim.run(victim.write()) == "reservationConflict")
    #expect(victim.run(CDB.ten(0x28, 0, 1)) == "06/2A/01")
    #expect(victim.run(CDB.ten(0x28, 0, 1)) == "good")
  }

  @Test("An initiator that may only read can neither register nor reserve")
  func readOnly() {
    let cluster = Cluster()
    let node = cluster.node("a", isReadOnly: true)
    for action in 0...8 as ClosedRange<UInt8> {
      #expect(node.run(Reserve.out(action, type: 1, new: 1)) == "05/20/02", "\(action)")
    }
    #expect(node.run(Reserve.reserve6) == "05/20/02")
    #expect(node.run(Reserve.release6) == "good")
    #expect(node.keys == [])
    #expect(cluster.persistence.saved.isEmpty)
  }

  // MARK: RESERVE and RELEASE

  @Test("RESERVE keeps all others out until RELEASE, and saves nothing")
  func reserveRelease() {
    let cluster = Cluster()
    let holder = cluster.node("a", on: 1)
    let other = cluster.node("b", on: 0)
    #expect(holder.run(Reserve.reserve6) == "good")
    #expect(holder.run(Reserve.reserve6) == "good")
    #expect(other.run(Reserve.reserve6) == "reservationConflict")
    #expect(other.run(CDB.ten(0x28, 0, 1)) == "reservationConflict")
    #expect(other.run(Reserve.register(1)) == "reservationConflict")
    #expect(holder.run(Reserve.register(1)) == "reservationConflict")
    #expect(other.run([0x12, 0, 0, 0, 96, 0]) == "good")
    #expect(holder.run(holder.write()) == "good")
    #expect(other.run(Reserve.release6) == "good")
    #expect(other.run(other.write()) == "reservationConflict")
    #expect(holder.run(Reserve.release6) == "good")
    #expect(other.run(other.write()) == "good")
    #expect(cluster.persistence.saved.isEmpty)
  }

  @Test("RESERVE waits for what others have in flight")
  func reserveWaits() {
    let cluster = Cluster()
    let holder = cluster.node("a", on: 1)
    let other = cluster.node("b", on: 0)
    cluster.store.isHolding = true
    let write = other.begin(other.write())
    let reserve = holder.begin(Reserve.reserve6)
    cluster.settle()
    #expect(reserve.outcome == "pending")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(write.outcome == "good")
    #expect(reserve.outcome == "good")
  }

  @Test(
    "A RESERVE ends with its nexus and with a reset", arguments: ["logout", "reset", "relogin"])
  func reserveEnds(by end: String) {
    let cluster = Cluster()
    let holder = cluster.node("a", on: 1)
    let other = cluster.node("b", on: 0)
    #expect(holder.run(Reserve.reserve6) == "good")
    switch end {
    case "reset":
      var isDone = false
      other.server.reset(by: other.lun, attention: .busDeviceResetFunctionOccurred) {
        isDone = true
      }
      cluster.settle()
      #expect(isDone)
      _ = other.lun.takeAttention()
    case "logout":
      holder.logout()
      cluster.settle()
    default:
      holder.logout()
      holder.login(on: cluster.servers[0])
      // Before the end of the session before has been heard of: it is the same port.
      #expect(holder.begin(CDB.testUnitReady).outcome == "good")
      cluster.settle()
    }
    #expect(other.run(other.write()) == "good")
    #expect(other.run(Reserve.register(1)) == "good")
  }

  @Test("LOGICAL UNIT RESET ends a RESERVE after all tasks: nobody meets what its holder writes")
  func reset() {
    let cluster = Cluster()
    let holder = cluster.node("a", on: 1)
    let other = cluster.node("b", on: 0)
    #expect(holder.run(Reserve.reserve6) == "good")
    cluster.store.isHolding = true
    let write = holder.begin(holder.write())
    var isDone = false
    other.server.reset(by: other.lun, attention: .busDeviceResetFunctionOccurred) { isDone = true }
    cluster.settle()
    for node in [holder, other] { _ = node.lun.takeAttention() }
    #expect(!isDone && other.run(other.write(1)) == "reservationConflict")
    // What is granted now would end with the reset.
    #expect(holder.run(Reserve.reserve6) == "busy" && holder.run(Reserve.release6) == "busy")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(isDone && write.outcome == "taskAborted")
    #expect(other.run(Reserve.reserve6) == "good")
    #expect(holder.run(holder.write()) == "reservationConflict")
  }

  @Test(
    "I_T NEXUS RESET ends a RESERVE after the nexus's tasks: nobody meets what they still write")
  func nexusReset() {
    let cluster = Cluster()
    let holder = cluster.node("a", on: 1)
    let other = cluster.node("b", on: 0)
    #expect(holder.run(Reserve.reserve6) == "good")
    cluster.store.isHolding = true
    let write = holder.begin(holder.write())
    var isDone = false
    holder.server.resetNexus(holder.lun) { isDone = true }
    cluster.settle()
    #expect(!isDone && other.run(other.write(1)) == "reservationConflict")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(isDone && write.outcome == "aborted")
    #expect(other.run(other.write()) == "good")
  }

  @Test("I_T NEXUS RESET ends a RESERVE too that comes into force while it is aborted")
  func nexusResetOfReserve() {
    let cluster = Cluster()
    let holder = cluster.node("a", on: 1)
    let other = cluster.node("b", on: 0)
    let reserve = holder.begin(Reserve.reserve6)
    // The home has decided, and the nexus's own reactor has not heard of it.
    cluster.reactors[0].turn()
    var isDone = false
    holder.server.resetNexus(holder.lun) { isDone = true }
    #expect(!isDone && reserve.outcome == "pending")
    cluster.settle()
    #expect(isDone && reserve.outcome == "aborted")
    #expect(other.run(other.write()) == "good")
  }

  @Test("RESERVE and registrations exclude each other, but for whom the reservation already serves")
  func reserveBesideRegistrations() throws {
    let cluster = Cluster()
    let (registrant, holder) = try FenceTests.nodes(cluster)
    let stranger = cluster.node("c", on: 1)
    #expect(holder.run(Reserve.reserve6) == "good")
    #expect(holder.run(Reserve.release6) == "good")
    #expect(registrant.run(Reserve.reserve6) == "reservationConflict")
    #expect(stranger.run(Reserve.reserve6) == "reservationConflict")
    #expect(stranger.run(Reserve.release6) == "reservationConflict")
    #expect(holder.run(holder.write()) == "good")
  }
}

extension ReservationRelation {
  /// Of the all registrants types every registrant is a holder (SPC-4 §5.13.9).
  fileprivate func under(_ type: UInt8) -> ReservationRelation {
    self == .registrant && (type == 7 || type == 8) ? .holder : self
  }
}
