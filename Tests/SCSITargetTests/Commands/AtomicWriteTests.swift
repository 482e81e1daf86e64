import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("WRITE ATOMIC")
struct AtomicWriteTests {
  private func data(_ blocks: Int, _ byte: UInt8 = 0x77) -> [UInt8] {
    [UInt8](repeating: byte, count: blocks * 512)
  }

  @Test(
    "The blocks are written in one operation, durable with FUA", arguments: [0, 0x18] as [UInt8])
  func writes(flags: UInt8) {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 300))
    var wanted = bench.store.image
    wanted.replaceSubrange(1536..<1536 + 256 * 512, with: data(256))
    let outcome = bench.run(CDB.sixteen(0x9C, 3, 256, flags: flags), out: data(256))
    #expect(outcome.summary == "good" && outcome.transferLength == 256 * 512)
    #expect(isEqual(bench.store.image, wanted))
    #expect(bench.store.changes.map(\.count) == [256 * 512])
    #expect(bench.store.changes.map(\.isDurable) == [flags != 0])
  }

  @Test("Past the end is out of range whatever the length; longer than the maximum is refused")
  func limits() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 5000))
    #expect(
      Array(bench.run([0x12, 1, 0xB0, 0, 64, 0]).data[44..<64])
        == [0, 0, 8, 0] + [UInt8](repeating: 0, count: 16))
    for (lba, count) in [(4999, 2), (4999, 4000), (5001, 0), (.max, 1)] as [(UInt64, Int)] {
      let outcome = bench.run(CDB.sixteen(0x9C, lba, count), out: data(count))
      #expect(outcome.summary == "05/21/00", "\(count) blocks from \(lba)")
    }
    #expect(
      bench.run(CDB.sixteen(0x9C, 0, 2049), out: data(2049)).sense
        == .invalidFieldInCDB(byte: 12, bit: 7))
    #expect(bench.run(CDB.sixteen(0x9C, 0, 0), out: []).summary == "good")
    #expect(
      bench.run(CDB.sixteen(0x9C, 0, 1, flags: 0x20), out: data(1)).sense
        == .invalidFieldInCDB(byte: 1, bit: 5))
    // ATOMIC BOUNDARY.
    #expect(
      bench.run(CDB.sixteen(0x9C, 0, 0x0001_0001), out: data(1)).sense
        == .invalidFieldInCDB(byte: 11, bit: 0))
    #expect(bench.store.log.isEmpty)
  }

  @Test("Less data than the CDB names writes nothing", arguments: [0, 512, 1023])
  func shortData(count: Int) {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    let outcome = bench.run(CDB.sixteen(0x9C, 0, 2), out: Array(data(2).prefix(count)))
    #expect(outcome.sense?.description == "05/24/00")
    #expect(bench.store.log.isEmpty)
  }

  @Test("A store that cannot has a unit that does not know the command")
  func unsupported() {
    let store = TestStore(
      blockBytes: 512, blocks: 10,
      capabilities: StoreCapabilities(canPunchHoles: true, canZeroRanges: true))
    let bench = Bench(store)
    #expect(bench.run(CDB.sixteen(0x9C, 0, 1), out: data(1)).summary == "05/20/00")
    #expect(bench.run([0x12, 1, 0xB0, 0, 64, 0]).data[44..<64].allSatisfy { $0 == 0 })
  }

  @Test("Reads and writes of its blocks on every reactor come before it or after it")
  func excludes() {
    let store = TestStore(blockBytes: 512, blocks: 20)
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    func turn() {
      for _ in 0..<12 {
        one.reactor.turn()
        two.reactor.turn()
      }
    }
    store.isHolding = true
    let earlier = two.begin(CDB.ten(0x28, 4, 4))
    let atomic = one.begin(CDB.sixteen(0x9C, 5, 2), out: data(2))
    turn()
    // A read that has begun is waited for.
    #expect(store.log.map(\.operation) == [.read])
    let later = [
      two.begin(CDB.ten(0x28, 6, 1)), one.begin(CDB.ten(0x28, 5, 1)),
      two.begin(CDB.sixteen(0x8F, 5, 1)), two.begin(CDB.ten(0x2A, 6, 1), out: data(1, 0x11)),
    ]
    let beside = two.begin(CDB.ten(0x28, 7, 1))
    #expect(later.allSatisfy { $0.phase == .held } && beside.phase == .executing)
    store.releaseHeld()
    store.isHolding = true
    turn()
    #expect(earlier.phase == .ended && atomic.phase == .executing)
    #expect(later.allSatisfy { $0.phase == .held })
    store.releaseHeld()
    turn()
    #expect(atomic.phase == .ended && atomic.status == .good)
    #expect(later.allSatisfy { $0.phase == .ended && $0.status == .good })
    #expect(isEqual(store.image, at: 5 * 512, data(1), at: 0, count: 512))
    #expect(isEqual(store.image, at: 6 * 512, data(1, 0x11), at: 0, count: 512))
    let read = later[1].data.map { $0.bytes(0..<512) }
    #expect(read == data(1))
  }
}
