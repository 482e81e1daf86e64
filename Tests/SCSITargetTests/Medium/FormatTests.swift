import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("FORMAT UNIT and SANITIZE")
struct FormatTests {
  private let block = [UInt8](repeating: 0x55, count: 512)
  private let start: [UInt8] = [0x1B, 0, 0, 0, 1, 0]
  private let requestSense: [UInt8] = [0x03, 0, 0, 0, 18, 0]

  private func holds(_ store: TestStore, _ byte: UInt8) -> Bool {
    isEqual(store.image, [UInt8](repeating: byte, count: store.image.count))
  }

  private func sense(_ bench: Bench) -> SenseData? {
    SenseData(decoding: bench.run(requestSense).data)
  }

  @Test("FORMAT UNIT zeroes every block", arguments: [true, false])
  func format(zeroes: Bool) {
    let store = TestStore(
      blockBytes: 512, blocks: 5000,
      capabilities: StoreCapabilities(canPunchHoles: false, canZeroRanges: zeroes))
    let bench = Bench(store)
    // The memory that it gets has been used before.
    let used = bench.reactor.buffers.allocate(LogicalUnit.pieceBytes)
    used?.fill(0..<LogicalUnit.pieceBytes, with: 0xA5)
    if let used { bench.reactor.buffers.release(used) }
    #expect(bench.run([0x04, 0, 0, 0, 0, 0]).summary == "good")
    #expect(holds(store, 0))
    #expect(!store.isDirty)
    #expect(bench.run(CDB.testUnitReady).summary == "good")
    #expect(bench.reactor.buffers.lentBytes == 0)
  }

  @Test("FORMAT UNIT writes the initialization pattern, also where the store cannot zero")
  func formatPattern() {
    let store = TestStore(blockBytes: 512, blocks: 3000)
    let bench = Bench(store)
    // FOV and IP; pattern type 1, two bytes.
    let list: [UInt8] = [0, 0x88, 0, 0, 0, 1, 0, 2, 0xAB, 0xCD]
    #expect(bench.run([0x04, 0x10, 0, 0, 0, 0], out: list).summary == "good")
    let pairs = (0..<256).flatMap { _ in [0xAB, 0xCD] as [UInt8] }
    #expect((0..<3000).allSatisfy { isEqual(store.image, at: $0 * 512, pairs, at: 0, count: 512) })
    store.refusesAllocation = true
    #expect(bench.run([0x04, 0, 0, 0, 0, 0]).summary == "good")
    #expect(holds(store, 0))
  }

  @Test("While a format goes on all but INQUIRY and its like are NOT READY, with the progress")
  func formatInProgress() {
    let store = TestStore(blockBytes: 512, blocks: 20_000)
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    store.isHolding = true
    let write = two.begin(CDB.ten(0x2A, 0, 1), out: block)
    let (collecting, _) = two.admit(CDB.ten(0x2A, 1, 1), out: block)
    // FOV, IMMED, and a pattern, so that it takes several pieces.
    let list: [UInt8] = [0, 0x8A, 0, 0, 0, 1, 0, 1, 0x11]
    let format = one.begin([0x04, 0x10, 0, 0, 0, 0], out: list)
    // The write that is in flight has to land first, and IMMED is answered when the format begins.
    #expect(format.phase == .executing)
    two.server.execute(collecting)
    #expect(collecting.sense?.description == "02/04/04")
    _ = [one.endedOutcomes(), two.endedOutcomes()]
    for _ in 0..<4 {
      one.reactor.turn()
      two.reactor.turn()
    }
    #expect(store.log.count == 1 && format.phase == .executing)
    for bench in [one, two] {
      for cdb in [CDB.ten(0x28, 0, 1), start, [0x04, 0, 0, 0, 0, 0]] {
        let (task, admission) = bench.admit(cdb)
        #expect(admission == .refused && task.sense == .formatInProgress(0))
      }
    }
    store.releaseHeld()
    #expect(write.phase == .ended)
    _ = two.endedOutcomes()
    while store.log.count == 1 {
      store.isHolding = true
      one.reactor.turn()
      two.reactor.turn()
    }
    #expect(format.phase == .ended && format.status == .good)
    _ = one.endedOutcomes()
    var seen: Set<UInt16> = []
    while one.server.wipe != nil {
      store.isHolding = true
      one.reactor.turn()
      two.reactor.turn()
      store.releaseHeld()
      if case .progress(let value) = sense(one)?.keySpecific { seen.insert(value) }
    }
    #expect(seen.count > 2)
    #expect(holds(store, 0x11))
    #expect(two.run(CDB.ten(0x28, 0, 1)).summary == "good")
  }

  @Test("A format that fails leaves a medium that only another format makes usable")
  func formatFails() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    bench.store.faults[1] = .medium(SystemError(rawValue: 5))
    #expect(bench.run([0x04, 0, 0, 0, 0, 0]).summary == "03/31/01")
    #expect(bench.run(CDB.testUnitReady).summary == "03/31/00")
    #expect(bench.run(CDB.ten(0x28, 0, 1)).summary == "03/31/00")
    #expect(bench.reactor.buffers.lentBytes == 0)
    bench.store.resetLog()
    #expect(bench.run([0x04, 0, 0, 0, 0, 0]).summary == "good")
    #expect(bench.run(CDB.ten(0x28, 0, 1)).summary == "good")
  }

  @Test("SANITIZE OVERWRITE writes the pattern as often as it says, inverted in between")
  func overwrite() {
    let store = TestStore(blockBytes: 512, blocks: 100)
    let bench = Bench(store)
    let list: [UInt8] = [0x83, 0, 0, 3, 1, 2, 3]
    #expect(bench.run(CDB.sanitize(1, list.count), out: list).summary == "good")
    #expect(store.image.indices.allSatisfy { store.image[$0] == UInt8($0 % 512 % 3 + 1) })
    #expect(
      store.log.map(\.operation) == [
        .write, .synchronize, .write, .synchronize, .write, .synchronize,
      ])
    let even: [UInt8] = [0x82, 0, 0, 1, 0x0F]
    #expect(bench.run(CDB.sanitize(1, even.count), out: even).summary == "good")
    #expect(holds(store, 0xF0))
  }

  @Test("SANITIZE parameters that the standard does not know are refused and erase nothing")
  func sanitizeParameters() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 100))
    let good: [UInt8] = [1, 0, 2, 0] + [UInt8](repeating: 9, count: 513)
    for length in [0, 1, 2, 3, 4, 517] {
      let outcome = bench.run(CDB.sanitize(1, length), out: Array(good.prefix(length)))
      #expect(outcome.sense == .invalidFieldInCDB(byte: 7, bit: 7), "\(length)")
    }
    for (list, byte, bit) in [
      ([0, 0, 0, 1, 9], 0, 4), ([0x41, 0, 0, 1, 9], 0, 6), ([1, 0, 0, 0, 9], 2, 7),
      ([1, 0, 2, 1, 9], 2, 7),
    ] as [([UInt8], Int, UInt8)] {
      #expect(
        bench.run(CDB.sanitize(1, list.count), out: list).sense
          == .invalidFieldInParameterList(byte: byte, bit: bit))
    }
    #expect(bench.run(CDB.sanitize(1, 8), out: [1, 0, 0, 4]).summary == "05/1A/00")
    for action in [2, 0x1F] as [UInt8] {
      #expect(bench.run(CDB.sanitize(action, 8), out: good).sense?.key == .illegalRequest)
    }
    #expect(bench.run(CDB.sanitize(3)).sense == .invalidFieldInCDB(byte: 1, bit: 4))
    #expect(bench.run(CDB.sanitize(2, flags: 0x40)).sense == .invalidFieldInCDB(byte: 1, bit: 6))
    #expect(bench.store.log.isEmpty)
  }

  @Test(
    "A SANITIZE that is aborted or reset goes on to its end, and the unit is NOT READY until then")
  func sanitizeGoesOn() {
    let store = TestStore(blockBytes: 512, blocks: 5000)
    let bench = Bench(store)
    let list: [UInt8] = [1, 0, 0, 1, 0x3C]
    let task = bench.begin(CDB.sanitize(1, list.count), out: list)
    for _ in 0..<3 { bench.reactor.turn() }
    var isDone = false
    bench.server.reset(by: bench.lun, attention: .busDeviceResetFunctionOccurred) { isDone = true }
    store.isHolding = true
    for _ in 0..<3 { bench.reactor.turn() }
    store.releaseHeld()
    store.isHolding = true
    for _ in 0..<3 { bench.reactor.turn() }
    #expect(isDone && task.isAborted && task.phase == .ended)
    _ = bench.endedOutcomes()
    _ = bench.lun.takeAttention()
    #expect(bench.run(CDB.testUnitReady).summary == "02/04/1B")
    #expect(bench.run(start).summary == "02/04/1B")
    #expect(bench.run([0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0]).summary == "good")
    store.releaseHeld()
    while bench.server.wipe != nil { bench.reactor.turn() }
    #expect(holds(store, 0x3C))
    #expect(bench.run(CDB.testUnitReady).summary == "good")
  }

  @Test("BLOCK ERASE deallocates; its failure is left by AUSE and EXIT FAILURE MODE only")
  func blockErase() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 100))
    #expect(bench.run([0x12, 1, 0xB1, 0, 64, 0]).data[7] & 0xC0 == 0x40)
    let exit = CDB.sanitize(0x1F)
    for (flags, answer) in [(UInt8(0), "05/24/00"), (0x20, "good")] {
      bench.store.resetLog()
      bench.store.faults[1] = .outOfSpace
      #expect(bench.run(CDB.sanitize(2, flags: flags)).summary == "03/31/03")
      #expect(bench.run(CDB.testUnitReady).summary == "03/31/03")
      #expect(bench.run([0x04, 0, 0, 0, 0, 0]).summary == "03/31/03")
      #expect(bench.run(exit).summary == answer)
    }
    bench.store.resetLog()
    #expect(bench.run(CDB.sanitize(2)).summary == "good")
    #expect(bench.store.log.map(\.operation) == [.punchHole, .synchronize])
    #expect(holds(bench.store, 0))
  }
}
