import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Durability and failures")
struct DurabilityTests {
  /// One command of each family that reaches the store.
  struct Family: CustomTestStringConvertible {
    var name: String
    var cdb: [UInt8]
    var out: [UInt8] = []
    var testDescription: String { name }
  }

  static let blocks = 6000
  static let block = [UInt8](repeating: 0x44, count: 512)
  static let zeros = [UInt8](repeating: 0, count: 512)
  static let families: [Family] = [
    Family(name: "READ", cdb: CDB.ten(0x28, 1, 8)),
    Family(name: "READ FUA", cdb: CDB.ten(0x28, 1, 8, flags: 8)),
    Family(name: "WRITE", cdb: CDB.ten(0x2A, 1, 1), out: block),
    Family(name: "WRITE FUA", cdb: CDB.sixteen(0x8A, 1, 1, flags: 8), out: block),
    Family(name: "WRITE AND VERIFY", cdb: CDB.ten(0x2E, 1, 1, flags: 2), out: block),
    Family(name: "VERIFY medium", cdb: CDB.sixteen(0x8F, 1, 5000)),
    Family(name: "VERIFY block", cdb: CDB.ten(0x2F, 1, 1, flags: 6), out: uniformBlock),
    Family(name: "SYNCHRONIZE CACHE", cdb: CDB.ten(0x35, 0, 0, flags: 2)),
    Family(name: "WRITE SAME", cdb: CDB.ten(0x41, 1, 5000), out: block),
    Family(name: "WRITE SAME zeros", cdb: CDB.ten(0x41, 1, 5000), out: zeros),
    Family(name: "WRITE SAME(10) UNMAP", cdb: CDB.ten(0x41, 1, 5000, flags: 8), out: zeros),
    Family(name: "WRITE ATOMIC", cdb: CDB.sixteen(0x9C, 1, 1), out: block),
    Family(name: "WRITE SAME UNMAP", cdb: CDB.sixteen(0x93, 1, 5000, flags: 9)),
    Family(name: "ORWRITE", cdb: CDB.sixteen(0x8B, 1, 1), out: block),
    Family(name: "ORWRITE FUA", cdb: CDB.sixteen(0x8B, 1, 1, flags: 8), out: block),
    Family(name: "COMPARE AND WRITE", cdb: CDB.compareAndWrite(1, 1), out: uniformBlock + block),
    Family(name: "PRE-FETCH", cdb: CDB.ten(0x34, 1, 5000)),
    Family(name: "GET LBA STATUS", cdb: [0x9E, 0x12] + CDB.bytes(1, 8) + [0, 0, 0, 64, 0, 0]),
    Family(name: "READ(32)", cdb: CDB.thirtyTwo(9, 1, 8, flags: 8)),
    Family(name: "WRITE(32)", cdb: CDB.thirtyTwo(11, 1, 1), out: block),
    Family(name: "WRITE SAME(32) UNMAP", cdb: CDB.thirtyTwo(13, 1, 5000, flags: 9)),
    Family(name: "UNMAP", cdb: CDB.unmap(40), out: CDB.unmapList([(1, 2), (9, 3)])),
    Family(name: "MODE SELECT", cdb: CDB.writeCache(false).cdb, out: CDB.writeCache(false).out),
    Family(name: "START STOP UNIT", cdb: [0x1B, 0, 0, 0, 0, 0]),
  ]

  /// What block 1 of a fresh store holds.
  static let uniformBlock = Array(TestStore(blockBytes: 512, blocks: 2).image[512..<1024])

  private func expectedSense(_ failure: StoreFailure, _ operation: StoreRequest.Operation) -> String
  {
    switch failure {
    case .outOfSpace: "07/27/07"
    case .medium: operation == .read ? "03/11/00" : "03/0C/00"
    case .gone: "02/04/03"
    case .latched: "03/0C/00"
    case .unsupported: "04/44/00"
    case .shortOfResources: "busy"
    case .notReady: "02/04/01"
    }
  }

  @Test(
    "Whichever operation of a command fails, and however, it is never GOOD",
    arguments: families, [true, false])
  func everyFault(family: Family, writeCache: Bool) {
    let failures: [StoreFailure] = [
      .outOfSpace, .medium(SystemError(rawValue: 5)), .gone, .latched, .shortOfResources,
      .notReady,
    ]
    for failure in failures {
      var number = 1
      while true {
        let store = TestStore(blockBytes: 512, blocks: Self.blocks)
        let bench = Bench(store, writeCache: writeCache)
        store.faults[number] = failure
        let outcome = bench.run(family.cdb, out: family.out.isEmpty ? nil : family.out)
        if store.log.count < number {
          #expect(outcome.summary == "good")
          break
        }
        // The operation that failed was the last that was started.
        #expect(store.log.count == number)
        let operation = store.log[number - 1].operation
        #expect(outcome.summary == expectedSense(failure, operation), "operation \(number)")
        // Its data had come.
        #expect(outcome.transferLength == UInt64(family.out.count))
        #expect(bench.unit.outOfSpaceCount == (failure == .outOfSpace ? 1 : 0))
        if family.name == "MODE SELECT" { #expect(bench.unit.modes.writeCacheEnabled) }
        number += 1
      }
      if writeCache || family.name != "MODE SELECT" {
        #expect(number > 1, "the family reaches the store")
      }
    }
  }

  @Test("Without a write cache every change is on the medium before GOOD", arguments: families)
  func writeThrough(family: Family) {
    let store = TestStore(blockBytes: 512, blocks: Self.blocks)
    let bench = Bench(store, writeCache: false)
    #expect(bench.run(family.cdb, out: family.out.isEmpty ? nil : family.out).summary == "good")
    #expect(!store.isDirty)
  }

  @Test("FUA makes one write durable, and a plain write is not")
  func forceUnitAccess() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    _ = bench.run(CDB.ten(0x2A, 0, 1), out: Self.block)
    _ = bench.run(CDB.ten(0x2A, 1, 1, flags: 8), out: Self.block)
    #expect(bench.store.log.map(\.isDurable) == [false, true])
    bench.store.resetLog()
    _ = bench.run(CDB.ten(0x28, 0, 1, flags: 8))
    #expect(bench.store.log.map(\.operation) == [.synchronize, .read])
  }

  @Test("Turning the write cache off synchronizes before GOOD and tells every other nexus")
  func writeCacheOff() {
    let store = TestStore(blockBytes: 512, blocks: 10)
    let one = Bench(store)
    let other = Bench(store, unit: one.unit, reactorIndex: 1)
    _ = one.run(CDB.ten(0x2A, 0, 1), out: Self.block)
    #expect(store.isDirty)
    let select = CDB.writeCache(false)
    #expect(one.run(select.cdb, out: select.out, telling: other).summary == "good")
    #expect(!store.isDirty)
    #expect(one.run(CDB.testUnitReady).summary == "good")
    #expect(other.run(CDB.testUnitReady).summary == "06/2A/01")
    _ = other.run(CDB.ten(0x2A, 0, 1), out: Self.block)
    #expect(store.log.last?.isDurable == true)
    // Caching page, current values: WCE 0.
    #expect(one.run([0x1A, 8, 8, 0, 64, 0]).data[6] == 0)
    // Changing nothing tells nobody.
    #expect(one.run(select.cdb, out: select.out).summary == "good")
    other.reactor.turn()
    #expect(other.run(CDB.testUnitReady).summary == "good")
  }

  @Test("While one MODE SELECT synchronizes another is BUSY, and cannot promise what may fail")
  func concurrentModeSelects() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    let select = CDB.writeCache(false)
    bench.store.isHolding = true
    bench.store.faults[1] = .shortOfResources
    let first = bench.begin(select.cdb, out: select.out)
    let second = bench.begin(select.cdb, out: select.out)
    #expect(second.status == .busy)
    bench.store.releaseHeld()
    #expect(first.status == .busy)
    #expect(bench.unit.modes.writeCacheEnabled)
    let third = bench.begin(select.cdb, out: select.out)
    bench.reactor.turn()
    #expect(third.phase == .ended && third.status == .good)
    #expect(!bench.unit.modes.writeCacheEnabled)
    // A list that is refused leaves the way free too.
    let fourth = bench.begin(select.cdb, out: Array(repeating: 0xFF, count: 24))
    let fifth = bench.begin(CDB.writeCache(true).cdb, out: CDB.writeCache(true).out)
    #expect(fourth.sense?.key == .illegalRequest)
    #expect(fifth.status == .good)
  }

  @Test("A write in flight while the write cache is turned off is synchronized before GOOD")
  func writeDuringModeSelect() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    bench.store.isHolding = true
    let task = bench.begin(CDB.ten(0x2A, 0, 1), out: Self.block)
    bench.store.isHolding = false
    let select = CDB.writeCache(false)
    let mode = bench.begin(select.cdb, out: select.out)
    bench.reactor.turn()
    #expect(mode.phase == .ended)
    bench.store.releaseHeld()
    #expect(task.phase == .executing)
    bench.reactor.turn()
    #expect(task.phase == .ended)
    #expect(!bench.store.isDirty)
  }

  @Test("D_SENSE decides the format in which sense data is sent")
  func descriptorSense() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    let select = CDB.control(descriptorSense: true)
    #expect(bench.run(select.cdb, out: select.out).summary == "good")
    let refused = bench.admit(CDB.ten(0x28, 11, 1)).task
    #expect(refused.usesDescriptorSense)
    bench.store.faults[1] = .gone
    let executed = bench.begin(CDB.ten(0x28, 0, 1))
    bench.reactor.turn()
    #expect(executed.usesDescriptorSense)
  }

  @Test("MISCOMPARE points at the first byte that differs", arguments: [0, 511, 512, 1_300_001])
  func miscompare(offset: Int) {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 4000))
    var out = Array(bench.store.image[512..<512 + 3000 * 512])
    out[offset] ^= 0x80
    out[offset + 700] ^= 0x80
    let outcome = bench.run(CDB.sixteen(0x8F, 1, 3000, flags: 2), out: out)
    #expect(outcome.sense == .miscompareDuringVerify(offset: UInt64(offset)))
  }
}
