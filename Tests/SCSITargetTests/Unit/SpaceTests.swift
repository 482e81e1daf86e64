import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Room of the medium")
struct SpaceTests {
  /// LOG SENSE of the logical block provisioning page (SBC-3 §6.3.4).
  private static let logSense: [UInt8] = [0x4D, 0, 0x40 | 0x0C, 0, 0, 0, 0, 0, 64, 0]

  @Test("A unit that takes the place of another tells at once what was found of their medium")
  func adopts() {
    var options = Bench.options
    options.thinThresholdPercent = 50
    let store = TestStore(blockBytes: 512, blocks: 8192)
    let former = Bench(store, options: options)
    let unit = Bench(store, options: options)
    #expect(former.unit.noteSpace(usedBytes: 3 << 20, availableBytes: 1 << 20))
    #expect(unit.run(Self.logSense).summary == "05/24/00")
    unit.unit.provisioning.adopt(former.unit.provisioning)
    let data = unit.run(Self.logSense).data
    // AVAILABLE 1 MiB, USED 3 MiB.
    #expect(data.count == 28 && data[8...11] == [0, 0, 0, 1] && data[20...23] == [0, 0, 0, 3])
    // Whether its threshold is reached it finds, and tells, itself.
    #expect(unit.unit.noteSpace(usedBytes: 3 << 20, availableBytes: 1 << 20))
    // What has been found since is newer.
    _ = former.unit.noteSpace(usedBytes: 0, availableBytes: 4 << 20)
    unit.unit.provisioning.adopt(former.unit.provisioning)
    for _ in 0..<3 { unit.reactor.turn() }
    #expect(unit.run(CDB.testUnitReady).summary == "06/38/07")
    #expect(unit.run(Self.logSense).data == data)
  }
}
