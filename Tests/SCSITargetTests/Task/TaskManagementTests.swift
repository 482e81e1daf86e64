import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Task management")
struct TaskManagementTests {
  private let block = [UInt8](repeating: 0x55, count: 512)

  @Test("An abort ends when the operation in flight has, and that has landed")
  func abortWaits() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    bench.store.isHolding = true
    let task = bench.begin(CDB.ten(0x2A, 0, 1), out: block)
    var isDone = false
    let barrier = DrainBarrier { isDone = true }
    bench.server.abort(task, barrier: barrier)
    bench.server.abort(task, barrier: barrier)
    barrier.arm()
    for _ in 0..<5 { bench.reactor.turn() }
    #expect(!isDone)
    #expect(bench.ended.isEmpty)
    bench.store.releaseHeld()
    #expect(isDone)
    #expect(bench.endedOutcomes().map(\.isAborted) == [true])
    #expect(bench.store.image[0..<512].elementsEqual(block))
    #expect(bench.server.taskCount == 0)
  }

  @Test("A command of several steps that is aborted starts no further one")
  func abortBetweenSteps() {
    let list = CDB.unmapList([(0, 1), (5, 1)])
    let commands: [(cdb: [UInt8], out: [UInt8])] = [
      (CDB.sixteen(0x93, 0, 5000), block), (CDB.sixteen(0x8F, 0, 5000), []),
      (CDB.unmap(list.count), list), (CDB.ten(0x28, 0, 1, flags: 8), []),
      (CDB.ten(0x2E, 0, 1, flags: 2), block), CDB.writeCache(false),
      (CDB.ten(0x34, 0, 5000), []), ([0x1B, 0, 0, 0, 0, 0], []),
    ]
    for command in commands {
      let bench = Bench(TestStore(blockBytes: 512, blocks: 6000))
      bench.store.isHolding = true
      let task = bench.begin(command.cdb, out: command.out.isEmpty ? nil : command.out)
      bench.server.abort(task, barrier: nil)
      bench.store.releaseHeld()
      for _ in 0..<5 { bench.reactor.turn() }
      #expect(bench.store.log.count == 1)
      #expect(bench.endedOutcomes().map(\.isAborted) == [true])
      #expect(bench.unit.modes.writeCacheEnabled)
      #expect(bench.unit.medium.condition == .ready)
    }
  }

  @Test("A command that still collects its data is aborted at once")
  func abortWhileCollecting() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    let (task, _) = bench.admit(CDB.ten(0x2A, 0, 1), out: block)
    bench.server.abort(task, barrier: nil)
    #expect(task.phase == .ended)
    #expect(bench.endedOutcomes().map(\.isAborted) == [true])
    #expect(bench.store.log.isEmpty)
  }

  @Test("ABORT TASK SET takes the tasks of its own nexus only")
  func abortTaskSet() {
    let store = TestStore(blockBytes: 512, blocks: 10)
    let bench = Bench(store)
    let second = bench.secondNexus()
    store.isHolding = true
    let mine = bench.begin(CDB.ten(0x28, 0, 1))
    let other = SCSITask(owner: bench)
    other.begin(
      CommandDescriptorBlock(CDB.ten(0x28, 0, 1)), expectedDataIn: 512,
      expectedDataOut: 512)
    #expect(bench.server.admit(other, second.unitNexus(at: 0)!) == .execute)
    bench.server.execute(other)
    var isDone = false
    bench.server.abortTaskSet(of: bench.lun) { isDone = true }
    #expect(mine.isAborted && !other.isAborted && !isDone)
    store.releaseHeld()
    #expect(isDone)
    #expect(other.status == .good && !other.isAborted)
  }

  @Test(
    "CLEAR TASK SET reaches the tasks of all reactors and waits for them", arguments: [false, true])
  func clearTaskSet(reportsTaskAborted: Bool) {
    let store = TestStore(blockBytes: 512, blocks: 10)
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    one.unit.modes.reportsTaskAborted = reportsTaskAborted
    store.isHolding = true
    one.begin(CDB.ten(0x2A, 0, 1), out: block)
    two.begin(CDB.ten(0x2A, 1, 1), out: block)
    var isDone = false
    one.server.clearTaskSet(by: one.lun) { isDone = true }
    turn(one, two)
    #expect(!isDone)
    store.releaseHeld()
    turn(one, two)
    #expect(isDone)
    #expect(one.endedOutcomes().map(\.status) == [.good])
    #expect(two.endedOutcomes().map(\.status) == [reportsTaskAborted ? .taskAborted : .good])
    #expect(one.run(CDB.testUnitReady).summary == "good")
    let told = two.run(CDB.testUnitReady).summary
    #expect(told == (reportsTaskAborted ? "good" : "06/2F/00"))
  }

  @Test(
    "What an I_T nexus aborts of its own under another LUN, it is told nothing of",
    arguments: [false, true], ["reset", "clear"])
  func otherLUN(reportsTaskAborted: Bool, function: String) throws {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    bench.unit.modes.reportsTaskAborted = reportsTaskAborted
    bench.nexus.attach(bench.server, as: 2, isReadOnly: false, attention: .powerOnOccurred)
    let second = try #require(bench.nexus.unitNexus(at: 2))
    _ = second.takeAttention()
    bench.store.isHolding = true
    bench.begin(CDB.ten(0x2A, 0, 1), out: block, nexus: second)
    var isDone = false
    if function == "reset" {
      bench.server.reset(by: bench.lun, attention: .busDeviceResetFunctionOccurred) {
        isDone = true
      }
    } else {
      bench.server.clearTaskSet(by: bench.lun) { isDone = true }
    }
    turn(bench)
    #expect(!isDone)
    bench.store.releaseHeld()
    // Its settings revert, too.
    for _ in 0..<3 { turn(bench) }
    #expect(isDone)
    let outcomes = bench.endedOutcomes()
    #expect(outcomes.map(\.isAborted) == [true] && outcomes.map(\.status) == [.good])
    let told: SenseData? = function == "reset" ? .busDeviceResetFunctionOccurred : nil
    #expect(second.takeAttention() == told)
  }

  @Test("LOGICAL UNIT RESET aborts everything everywhere and tells everybody")
  func logicalUnitReset() {
    let store = TestStore(blockBytes: 512, blocks: 6000)
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    let (collecting, _) = one.admit(CDB.ten(0x2A, 9, 1), out: block)
    store.isHolding = true
    two.begin(CDB.sixteen(0x93, 0, 5000), out: block)
    two.lun.establish(.modeParametersChanged)
    var isDone = false
    one.server.reset(by: one.lun, attention: .busDeviceResetFunctionOccurred) { isDone = true }
    turn(one, two)
    #expect(collecting.phase == .ended)
    #expect(!isDone)
    store.releaseHeld()
    turn(one, two)
    #expect(isDone)
    #expect(store.log.count == 1)
    for bench in [one, two] {
      #expect(bench.endedOutcomes().map(\.isAborted) == [true])
      #expect(bench.run(CDB.testUnitReady).summary == "06/29/03")
      #expect(bench.run(CDB.testUnitReady).summary == "good")
    }
  }

  @Test(
    "What cannot reach a reactor is answered when it could, and its tasks have ended",
    arguments: ["reset", "clear"])
  func unreachableReactor(function: String) {
    let store = TestStore(blockBytes: 512, blocks: 10)
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    store.isHolding = true
    two.begin(CDB.ten(0x2A, 1, 1), out: block)
    while two.reactor.mailbox.post({}) {}
    var isDone = false
    if function == "reset" {
      one.server.reset(by: one.lun, attention: .busDeviceResetFunctionOccurred) { isDone = true }
    } else {
      one.server.clearTaskSet(by: one.lun) { isDone = true }
    }
    turn(one)
    #expect(!isDone && one.reactor.courier.waitingCount == 1)
    turn(one, two)
    one.elapse(milliseconds: 20)
    turn(one, two)
    #expect(!isDone, "the operation in flight has not landed")
    store.releaseHeld()
    turn(one, two)
    #expect(isDone)
    #expect(two.endedOutcomes().map(\.isAborted) == [true])
    #expect(two.run(CDB.testUnitReady).summary == (function == "reset" ? "06/29/03" : "good"))
  }

  @Test("A task that its owner uses again while others are cleared is not cleared with them")
  func reuseDuringClear() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    let owner = ReusingOwner(bench)
    let tasks = (0..<3).map { _ in owner.admit() }
    var isDone = false
    bench.server.clearTaskSet(by: bench.lun) { isDone = true }
    turn(bench)
    #expect(isDone)
    #expect(owner.endCount == 3)
    #expect(tasks.allSatisfy { $0.phase == .collectingData && !$0.isAborted })
    #expect(bench.server.taskCount == 3)
  }

  /// Begins the same command again as soon as it has ended.
  private final class ReusingOwner: SCSITaskOwner {
    let bench: Bench
    var endCount = 0
    init(_ bench: Bench) { self.bench = bench }

    func admit() -> SCSITask {
      let task = SCSITask(owner: self)
      begin(task)
      return task
    }
    private func begin(_ task: SCSITask) {
      task.begin(
        CommandDescriptorBlock(CDB.ten(0x2A, 0, 1)), expectedDataIn: 512,
        expectedDataOut: 512)
      _ = bench.server.admit(task, bench.lun)
    }
    func taskEnded(_ task: SCSITask) {
      endCount += 1
      task.recycle(to: bench.reactor.buffers)
      begin(task)
    }
  }

  private func turn(_ benches: Bench...) {
    for _ in 0..<4 { for bench in benches { bench.reactor.turn() } }
  }
}
