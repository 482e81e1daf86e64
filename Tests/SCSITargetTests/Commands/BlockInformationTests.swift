import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("GET LBA STATUS, READ DEFECT DATA, PRE-FETCH")
struct BlockInformationTests {
  private func lbaStatus(_ lba: UInt64, _ length: Int) -> [UInt8] {
    [0x9E, 0x12] + CDB.bytes(lba, 8) + CDB.bytes(UInt64(length), 4) + [0, 0]
  }

  @Test("GET LBA STATUS reports whole blocks, a partly mapped one as mapped")
  func getLBAStatus() throws {
    let bench = Bench(TestStore(blockBytes: 4096, blocks: 100))
    bench.store.extents = [
      StoreExtent(offset: 8192, count: 1024, .mapped),
      StoreExtent(offset: 9216, count: 20480, .deallocated),
      StoreExtent(offset: 29696, count: 409_600 - 29696, .mapped),
    ]
    let data = bench.run(lbaStatus(2, 1000)).data
    #expect(Array(data[0..<8]) == [0, 0, 0, 52, 0, 0, 0, 0])
    // LBA 2: 1 block mapped; 3: 4 deallocated; 7: 93 mapped.
    #expect(Array(data[8..<24]) == CDB.bytes(2, 8) + CDB.bytes(1, 4) + [0, 0, 0, 0])
    #expect(Array(data[24..<40]) == CDB.bytes(3, 8) + CDB.bytes(4, 4) + [1, 0, 0, 0])
    #expect(Array(data[40..<56]) == CDB.bytes(7, 8) + CDB.bytes(93, 4) + [0, 0, 0, 0])
    #expect(try #require(bench.store.log.first).offset == 8192)
    // Whole descriptors, and always the first.
    #expect(Array(bench.run(lbaStatus(2, 39)).data[0..<4]) == [0, 0, 0, 20])
    #expect(bench.run(lbaStatus(2, 4)).data == [0, 0, 0, 20])
    bench.store.extents = []
    #expect(
      Array(bench.run(lbaStatus(99, 64)).data[8...]) == CDB.bytes(99, 8) + [0, 0, 0, 1, 0, 0, 0, 0])
    for lba in [100, 1 << 63, .max] as [UInt64] {
      #expect(bench.run(lbaStatus(lba, 64)).summary == "05/21/00")
    }
  }

  @Test("READ DEFECT DATA returns the lists that were asked for, empty")
  func defectData() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    #expect(bench.run([0x37, 0, 0x1D, 0, 0, 0, 0, 0, 64, 0]).data == [0, 0x1D, 0, 0])
    #expect(
      bench.run([0xB7, 0x0B, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0]).data == [0, 0x0B, 0, 0, 0, 0, 0, 0])
  }

  @Test("PRE-FETCH reads what it names, to the end for length 0, and returns no data")
  func preFetch() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 5000))
    for cdb in [CDB.ten(0x34, 7, 0, flags: 2), CDB.sixteen(0x90, 7, 0)] {
      bench.store.resetLog()
      let outcome = bench.run(cdb)
      #expect(outcome.summary == "good" && outcome.transferLength == 0)
      #expect(bench.store.log.allSatisfy { $0.operation == .read })
      #expect(bench.store.log.reduce(0) { $0 + $1.count } == 4993 * 512)
    }
    #expect(bench.run(CDB.ten(0x34, 4999, 2)).summary == "05/21/00")
    #expect(bench.run(CDB.sixteen(0x90, .max, 2)).summary == "05/21/00")
  }

  @Test("PRE-FETCH takes what MAXIMUM PREFETCH LENGTH says, MAXIMUM TRANSFER LENGTH, and no more")
  func preFetchLimit() throws {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 100_000))
    let limits = bench.run([0x12, 1, 0xB0, 0, 64, 0]).data
    func field(_ place: Int) -> Int { limits[place..<place + 4].reduce(0) { $0 << 8 | Int($1) } }
    let most = field(16)
    #expect(most == field(8) && most > 0 && most < 100_000)
    #expect(bench.run(CDB.sixteen(0x90, 0, most)).summary == "good")
    #expect(bench.run(CDB.sixteen(0x90, 0, most + 1)).summary == "05/24/00")
    #expect(bench.run(CDB.sixteen(0x90, 0, 0)).summary == "good")
  }
}
