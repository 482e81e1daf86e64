import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

/// Task attributes and the depth of the task set (SAM-5 §8.7, §5.3.1).
@Suite("Task order")
struct TaskOrderTests {
  private func read(_ block: UInt64) -> [UInt8] { CDB.ten(0x28, block, 1) }

  /// The blocks whose operations have started, in order.
  private func started(_ store: TestStore) -> [UInt64] { store.log.map { $0.offset / 512 } }

  private func turn(_ benches: Bench...) {
    for _ in 0..<6 { for bench in benches { bench.reactor.turn() } }
  }

  private func holding(_ blocks: Int = 16) -> TestStore {
    let store = TestStore(blockBytes: 512, blocks: blocks)
    store.isHolding = true
    return store
  }

  @Test("ORDERED starts after all before it, and SIMPLE and ORDERED after it wait for its end")
  func ordered() {
    let store = holding()
    let bench = Bench(store)
    bench.begin(read(0))
    bench.begin(read(1))
    bench.begin(read(2), attribute: .ordered)
    bench.begin(read(3))
    bench.begin(read(4), attribute: .ordered)
    bench.begin(read(5))
    #expect(started(store) == [0, 1])
    store.releaseHeld(at: 0)
    #expect(started(store) == [0, 1])
    store.releaseHeld(at: 0)
    #expect(started(store) == [0, 1, 2])
    store.releaseHeld(at: 0)
    #expect(started(store) == [0, 1, 2, 3])
    store.releaseHeld(at: 0)
    #expect(started(store) == [0, 1, 2, 3, 4])
    store.releaseHeld(at: 0)
    #expect(started(store) == [0, 1, 2, 3, 4, 5])
    store.releaseHeld(at: 0)
    #expect(bench.endedOutcomes().count == 6)
    #expect(!bench.server.isOrdering && bench.server.order.isIdle)
  }

  @Test("ORDERED is a barrier over the reactors of the unit, and two of them take turns")
  func acrossReactors() {
    let store = holding()
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    two.begin(read(0))
    one.begin(read(1), attribute: .ordered)
    turn(one, two)
    #expect(started(store) == [0])
    two.begin(read(2))
    two.begin(read(3), attribute: .ordered)
    one.begin(read(4))
    turn(one, two)
    #expect(started(store) == [0])
    store.releaseHeld(at: 0)
    turn(one, two)
    #expect(started(store) == [0, 1])
    store.releaseHeld(at: 0)
    turn(one, two)
    // Both shares are open in between; the other's ORDERED task waits for what was before it.
    #expect(Set(started(store)) == [0, 1, 2, 4])
    store.releaseHeld(at: 0)
    store.releaseHeld(at: 0)
    turn(one, two)
    #expect(started(store).last == 3)
    store.releaseHeld(at: 0)
    turn(one, two)
    #expect(one.endedOutcomes().count == 2 && two.endedOutcomes().count == 3)
    #expect(!one.server.isOrdering && !two.server.isOrdering)
  }

  @Test("An ORDERED task that waits for its data stops its own reactor only")
  func orderedWithoutData() {
    let store = holding()
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    let block = [UInt8](repeating: 1, count: 512)
    let (task, _) = one.admit(CDB.ten(0x2A, 0, 1), out: block, attribute: .ordered)
    one.begin(read(1))
    two.begin(read(2))
    turn(one, two)
    #expect(started(store) == [2])
    one.server.execute(task)
    turn(one, two)
    #expect(started(store) == [2])
    store.releaseHeld(at: 0)
    turn(one, two)
    #expect(started(store) == [2, 0])
    store.releaseHeld(at: 0)
    turn(one, two)
    #expect(started(store) == [2, 0, 1])
  }

  @Test("SIMPLE on a third reactor gets in between ORDERED tasks that take turns on two others")
  func fairness() {
    let store = holding()
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    let three = Bench(store, unit: one.unit, reactorIndex: 2)
    one.begin(read(0), attribute: .ordered)
    turn(one, two, three)
    two.begin(read(1), attribute: .ordered)
    one.begin(read(2), attribute: .ordered)
    two.begin(read(3), attribute: .ordered)
    three.begin(read(4))
    turn(one, two, three)
    #expect(started(store) == [0])
    for expected: [UInt64] in [[0, 4], [0, 4, 1], [0, 4, 1, 2], [0, 4, 1, 2, 3]] {
      store.releaseHeld(at: 0)
      turn(one, two, three)
      #expect(started(store) == expected)
    }
  }

  @Test("HEAD OF QUEUE waits for nothing, and those after it wait for it")
  func headOfQueue() {
    let store = holding()
    let bench = Bench(store)
    bench.begin(read(0))
    bench.begin(read(1), attribute: .ordered)
    bench.begin(read(2))
    bench.begin(read(3), attribute: .headOfQueue)
    bench.begin(read(4))
    #expect(started(store) == [0, 3])
    store.releaseHeld(at: 0)
    #expect(started(store) == [0, 3, 1])
    store.releaseHeld(at: 1)
    #expect(started(store) == [0, 3, 1, 2])
    store.releaseHeld(at: 0)
    #expect(started(store) == [0, 3, 1, 2, 4])
  }

  @Test("Aborting an ORDERED task, waiting or running, frees those behind it")
  func abortOrdered() {
    for runs in [false, true] {
      let store = holding()
      let one = Bench(store)
      let two = Bench(store, unit: one.unit, reactorIndex: 1)
      if !runs { two.begin(read(0)) }
      let task = one.begin(read(1), attribute: .ordered)
      turn(one, two)
      one.begin(read(2))
      two.begin(read(3))
      turn(one, two)
      #expect(started(store) == [runs ? 1 : 0])
      one.server.abort(task, barrier: nil)
      turn(one, two)
      if runs {
        #expect(started(store) == [1])
        store.releaseHeld(at: 0)
        turn(one, two)
      }
      #expect(started(store).count == 3 && Set(started(store).suffix(2)) == [2, 3])
      #expect(one.endedOutcomes().map(\.isAborted) == [true])
    }
  }

  @Test("A task waiting behind ORDERED is aborted at once and never starts")
  func abortWaiting() {
    let store = holding()
    let bench = Bench(store)
    bench.begin(read(0), attribute: .ordered)
    let waiting = bench.begin(read(1))
    var isDone = false
    let barrier = DrainBarrier { isDone = true }
    bench.server.abort(waiting, barrier: barrier)
    barrier.arm()
    #expect(isDone && waiting.phase == .ended)
    store.releaseHeld(at: 0)
    #expect(started(store) == [0])
    #expect(!bench.server.isOrdering)
  }

  @Test("A reset ends what runs, what waits and what asks, on all reactors, and leaves no order")
  func reset() {
    let store = holding()
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    two.begin(read(0))
    for bench in [one, two] {
      bench.begin(read(1), attribute: .ordered)
      bench.begin(read(2), attribute: .ordered)
      bench.begin(read(3))
    }
    turn(one, two)
    var isDone = false
    one.server.reset(by: one.lun, attention: .busDeviceResetFunctionOccurred) { isDone = true }
    turn(one, two)
    #expect(!isDone && started(store) == [0])
    store.releaseHeld(at: 0)
    turn(one, two)
    #expect(isDone && started(store) == [0])
    for bench in [one, two] {
      #expect(bench.endedOutcomes().allSatisfy { $0.isAborted })
      #expect(bench.server.taskCount == 0 && !bench.server.isOrdering)
    }
  }

  @Test("An ORDERED task is granted although the mailboxes were full for a while")
  func fullMailboxes() {
    let store = holding()
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    while two.reactor.mailbox.post({}) {}
    one.begin(read(0), attribute: .ordered)
    turn(one)
    #expect(started(store).isEmpty && one.reactor.courier.waitingCount > 0)
    turn(one, two)
    one.elapse(milliseconds: 20)
    turn(one, two)
    #expect(started(store) == [0])
    while two.reactor.mailbox.post({}) {}
    store.releaseHeld(at: 0)
    two.begin(read(1))
    turn(one)
    turn(two)
    #expect(started(store) == [0])
    one.elapse(milliseconds: 20)
    turn(one, two)
    #expect(started(store) == [0, 1])
  }

  @Test("A function is answered although the mailbox on the way back was full")
  func fullWayBack() {
    let store = holding()
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    two.begin(read(0))
    var isDone = false
    one.server.clearTaskSet(by: one.lun) { isDone = true }
    turn(one, two)
    while one.reactor.mailbox.post({}) {}
    store.releaseHeld(at: 0)
    turn(two)
    turn(one)
    #expect(!isDone)
    two.elapse(milliseconds: 20)
    turn(two)
    turn(one)
    #expect(isDone)
  }

  @Test("ACA is refused, as there is no auto contingent allegiance, and clears no unit attention")
  func aca() {
    let bench = Bench(holding())
    bench.lun.establish(.modeParametersChanged)
    let (task, admission) = bench.admit(CDB.testUnitReady, attribute: .aca)
    #expect(admission == .refused && task.sense == .invalidMessageError)
    #expect(bench.run(CDB.testUnitReady).summary == "06/2A/01")
  }

  @Test("Past its depth a unit answers TASK SET FULL, or BUSY to a nexus without a task in it")
  func depth() {
    let store = holding()
    let bench = Bench(store, queueDepth: 2)
    let second = bench.secondNexus()
    bench.begin(read(0))
    bench.begin(read(1))
    bench.lun.establish(.modeParametersChanged)
    let (task, admission) = bench.admit(read(2))
    #expect(admission == .refused && task.status == .taskSetFull && task.sense == nil)
    let other = SCSITask(owner: bench)
    other.begin(CommandDescriptorBlock(read(2)), expectedDataIn: 512, expectedDataOut: 0)
    #expect(bench.server.admit(other, second.unitNexus(at: 0)!) == .refused)
    #expect(other.status == .busy)
    store.releaseHeld()
    #expect(bench.endedOutcomes().count == 2)
    #expect(bench.run(CDB.testUnitReady).summary == "06/2A/01")
  }

  @Test("Hundreds of ORDERED tasks behind another nexus's start one after the other, as they came")
  func manyOrdered() throws {
    let store = holding(400)
    let bench = Bench(store, queueDepth: 1024)
    let other = try #require(bench.secondNexus().unitNexus(at: 0))
    for block in 0..<150 { bench.begin(read(UInt64(block))) }
    for block in 150..<300 {
      let task = SCSITask(owner: bench)
      task.begin(
        CommandDescriptorBlock(read(UInt64(block))), expectedDataIn: 512, expectedDataOut: 0,
        attribute: .ordered)
      if bench.server.admit(task, other) == .execute { bench.server.execute(task) }
    }
    #expect(store.heldCount == 150)
    store.releaseHeld()
    var mostAtOnce = 0
    for _ in 0..<4000 where bench.server.taskCount > 0 {
      bench.reactor.turn()
      mostAtOnce = max(mostAtOnce, store.heldCount)
      store.releaseHeld()
    }
    #expect(bench.endedOutcomes().count == 300 && bench.server.order.isIdle)
    let isInOrder = started(store).elementsEqual(0..<300)
    #expect(isInOrder && mostAtOnce <= 1)
  }

  @Test("LOGICAL UNIT RESET ends other nexuses' tasks with TASK ABORTED if TAS says so")
  func resetWithTaskAborted() {
    let store = holding()
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    one.unit.modes.reportsTaskAborted = true
    one.begin(read(0))
    two.begin(read(1))
    var isDone = false
    one.server.reset(by: one.lun, attention: .busDeviceResetFunctionOccurred) { isDone = true }
    turn(one, two)
    store.releaseHeld()
    turn(one, two)
    #expect(isDone)
    #expect(one.endedOutcomes().map(\.status) == [.good])
    #expect(two.endedOutcomes().map(\.status) == [.taskAborted])
    #expect(two.run(CDB.testUnitReady).summary == "06/29/03")
  }

  @Test("I_T NEXUS RESET ends the nexus's tasks and tells it, and nobody else, 29/07")
  func nexusReset() {
    let store = holding()
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    let mine = one.begin(read(0))
    let other = two.begin(read(1))
    var isDone = false
    one.server.resetNexus(one.lun) { isDone = true }
    turn(one, two)
    #expect(mine.isAborted && !other.isAborted && !isDone)
    store.releaseHeld()
    #expect(isDone && other.status == .good)
    _ = (one.endedOutcomes(), two.endedOutcomes())
    #expect(one.run(CDB.testUnitReady).summary == "06/29/07")
    #expect(two.run(CDB.testUnitReady).summary == "good")
  }
}

extension Bench {
  /// Lets the clock of this reactor go on.
  func elapse(milliseconds: UInt32) {
    guard let engine = reactor.engine as? TestEngine else { return }
    engine.now = engine.now + Milliseconds(milliseconds)
  }
}
