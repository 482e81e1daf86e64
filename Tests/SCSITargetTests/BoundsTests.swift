import BackingStore
import Glibc
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

/// What one initiator may cost the others: claims, ordered tasks, tokens, buffers.
@Suite("Bounds")
struct BoundsTests {
  private let new = [UInt8](repeating: 0x77, count: 512)

  /// A second initiator on the reactor of `bench`.
  private func nexus(_ number: Int, on bench: Bench) -> InitiatorTargetNexus {
    let name = "iqn.2026-01.example:other\(number)"
    let nexus = InitiatorTargetNexus(
      initiatorPortName: name, targetPortName: "t,t,0x0001", targetDeviceName: "t",
      targetPortGroup: 1, relativeTargetPort: 1,
      identity: NexusIdentity(
        initiator: InitiatorPort(name: name, isid: 2),
        target: TargetPort(name: "t", portalGroupTag: 1)))
    nexus.attach(bench.server, as: 0, isReadOnly: false, attention: .powerOnOccurred)
    _ = nexus.logicalUnit(at: 0)?.takeAttention()
    return nexus
  }

  /// Milliseconds of CPU time that `body` takes on this thread.
  private func cost(_ body: () -> Void) -> Double {
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }
    let start = now()
    body()
    return now() - start
  }

  // MARK: Range locks

  @Test("One claim more than a unit may have is told BUSY, and there is room when one has ended")
  func claims() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 20))
    let out = new + new
    bench.store.isHolding = true
    let tasks = (0..<RangeClaimCount.max).map { _ in
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
    #expect(bench.endedOutcomes().count == RangeClaimCount.max + 2)
    // Given back by all.
    #expect(bench.unit.rangeClaims.take())
    bench.unit.rangeClaims.giveBack()
    #expect(bench.run(CDB.ten(0x2A, 5, 1), out: new).summary == "good")
  }

  @Test("Locks begin in the order of arrival as soon as nothing before them overlaps")
  func lockQueue() {
    let reactor = Reactor(index: 0, engine: TestEngine(), memoryBudgetBytes: 1 << 20)
    var generator = SystemRandomNumberGenerator()
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

  /// The cost of opening one of two locks, each of which holds back `count` writes.
  private func costOfOpening(_ count: Int) -> Double {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 20), queueDepth: 8192)
    bench.store.isHolding = true
    let claims = [UInt64(0), 5120].map { offset in
      bench.server.claimRange(offset: offset, count: 5120) {}
    }
    for _ in 0..<6 { bench.reactor.turn() }
    for _ in 0..<count { bench.begin(CDB.ten(0x2A, 2, 1), out: new) }
    for _ in 0..<count { bench.begin(CDB.ten(0x2A, 12, 1), out: new) }
    #expect(bench.server.rangeLocks.held.count == 2 * count)
    if let last = claims[1] { bench.server.release(last) }
    let cost = cost { for _ in 0..<6 { bench.reactor.turn() } }
    #expect(bench.server.rangeLocks.held.count == count && bench.store.heldCount == count)
    return cost
  }

  @Test("To let four times as many held tasks go costs four times as much, not sixteen times")
  func opening() {
    let single = (0..<3).map { _ in costOfOpening(400) }.min() ?? 0
    let fourfold = (0..<3).map { _ in costOfOpening(1600) }.min() ?? 0
    #expect(fourfold < 9 * single)
  }

  // MARK: Order

  /// The cost of `count` tasks of one initiator, held up by the disk, and as many ORDERED ones of
  /// another behind them.
  private func costOfOrder(_ count: Int) -> Double {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 20), queueDepth: 8192)
    let other = nexus(1, on: bench)
    bench.store.isHolding = true
    for _ in 0..<count { bench.begin(CDB.ten(0x28, 1, 1)) }
    let owner = EndCount()
    let tasks = (0..<count).map { _ in
      let task = SCSITask(owner: owner)
      task.begin(
        CommandDescriptorBlock(CDB.ten(0x28, 2, 1)), expectedDataIn: 512, expectedDataOut: 0,
        attribute: .ordered)
      return task
    }
    guard let unit = other.logicalUnit(at: 0) else { return 0 }
    let cost = cost {
      for task in tasks where bench.server.admit(task, unit) == .execute {
        bench.server.execute(task)
      }
      bench.store.releaseHeld()
      for _ in 0..<8 * count where bench.server.taskCount > 0 { bench.reactor.turn() }
    }
    #expect(owner.count == count && bench.server.order.isIdle)
    return cost
  }

  @Test("Each of hundreds of ORDERED tasks costs a look at each other, and no more")
  func order() {
    let single = (0..<2).map { _ in costOfOrder(150) }.min() ?? 0
    let fourfold = costOfOrder(600)
    // n looks for each of n tasks: 16; n² for each would be 64.
    #expect(fourfold < 32 * single)
  }

  // MARK: Tokens

  @Test("An initiator that makes too many tokens loses its own, oldest first, and nobody else's")
  func tokens() {
    let registry = TokenRegistry()
    let now = MonotonicTime(rawValue: 1)
    func issue(_ owner: String) -> [UInt8] {
      registry.issue(
        [BlockRange(start: 0, count: 1)], to: owner,
        creator: CSCDDescriptor(naa: Bench.identity.naa, blockLengthBytes: 512), byteCount: 512,
        inactivitySeconds: 60, now: now)
    }
    func isKnown(_ token: [UInt8]) -> Bool { registry.ranges(of: token, now: now) != nil }
    func knownCount(_ tokens: [[UInt8]]) -> Int { tokens.count(where: isKnown) }
    let theirs = (0..<3).map { _ in issue("modest") }
    let flood = (0..<CopyLimits.tokensMax + 50).map { _ in issue("greedy") }
    var counts = [knownCount(theirs), knownCount(flood), knownCount(Array(flood[53...]))]
    #expect(counts == [3, CopyLimits.tokensMax - 3, CopyLimits.tokensMax - 3])
    // A newcomer's first token costs whoever has most.
    let late = issue("late")
    counts = [knownCount([late]), knownCount(theirs), knownCount([flood[53]])]
    #expect(counts == [1, 3, 0])
  }

  @Test("When every token is of another initiator the oldest makes room")
  func tokensOfMany() {
    let registry = TokenRegistry()
    let tokens = (0...CopyLimits.tokensMax).map { number in
      registry.issue(
        [BlockRange(start: 0, count: 1)], to: "\(number)",
        creator: CSCDDescriptor(naa: Bench.identity.naa, blockLengthBytes: 512), byteCount: 512,
        inactivitySeconds: 60, now: MonotonicTime(rawValue: 1))
    }
    let isKnown = tokens.map {
      registry.ranges(of: $0, now: MonotonicTime(rawValue: 2)) != nil
    }
    let knownCount = isKnown.count { $0 }
    #expect(knownCount == CopyLimits.tokensMax)
    #expect(isKnown.first == false)
  }

  // MARK: Buffers

  @Test("Buffers are kept for the last nexuses that wrote; who lost his echo is told so")
  func buffers() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 20))
    let write: [UInt8] = [0x3B, 0x0A, 0, 0, 0, 0, 0, 0, 3, 0]
    let read: [UInt8] = [0x3C, 0x0A, 0, 0, 0, 0, 0, 0, 64, 0]
    #expect(bench.run(write, out: [1, 2, 3]).summary == "good")
    let others = (0..<TransportBuffers.nexusesMax + 40).map { nexus($0, on: bench) }
    for (index, other) in others.enumerated() {
      guard let unit = other.logicalUnit(at: 0) else { continue }
      if index == TransportBuffers.nexusesMax - 1 {
        #expect(bench.run(read).data == [1, 2, 3])
      }
      bench.server.transportBuffers.write(unit) { $0.echo = [9] }
      #expect(bench.server.transportBuffers.all.count <= TransportBuffers.nexusesMax)
    }
    #expect(bench.run(read).summary == "0B/3F/0F")
    #expect(bench.run(write, out: [4, 5, 6]).summary == "good")
    #expect(bench.run(read).data == [4, 5, 6])
    for other in others { other.detachAll() }
    #expect(bench.server.transportBuffers.all.count == 1)
  }

  // MARK: LUNs

  @Test("Every LUN leads to its unit, in whatever order and with whatever gaps they are presented")
  func luns() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 20))
    let nexus = nexus(1, on: bench)
    nexus.detachAll()
    let luns: [UInt16] = [7, 1, 16383, 0, 255, 2, 256, 300]
    for lun in luns {
      nexus.attach(bench.server, as: lun, isReadOnly: false, attention: .powerOnOccurred)
    }
    #expect(nexus.luns == luns.sorted())
    for lun in UInt16(0)...16_400 {
      #expect(nexus.logicalUnit(at: lun)?.lun == (luns.contains(lun) ? lun : nil))
    }
    #expect(nexus.logicalUnit(at: .max) == nil)
    nexus.detachAll()
    #expect(nexus.luns.isEmpty && nexus.logicalUnit(at: 0) == nil)
  }
}

private final class EndCount: SCSITaskOwner {
  private(set) var count = 0
  func taskEnded(_ task: SCSITask) { count += 1 }
}
