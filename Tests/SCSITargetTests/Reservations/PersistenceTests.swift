import BackingStore
import Reactor
import SCSIModel
import StandardTables
import Testing

@testable import SCSITarget

@Suite("Saving reservations")
struct PersistenceTests {
  @Test("A change that cannot be saved fails, and the old state stays in force")
  func saveFails() throws {
    let cluster = Cluster()
    let (fencer, victim) = try FenceTests.nodes(cluster)
    let before = cluster.unit.reservationState
    cluster.persistence.fail(with: .noSpace)
    #expect(fencer.run(Reserve.preempt(1, 2, abort: true)) == "04/44/00")
    #expect(cluster.unit.reservationState == before)
    #expect(fencer.keys == [1, 2])
    #expect(victim.run(victim.write()) == "good")
    #expect(fencer.run(fencer.write()) == "reservationConflict")
    cluster.persistence.fail(with: nil)
    #expect(fencer.run(Reserve.preempt(1, 2, abort: true)) == "good")
    #expect(cluster.persistence.saved.last == cluster.unit.reservationState)
  }

  @Test("While a save hangs the old state is in force, and later changes wait for their turn")
  func slowSave() throws {
    let cluster = Cluster()
    let (fencer, victim) = try FenceTests.nodes(cluster)
    let third = cluster.node("c", on: 1)
    cluster.persistence.hold()
    let fence = fencer.begin(Reserve.preempt(1, 2))
    cluster.settle()
    let registration = third.begin(Reserve.register(3))
    cluster.settle()
    #expect(cluster.persistence.heldCount == 1)
    #expect(victim.run(victim.write()) == "good")
    #expect(fencer.run(fencer.write()) == "reservationConflict")
    #expect(third.keys == [1, 2])
    #expect(fence.outcome == "pending" && registration.outcome == "pending")
    cluster.persistence.release()
    cluster.settle()
    #expect(fence.outcome == "good" && registration.outcome == "good")
    #expect(third.keys == [1, 3])
    #expect(cluster.persistence.saved.last == cluster.unit.reservationState)
  }

  @Test("The end of a save is seen at once although the mailbox was full")
  func savedUnheard() throws {
    let cluster = Cluster()
    let (fencer, _) = try FenceTests.nodes(cluster)
    cluster.persistence.hold()
    let fence = fencer.begin(Reserve.preempt(1, 2))
    cluster.settle()
    cluster.block(0)
    cluster.persistence.release()
    // Without waiting for anything: a fence is in a hurry.
    cluster.settle()
    #expect(fence.outcome == "good")
  }

  @Test("What was saved is in force from the first command on")
  func savedState() throws {
    let cluster = Cluster()
    let (fencer, victim) = try FenceTests.nodes(cluster, type: 3)
    let next = Cluster(reservations: .intact(try #require(cluster.persistence.saved.last)))
    let holder = next.node("b", on: 1)
    let other = next.node("a", on: 0)
    #expect(holder.identity == victim.identity && other.identity == fencer.identity)
    #expect(other.run(CDB.ten(0x28, 0, 1)) == "reservationConflict")
    #expect(holder.run(holder.write()) == "good")
    #expect(other.keys == [1, 2])
  }

  @Test("A unit whose reservations are damaged answers NOT READY to all but what describes it")
  func damaged() {
    let cluster = Cluster(reservations: .damaged)
    let node = cluster.node("a")
    for row in CommandTable.standard.rows {
      let (cdb, out) = AdmissionTests.sensibleCommand(row)
      let isAllowed = NotReady.allows(row.opcode, action: row.serviceAction)
      let outcome = node.run(cdb, row.direction == .dataOut ? out : [])
      #expect((outcome == "02/04/03") == !isAllowed, "\(row.name): \(outcome)")
    }
    #expect(cluster.store.log.isEmpty)
    let sense = node.begin([0x03, 0, 0, 0, 18, 0])
    let data = sense.data?.bytes(0..<sense.dataCount) ?? []
    #expect(SenseData(decoding: data)?.description == "02/04/03")
  }

  @Test("A registration survives logout and login of the same port, on whatever reactor")
  func survivesLogin() throws {
    let cluster = Cluster()
    let (other, holder) = try FenceTests.nodes(cluster, type: 3)
    holder.logout()
    #expect(other.run(CDB.ten(0x28, 0, 1)) == "reservationConflict")
    holder.login(on: cluster.servers[0])
    #expect(holder.run(holder.write()) == "good")
    #expect(holder.run(Reserve.out(2, type: 3, key: 2)) == "good")
    #expect(other.run(CDB.ten(0x28, 0, 1)) == "good")
    let stranger = cluster.node("b2", on: 1)
    #expect(stranger.run(Reserve.reserve(2, 3)) == "reservationConflict")
  }

  @Test("More reservation commands of a nexus than the queue holds of it are answered BUSY")
  func queueBound() throws {
    let cluster = Cluster()
    let node = cluster.node("a", on: 1)
    cluster.persistence.hold()
    let tasks = (0..<ReservationHome.queueMaxPerNexus + 3).map {
      node.begin(Reserve.out(6, new: UInt64($0 + 1)))
    }
    cluster.settle()
    #expect(tasks.map(\.outcome).filter { $0 == "busy" }.count == 2)
    cluster.persistence.release()
    while tasks.contains(where: { $0.phase != .ended }) { cluster.settle() }
    #expect(
      tasks.map(\.outcome).filter { $0 == "good" }.count == ReservationHome.queueMaxPerNexus + 1)
    #expect(node.keys == [UInt64(ReservationHome.queueMaxPerNexus + 1)])
  }
}
