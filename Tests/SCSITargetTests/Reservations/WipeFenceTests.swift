import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

/// Fences against a SANITIZE: as nobody can fence while the medium is NOT READY, the fence has come
/// first, and its change is being saved when the SANITIZE arrives.
@Suite("Fences and wipes")
struct WipeFenceTests {
  private let memory = WipeMarkTests.Memory()
  private let pattern: [UInt8] = [1, 0, 0, 1, 0x3C]

  private func makeCluster() -> Cluster {
    var options = Bench.options
    options.wipePersistence = memory
    return Cluster(blocks: 5000, options: options)
  }

  private func overwrite(flags: UInt8 = 0) -> (cdb: [UInt8], out: [UInt8]) {
    (CDB.sanitize(1, flags: flags, pattern.count), pattern)
  }

  @Test(
    "A SANITIZE whose node is fenced before its first write never begins, with IMMED or without",
    arguments: [false, true], [UInt8(0), 0x80])
  func beforeTheFirstWrite(aborts: Bool, flags: UInt8) throws {
    // It waits for its mark, or for a write that has to land before.
    for waitsForMark in [true, false] {
      let cluster = makeCluster()
      let (fencer, victim) = try FenceTests.nodes(cluster)
      cluster.persistence.hold()
      let fence = fencer.begin(Reserve.preempt(1, 2, abort: aborts))
      cluster.settle()
      cluster.store.isHolding = !waitsForMark
      if waitsForMark { memory.set(isHolding: true) } else { _ = victim.begin(victim.write()) }
      let before = cluster.store.log.count
      let wipe = victim.begin(overwrite(flags: flags))
      cluster.settle()
      cluster.persistence.release()
      cluster.settle()
      #expect(fence.outcome == "pending" && wipe.outcome == "pending")
      if waitsForMark { memory.release() } else { cluster.store.releaseHeld() }
      cluster.settle()
      #expect(fence.outcome == "good")
      #expect(wipe.outcome == (aborts ? "taskAborted" : "reservationConflict"))
      #expect(cluster.store.log.count == before && victim.server.wipe == nil)
      #expect(memory.mark == nil)
      #expect(fencer.run(fencer.write()) == "good")
    }
  }

  @Test(
    "PREEMPT does not wait for the end of a SANITIZE that has begun, which goes on",
    arguments: [false, true])
  func afterTheFirstWrite(aborts: Bool) throws {
    let cluster = makeCluster()
    let (fencer, victim) = try FenceTests.nodes(cluster)
    cluster.persistence.hold()
    let fence = fencer.begin(Reserve.preempt(1, 2, abort: aborts))
    cluster.settle()
    cluster.store.isHolding = true
    let wipe = victim.begin(overwrite())
    cluster.settle()
    cluster.persistence.release()
    cluster.settle()
    #expect(cluster.store.heldCount == 1 && fence.outcome == "pending")
    cluster.store.releaseHeld(at: 0)
    cluster.settle()
    #expect(fence.outcome == "good" && cluster.store.heldCount == 1)
    #expect(wipe.outcome == (aborts ? "taskAborted" : "reservationConflict"))
    #expect(fencer.run(CDB.testUnitReady) == "02/04/1B")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(cluster.store.image.allSatisfy { $0 == 0x3C } && memory.mark == nil)
    #expect(fencer.run(fencer.write()) == "good")
  }

  @Test("IMMED is answered when nothing but the end of the process can keep it from erasing")
  func immediate() throws {
    let cluster = makeCluster()
    let (_, victim) = try FenceTests.nodes(cluster)
    cluster.store.isHolding = true
    _ = victim.begin(victim.write())
    let wipe = victim.begin(overwrite(flags: 0x80))
    cluster.settle()
    #expect(wipe.outcome == "pending" && memory.mark == WipeMark(.sanitize))
    cluster.store.releaseHeld(at: 0)
    cluster.settle()
    #expect(wipe.outcome == "good" && cluster.store.heldCount == 1)
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(victim.server.wipe == nil)
  }
}
