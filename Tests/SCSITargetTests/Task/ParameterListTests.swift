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
}
