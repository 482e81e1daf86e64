import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Parameter lists")
struct ParameterListTests {
  @Test("A list that comes only in part is PARAMETER LIST LENGTH ERROR, and changes nothing")
  func partial() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 100))
    let before = bench.store.image
    let control = CDB.control(descriptorSense: true).out
    let pages = control + CDB.writeCache(false).out.dropFirst(4)
    let ranges = CDB.unmapList([(0, 4), (8, 4)])
    let cases: [(cdb: [UInt8], out: ArraySlice<UInt8>)] = [
      // The first of the two pages is there as a whole.
      ([0x15, 0x10, 0, 0, UInt8(pages.count), 0], pages[..<control.count]),
      (CDB.unmap(ranges.count), ranges[..<24]),
      ([0x5F, 0, 0, 0, 0, 0, 0, 0, 24, 0], [UInt8](repeating: 0, count: 24)[..<16]),
      ([0xA4, 6, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0], [1, 2, 3, 4]),
    ]
    for (cdb, out) in cases {
      #expect(bench.run(cdb, out: Array(out)).summary == "05/1A/00", "\(cdb[0])")
    }
    #expect(!bench.unit.modes.usesDescriptorSense)
    #expect(isEqual(bench.store.image, before))
  }

  /// T-MODE-1.
  @Test("A MODE SELECT whose PARAMETER LIST LENGTH is not that of its list changes nothing")
  func modeSelectLength() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 100))
    let page = CDB.control(descriptorSense: true).out.dropFirst(4)
    for (opcode, header) in [(UInt8(0x15), 4), (0x55, 8)] {
      let list = [UInt8](repeating: 0, count: header) + page
      for length in 1...list.count + 20 where length != list.count {
        let cdb =
          opcode == 0x15
          ? [opcode, 0x10, 0, 0, UInt8(length), 0]
          : [opcode, 0x10, 0, 0, 0, 0, 0] + CDB.bytes(UInt64(length), 2) + [0]
        // A list that ends behind its header has no page, and is whole.
        let summary = length == header ? "good" : "05/1A/00"
        #expect(bench.run(cdb, out: list).summary == summary, "\(cdb)")
      }
    }
    #expect(!bench.unit.modes.usesDescriptorSense)
  }

  /// T-MODE-2. Were it otherwise, a command would be sized by one block length and run by another.
  @Test("MODE SELECT changes neither block length nor capacity under a WRITE SAME that waits")
  func geometryStays() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 100))
    let capacity = [0x9E, 0x10] + [UInt8](repeating: 0, count: 11) + [32, 0, 0]
    let before = (
      bench.run(capacity).data, bench.run([0x5A, 0x10, 0x3F, 0, 0, 0, 0, 1, 0, 0]).data
    )
    var wanted = bench.store.image
    overwrite(
      &wanted, at: 10 * 512, with: [UInt8](repeating: 0x5A, count: 40 * 512), count: 40 * 512)
    let (writeSame, _) = bench.admit(
      CDB.sixteen(0x93, 10, 40), out: [UInt8](repeating: 0x5A, count: 512))
    let geometries: [(blocks: UInt64, blockBytes: UInt64)] = [
      (0, 4096), (100, 4096), (0, 0), (0, 513), (12, 4096), (1, 512), (99, 512), (101, 512),
    ]
    for (blocks, blockBytes) in geometries {
      let short = CDB.bytes(blocks, 4) + [0] + CDB.bytes(blockBytes, 3)
      let long = CDB.bytes(blocks, 8) + [0, 0, 0, 0] + CDB.bytes(blockBytes, 4)
      let lists: [(cdb: [UInt8], out: [UInt8])] = [
        ([0x15, 0x10, 0, 0, 12, 0], [0, 0, 0, 8] + short),
        ([0x55, 0x10, 0, 0, 0, 0, 0, 0, 16, 0], [0, 0, 0, 0, 0, 0, 0, 8] + short),
        ([0x55, 0x10, 0, 0, 0, 0, 0, 0, 24, 0], [0, 0, 0, 0, 1, 0, 0, 16] + long),
      ]
      for (cdb, list) in lists {
        bench.begin(cdb, out: list)
        #expect(bench.endedOutcomes().map(\.summary) == ["05/26/00"], "\(cdb) \(list)")
      }
    }
    bench.server.execute(writeSame)
    while writeSame.phase != .ended { bench.reactor.turn() }
    #expect(bench.endedOutcomes().map(\.summary) == ["good"])
    #expect(isEqual(bench.store.image, wanted))
    #expect(bench.run(capacity).data == before.0)
    #expect(bench.run([0x5A, 0x10, 0x3F, 0, 0, 0, 0, 1, 0, 0]).data == before.1)
  }
}
