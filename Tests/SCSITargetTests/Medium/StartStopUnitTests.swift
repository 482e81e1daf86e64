import BackingStore
import Reactor
import SCSIModel
import StandardTables
import Testing

@testable import SCSITarget

@Suite("START STOP UNIT and PREVENT ALLOW MEDIUM REMOVAL")
struct StartStopUnitTests {
  private let block = [UInt8](repeating: 0x55, count: 512)
  private let eject: [UInt8] = [0x1B, 0, 0, 0, 2, 0]
  private let load: [UInt8] = [0x1B, 0, 0, 0, 3, 0]
  private let start: [UInt8] = [0x1B, 0, 0, 0, 1, 0]
  private let stop: [UInt8] = [0x1B, 0, 0, 0, 0, 0]
  private let requestSense: [UInt8] = [0x03, 0, 0, 0, 18, 0]

  private func removable(_ store: TestStore) -> Bench {
    var options = LogicalUnitOptions()
    options.isRemovable = true
    options.servesLongCommands = true
    options.servesReferrals = true
    let unit = LogicalUnit(
      identity: Bench.identity, store: store, startsWithWriteCache: true, homeReactorIndex: 0,
      options: options)
    return Bench(store, unit: unit)
  }

  private func sense(_ bench: Bench) -> SenseData? {
    SenseData(decoding: bench.run(requestSense).data)
  }

  @Test("A stopped unit is NOT READY for everybody until it is started")
  func stopAndStart() {
    let store = TestStore(blockBytes: 512, blocks: 10)
    let one = Bench(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    _ = one.run(CDB.ten(0x2A, 0, 1), out: block)
    #expect(one.run(stop).summary == "good")
    #expect(!store.isDirty)
    store.resetLog()
    for bench in [one, two] {
      #expect(bench.run(CDB.testUnitReady).summary == "02/04/02")
      #expect(bench.run(CDB.ten(0x28, 0, 1)).summary == "02/04/02")
      #expect(bench.run([0x12, 0, 0, 0, 96, 0]).summary == "good")
      #expect(sense(bench)?.description == "02/04/02")
    }
    #expect(store.log.isEmpty)
    #expect(two.run(start).summary == "good")
    #expect(one.run(CDB.ten(0x28, 0, 1)).summary == "good")
  }

  @Test("A unit whose cache could not be written to the medium has not stopped")
  func stopFails() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    bench.store.faults[1] = .shortOfResources
    #expect(bench.run(stop).summary == "busy")
    #expect(bench.run(CDB.testUnitReady).summary == "good")
  }

  @Test("POWER CONDITION makes START and LOEJ meaningless; LOEJ needs a removable unit")
  func powerCondition() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    for condition in UInt8(1)...15 {
      #expect(bench.run([0x1B, 1, 0, 0, condition << 4 | 2, 0]).summary == "good")
      #expect(bench.run(CDB.testUnitReady).summary == "good")
    }
    #expect(bench.run(eject).sense == .invalidFieldInCDB(byte: 4, bit: 1))
    #expect(bench.run(load).sense == .invalidFieldInCDB(byte: 4, bit: 1))
  }

  @Test("An ejected medium is not present until it is loaded, which the others are told")
  func ejectAndLoad() {
    let store = TestStore(blockBytes: 512, blocks: 10)
    let one = removable(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    #expect(one.run(eject).summary == "good")
    #expect(one.run(eject).summary == "good")
    for row in CommandTable.standard.rows
    where !row.traits.contains(.movesMedium) && !row.command.isReservationCommand {
      let (cdb, out) = AdmissionTests.sensibleCommand(row)
      let expected = row.direction == .dataIn ? 4096 : nil
      let outcome = two.run(cdb, out: out, expected: expected, telling: one)
      let needsNone = NotReady.allows(row.opcode, action: row.serviceAction)
      #expect((outcome.summary == "02/3A/00") == !needsNone, "\(row.name)")
    }
    while one.lun.takeAttention() != nil {}
    #expect(two.run(start).summary == "02/3A/00")
    #expect(one.run(load, telling: two).summary == "good")
    #expect(two.run(CDB.testUnitReady).summary == "06/28/00")
    #expect(one.run(CDB.testUnitReady).summary == "good")
  }

  @Test("One nexus keeps the medium in, until it allows removal, is reset, or is gone")
  func preventRemoval() {
    let store = TestStore(blockBytes: 512, blocks: 10)
    let one = removable(store)
    let two = Bench(store, unit: one.unit, reactorIndex: 1)
    let prevent: [UInt8] = [0x1E, 0, 0, 0, 1, 0]
    for way in ["allow", "reset", "nexus reset", "loss"] {
      #expect(two.run(prevent).summary == "good")
      #expect(two.run(prevent).summary == "good")
      #expect(one.run(eject).summary == "05/53/02")
      #expect(one.run(CDB.testUnitReady).summary == "good")
      switch way {
      case "allow": #expect(two.run([0x1E, 0, 0, 0, 0, 0]).summary == "good")
      case "reset":
        one.server.reset(by: one.lun, attention: .busDeviceResetFunctionOccurred) {}
        for _ in 0..<3 {
          one.reactor.turn()
          two.reactor.turn()
        }
        _ = one.lun.takeAttention()
        _ = two.lun.takeAttention()
      case "nexus reset":
        two.server.resetNexus(two.lun) {}
        _ = two.lun.takeAttention()
      default: two.nexus.detachAll()
      }
      #expect(one.run(eject).summary == "good", "\(way)")
      #expect(one.run(load, telling: two).summary == "good")
      if way != "loss" { _ = two.lun.takeAttention() }
    }
  }
}
