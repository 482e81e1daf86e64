import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

/// A node that is to be fenced cannot keep the fence out by using everything up.
@Suite("Room for a fence")
struct FenceRoomTests {
  private static let testUnitReady = [UInt8](repeating: 0, count: 6)

  /// Uses the memory of `reactor` up.
  private func drain(_ reactor: Reactor) -> [Buffer] {
    var taken: [Buffer] = []
    for byteCount in [16 << 20, 1 << 20, 65_536, 4096] {
      while let buffer = reactor.buffers.allocate(byteCount) { taken.append(buffer) }
    }
    return taken
  }

  @Test("A task set that the victim has filled takes the fence, and no second one of its nexus")
  func fullTaskSet() throws {
    let cluster = Cluster(reactors: 1)
    let (fencer, victim) = try FenceTests.nodes(cluster)
    cluster.store.isHolding = true
    // And others what is kept for those that have few.
    let depth = LogicalUnit.queueDepthDefault
    let reads = (0..<depth - FairShare.keptPlaces(of: depth)).map { _ in
      victim.begin(CDB.ten(0x28, 0, 1))
    }
    #expect(victim.run(Self.testUnitReady) == "taskSetFull")
    for number in 0..<16 {
      let other = cluster.node("n\(number)", on: 0)
      for _ in 0..<FairShare.many(of: depth) { _ = other.begin(CDB.ten(0x28, 0, 1)) }
      #expect(other.run(Self.testUnitReady) == "taskSetFull")
    }
    #expect(fencer.run(Self.testUnitReady) == "busy")
    let fence = fencer.admit(
      Reserve.preempt(1, 2, abort: true).cdb, Reserve.preempt(1, 2, abort: true).out)
    try #require(fence.phase == .collectingData)
    #expect(fencer.run(Reserve.register(3, from: 1)) == "taskSetFull")
    // The victim's own are bounded in the same way.
    let own = (0..<20).map { _ in victim.admit(Reserve.register(4, from: 2).cdb) }
    #expect(own.count { $0.phase == .collectingData } == 1)
    cluster.servers[0].execute(fence)
    cluster.settle()
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(fence.outcome == "good")
    #expect(reads.allSatisfy { $0.outcome == "taskAborted" })
    #expect(fencer.keys == [1])
  }

  @Test("With the memory used up a fence and what decides on it are served, and nothing else")
  func noMemory() throws {
    let cluster = Cluster()
    let (fencer, _) = try FenceTests.nodes(cluster)
    let pool = cluster.reactors[0].buffers
    let taken = drain(cluster.reactors[0])
    #expect(fencer.run(fencer.write()) == "reservationConflict")
    #expect(Set(fencer.keys) == [1, 2])
    #expect(fencer.run(Reserve.preempt(1, 2, abort: true)) == "good")
    #expect(fencer.run(fencer.write()) == "busy")
    #expect(fencer.keys == [1])
    for buffer in taken { pool.release(buffer) }
    #expect(pool.reservedBytes <= pool.budgetBytes)
  }

  @Test("The reserve is small, and what comes back of it is not lent to others")
  func reserve() {
    let pool = BufferPool(budgetBytes: 64 << 10)
    var taken: [Buffer] = []
    while let buffer = pool.allocate(4096) { taken.append(buffer) }
    for _ in 0..<3 {
      let reserved = (0..<1000).compactMap { _ in pool.allocateFromReserve(4096) }
      #expect(reserved.count == BufferPool.reserveBytes / 4096)
      #expect(pool.allocateFromReserve(4097) == nil)
      for buffer in reserved { pool.release(buffer) }
      #expect(pool.allocate(4096) == nil)
      #expect(pool.reservedBytes == pool.budgetBytes)
    }
    for buffer in taken { pool.release(buffer) }
    #expect(pool.lentBytes == 0)
  }

  @Test("Nodes that fill the queue of reservation commands do not keep another's first one out")
  func fullQueue() throws {
    let cluster = Cluster()
    let fencer = cluster.node("a", on: 1)
    #expect(fencer.run(Reserve.register(1)) == "good")
    let crowd = (0..<ReservationHome.queueMax / ReservationHome.queueMaxPerNexus + 4).map {
      cluster.node("n\($0)", on: 0)
    }
    cluster.persistence.hold()
    let tasks = crowd.flatMap { node in
      (0..<20).map { _ in node.begin(Reserve.out(6, new: 2)) }
    }
    cluster.settle()
    #expect(tasks.count { $0.outcome == "busy" } >= 11 * crowd.count)
    let fence = fencer.begin(Reserve.register(5, from: 1))
    let second = fencer.begin(Reserve.register(6, from: 5))
    cluster.settle()
    #expect(fence.outcome == "pending" && second.outcome == "busy")
    cluster.persistence.release()
    while tasks.contains(where: { $0.phase != .ended }) || fence.phase != .ended {
      cluster.settle()
    }
    #expect(fence.outcome == "good")
  }
}
