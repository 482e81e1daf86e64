import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

/// The work of FORMAT UNIT and SANITIZE beside what else goes on.
@Suite("Wiping a medium")
struct MediumWipeTests {
  private let pattern: [UInt8] = [1, 0, 0, 1, 0x3C]

  private func beginOverwrite(_ bench: Bench) -> SCSITask {
    bench.begin(CDB.sanitize(1, pattern.count), out: pattern)
  }

  /// Lets the interval of a retry pass.
  private func elapse(_ bench: Bench) {
    bench.elapse(milliseconds: MediumWipe.retryInterval.rawValue)
    for _ in 0..<4 { bench.reactor.turn() }
  }

  @Test("The end of the process ends a SANITIZE after the piece in flight, as failed")
  func interrupted() {
    let store = TestStore(blockBytes: 512, blocks: 5000)
    let bench = Bench(store)
    store.isHolding = true
    let task = beginOverwrite(bench)
    for _ in 0..<4 { bench.reactor.turn() }
    bench.unit.medium.interrupt()
    store.releaseHeld()
    for _ in 0..<4 { bench.reactor.turn() }
    #expect(bench.server.wipe == nil && store.log.count == 1)
    #expect(task.sense == .sanitizeCommandFailed)
  }

  @Test("What the store is short of resources for is asked for again, pieces and synchronization")
  func shortage() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 5000))
    // Of three pieces the second twice, then the synchronization.
    for number in [2, 3, 6] { bench.store.faults[number] = .shortOfResources }
    let task = beginOverwrite(bench)
    for _ in 0..<10 { bench.reactor.turn() }
    #expect(task.phase == .executing && bench.store.log.count == 2)
    for _ in 0..<3 { elapse(bench) }
    #expect(task.phase == .ended && task.status == .good)
    #expect(bench.store.image.allSatisfy { $0 == 0x3C } && !bench.store.isDirty)
    #expect(bench.store.log.count == 7)
  }

  @Test("A shortage that lasts fails the wipe, after its time and not before")
  func lastingShortage() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 100))
    for number in 1...10_000 { bench.store.faults[number] = .shortOfResources }
    let task = beginOverwrite(bench)
    for _ in 0..<4 { bench.reactor.turn() }
    let intervals = MediumWipe.shortageMax.rawValue / MediumWipe.retryInterval.rawValue
    for _ in 1..<intervals { elapse(bench) }
    #expect(task.phase == .executing)
    elapse(bench)
    #expect(task.sense == .sanitizeCommandFailed && bench.server.wipe == nil)
    #expect(bench.unit.medium.condition == .sanitizeFailed)
  }

  @Test("A wipe that waits for resources answers an abort, and ends with the process")
  func abortedInShortage() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 100))
    for number in 1...10_000 { bench.store.faults[number] = .shortOfResources }
    let task = beginOverwrite(bench)
    for _ in 0..<4 { bench.reactor.turn() }
    bench.server.abort(task, barrier: nil)
    elapse(bench)
    #expect(task.phase == .ended && task.isAborted && bench.server.wipe != nil)
    bench.unit.medium.interrupt()
    elapse(bench)
    #expect(bench.server.wipe == nil && bench.unit.medium.condition == .sanitizeFailed)
  }

  @Test("COMPARE AND WRITE that a wipe was quicker than is refused, and does not wait for its end")
  func claimBehindWipe() {
    let store = TestStore(blockBytes: 512, blocks: 5000)
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    store.isHolding = true
    let data = [UInt8](repeating: 0, count: 1024)
    let (task, _) = two.admit(CDB.compareAndWrite(0, 1), out: data)
    _ = beginOverwrite(one)
    // Its own reactor has let it pass just before the medium became NOT READY.
    task.phase = .executing
    two.server.lockBlocks(task)
    for _ in 0..<8 {
      one.reactor.turn()
      two.reactor.turn()
    }
    #expect(task.sense?.description == "02/04/1B" && one.server.wipe != nil)
    #expect(store.log.count == 1)
    store.releaseHeld()
    while one.server.wipe != nil { one.reactor.turn() }
    #expect(store.image.allSatisfy { $0 == 0x3C })
  }
}
