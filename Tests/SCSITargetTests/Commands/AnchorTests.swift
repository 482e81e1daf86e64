import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("UNMAP and WRITE SAME with ANCHOR")
struct AnchorTests {
  /// A unit of 64 blocks whose store anchors, or does not.
  private func makeBench(anchors: Bool = true, writeCache: Bool = true) -> Bench {
    let store = TestStore(
      blockBytes: 512, blocks: 64,
      capabilities: StoreCapabilities(
        canPunchHoles: true, canZeroRanges: true, canAnchor: anchors))
    return Bench(store, writeCache: writeCache)
  }

  private func unmap(_ length: Int) -> [UInt8] {
    var cdb = CDB.unmap(length)
    cdb[1] = 1
    return cdb
  }

  private let zeros = [UInt8](repeating: 0, count: 512)

  private func entry(_ operation: StoreRequest.Operation, _ lba: UInt64, _ count: UInt64)
    -> TestStore.Entry
  {
    TestStore.Entry(
      operation: operation, offset: lba * 512, count: count * 512, isDurable: false)
  }

  @Test("UNMAP with ANCHOR zeroes the ranges and keeps their space; without, it gives that back")
  func unmapAnchors() {
    let bench = makeBench()
    let list = CDB.unmapList([(3, 2), (40, 1)])
    #expect(bench.run(unmap(list.count), out: list).summary == "good")
    #expect(bench.store.log == [entry(.zeroRange, 3, 2), entry(.zeroRange, 40, 1)])
    #expect(bench.store.image[3 * 512..<5 * 512].allSatisfy { $0 == 0 })
    bench.store.resetLog()
    #expect(bench.run(CDB.unmap(list.count), out: list).summary == "good")
    #expect(bench.store.log == [entry(.punchHole, 3, 2), entry(.punchHole, 40, 1)])
  }

  @Test("WRITE SAME of zeros with UNMAP and ANCHOR anchors, with and without a block of data")
  func writeSameAnchors() {
    let bench = makeBench()
    let commands: [([UInt8], [UInt8]?)] = [
      (CDB.ten(0x41, 5, 3, flags: 0x18), zeros), (CDB.sixteen(0x93, 5, 3, flags: 0x18), zeros),
      (CDB.sixteen(0x93, 5, 3, flags: 0x19), nil),
      (CDB.thirtyTwo(0x0D, 5, 3, flags: 0x18), zeros),
      (CDB.thirtyTwo(0x0D, 5, 3, flags: 0x19), nil),
    ]
    for (cdb, out) in commands {
      bench.store.resetLog()
      #expect(bench.run(cdb, out: out).summary == "good", "\(cdb)")
      #expect(bench.store.log == [entry(.zeroRange, 5, 3)], "\(cdb)")
    }
  }

  @Test("WRITE SAME of anything else is written, whatever UNMAP and ANCHOR say")
  func writeSameWrites() {
    let bench = makeBench()
    let block = [UInt8](repeating: 0xA5, count: 512)
    #expect(bench.run(CDB.sixteen(0x93, 5, 3, flags: 0x18), out: block).summary == "good")
    #expect(bench.store.changes.allSatisfy { $0.operation == .write })
    #expect(bench.store.image[5 * 512..<8 * 512].allSatisfy { $0 == 0xA5 })
  }

  @Test("WRITE SAME with ANCHOR and without UNMAP is refused at ANCHOR, and touches nothing")
  func anchorWithoutUnmap() {
    let bench = makeBench()
    let one = SenseData.invalidFieldInCDB(byte: 1, bit: 4)
    #expect(bench.run(CDB.ten(0x41, 5, 3, flags: 0x10), out: zeros).sense == one)
    #expect(bench.run(CDB.sixteen(0x93, 5, 3, flags: 0x10), out: zeros).sense == one)
    #expect(bench.run(CDB.sixteen(0x93, 5, 3, flags: 0x11)).sense == one)
    #expect(
      bench.run(CDB.thirtyTwo(0x0D, 5, 3, flags: 0x10), out: zeros).sense
        == .invalidFieldInCDB(byte: 10, bit: 4))
    #expect(bench.store.log.isEmpty)
  }

  @Test("Where the store cannot, ANCHOR is refused at its bit and ANC_SUP is 0")
  func unable() {
    let bench = makeBench(anchors: false)
    let list = CDB.unmapList([(3, 2)])
    #expect(
      bench.run(unmap(list.count), out: list).sense == .invalidFieldInCDB(byte: 1, bit: 0))
    let one = SenseData.invalidFieldInCDB(byte: 1, bit: 4)
    #expect(bench.run(CDB.ten(0x41, 5, 3, flags: 0x18), out: zeros).sense == one)
    #expect(bench.run(CDB.sixteen(0x93, 5, 3, flags: 0x19)).sense == one)
    #expect(
      bench.run(CDB.thirtyTwo(0x0D, 5, 3, flags: 0x19)).sense
        == .invalidFieldInCDB(byte: 10, bit: 4))
    #expect(bench.store.log.isEmpty)
    #expect(bench.run([0x12, 1, 0xB2, 0, 64, 0]).data[5] == 0xE4)
    #expect(bench.run(CDB.unmap(list.count), out: list).summary == "good")
  }

  @Test("Where it can, page B2h and REPORT SUPPORTED OPERATION CODES say so")
  func told() {
    let bench = makeBench()
    // LBPU, LBPWS, LBPWS10, LBPRZ and ANC_SUP.
    #expect(bench.run([0x12, 1, 0xB2, 0, 64, 0]).data[5] == 0xE6)
    for (code, flags) in [(0x42, 0x01), (0x41, 0x18), (0x93, 0x19)] as [(UInt8, UInt8)] {
      let usage = bench.run([0xA3, 0x0C, 1, code, 0, 0, 0, 0, 0, 64, 0, 0]).data
      #expect(usage[5] == flags, "\(code)")
    }
  }

  @Test("Anchoring that finds no space is SPACE ALLOCATION FAILED, and goes no further")
  func outOfSpace() {
    let bench = makeBench()
    bench.store.faults = [1: .outOfSpace]
    let list = CDB.unmapList([(3, 2), (40, 1)])
    #expect(bench.run(unmap(list.count), out: list).summary == "07/27/07")
    #expect(bench.store.log == [entry(.zeroRange, 3, 2)])
    bench.store.resetLog()
    bench.store.faults = [1: .outOfSpace]
    #expect(bench.run(CDB.sixteen(0x93, 5, 3, flags: 0x19)).summary == "07/27/07")
    #expect(bench.store.log == [entry(.zeroRange, 5, 3)])
    #expect(bench.unit.outOfSpaceCount == 2)
  }

  @Test("Without a write cache what was anchored is on stable storage before GOOD")
  func durable() {
    let bench = makeBench(writeCache: false)
    let list = CDB.unmapList([(3, 2)])
    #expect(bench.run(unmap(list.count), out: list).summary == "good")
    #expect(bench.store.log.map(\.operation) == [.zeroRange, .synchronize])
    #expect(!bench.store.isDirty)
  }

  @Test("GET LBA STATUS tells mapped, deallocated and anchored blocks; of a mixture, mapped")
  func status() {
    let bench = Bench(
      TestStore(
        blockBytes: 4096, blocks: 100,
        capabilities: StoreCapabilities(
          canPunchHoles: true, canZeroRanges: true, canAnchor: true)))
    bench.store.extents = [
      StoreExtent(offset: 0, count: 8192, .mapped),
      StoreExtent(offset: 8192, count: 8192, .anchored),
      // The first half of block 6 has no space, the second half has.
      StoreExtent(offset: 16384, count: 10240, .deallocated),
      StoreExtent(offset: 26624, count: 6144, .anchored),
      StoreExtent(offset: 32768, count: 409_600 - 32768, .deallocated),
    ]
    let data = bench.run([0x9E, 0x12] + CDB.bytes(0, 8) + CDB.bytes(1000, 4) + [0, 0]).data
    let wanted: [(lba: UInt64, count: UInt64, state: UInt8)] = [
      (0, 2, 0), (2, 2, 2), (4, 2, 1), (6, 1, 0), (7, 1, 2), (8, 92, 1),
    ]
    let descriptors = wanted.flatMap { run -> [UInt8] in
      CDB.bytes(run.lba, 8) + CDB.bytes(run.count, 4) + [run.state, 0, 0, 0]
    }
    #expect(Array(data.dropFirst(8)) == descriptors)
  }
}
