import SCSIModel
import Testing

@testable import SCSITarget

@Suite("LUNs of a nexus")
struct LUNTests {
  @Test("Every LUN leads to its unit, in whatever order and with whatever gaps they are presented")
  func luns() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 20))
    let nexus = bench.secondNexus()
    nexus.detachAll()
    let luns: [UInt16] = [7, 1, 16383, 0, 255, 2, 256, 300]
    for lun in luns {
      nexus.attach(bench.server, as: lun, isReadOnly: false, attention: .powerOnOccurred)
    }
    #expect(nexus.luns == luns.sorted())
    for lun in UInt16(0)...16_400 {
      #expect(nexus.unitNexus(at: lun)?.lun == (luns.contains(lun) ? lun : nil))
    }
    #expect(nexus.unitNexus(at: .max) == nil)
    nexus.detachAll()
    #expect(nexus.luns.isEmpty && nexus.unitNexus(at: 0) == nil)
  }
}
