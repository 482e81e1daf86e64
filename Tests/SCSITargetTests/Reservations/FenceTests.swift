import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

/// What GOOD for a PREEMPT promises: nothing of the victim lands afterwards (SPC-4 §5.13.11.2.6).
@Suite("Fences")
struct FenceTests {
  /// `a` registered with key 1, `b` with key 2 and the holder of a reservation of `type`.
  static func nodes(
    _ cluster: Cluster, type: UInt8 = 1
  ) throws -> (fencer: Node, victim: Node) {
    let fencer = cluster.node("a", on: 0)
    let victim = cluster.node("b", on: cluster.servers.count - 1)
    try #require(fencer.run(Reserve.register(1)) == "good")
    try #require(victim.run(Reserve.register(2)) == "good")
    try #require(victim.run(Reserve.reserve(2, type)) == "good")
    return (fencer, victim)
  }

  @Test(
    "PREEMPT AND ABORT answers only when the victim's write in flight has ended",
    arguments: [1, 2, 3])
  func preemptAndAbortWaits(reactors: Int) throws {
    let cluster = Cluster(reactors: reactors)
    let (fencer, victim) = try Self.nodes(cluster)
    cluster.store.isHolding = true
    let write = victim.begin(victim.write())
    cluster.store.isHolding = false
    let fence = fencer.begin(Reserve.preempt(1, 2, abort: true))
    cluster.settle()
    // The aborted command, too, ends only when it cannot land any more.
    #expect(fence.outcome == "pending" && write.outcome == "pending")
    // The change is in force long before it is answered.
    let late = victim.begin(victim.write(1))
    #expect(late.outcome == "reservationConflict")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(fence.outcome == "good")
    #expect(write.outcome == "taskAborted")
    let started = cluster.store.log.count
    while victim.lun.hasUnitAttention { _ = victim.lun.takeAttention() }
    #expect(victim.run(victim.write()) == "reservationConflict")
    #expect(cluster.store.log.count == started)
    #expect(fencer.keys == [1])
    #expect(fencer.run(fencer.write()) == "good")
  }

  @Test(
    "A write whose data comes after the fence never reaches the store", arguments: [false, true])
  func dataAfterFence(aborts: Bool) throws {
    let cluster = Cluster()
    let (fencer, victim) = try Self.nodes(cluster)
    let write = victim.admit(victim.write().cdb, victim.write().out)
    #expect(write.phase == .collectingData)
    #expect(fencer.run(Reserve.preempt(1, 2, abort: aborts)) == "good")
    if write.phase == .collectingData { victim.lun.server.execute(write) }
    #expect(write.outcome == (aborts ? "taskAborted" : "reservationConflict"))
    #expect(cluster.store.log.isEmpty)
    #expect(victim.server.taskCount == 0)
  }

  @Test("PREEMPT waits for the operations in flight that it forbids, and for no others")
  func preemptWaits() throws {
    let cluster = Cluster()
    let (fencer, victim) = try Self.nodes(cluster)
    cluster.store.isHolding = true
    let read = victim.begin(CDB.ten(0x28, 0, 1))
    // Write exclusive: a read is everybody's.
    let fence = fencer.begin(Reserve.preempt(1, 2, 1))
    cluster.settle()
    #expect(fence.outcome == "good")
    #expect(read.outcome == "pending")
    let exclusive = fencer.begin(Reserve.preempt(1, 1, 3))
    cluster.settle()
    #expect(exclusive.outcome == "pending")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(exclusive.outcome == "good")
    #expect(read.outcome == "good")
  }

  @Test("A write in flight when it is preempted without abort ends as it ends")
  func preemptedWrite() throws {
    let cluster = Cluster()
    let (fencer, victim) = try Self.nodes(cluster)
    cluster.store.isHolding = true
    let write = victim.begin(victim.write())
    let fence = fencer.begin(Reserve.preempt(1, 2))
    cluster.settle()
    #expect(fence.outcome == "pending")
    cluster.store.releaseHeld()
    #expect(write.outcome == "good")
    #expect(fence.outcome == "pending")
    cluster.settle()
    #expect(fence.outcome == "good")
  }

  @Test("A command of many steps that is fenced starts no further one")
  func manySteps() throws {
    let cluster = Cluster(blocks: 6000)
    let (fencer, victim) = try Self.nodes(cluster)
    cluster.store.isHolding = true
    let write = victim.begin(CDB.sixteen(0x93, 0, 5000), [UInt8](repeating: 1, count: 512))
    cluster.store.isHolding = false
    let fence = fencer.begin(Reserve.preempt(1, 2))
    cluster.settle()
    #expect(fence.outcome == "pending")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(write.outcome == "reservationConflict")
    #expect(fence.outcome == "good")
    #expect(cluster.store.log.count == 1)
  }

  @Test("Those who lose tasks to PREEMPT AND ABORT are told as TAS says", arguments: [false, true])
  func taskAborted(reportsTaskAborted: Bool) throws {
    let cluster = Cluster()
    let (fencer, victim) = try Self.nodes(cluster)
    cluster.unit.modes.reportsTaskAborted = reportsTaskAborted
    cluster.store.isHolding = true
    let write = victim.begin(victim.write())
    let collecting = victim.admit(victim.write(1).cdb, victim.write(1).out)
    let own = fencer.begin(CDB.ten(0x28, 5, 1))
    let fence = fencer.begin(Reserve.preempt(1, 2, abort: true))
    cluster.settle()
    #expect(collecting.outcome == (reportsTaskAborted ? "taskAborted" : "aborted"))
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(fence.outcome == "good")
    #expect(own.outcome == "good")
    #expect(write.outcome == (reportsTaskAborted ? "taskAborted" : "aborted"))
    var told: Set<String> = []
    while victim.lun.hasUnitAttention { told.insert(victim.run(CDB.testUnitReady)) }
    #expect(told.contains("06/2A/05"))
    #expect(told.contains("06/2F/00") == !reportsTaskAborted)
  }

  @Test(
    "Who is fenced keeps the medium in no more if its tasks are aborted", arguments: [false, true])
  func allowsRemoval(aborts: Bool) throws {
    let cluster = Cluster()
    let (fencer, victim) = try Self.nodes(cluster)
    #expect(victim.run([0x1E, 0, 0, 0, 1, 0]) == "good")
    #expect(fencer.run(Reserve.preempt(1, 2, abort: aborts)) == "good")
    #expect(cluster.unit.medium.isRemovalPrevented == !aborts)
  }

  @Test("Of two nodes that fence each other one wins, and nobody waits for ever")
  func mutualFence() throws {
    let cluster = Cluster()
    let (first, second) = try Self.nodes(cluster)
    cluster.store.isHolding = true
    let write = first.begin(CDB.ten(0x28, 0, 1))
    let other = second.begin(CDB.ten(0x28, 0, 1))
    let fence = first.begin(Reserve.preempt(1, 2, abort: true))
    let counter = second.begin(Reserve.preempt(2, 1, abort: true))
    cluster.settle()
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(fence.outcome == "good")
    #expect(counter.outcome == "taskAborted")
    #expect(write.outcome == "good")
    #expect(other.outcome == "taskAborted")
    #expect(first.keys == [1])
    #expect(cluster.servers.allSatisfy { $0.taskCount == 0 })
  }

  @Test("A key is reported as gone only when nothing of its owner is under way")
  func reportsWhatIsInForce() throws {
    let cluster = Cluster(reactors: 3)
    let (fencer, victim) = try Self.nodes(cluster)
    let observer = cluster.node("c", on: 1)
    cluster.store.isHolding = true
    _ = victim.begin(victim.write())
    let fence = fencer.begin(Reserve.preempt(1, 2, abort: true))
    cluster.settle()
    #expect(observer.keys == [1, 2])
    #expect(cluster.unit.reservationState.registrations.count == 2)
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(fence.outcome == "good")
    #expect(observer.keys == [1])
    #expect(cluster.unit.reservationState.registrations.map(\.key) == [1])
  }

  @Test("A reactor that cannot be told keeps the fence from being GOOD, and is told in the end")
  func unreachableReactor() throws {
    let cluster = Cluster(reactors: 3)
    let (fencer, victim) = try Self.nodes(cluster)
    cluster.block(2)
    let fence = fencer.begin(Reserve.preempt(1, 2, abort: true))
    for _ in 0..<5 {
      for reactor in cluster.reactors.prefix(2) {
        let engine = try #require(reactor.engine as? TestEngine)
        engine.now = engine.now + Milliseconds(20)
      }
      cluster.settle(without: 2)
      #expect(fence.outcome == "pending")
    }
    cluster.reactors[2].turn()
    cluster.pass(20)
    #expect(fence.outcome == "good")
    #expect(victim.run(CDB.testUnitReady) == "06/2A/05")
    #expect(victim.run(victim.write()) == "reservationConflict")
  }

  // MARK: The command's own end

  @Test("A fence whose session is lost while it waits completes, and ends as aborted")
  func lostWhileWaiting() throws {
    let cluster = Cluster()
    let (fencer, victim) = try Self.nodes(cluster)
    cluster.store.isHolding = true
    _ = victim.begin(victim.write())
    let fence = fencer.begin(Reserve.preempt(1, 2, abort: true))
    cluster.settle()
    var isDone = false
    fencer.server.abortTaskSet(of: fencer.lun) { isDone = true }
    cluster.settle()
    #expect(!isDone && fence.outcome == "pending")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(isDone && fence.outcome == "aborted")
    fencer.logout()
    fencer.login(on: cluster.servers[1])
    #expect(fencer.keys == [1])
    #expect(fencer.run(fencer.write()) == "good")
  }

  @Test("A reservation command that is aborted before its turn changes nothing")
  func abortedBeforeItsTurn() throws {
    let cluster = Cluster()
    let (fencer, victim) = try Self.nodes(cluster)
    let third = cluster.node("c", on: 1)
    cluster.persistence.hold()
    let first = fencer.begin(Reserve.register(7, from: 1))
    cluster.settle()
    let second = third.begin(Reserve.register(3))
    cluster.settle()
    var isDone = false
    third.server.abortTaskSet(of: third.lun) { isDone = true }
    cluster.settle()
    #expect(isDone && second.outcome == "aborted")
    #expect(first.outcome == "pending")
    cluster.persistence.release()
    cluster.settle()
    #expect(first.outcome == "good")
    #expect(victim.keys.sorted() == [2, 7])
  }

  @Test("An abort does not overtake its command on the way to a home that is hard to reach")
  func abortedBeforeSent() throws {
    let cluster = Cluster()
    let (_, victim) = try Self.nodes(cluster)
    let third = cluster.node("c", on: 1)
    cluster.block(0)
    let registration = third.begin(Reserve.register(3))
    cluster.persistence.hold()
    var isDone = false
    third.server.abortTaskSet(of: third.lun) { isDone = true }
    cluster.settle(without: 0)
    #expect(!isDone && registration.outcome == "pending")
    // Somebody else's change keeps it waiting for its turn.
    cluster.reactors[0].turn()
    let other = cluster.node("d", on: 0).begin(Reserve.register(4))
    cluster.settle()
    cluster.pass(20)
    cluster.pass(20)
    #expect(isDone && registration.outcome == "aborted")
    cluster.persistence.release()
    cluster.settle()
    #expect(other.outcome == "good")
    #expect(victim.keys == [1, 2, 4])
  }

  @Test("LOGICAL UNIT RESET waits for the change under way, drops those behind it, keeps the keys")
  func reset() throws {
    let cluster = Cluster()
    let (fencer, victim) = try Self.nodes(cluster)
    cluster.persistence.hold()
    let first = fencer.begin(Reserve.register(7, from: 1))
    cluster.settle()
    let second = victim.begin(Reserve.register(8, from: 2))
    var isDone = false
    victim.server.reset(by: victim.lun, attention: .busDeviceResetFunctionOccurred) {
      isDone = true
    }
    cluster.settle()
    #expect(!isDone)
    #expect(second.outcome == "aborted")
    cluster.persistence.release()
    cluster.settle()
    #expect(isDone)
    #expect(first.outcome == "taskAborted")
    #expect(cluster.unit.reservationState.registrations.map(\.key).sorted() == [2, 7])
    #expect(cluster.unit.reservationState.reservation?.holder == victim.identity)
  }
}
