import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("COMPARE AND WRITE and ORWRITE")
struct CompareAndWriteTests {
  private let new = [UInt8](repeating: 0x77, count: 512)

  private func old(_ bench: Bench, _ block: Int) -> [UInt8] {
    Array(bench.store.image[block * 512..<(block + 1) * 512])
  }

  @Test(
    "Blocks that compare equal are replaced, and nothing beside them", arguments: [false, true])
  func equal(isDurable: Bool) {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    var wanted = bench.store.image
    wanted.replaceSubrange(1024..<2048, with: new + new)
    let outcome = bench.run(
      CDB.compareAndWrite(2, 2, flags: isDurable ? 0x18 : 0),
      out: old(bench, 2) + old(bench, 3) + new + new)
    #expect(outcome.summary == "good")
    #expect(outcome.transferLength == 2048)
    #expect(bench.store.image == wanted)
    #expect(bench.store.changes.map(\.isDurable) == [isDurable])
  }

  @Test(
    "MISCOMPARE names the first byte that differs, and nothing is written", arguments: [0, 700])
  func miscompare(offset: Int) {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    var out = old(bench, 2) + old(bench, 3) + new + new
    out[offset] ^= 1
    out[1000] ^= 1
    let outcome = bench.run(CDB.compareAndWrite(2, 2), out: out)
    #expect(outcome.sense == .miscompareDuringVerify(offset: UInt64(offset)))
    #expect(bench.store.changes.isEmpty)
    #expect(bench.run(CDB.ten(0x2A, 2, 1), out: new).summary == "good")
  }

  @Test(
    "The Data-Out is twice the blocks, no less and no more",
    arguments: [0, 512, 1023, 1025, 2048])
  func dataOutSize(count: Int) {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    let outcome = bench.run(CDB.compareAndWrite(2, 1), out: [UInt8](repeating: 1, count: count))
    #expect(outcome.sense == .invalidFieldInCDB(byte: 13, bit: 7))
    #expect(bench.store.log.isEmpty)
  }

  @Test(
    "Block limits announce 255 blocks, and as many are compared at once", arguments: [512, 4096])
  func lengthMax(blockBytes: Int) {
    let bench = Bench(TestStore(blockBytes: UInt32(blockBytes), blocks: 300))
    #expect(bench.run([0x12, 1, 0xB0, 0, 64, 0]).data[5] == 255)
    let present = Array(bench.store.image[0..<255 * blockBytes])
    let next = [UInt8](repeating: 0x21, count: 255 * blockBytes)
    #expect(bench.run(CDB.compareAndWrite(0, 255), out: present + next).summary == "good")
    #expect(bench.store.image.prefix(next.count).elementsEqual(next))
  }

  @Test("No blocks, blocks past the end and protection information")
  func edges() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    #expect(bench.run(CDB.compareAndWrite(10, 0), out: []).summary == "good")
    // 256 blocks, of which the byte says 0.
    let many = [UInt8](repeating: 1, count: 512 * 512)
    #expect(
      bench.run(CDB.compareAndWrite(0, 0), out: many).sense
        == .invalidFieldInCDB(byte: 13, bit: 7))
    #expect(bench.run(CDB.compareAndWrite(11, 0), out: []).summary == "05/21/00")
    #expect(bench.run(CDB.compareAndWrite(.max, 1), out: new + new).summary == "05/21/00")
    #expect(bench.run(CDB.sixteen(0x8B, 9, 2), out: new + new).summary == "05/21/00")
    #expect(
      bench.run(CDB.compareAndWrite(0, 1, flags: 0x20), out: new + new).sense
        == .invalidFieldInCDB(byte: 1, bit: 5))
    #expect(
      bench.run(CDB.sixteen(0x8B, 0, 1, flags: 0x40), out: new).sense
        == .invalidFieldInCDB(byte: 1, bit: 6))
    #expect(bench.store.log.isEmpty)
  }

  @Test(
    "ORWRITE sets bits and clears none, also in more pieces than one", arguments: [0, 8] as [UInt8])
  func orWrite(flags: UInt8) {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 3000))
    let before = bench.store.image
    let out = (0..<2500 * 512).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let outcome = bench.run(CDB.sixteen(0x8B, 3, 2500, flags: flags), out: out)
    #expect(outcome.summary == "good")
    var wanted = before
    for index in out.indices { wanted[1536 + index] |= out[index] }
    #expect(isEqual(bench.store.image, wanted))
    #expect(bench.store.isDirty == (flags == 0))
    #expect(bench.run(CDB.sixteen(0x8B, 3, 0), out: []).summary == "good")
  }

  @Test("Whichever operation fails, it is never GOOD, and the blocks are free again")
  func faults() {
    for number in 1...3 {
      let bench = Bench(TestStore(blockBytes: 512, blocks: 10), writeCache: false)
      bench.store.faults[number] = .medium(SystemError(rawValue: 5))
      let outcome = bench.run(CDB.sixteen(0x8B, 2, 1), out: new)
      #expect(outcome.summary == (number == 1 ? "03/11/00" : "03/0C/00"), "operation \(number)")
      bench.store.resetLog()
      bench.store.readiness = .ready
      #expect(bench.run(CDB.ten(0x2A, 2, 1), out: new).summary == "good")
    }
  }
}

@Suite("Range locks")
struct RangeLockTests {
  private let new = [UInt8](repeating: 0x77, count: 512)
  private let other = [UInt8](repeating: 0x11, count: 512)

  private func pair() -> (Bench, Bench) {
    let store = TestStore(blockBytes: 512, blocks: 20)
    let one = Bench(store)
    return (one, Bench(store, unit: one.unit, reactorIndex: 1))
  }

  private func turn(_ benches: Bench..., count: Int = 12) {
    for _ in 0..<count { for bench in benches { bench.reactor.turn() } }
  }

  private func block(_ store: TestStore, _ index: Int) -> [UInt8] {
    Array(store.image[index * 512..<(index + 1) * 512])
  }

  @Test("A write of another reactor to the blocks waits, one beside them does not")
  func holdsBack() throws {
    let (one, two) = pair()
    let out = block(one.store, 5) + new
    one.store.isHolding = true
    let locking = one.begin(CDB.compareAndWrite(5, 1), out: out)
    turn(one, two)
    #expect(one.store.log.map(\.operation) == [.read])
    let overlapping = two.begin(CDB.ten(0x2A, 4, 2), out: other + other)
    let list = CDB.unmapList([(15, 1)])
    let unmap = two.begin(CDB.unmap(list.count), out: list)
    let same = one.begin(CDB.ten(0x41, 5, 1), out: other)
    #expect([overlapping, unmap, same].allSatisfy { $0.phase == .held })
    #expect(one.store.log.count == 1)
    let beside = two.begin(CDB.ten(0x2A, 6, 1), out: other)
    let read = two.begin(CDB.ten(0x28, 5, 1))
    #expect(beside.phase == .executing && read.phase == .executing)
    one.store.releaseHeld()
    turn(one, two)
    #expect(locking.status == .good && locking.phase == .ended)
    #expect([overlapping, unmap, same].allSatisfy { $0.phase == .ended && $0.status == .good })
    // The held writes came after the comparison had been decided and its blocks written.
    let writes = one.store.log.filter { $0.operation == .write && $0.offset <= 5 * 512 }
    #expect(try #require(writes.first).offset == 5 * 512)
    #expect(block(one.store, 5) == other)
    #expect(one.server.rangeLocks.closed.isEmpty && two.server.rangeLocks.closed.isEmpty)
    #expect(one.server.rangeLocks.queue.begun.isEmpty)
  }

  @Test("A write in flight anywhere has landed before anything is compared")
  func waitsForInFlight() {
    let (one, two) = pair()
    let before = block(one.store, 5)
    one.store.isHolding = true
    let write = two.begin(CDB.ten(0x2A, 5, 1), out: other)
    let locking = one.begin(CDB.compareAndWrite(5, 1), out: before + new)
    turn(one, two)
    #expect(one.store.log.map(\.operation) == [.write])
    one.store.releaseHeld()
    turn(one, two)
    #expect(write.status == .good)
    #expect(locking.sense == .miscompareDuringVerify(offset: 0))
    #expect(block(one.store, 5) == other)
  }

  @Test("Of two that compare with the same content on two reactors, one wins")
  func oneWins() {
    for isFirst in [true, false] {
      let (one, two) = pair()
      let before = block(one.store, 5)
      let (first, second) = isFirst ? (one, two) : (two, one)
      let winner = first.begin(CDB.compareAndWrite(5, 1), out: before + new)
      let loser = second.begin(CDB.compareAndWrite(5, 1), out: before + other)
      turn(one, two, count: 20)
      let outcomes = [winner, loser].map { $0.sense?.description ?? "\($0.status)" }
      #expect(outcomes.sorted() == ["0E/1D/00", "good"])
      #expect(block(one.store, 5) == (outcomes[0] == "good" ? new : other))
    }
  }

  @Test("Locks that do not overlap are had at the same time")
  func concurrent() {
    let (one, two) = pair()
    one.store.isHolding = true
    one.begin(CDB.compareAndWrite(5, 1), out: block(one.store, 5) + new)
    two.begin(CDB.compareAndWrite(6, 1), out: block(one.store, 6) + new)
    turn(one, two)
    #expect(one.store.log.map(\.operation) == [.read, .read])
    one.store.releaseHeld()
    turn(one, two)
    #expect(
      one.endedOutcomes().map(\.summary) + two.endedOutcomes().map(\.summary) == ["good", "good"])
  }

  @Test("Whenever a claimant is aborted, it ends, and the blocks are free again")
  func abortClaimant() {
    for turns in 0..<8 {
      let (one, two) = pair()
      one.store.isHolding = true
      let task = two.begin(CDB.compareAndWrite(5, 1), out: block(one.store, 5) + new)
      turn(one, two, count: turns)
      var isDone = false
      let barrier = DrainBarrier { isDone = true }
      two.server.abort(task, barrier: barrier)
      barrier.arm()
      one.store.releaseHeld()
      turn(one, two)
      #expect(isDone, "after \(turns) turns")
      #expect(task.phase == .ended && task.isAborted)
      #expect(one.store.changes.isEmpty, "after \(turns) turns")
      #expect(one.run(CDB.ten(0x2A, 5, 1), out: other).summary == "good")
    }
  }

  @Test("A held task that is aborted ends at once and never reaches the store")
  func abortHeld() {
    let (one, two) = pair()
    one.store.isHolding = true
    one.begin(CDB.compareAndWrite(5, 1), out: block(one.store, 5) + new)
    turn(one, two)
    let held = two.begin(CDB.ten(0x2A, 5, 1), out: other)
    var isDone = false
    two.server.abortTaskSet(of: two.lun) { isDone = true }
    #expect(isDone && held.phase == .ended && held.isAborted)
    #expect(two.server.rangeLocks.held.isEmpty)
    one.store.releaseHeld()
    turn(one, two)
    #expect(block(one.store, 5) == new)
  }

  @Test("What is held is looked at again before it goes on")
  func heldIsReexamined() {
    let (one, two) = pair()
    one.store.isHolding = true
    one.begin(CDB.compareAndWrite(5, 1), out: block(one.store, 5) + new)
    turn(one, two)
    let held = two.begin(CDB.ten(0x2A, 5, 1), out: other)
    one.unit.modes.isSoftwareWriteProtected = true
    one.store.releaseHeld()
    turn(one, two)
    #expect(held.sense == .writeProtected)
    #expect(block(one.store, 5) == new)
  }

  @Test("A reactor whose mailbox is full is waited for, never taken for one that has closed")
  func fullMailbox() {
    let (one, two) = pair()
    let engine = one.reactor.engine as? TestEngine
    while two.reactor.mailbox.post({}) {}
    let task = one.begin(CDB.compareAndWrite(5, 1), out: block(one.store, 5) + new)
    turn(one)
    #expect(one.store.log.isEmpty && task.phase == .executing)
    two.reactor.turn()
    engine?.now = MonotonicTime(rawValue: 20_000_000)
    turn(one, two)
    #expect(task.phase == .ended && task.status == .good)
    #expect(two.server.rangeLocks.closed.isEmpty)
    // The home reactor itself: the command is not begun.
    while one.reactor.mailbox.post({}) {}
    let refused = two.begin(CDB.compareAndWrite(5, 1), out: new + other)
    #expect(refused.status == .busy && refused.phase == .ended)
  }
}
