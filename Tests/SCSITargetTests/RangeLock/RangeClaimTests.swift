import BackingStore
import Reactor
import SCSIModel
import TargetSimulation
import Testing

@testable import SCSITarget

/// Claims of ranges: how many, in which order, and what they hold back.
@Suite("Range claims")
struct RangeClaimTests {
  private let new = [UInt8](repeating: 0x77, count: 512)

  /// What one nexus gets where it has come first.
  private let claimsOfOne = RangeClaimCount.max - FairShare.keptPlaces(of: RangeClaimCount.max)

  @Test("One claim more than a nexus may have is told BUSY, and there is room when one has ended")
  func claims() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 20))
    let out = new + new
    bench.store.isHolding = true
    let tasks = (0..<claimsOfOne).map { _ in
      bench.begin(CDB.compareAndWrite(5, 1), out: out)
    }
    for _ in 0..<12 { bench.reactor.turn() }
    #expect(tasks.allSatisfy { $0.phase == .executing })
    let refused = bench.begin(CDB.compareAndWrite(9, 1), out: out)
    #expect(refused.phase == .ended && refused.status == .busy)
    bench.store.releaseHeld(at: 0)
    for _ in 0..<4 { bench.reactor.turn() }
    #expect(tasks[0].phase == .ended)
    #expect(bench.begin(CDB.compareAndWrite(9, 1), out: out).phase == .executing)
    bench.store.releaseHeld()
    for _ in 0..<4000 where bench.server.taskCount > 0 { bench.reactor.turn() }
    #expect(bench.endedOutcomes().count == claimsOfOne + 2)
    // Given back by all.
    #expect(bench.unit.rangeClaims.take { RangeClaimCount.max })
    bench.unit.rangeClaims.giveBack()
    #expect(bench.run(CDB.ten(0x2A, 5, 1), out: new).summary == "good")
  }

  @Test("Who has many claims leaves room for others, who are told BUSY only when there is none")
  func fairClaims() throws {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 20))
    bench.store.isHolding = true
    let greedy = (0...claimsOfOne).map { _ in bench.begin(CDB.compareAndWrite(5, 1), out: new + new)
    }
    #expect(greedy.last?.status == .busy)
    // Sixteen others, each of which wants four times as much as is kept for it.
    var accepted: [Int] = []
    for number in 0..<16 {
      let nexus = try #require(bench.secondNexus(named: "n\(number)").unitNexus(at: 0))
      let tasks = (0..<16).map { _ in
        bench.begin(CDB.compareAndWrite(5, 1), out: new + new, nexus: nexus)
      }
      accepted.append(tasks.count { $0.phase != .ended })
    }
    #expect(accepted == [Int](repeating: 4, count: 16))
    let late = try #require(bench.secondNexus(named: "late").unitNexus(at: 0))
    #expect(bench.begin(CDB.compareAndWrite(9, 1), out: new + new, nexus: late).status == .busy)
    bench.store.releaseHeld()
    for _ in 0..<6000 where bench.server.taskCount > 0 { bench.reactor.turn() }
    #expect(bench.server.taskCount == 0)
  }

  @Test("Locks begin in the order of arrival as soon as nothing before them overlaps")
  func lockQueue() {
    let reactor = Reactor(index: 0, engine: TestEngine(), memoryBudgetBytes: 1 << 20)
    var generator = SeededGenerator(seed: 11)
    for _ in 0..<200 {
      var queue = RangeLockQueue()
      // What is here, in the order of arrival, and whether it has begun.
      var model: [(lock: RangeLock, hasBegun: Bool)] = []
      func expected() -> [RangeLock.Identifier] {
        model.indices.filter { index in
          !model[index].hasBegun
            && !model[..<index].contains { $0.lock.overlaps(model[index].lock) }
        }.map { model[$0].lock.identifier }
      }
      for number in 0..<60 {
        let begun: [RangeLock.Identifier]
        let wanted: [RangeLock.Identifier]
        if model.isEmpty || Bool.random(using: &generator) {
          let identifier = RangeLock.Identifier(reactorIndex: 0, number: UInt64(number))
          let lock = RangeLock(
            identifier: identifier, offset: .random(in: 0..<20, using: &generator),
            count: .random(in: 1..<8, using: &generator), excludesReads: false,
            claim: ReactorBound(RangeLockClaim(identifier) {}, on: reactor))
          model.append((lock, false))
          begun = queue.enter(lock) ? [identifier] : []
          wanted = expected()
        } else {
          let candidates = model.indices.filter { model[$0].hasBegun }
          let index = candidates.randomElement(using: &generator) ?? 0
          let identifier = model[index].lock.identifier
          model.remove(at: index)
          begun = queue.release(identifier)?.map(\.identifier) ?? []
          wanted = expected()
        }
        #expect(begun == wanted)
        for index in model.indices where wanted.contains(model[index].lock.identifier) {
          model[index].hasBegun = true
        }
      }
      #expect(queue.begun.count == model.count { $0.hasBegun })
      #expect(queue.release(RangeLock.Identifier(reactorIndex: 9, number: 9)) == nil)
    }
  }

  @Test("A lock that opens lets go at once, in order, all that no other lock holds back")
  func opening() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 20), queueDepth: 8192)
    bench.store.isHolding = true
    let claims = [UInt64(0), 5120].map { offset in
      bench.server.claimRange(offset: offset, count: 5120) {}
    }
    for _ in 0..<6 { bench.reactor.turn() }
    // Of each lock alone, and of both.
    let first = (0..<400).map { _ in bench.begin(CDB.ten(0x2A, 2, 1), out: new) }
    let second = (0..<400).map { _ in bench.begin(CDB.ten(0x2A, 12, 1), out: new) }
    let both = bench.begin(CDB.ten(0x2A, 9, 2), out: new + new)
    var locks = bench.server.rangeLocks
    #expect(locks.held.count == 801)
    // One look at each: all that may go comes out of a single call.
    let last = locks.closed.removeLast()
    let freed = locks.takeFreed(by: last, bench.server.table)
    let isInOrder = zip(freed, second).allSatisfy { $0.task === $1 }
    #expect(freed.count == 400 && isInOrder && locks.held.count == 401)
    for (claim, heldCount, startedCount) in [(claims[1], 401, 400), (claims[0], 0, 801)] {
      if let claim { bench.server.release(claim) }
      for _ in 0..<6 { bench.reactor.turn() }
      #expect(bench.server.rangeLocks.held.count == heldCount)
      #expect(bench.store.heldCount == startedCount)
    }
    let allRun = (first + second + [both]).allSatisfy { $0.phase == .executing }
    #expect(allRun)
    bench.store.releaseHeld()
    #expect(bench.endedOutcomes().count == 801)
  }
}
