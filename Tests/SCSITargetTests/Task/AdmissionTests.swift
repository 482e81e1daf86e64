import BackingStore
import Reactor
import SCSIModel
import StandardTables
import Testing

@testable import SCSITarget

@Suite("Admission")
struct AdmissionTests {
  /// Every row of the table as a CDB that would succeed on a disk, with its data.
  static func sensibleCommand(_ row: CommandRow) -> (cdb: [UInt8], out: [UInt8]) {
    var cdb = [UInt8](repeating: 0, count: row.length)
    cdb[0] = row.opcode
    setServiceAction(row.serviceAction, in: &cdb)
    switch row.blocks {
    case .six: cdb[4] = 1
    case .ten: cdb[8] = 1
    case .twelve: cdb[9] = 1
    case .sixteen: cdb[13] = 1
    case .thirtyTwo: cdb[31] = 1
    case .none: break
    }
    switch row.command {
    case .verify32: cdb[10] = 0x02
    case .compareAndWrite: return (cdb, [UInt8](repeating: 0x33, count: 1024))
    case .startStopUnit: cdb[4] = 1
    case .formatUnit: return (cdb, [])
    case .sanitizeOverwrite:
      cdb[8] = 8
      return (cdb, [1, 0, 0, 4, 0x33, 0x33, 0x33, 0x33])
    case .verify10, .verify12, .verify16: cdb[1] = 0x02
    case .register, .registerAndIgnoreExistingKey, .reserve, .release, .clear, .preempt,
      .preemptAndAbort, .registerAndMove, .replaceLostReservation:
      return Reserve.out(UInt8(row.serviceAction ?? 0), new: 1)
    case .unmap:
      let list = CDB.unmapList([(1, 1)])
      cdb[8] = UInt8(list.count)
      return (cdb, list)
    case .modeSelect6: return CDB.writeCache(true)
    case .setIdentifyingInformation, .setTargetPortGroups, .setTimestamp, .logSelect,
      .sendDiagnostic, .writeBuffer, .readBuffer:
      return sensibleDeviceCommand(row, cdb)
    case .modeSense6, .modeSense10:
      cdb[2] = 0x3F
      setLength(255, in: &cdb, row.parameterLength)
    case .modeSelect10:
      cdb[1] = 0x10
      cdb[8] = 28
      return (cdb, [0, 0, 0, 0] + CDB.writeCache(true).out)
    // No list: nothing to copy.
    case .extendedCopyLID1, .extendedCopyLID4, .populateToken, .writeUsingToken: break
    default: setLength(255, in: &cdb, row.parameterLength)
    }
    return (cdb, [UInt8](repeating: 0x33, count: 512))
  }

  /// A copy of nothing under the name 0, for the commands that ask for its results.
  static func copyNothing(_ bench: Bench) {
    let list = [UInt8](repeating: 0, count: 16)
    #expect(bench.run(CopyBench.cdb(0, list.count), out: list).summary == "good")
  }

  static func setServiceAction(_ action: UInt16?, in cdb: inout [UInt8]) {
    guard let action else { return }
    if cdb[0] == CommandDescriptorBlock.variableLengthOpcode {
      cdb[7] = UInt8(cdb.count - 8)
      cdb[9] = UInt8(action)
    } else {
      cdb[1] = UInt8(action)
    }
  }

  private static func sensibleDeviceCommand(
    _ row: CommandRow, _ plain: [UInt8]
  ) -> (cdb: [UInt8], out: [UInt8]) {
    var cdb = plain
    let length: Int
    switch row.command {
    case .sendDiagnostic:
      cdb[1] = 0x04
      length = 0
    case .logSelect:
      cdb[1] = 0x02
      length = 0
    case .setTargetPortGroups: length = 4
    case .setTimestamp: length = 12
    case .writeBuffer, .readBuffer:
      cdb[1] = 0x02
      length = 64
    default: length = 8
    }
    setLength(length, in: &cdb, row.parameterLength)
    return (cdb, [UInt8](repeating: 0x33, count: 512))
  }

  static func setLength(_ length: Int, in cdb: inout [UInt8], _ field: ParameterLengthField) {
    let place: (Int, Int)? =
      switch field {
      case .none: nil
      case .byte4: (4, 1)
      case .bytes3To4: (3, 2)
      case .bytes5To8: (5, 4)
      case .bytes6To8: (6, 3)
      case .bytes6To9: (6, 4)
      case .bytes7To8: (7, 2)
      case .bytes10To13: (10, 4)
      }
    guard let (start, count) = place else { return }
    let bytes = CDB.bytes(UInt64(length), count)
    for index in 0..<count { cdb[start + index] = bytes[index] }
  }

  @Test(
    "Each command that needs no registration ends GOOD on a disk",
    arguments: CommandTable.standard.rows.indices)
  func everyRow(index: Int) {
    let row = CommandTable.standard.rows[index]
    switch row.command {
    // Nobody is registered.
    case .reserve, .release, .clear, .preempt, .preemptAndAbort, .registerAndMove,
      .replaceLostReservation:
      return
    default: break
    }
    let (cdb, out) = Self.sensibleCommand(row)
    let bench = Bench(TestStore(blockBytes: 512, blocks: 100))
    bench.store.image.replaceSubrange(0..<512, with: repeatElement(0x33, count: 512))
    Self.copyNothing(bench)
    #expect(
      bench.run(cdb, out: out, expected: row.direction == .dataIn ? 4096 : nil).summary == "good")
  }

  /// T-RO-1.
  @Test(
    "A write-protected unit refuses each medium-changing command and changes nothing",
    arguments: ["initiator", "store", "SWP"])
  func writeProtection(by cause: String) {
    let store = TestStore(blockBytes: 512, blocks: 100)
    store.capabilities.isReadOnly = cause == "store"
    let bench = Bench(store, isReadOnly: cause == "initiator")
    if cause == "SWP" {
      let select = CDB.control(writeProtect: true)
      #expect(bench.run(select.cdb, out: select.out).summary == "good")
    }
    let image = store.image
    for row in CommandTable.standard.rows
    where row.command != .modeSelect6 && row.command != .modeSelect10 {
      let (cdb, out) = Self.sensibleCommand(row)
      let outcome = bench.run(cdb, out: out, expected: row.direction == .dataIn ? 4096 : nil)
      let changesMedium = MediumChange.isMade(by: row.opcode, action: row.serviceAction)
      #expect((outcome.summary == "07/27/00") == changesMedium, "\(row.name): \(outcome.summary)")
    }
    if cause == "initiator" {
      // It writes nothing, but takes the medium from those who may.
      for cdb: [UInt8] in [[0x1B, 0, 0, 0, 0, 0], [0x1B, 0, 0, 0, 2, 0], [0x1E, 0, 0, 0, 1, 0]] {
        #expect(bench.run(cdb).summary == "05/20/02", "\(cdb)")
      }
    }
    #expect(store.changes.isEmpty)
    #expect(store.image == image)
  }

  /// T-LBA-1.
  @Test(
    "Addresses and lengths past the end, also where sums wrap, answer LBA OUT OF RANGE and touch nothing",
    arguments: [512, 4096] as [UInt32])
  func outOfRange(blockBytes: UInt32) {
    let store = TestStore(blockBytes: blockBytes, blocks: 64)
    let bench = Bench(store)
    let image = store.image
    let last: UInt64 = 63
    let wide: [UInt64] = [
      last + 1, last + 2, 1 << 31, 1 << 32, 1 << 51, 1 << 52, 1 << 54, 1 << 55, 1 << 63, .max - 1,
      .max,
    ]
    let out = [UInt8](repeating: 0x77, count: Int(blockBytes))
    for opcode in [0x88, 0x8A, 0x8E, 0x8F, 0x91, 0x93] as [UInt8] {
      for lba in wide {
        for count in [1, 2, 0xFFFF_FFFF] {
          let outcome = bench.run(CDB.sixteen(opcode, lba, count), out: out)
          #expect(outcome.summary == "05/21/00", "\(opcode) \(lba) \(count)")
        }
      }
      #expect(bench.run(CDB.sixteen(opcode, last, 2), out: out).summary == "05/21/00")
      #expect(bench.run(CDB.sixteen(opcode, last + 2, 0), out: out).summary == "05/21/00")
    }
    for opcode in [0x28, 0x2A, 0x2E, 0x2F, 0x35, 0x41] as [UInt8] {
      for lba in [last + 1, last + 2, 1 << 31, 0xFFFF_FFFF] {
        #expect(bench.run(CDB.ten(opcode, lba, 1), out: out).summary == "05/21/00")
        #expect(bench.run(CDB.ten(opcode, lba, 0xFFFF), out: out).summary == "05/21/00")
      }
    }
    for lba in wide {
      let list = CDB.unmapList([(0, 1), (lba, 1)])
      #expect(bench.run(CDB.unmap(list.count), out: list).summary == "05/21/00")
    }
    #expect(store.log.isEmpty)
    #expect(store.image == image)
  }

  @Test("MAXIMUM TRANSFER LENGTH is what one command moves, and one block more is refused")
  func transferLengthMax() {
    let blocks = (16 << 20) / 4096 + 10
    let bench = Bench(TestStore(blockBytes: 4096, blocks: blocks), memoryBytes: 64 << 20)
    let page = bench.run([0x12, 1, 0xB0, 0, 0xFF, 0]).data
    #expect(Array(page[8..<12]) == [0, 0, 0x10, 0])
    let outcome = bench.run(CDB.sixteen(0x88, 5, 4096), expected: 32 << 20)
    #expect(outcome.data.count == 16 << 20)
    let refusal = bench.run(CDB.sixteen(0x88, 5, 4097), expected: 32 << 20)
    #expect(refusal.sense == .invalidFieldInCDB(byte: 10, bit: 7))
    #expect(refusal.transferLength == 0)
    #expect(
      bench.run(CDB.twelve(0xAA, 5, 4097), out: []).sense == .invalidFieldInCDB(byte: 6, bit: 7))
  }

  @Test("A command that finds no memory ends BUSY and leaves the task set")
  func noMemory() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 1000), memoryBytes: 128 << 10)
    let taken = bench.reactor.buffers.allocate(65_536)
    defer { if let taken { bench.reactor.buffers.release(taken) } }
    let rest = bench.reactor.buffers.allocate(4096)
    defer { if let rest { bench.reactor.buffers.release(rest) } }
    #expect(bench.run(CDB.ten(0x28, 0, 100)).summary == "busy")
    #expect(bench.run(CDB.ten(0x2F, 0, 100)).summary == "busy")
    #expect(bench.run(CDB.ten(0x28, 0, 8)).summary == "good")
  }

  // MARK: Unit attention

  @Test(
    "A unit attention is reported once, by any command but INQUIRY, REPORT LUNS and REQUEST SENSE")
  func unitAttention() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10), attention: .powerOnOccurred)
    #expect(bench.run([0x12, 0, 0, 0, 96, 0]).summary == "good")
    #expect(bench.run([0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0]).summary == "good")
    bench.lun.establish(.modeParametersChanged)
    let read = bench.run(CDB.ten(0x28, 0, 1))
    #expect(read.sense == .powerOnOccurred)
    #expect(read.data.isEmpty)
    let sense = bench.run([0x03, 0, 0, 0, 18, 0])
    #expect(SenseData(decoding: sense.data) == .modeParametersChanged)
    #expect(bench.run(CDB.testUnitReady).summary == "good")
    #expect(bench.store.log.isEmpty)
  }

  @Test("REPORT LUNS withdraws the unit attention that asks for it")
  func reportedLUNsDataHasChanged() {
    let bench = Bench(
      TestStore(blockBytes: 512, blocks: 10), attention: .reportedLUNsDataHasChanged)
    bench.lun.establish(.modeParametersChanged)
    _ = bench.run([0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0])
    #expect(bench.run(CDB.testUnitReady).sense == .modeParametersChanged)
    #expect(bench.run(CDB.testUnitReady).summary == "good")
  }

  // MARK: Readiness

  @Test(
    "A unit that is not ready answers INQUIRY and no medium access: BUSY if it waits for its lock",
    arguments: [
      (StoreReadiness.waitingForLock, "02/04/01"), (.gone, "02/04/03"), (.unusable, "02/04/03"),
    ])
  func notReady(readiness: StoreReadiness, sense: String) {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    Self.copyNothing(bench)
    bench.store.readiness = readiness
    for row in CommandTable.standard.rows {
      let (cdb, out) = Self.sensibleCommand(row)
      let outcome = bench.run(cdb, out: out, expected: row.direction == .dataIn ? 4096 : nil)
      let isAllowed = NotReady.allows(row.opcode, action: row.serviceAction)
      let isBusy =
        readiness == .waitingForLock && NotReady.isOfMedium(row.opcode, action: row.serviceAction)
      let expected = isAllowed ? "good" : isBusy ? "busy" : sense
      #expect(outcome.summary == expected, "\(row.name)")
    }
    #expect(bench.store.log.isEmpty)
    let state = bench.run([0x03, 0, 0, 0, 18, 0])
    #expect(SenseData(decoding: state.data)?.description == sense)
  }

  @Test("After a failed synchronization writes and synchronizations fail, and reads go on")
  func latched() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    bench.store.faults[1] = .medium(SystemError(rawValue: 5))
    #expect(bench.run(CDB.ten(0x35, 0, 0)).summary == "03/0C/00")
    bench.store.resetLog()
    #expect(bench.run(CDB.ten(0x35, 0, 0)).summary == "03/0C/00")
    #expect(
      bench.run(CDB.ten(0x2A, 0, 1), out: [UInt8](repeating: 1, count: 512)).summary == "03/0C/00")
    #expect(bench.store.log.isEmpty)
    #expect(bench.run(CDB.ten(0x28, 0, 1)).summary == "good")
  }

  @Test(
    "What forbids a write while its data is on the way is seen when it is dispatched",
    arguments: ["read-only", "latched", "gone"])
  func dispatch(change: String) {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    let image = bench.store.image
    let (task, admission) = bench.admit(
      CDB.ten(0x2A, 0, 1), out: [UInt8](repeating: 9, count: 512))
    #expect(admission == .collect(byteCount: 512))
    switch change {
    case "read-only": bench.store.capabilities.isReadOnly = true
    case "latched": bench.store.readiness = .latched
    default: bench.store.readiness = .gone
    }
    bench.server.execute(task)
    #expect(task.phase == .ended)
    #expect(task.status == .checkCondition)
    #expect(bench.store.log.isEmpty)
    #expect(bench.store.image == image)
  }

  @Test("Data that went wrong on the way ends the command without touching the store")
  func failedCollection() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    let (task, _) = bench.admit(CDB.ten(0x2A, 0, 1), out: [UInt8](repeating: 9, count: 512))
    bench.server.fail(task, .protocolServiceCRCError)
    #expect(bench.endedOutcomes().map(\.summary) == ["0B/47/05"])
    #expect(bench.server.taskCount == 0)
    #expect(bench.store.log.isEmpty)
  }

  // MARK: Expected data transfer length, T-EDTL-1

  @Test("A WRITE with less data than blocks writes the whole blocks it was given")
  func shortWrite() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    var wanted = bench.store.image
    wanted.replaceSubrange(512..<1536, with: repeatElement(7, count: 1024))
    let (task, admission) = bench.admit(
      CDB.ten(0x2A, 1, 4), out: [UInt8](repeating: 7, count: 1100))
    #expect(admission == .collect(byteCount: 2048))
    #expect(task.dataCount == 1100)
    bench.server.execute(task)
    bench.reactor.turn()
    #expect(bench.endedOutcomes().map(\.summary) == ["good"])
    #expect(task.transferLength == 2048)
    #expect(bench.store.image == wanted)
  }

  @Test("A WRITE without any data, and one of no blocks, are GOOD and touch nothing")
  func emptyWrite() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    let none = bench.run(CDB.ten(0x2A, 1, 4), out: [])
    #expect(none.summary == "good")
    #expect(none.transferLength == 2048)
    #expect(bench.run(CDB.ten(0x2A, 1, 0), out: [1, 2, 3]).transferLength == 0)
    #expect(bench.store.log.isEmpty)
  }

  @Test("A READ reads the blocks for which there is room and tells its whole length")
  func shortRead() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    let outcome = bench.run(CDB.ten(0x28, 1, 4), expected: 600)
    #expect(outcome.transferLength == 2048)
    #expect(outcome.data.elementsEqual(bench.store.image[512..<1536]))
    #expect(bench.run(CDB.ten(0x28, 1, 4), expected: 1024).data.count == 1024)
    #expect(bench.run(CDB.ten(0x28, 1, 4), expected: 0).transferLength == 2048)
    #expect(bench.run(CDB.ten(0x28, 1, 4), expected: 9999).data.count == 2048)
  }

  @Test("WRITE SAME takes one block of data, no less and no more", arguments: [0, 511, 513, 1024])
  func writeSameDataOut(count: Int) {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    let out = [UInt8](repeating: 7, count: count)
    #expect(bench.run(CDB.ten(0x41, 0, 2), out: out).sense == .invalidFieldInCDB(byte: 7, bit: 7))
    #expect(
      bench.run(CDB.sixteen(0x93, 0, 2), out: out).sense == .invalidFieldInCDB(byte: 10, bit: 7))
    #expect(bench.store.log.isEmpty)
  }

  @Test("An initiator that may only read cannot MODE SELECT the write cache of the others")
  func modeSelectReadOnly() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 64), isReadOnly: true)
    let list: [UInt8] = [0, 0, 0, 0, 0x08, 0x12] + [UInt8](repeating: 0, count: 18)
    let result = bench.run([0x15, 0x10, 0, 0, UInt8(list.count), 0], out: list)
    #expect(result.summary == "05/20/02")
    #expect(bench.unit.modes.writeCacheEnabled)
  }
}
