import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Every command descriptor block")
struct CommandBlockTests {
  /// T-CDB-2, T-LEAK-1.
  @Test(
    "All opcodes, service actions and allocation lengths return no byte that was not written",
    arguments: [true, false])
  func allOpcodes(hasUnit: Bool) {
    let store = TestStore(blockBytes: 512, blocks: 64)
    let bench = Bench(store)
    let lengths = [0, 1, 3, 4, 8, 17, 36, 96, 255, 256, 65535]
    var served: Set<UInt8> = []
    for opcode in UInt8.min...UInt8.max {
      for action in 0..<UInt8(32) {
        let command = CommandTable.standard.lookup(
          opcode: opcode, serviceAction: UInt16(action))
        let row = command.map { CommandTable.standard[$0] }
        for length in row == nil ? [255] : lengths {
          var cdb = [UInt8](repeating: 0, count: row?.length ?? 16)
          cdb[0] = opcode
          cdb[1] = action
          if row?.length == 32 {
            cdb[1] = 0
            AdmissionTests.setServiceAction(row?.serviceAction, in: &cdb)
          }
          if let row { AdmissionTests.setLength(length, in: &cdb, row.parameterLength) }
          // Or nothing would reach the medium behind the first START STOP UNIT.
          undoModes(bench)
          bench.poison()
          store.log.removeAll(keepingCapacity: true)
          let outcome = hasUnit ? bench.run(cdb, out: out) : bench.runWithoutUnit(cdb)
          #expect(!holdsPoison(outcome.data, cdb), "\(cdb)")
          if let row, row.parameterLength != .none {
            #expect(outcome.data.count <= length, "\(cdb)")
          }
          let isWrite = row?.direction(for: CommandDescriptorBlock(cdb)) == .dataOut
          if outcome.status != .good {
            #expect(outcome.data.isEmpty, "\(cdb)")
            #expect(store.changes.isEmpty, "\(cdb)")
            // A list may have been taken, whole, and found wrong.
            let announced = row.flatMap { Self.announced(length, $0.parameterLength) }
            let isList =
              isWrite && (opcode == Self.formatUnit || Int(outcome.transferLength) == announced)
            #expect(outcome.transferLength == 0 || isList, "\(cdb)")
            #expect(
              outcome.sense != nil || outcome.status == .reservationConflict, "\(cdb)")
          }
          if row == nil { #expect(outcome.sense?.key == .illegalRequest, "\(cdb)") }
          if outcome.status == .good { served.insert(opcode) }
        }
      }
    }
    let needMedium: Set<UInt8> = [
      0x25, 0x28, 0x2A, 0x35, 0x42, 0x48, 0x7F, 0x83, 0x88, 0x8A, 0x93, 0x9E,
    ]
    #expect(!hasUnit || needMedium.isSubset(of: served), "\(needMedium.subtracting(served))")
  }

  /// The length of its list is not in the CDB.
  private static let formatUnit: UInt8 = 0x04

  private let out = [UInt8](repeating: 0, count: 65536)

  /// What a PARAMETER LIST LENGTH says that has had `length` put into it.
  private static func announced(_ length: Int, _ field: ParameterLengthField) -> Int? {
    switch field {
    case .none: nil
    case .byte4: length & 0xFF
    case .bytes3To4, .bytes7To8: length & 0xFFFF
    case .bytes5To8, .bytes6To8, .bytes6To9, .bytes10To13: length
    }
  }

  /// Whether a byte of the answer is as `Bench.poison` left it. In the clock's six bytes of a
  /// REPORT TIMESTAMP it may be just that time.
  private func holdsPoison(_ data: [UInt8], _ cdb: [UInt8]) -> Bool {
    let isTimestamp = cdb[0] == 0xA3 && cdb[1] & 0x1F == 0x0F
    return data.enumerated().contains { index, byte in
      byte == 0xA5 && !(isTimestamp && (4..<10).contains(index))
    }
  }

  /// T-CDB-1.
  @Test("Each bit of each command, with no, little, enough and much data, leaks and breaks nothing")
  func allBits() {
    let store = TestStore(blockBytes: 512, blocks: 64)
    let bench = Bench(store)
    for row in CommandTable.standard.rows {
      for bit in 8..<row.length * 8 {
        var (cdb, data) = AdmissionTests.sensibleCommand(row)
        cdb[bit / 8] ^= 0x80 >> UInt8(bit % 8)
        let isHonoured = row.usage[bit / 64] & (1 << 63) >> UInt64(bit % 64) != 0
        data += [UInt8](repeating: 0, count: 70000)
        for count in [0, 511, 512, data.count] {
          bench.poison()
          store.log.removeAll(keepingCapacity: true)
          let outcome = bench.run(cdb, out: Array(data.prefix(count)))
          #expect(!holdsPoison(outcome.data, cdb), "\(cdb) \(count)")
          if !isHonoured {
            #expect(outcome.sense?.key == .illegalRequest, "\(cdb) \(count)")
            #expect(store.log.isEmpty, "\(cdb) \(count)")
          }
          // What fails has changed nothing: all of it was looked at first.
          if outcome.status != .good { #expect(store.changes.isEmpty, "\(cdb) \(count)") }
          undoModes(bench)
        }
      }
    }
    #expect(bench.reactor.buffers.lentBytes == 0)
  }

  private func undoModes(_ bench: Bench) {
    bench.unit.modes.isSoftwareWriteProtected = false
    bench.unit.modes.writeCacheEnabled = true
    _ = bench.unit.medium.change(from: .stopped, to: .ready)
    finishWipe(bench)
    while bench.lun.takeAttention() != nil {}
  }

  /// The end of a FORMAT UNIT or SANITIZE that was answered before.
  private func finishWipe(_ bench: Bench) {
    for _ in 0..<10 where bench.server.wipe != nil { bench.reactor.turn() }
  }

  /// T-LBA-1.
  @Test(
    "Every command that names blocks answers LBA OUT OF RANGE past the end, and touches nothing",
    arguments: [512, 4096] as [UInt32])
  func everyAddress(blockBytes: UInt32) {
    let store = TestStore(blockBytes: blockBytes, blocks: 64)
    let bench = Bench(store)
    let image = store.image
    let out = [UInt8](repeating: 0x77, count: 16384)
    let addresses: [UInt64] =
      [0, 1, 63, 64, 65, 0x1F_FFFF, 1 << 31, 0xFFFF_FFFF] + [1 << 32, 1 << 51, 1 << 52, 1 << 54]
      + [1 << 55, 1 << 63, .max - 1, .max]
    var refusals = 0
    for row in CommandTable.standard.rows where row.blocks != .none {
      for lba in addresses {
        for count in [0, 1, 2, 64, 65, Self.countMax(row)] where Self.isPastEnd(row, lba, count) {
          guard let cdb = block(row, lba, count) else { continue }
          let outcome = bench.run(cdb, out: out)
          #expect(outcome.summary == "05/21/00", "\(row.name) \(lba) \(count)")
          refusals += 1
        }
      }
    }
    #expect(refusals > 1000)
    // Their counts are not of blocks.
    for lba in addresses where lba > 63 {
      let status = bench.run(CDB.sixteen(0x9E, lba, 64, flags: 0x12))
      #expect(status.summary == "05/21/00", "GET LBA STATUS \(lba)")
      for count in [0, 1, 64] where lba > 64 || count > 0 {
        let list = CDB.unmapList([(0, 1), (lba, count)])
        #expect(bench.run(CDB.unmap(list.count), out: list).summary == "05/21/00", "UNMAP \(lba)")
      }
    }
    #expect(store.log.isEmpty)
    #expect(isEqual(store.image, image))
  }

  /// The largest number of blocks that the CDB has room for.
  private static func countMax(_ row: CommandRow) -> Int {
    switch row.opcode {
    case 0x89: 0xFF  // COMPARE AND WRITE
    case 0x9C: 0xFFFF  // WRITE ATOMIC(16)
    default:
      switch row.blocks {
      case .none: 0
      case .six: 0xFF
      case .ten: 0xFFFF
      case .twelve, .sixteen, .thirtyTwo: 0xFFFF_FFFF
      }
    }
  }

  /// Of 64 blocks. A count of 0 is 256 blocks in six bytes, and elsewhere none, or all to the end.
  private static func isPastEnd(_ row: CommandRow, _ lba: UInt64, _ count: Int) -> Bool {
    let blocks = UInt64(row.blocks == .six && count == 0 ? 256 : count)
    let (end, wraps) = lba.addingReportingOverflow(blocks)
    return wraps || end > 64
  }

  /// The CDB for some blocks; nil if it has no room for the address.
  private func block(_ row: CommandRow, _ lba: UInt64, _ count: Int) -> [UInt8]? {
    switch row.blocks {
    case .none: nil
    case .six: lba <= 0x1F_FFFF ? CDB.six(row.opcode, lba, count) : nil
    case .ten: lba <= UInt32.max ? CDB.ten(row.opcode, lba, count) : nil
    case .twelve: lba <= UInt32.max ? CDB.twelve(row.opcode, lba, count) : nil
    case .sixteen: CDB.sixteen(row.opcode, lba, count)
    case .thirtyTwo: CDB.thirtyTwo(UInt8(row.serviceAction ?? 0), lba, count)
    }
  }

  /// T-UNM-1.
  @Test("An UNMAP list that contradicts itself or asks too much touches nothing")
  func unmapLists() {
    let store = TestStore(blockBytes: 512, blocks: 64)
    let bench = Bench(store)
    let good = CDB.unmapList([(3, 2), (40, 1)])
    for count in 1..<good.count {
      let outcome = bench.run(CDB.unmap(count), out: Array(good.prefix(count)))
      #expect(outcome.sense?.key == .illegalRequest, "\(count) bytes")
      let short = bench.run(CDB.unmap(good.count), out: Array(good.prefix(count)))
      #expect(short.sense?.key == .illegalRequest, "\(count) bytes of those announced")
    }
    #expect(bench.run(CDB.unmap(good.count), out: []).summary == "05/1A/00")
    var lying = good
    lying[3] += 16
    #expect(bench.run(CDB.unmap(good.count), out: lying).sense?.key == .illegalRequest)
    lying = good
    lying[1] = 255
    #expect(bench.run(CDB.unmap(good.count), out: lying).summary == "05/1A/00")
    let many = CDB.unmapList((0..<129).map { (UInt64($0 % 60), 1) })
    #expect(bench.run(CDB.unmap(many.count), out: many).summary == "05/26/00")
    let large = CDB.unmapList([(0, 1 << 20), (0, 1)])
    #expect(bench.run(CDB.unmap(large.count), out: large).summary == "05/26/00")
    let past = CDB.unmapList([(0, 64), (63, 2)])
    #expect(bench.run(CDB.unmap(past.count), out: past).summary == "05/21/00")
    #expect(store.log.isEmpty)
    #expect(bench.run(CDB.unmap(0), out: []).summary == "good")
    #expect(bench.run(CDB.unmap(8), out: [0, 6, 0, 0, 0, 0, 0, 0]).summary == "good")
    let overlapping = CDB.unmapList([(3, 4), (5, 4), (3, 0)])
    #expect(bench.run(CDB.unmap(overlapping.count), out: overlapping).summary == "good")
    #expect(store.image[3 * 512..<9 * 512].allSatisfy { $0 == 0 })
    #expect(store.image[0..<3 * 512].allSatisfy { $0 != 0 })
  }

  @Test("A store that cannot punch holes has a unit without UNMAP, which says so everywhere")
  func noUnmap() {
    let store = TestStore(
      blockBytes: 512, blocks: 64,
      capabilities: StoreCapabilities(
        canPunchHoles: false, canZeroRanges: true, atomicWriteBytesMax: 1 << 20))
    let bench = Bench(store)
    let list = CDB.unmapList([(0, 1)])
    #expect(bench.run(CDB.unmap(list.count), out: list).summary == "05/20/00")
    let block = [UInt8](repeating: 0, count: 512)
    #expect(
      bench.run(CDB.sixteen(0x93, 0, 1, flags: 8), out: block).sense
        == .invalidFieldInCDB(byte: 1, bit: 3))
    let capacity = bench.run([0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0]).data
    #expect(capacity[14] & 0xC0 == 0)
    #expect(bench.run([0x12, 1, 0xB2, 0, 64, 0]).data[5] == 0)
    #expect(bench.run([0x12, 1, 0xB0, 0, 64, 0]).data[20..<28].allSatisfy { $0 == 0 })
    let one = bench.run([0xA3, 0x0C, 1, 0x42, 0, 0, 0, 0, 0, 64, 0, 0]).data
    #expect(one == [0, 1, 0, 0])
    for (flag, size) in [(UInt8(0), 8), (0x80, 20)] {
      let all = bench.run([0xA3, 0x0C, flag, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]).data
      let length = all[0..<4].reduce(0) { $0 << 8 | Int($1) }
      #expect(length == all.count - 4)
      #expect(all.count == 4 + (CommandTable.standard.rows.count - 2) * size)
      #expect(!stride(from: 4, to: all.count, by: size).contains { all[$0] == 0x42 })
    }
  }

  @Test("A unit that unmaps says so in READ CAPACITY(16) and its VPD pages")
  func provisioning() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 64))
    let capacity = bench.run([0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0]).data
    #expect(Array(capacity[0..<16]) == [0, 0, 0, 0, 0, 0, 0, 63, 0, 0, 2, 0, 0, 3, 0xC0, 0])
    // Threshold sets of 2^11 blocks; LBPU, LBPWS, LBPWS10 and LBPRZ.
    #expect(bench.run([0x12, 1, 0xB2, 0, 64, 0]).data[4..<6] == [11, 0xE4])
    let limits = bench.run([0x12, 1, 0xB0, 0, 64, 0]).data
    // Granularity 8 blocks; largest transfer 32768; optimal 2048; UNMAP 2^20 blocks, 128 ranges.
    #expect(Array(limits[6..<12]) == [0, 8, 0, 0, 0x80, 0])
    #expect(Array(limits[12..<16]) == [0, 0, 8, 0])
    #expect(Array(limits[20..<28]) == [0, 0x10, 0, 0, 0, 0, 0, 128])
    #expect(Array(limits[28..<36]) == [0, 0, 0, 8, 0x80, 0, 0, 0])
    #expect(Array(limits[36..<44]) == [0, 0, 0, 0, 0, 0, 0x80, 0])
  }

  @Test("A LUN that is not there answers INQUIRY, REPORT LUNS and REQUEST SENSE only")
  func noUnit() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 64))
    let inquiry = bench.runWithoutUnit([0x12, 0, 0, 0, 96, 0])
    #expect(inquiry.data.first == 0x7F)
    #expect(inquiry.data.count == 96)
    let luns = bench.runWithoutUnit([0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0])
    #expect(luns.data == [0, 0, 0, 8] + [UInt8](repeating: 0, count: 12))
    let sense = bench.runWithoutUnit([0x03, 0, 0, 0, 18, 0])
    #expect(SenseData(decoding: sense.data) == .logicalUnitNotSupported)
    #expect(sense.status == .good)
    #expect(bench.runWithoutUnit(CDB.testUnitReady).summary == "05/25/00")
    #expect(bench.runWithoutUnit(CDB.ten(0x28, 0, 1)).summary == "05/25/00")
    #expect(bench.runWithoutUnit([0xFF]).summary == "05/25/00")
    #expect(bench.runWithoutUnit([0x12, 0, 1, 0, 96, 0]).summary == "05/24/00")
  }

  @Test("Device identification names the unit, and the port that the command came through")
  func deviceIdentification() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 64))
    let page = bench.run([0x12, 1, 0x83, 0, 255, 0]).data
    // NAA designator: binary, of the unit, type 3, 16 bytes.
    #expect(Array(page[4..<24]) == [0x01, 0x03, 0, 16] + Bench.identity.naa)
    let text = String(decoding: page, as: UTF8.self)
    #expect(text.contains("iqn.2026-01.example:t,t,0x0007"))
    // Relative target port 2 and target port group 3.
    #expect(contains(page, [0x51, 0x94, 0, 4, 0, 0, 0, 2, 0x51, 0x95, 0, 4, 0, 0, 0, 3]))
    // No logical unit group; of a unit that has one, its number.
    #expect(!contains(page, [0x01, 0x06, 0, 4]))
    var identity = Bench.identity
    identity.group = 0x0102
    let store = TestStore(blockBytes: 512, blocks: 64)
    let unit = LogicalUnit(
      identity: identity, store: store, startsWithWriteCache: true, homeReactorIndex: 0)
    let grouped = Bench(store, unit: unit).run([0x12, 1, 0x83, 0, 255, 0]).data
    #expect(Array(grouped[4..<24]) == Array(page[4..<24]))
    #expect(contains(grouped, [0x01, 0x06, 0, 4, 0, 0, 1, 2]))
  }

  private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    bytes.indices.contains { bytes[$0...].starts(with: part) }
  }
}
