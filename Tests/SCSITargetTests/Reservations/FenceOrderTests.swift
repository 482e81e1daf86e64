import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

/// Reservation commands in the order of tasks (SAM-5 §8.7): a fence waits for nobody else's.
@Suite("Fences and task order")
struct FenceOrderTests {
  private func read(_ block: UInt64) -> [UInt8] { CDB.ten(0x28, block, 1) }

  @Test(
    "A fence waits neither for an ORDERED task of another node nor for what that waits for",
    arguments: [SCSITask.Attribute.simple, .ordered, .headOfQueue], [0, 1])
  func passesBarrier(attribute: SCSITask.Attribute, bystanderAt reactor: Int) throws {
    let cluster = Cluster()
    let (fencer, victim) = try FenceTests.nodes(cluster)
    let bystander = cluster.node("c", on: reactor)
    cluster.store.isHolding = true
    let other = bystander.begin(read(0))
    let barrier = victim.begin(read(1), attribute: .ordered)
    cluster.settle()
    let behind = bystander.begin(read(2))
    let fence = fencer.begin(Reserve.preempt(1, 2, abort: true), attribute: attribute)
    let keys = fencer.begin([0x5E, 0, 0, 0, 0, 0, 0, 64, 0, 0], attribute: attribute)
    cluster.settle()
    #expect(fence.outcome == "good" && keys.outcome == "good")
    #expect(barrier.outcome == "taskAborted" && other.outcome == "pending")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(other.outcome == "good" && behind.outcome == "good")
    #expect(cluster.servers.allSatisfy { $0.order.isIdle && !$0.isOrdering })
  }

  @Test("A fence without abort passes an ORDERED task too, which is refused when its turn comes")
  func withoutAbort() throws {
    let cluster = Cluster()
    let (fencer, victim) = try FenceTests.nodes(cluster)
    let bystander = cluster.node("c", on: 0)
    cluster.store.isHolding = true
    _ = bystander.begin(read(0))
    let write = victim.begin(victim.write(), attribute: .ordered)
    cluster.settle()
    let fence = fencer.begin(Reserve.preempt(1, 2))
    cluster.settle()
    #expect(fence.outcome == "good" && write.outcome == "pending")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(write.outcome == "reservationConflict" && cluster.store.log.count == 1)
  }

  @Test("A reservation command keeps its place among the commands of its own node")
  func ownOrder() throws {
    let cluster = Cluster()
    let (_, node) = try FenceTests.nodes(cluster)
    for (first, second) in [(SCSITask.Attribute.ordered, SCSITask.Attribute.simple)]
      + [(.simple, .ordered), (.headOfQueue, .simple)]
    {
      cluster.store.isHolding = true
      let write = node.begin(node.write(), attribute: first)
      let register = node.begin(Reserve.register(2, from: 2), attribute: second)
      cluster.settle()
      #expect(register.outcome == "pending")
      cluster.store.releaseHeld()
      cluster.settle()
      #expect(write.outcome == "good" && register.outcome == "good")
    }
  }

  @Test("What a node sends behind its ORDERED reservation command waits for it; others do not ask")
  func barrierForOwn() throws {
    let cluster = Cluster()
    let (_, node) = try FenceTests.nodes(cluster)
    let other = cluster.node("c", on: 0)
    cluster.persistence.hold()
    let register = node.begin(Reserve.register(7, from: 2), attribute: .ordered)
    let mine = node.begin(read(0))
    let theirs = other.begin(read(1))
    cluster.settle()
    #expect(register.outcome == "pending" && mine.outcome == "pending")
    #expect(theirs.outcome == "good")
    cluster.persistence.release()
    cluster.settle()
    #expect(register.outcome == "good" && mine.outcome == "good")
    #expect(cluster.servers.allSatisfy { $0.order.isIdle && !$0.isOrdering })
  }
}
