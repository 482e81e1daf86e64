import BackingStore
import Reactor
import SCSIModel
import Synchronization
import Testing

@testable import SCSITarget

@Suite("The mark of a FORMAT UNIT or SANITIZE")
struct WipeMarkTests {
  /// Keeps the mark in memory, and tells so when it is let.
  final class Memory: UnitPersistence {
    struct State {
      var mark: WipeMark?
      var failure: SystemError?
      var isHolding = false
      var held: [(WipeMark?, SaveCompletion)] = []
    }
    let state = Mutex(State())
    var mark: WipeMark? { state.withLock { $0.mark } }
    var heldCount: Int { state.withLock { $0.held.count } }

    func set(failure: SystemError? = nil, isHolding: Bool = false) {
      state.withLock {
        $0.failure = failure
        $0.isHolding = isHolding
      }
    }

    func save(
      _ mark: WipeMark?, of unit: LogicalUnitIdentity,
      completion: @escaping SaveCompletion
    ) {
      let isHeld = state.withLock { state in
        if state.isHolding { state.held.append((mark, completion)) }
        return state.isHolding
      }
      if !isHeld { end(mark, completion) }
    }

    func release() {
      let held = state.withLock { state in
        defer { state.held = [] }
        state.isHolding = false
        return state.held
      }
      for (mark, completion) in held { end(mark, completion) }
    }

    private func end(_ mark: WipeMark?, _ completion: SaveCompletion) {
      let failure = state.withLock { state in
        if state.failure == nil { state.mark = mark }
        return state.failure
      }
      completion(failure)
    }
  }

  private let memory = Memory()
  private let format: [UInt8] = [0x04, 0, 0, 0, 0, 0]
  private let exit = CDB.sanitize(0x1F)

  private func makeBench(
    _ store: TestStore = TestStore(blockBytes: 512, blocks: 100), saved: SavedWipe = .none
  ) -> Bench {
    var options = Bench.options
    options.wipe = saved
    options.wipePersistence = memory
    return Bench(store, options: options)
  }

  @Test("Nothing is written before the mark is saved, nor is IMMED answered")
  func markFirst() {
    let bench = makeBench()
    memory.set(isHolding: true)
    let task = bench.begin(CDB.sanitize(2, flags: 0x80))
    for _ in 0..<5 { bench.reactor.turn() }
    #expect(task.phase == .executing && bench.store.log.isEmpty && memory.heldCount == 1)
    #expect(bench.admit(CDB.testUnitReady).task.sense?.description == "02/04/1B")
    bench.store.isHolding = true
    memory.release()
    for _ in 0..<5 { bench.reactor.turn() }
    #expect(task.phase == .ended && task.status == .good)
    #expect(memory.mark == WipeMark(.sanitize))
    #expect(bench.store.log.count == 1)
    _ = bench.endedOutcomes()
    bench.store.releaseHeld()
    for _ in 0..<5 { bench.reactor.turn() }
    #expect(memory.mark == nil && bench.server.wipe == nil)
    #expect(bench.run(CDB.testUnitReady).summary == "good")
  }

  @Test("That a mark is saved, or is not, is heard although the mailbox was full")
  func fullMailbox() {
    for failure in [nil, SystemError.tryAgain] {
      let bench = makeBench()
      memory.set(isHolding: true)
      let task = bench.begin(CDB.sanitize(2))
      for _ in 0..<5 { bench.reactor.turn() }
      #expect(task.phase == .executing && memory.heldCount == 1)
      while bench.reactor.mailbox.post({}) {}
      memory.set(failure: failure)
      memory.release()
      for _ in 0..<20 { bench.reactor.turn() }
      #expect(task.phase == .ended && bench.server.wipe == nil)
      #expect(task.sense == (failure == nil ? nil : .internalTargetFailure))
      _ = bench.endedOutcomes()
      #expect(bench.run(CDB.testUnitReady).summary == "good")
    }
  }

  @Test("A mark that cannot be saved fails the command, and the medium is as it was")
  func unsaved() {
    let bench = makeBench()
    memory.set(failure: .inputOutput)
    let before = bench.store.image
    for cdb in [format, CDB.sanitize(2), CDB.sanitize(2, flags: 0x80)] {
      #expect(bench.run(cdb).sense == .internalTargetFailure)
      #expect(bench.run(CDB.testUnitReady).summary == "good")
    }
    #expect(bench.store.changes.isEmpty && isEqual(bench.store.image, before))
    #expect(bench.reactor.buffers.lentBytes == 0)
    memory.set()
    #expect(bench.run(CDB.sanitize(2)).summary == "good")
  }

  @Test("Success removes the mark first; where that fails it is no success")
  func removal() {
    let bench = makeBench()
    bench.store.onStart = { [memory] request in
      if request.operation == .synchronize { memory.set(failure: .inputOutput) }
    }
    #expect(bench.run(CDB.sanitize(2)).sense == .sanitizeCommandFailed)
    #expect(memory.mark == WipeMark(.sanitize))
    #expect(bench.run(CDB.testUnitReady).summary == "03/31/03")
    bench.store.onStart = nil
    memory.set()
    #expect(bench.run(CDB.sanitize(2)).summary == "good")
    #expect(memory.mark == nil)
  }

  @Test(
    "An interrupted SANITIZE is found failed at the start, until another succeeds or AUSE ends it")
  func restart() {
    for allowsExit in [false, true] {
      let store = TestStore(blockBytes: 512, blocks: 5000)
      let bench = makeBench(store)
      store.isHolding = true
      let list: [UInt8] = [1, 0, 0, 1, 0x3C]
      bench.begin(CDB.sanitize(1, flags: allowsExit ? 0x20 : 0, list.count), out: list)
      for _ in 0..<5 { bench.reactor.turn() }
      // The process ends here.
      let mark = WipeMark(.sanitize, allowsUnrestrictedExit: allowsExit)
      #expect(memory.mark == mark)
      let next = makeBench(saved: .unfinished(mark))
      #expect(next.run(CDB.testUnitReady).summary == "03/31/03")
      #expect(next.run(CDB.ten(0x28, 0, 1)).summary == "03/31/03")
      #expect(next.run(format).summary == "03/31/03")
      #expect(next.run(exit).summary == (allowsExit ? "good" : "05/24/00"))
      if !allowsExit { #expect(next.run(CDB.sanitize(2)).summary == "good") }
      #expect(next.run(CDB.testUnitReady).summary == "good" && memory.mark == nil)
      store.releaseHeld()
      while bench.server.wipe != nil { bench.reactor.turn() }
    }
  }

  @Test("An interrupted FORMAT UNIT leaves MEDIUM FORMAT CORRUPTED, until another succeeds")
  func restartOfFormat() {
    let bench = makeBench(saved: .unfinished(WipeMark(.format)))
    #expect(bench.run(CDB.testUnitReady).summary == "03/31/00")
    #expect(
      bench.run(CDB.ten(0x2A, 0, 1), out: [UInt8](repeating: 1, count: 512)).summary == "03/31/00")
    #expect(bench.run(format).summary == "good")
    #expect(bench.run(CDB.testUnitReady).summary == "good")
  }

  @Test("A mark that cannot be read counts as a SANITIZE that only another one ends")
  func damaged() {
    let bench = makeBench(saved: .damaged)
    #expect(bench.run(CDB.testUnitReady).summary == "03/31/03")
    #expect(bench.run(exit).sense == .invalidFieldInCDB(byte: 1, bit: 4))
    #expect(bench.run(CDB.sanitize(2)).summary == "good")
    #expect(bench.run(CDB.testUnitReady).summary == "good")
  }

  @Test("EXIT FAILURE MODE succeeds only when the mark is gone, and no SANITIZE begins meanwhile")
  func exitFailureMode() {
    let bench = makeBench(saved: .unfinished(WipeMark(.sanitize, allowsUnrestrictedExit: true)))
    memory.set(failure: .inputOutput)
    #expect(bench.run(exit).sense == .internalTargetFailure)
    #expect(bench.run(CDB.testUnitReady).summary == "03/31/03")
    memory.set(isHolding: true)
    let task = bench.begin(exit)
    #expect(bench.admit(CDB.sanitize(2)).task.sense?.description == "02/04/1B")
    memory.release()
    bench.reactor.turn()
    #expect(task.phase == .ended && task.status == .good)
    _ = bench.endedOutcomes()
    #expect(bench.run(CDB.testUnitReady).summary == "good")
  }

  @Test(
    "A SANITIZE that is aborted while its mark is saved never begins, and all is as it was",
    arguments: [nil, WipeMark(.format), WipeMark(.sanitize, allowsUnrestrictedExit: true)],
    [UInt8(0), 0x80])
  func aborted(former: WipeMark?, flags: UInt8) {
    let bench = makeBench(saved: former.map { .unfinished($0) } ?? .none)
    let condition = bench.unit.medium.condition
    memory.set(isHolding: true)
    let task = bench.begin(CDB.sanitize(2, flags: flags))
    for _ in 0..<3 { bench.reactor.turn() }
    var isDone = false
    let barrier = DrainBarrier { isDone = true }
    bench.server.abort(task, barrier: barrier)
    barrier.arm()
    #expect(!isDone)
    memory.release()
    for _ in 0..<10 { bench.reactor.turn() }
    #expect(isDone && task.phase == .ended && task.isAborted && bench.server.wipe == nil)
    #expect(bench.store.log.isEmpty && memory.mark == former)
    #expect(bench.unit.medium.condition == condition)
    #expect(bench.unit.medium.allowsUnrestrictedExit == former?.allowsUnrestrictedExit ?? false)
    #expect(bench.reactor.buffers.lentBytes == 0)
    _ = bench.endedOutcomes()
    #expect(bench.run(CDB.sanitize(2)).summary == "good")
  }
}
