import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("What a disk tells of itself and lets be set")
struct DeviceCommandTests {
  private func makeBench(_ options: LogicalUnitOptions = Bench.options) -> Bench {
    Bench(TestStore(blockBytes: 512, blocks: 100), options: options)
  }

  // MARK: Log

  private func statistics(_ bench: Bench) -> [UInt64] {
    let page = bench.run([0x4D, 0, 0x59, 0, 0, 0, 0, 0x10, 0, 0]).data
    return (0..<4).map { index in
      page[8 + index * 8..<16 + index * 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
  }

  @Test("READs and WRITEs of all reactors are counted until LOG SELECT resets them for everyone")
  func counters() {
    let first = makeBench()
    let second = Bench(first.store, unit: first.unit, reactorIndex: 1)
    first.run(CDB.ten(0x28, 0, 3))
    second.run(CDB.ten(0x28, 1, 2))
    second.run(CDB.ten(0x2A, 1, 4), out: [UInt8](repeating: 1, count: 2048))
    second.run(CDB.ten(0x28, 200, 2))
    // Reads, writes, blocks received, blocks transmitted.
    #expect(statistics(first) == [2, 1, 4, 5])
    let reset: [UInt8] = [0x4C, 2, 0, 0, 0, 0, 0, 0, 0, 0]
    #expect(second.run(reset, telling: first).summary == "good")
    #expect(first.run(CDB.testUnitReady).summary == "06/2A/02")
    #expect(second.run(CDB.testUnitReady).summary == "good")
    #expect(statistics(first) == [0, 0, 0, 0])
  }

  @Test("LOG SENSE of a page, subpage or parameter that is not there is pointed at")
  func unknownLogs() {
    let bench = makeBench()
    func sense(_ page: UInt8, _ subpage: UInt8, _ pointer: UInt8) -> SenseData? {
      bench.run([0x4D, 0, page, subpage, 0, 0, pointer, 0, 255, 0]).sense
    }
    #expect(sense(0x40, 0, 0) == nil)
    #expect(sense(0x40, 0xFF, 0) == nil)
    #expect(sense(0x43, 0, 0) == .invalidFieldInCDB(byte: 2, bit: 5))
    #expect(sense(0x4D, 1, 0) == .invalidFieldInCDB(byte: 3, bit: 7))
    #expect(sense(0x4D, 0, 2) == .invalidFieldInCDB(byte: 5, bit: 7))
    #expect(sense(0x40, 0, 1) == .invalidFieldInCDB(byte: 5, bit: 7))
    // Nobody has looked at the medium.
    #expect(sense(0x4C, 0, 0) == .invalidFieldInCDB(byte: 2, bit: 5))
  }

  @Test("LOG SENSE lists pages and subpages, and the subpages of each page; no page has others")
  func logSubpages() {
    let bench = makeBench()
    func run(_ page: UInt8, _ subpage: UInt8, on bench: Bench) -> Outcome {
      bench.run([0x4D, 0, 0x40 | page, subpage, 0, 0, 0, 0, 255, 0])
    }
    #expect(
      run(0x00, 0xFF, on: bench).data == [
        0xC0, 0xFF, 0, 20, 0x00, 0x00, 0x00, 0xFF, 0x0D, 0x00, 0x0D, 0xFF, 0x15, 0x00, 0x15, 0xFF,
        0x19, 0x00, 0x19, 0xFF, 0x2F, 0x00, 0x2F, 0xFF,
      ])
    for page in [0x0D, 0x15, 0x19, 0x2F] as [UInt8] {
      #expect(run(page, 0xFF, on: bench).data == [0xC0 | page, 0xFF, 0, 4, page, 0, page, 0xFF])
    }
    for page in [0x00, 0x0D, 0x15, 0x19, 0x2F] as [UInt8] {
      for subpage in UInt8(1)...0xFE {
        #expect(run(page, subpage, on: bench).sense == .invalidFieldInCDB(byte: 3, bit: 7))
      }
    }
    // As long as nobody has looked at the medium.
    #expect(run(0x0C, 0xFF, on: bench).sense == .invalidFieldInCDB(byte: 2, bit: 5))
    _ = bench.unit.noteSpace(usedBytes: 0, availableBytes: 1 << 20)
    #expect(run(0x0C, 0xFF, on: bench).data == [0xCC, 0xFF, 0, 4, 0x0C, 0, 0x0C, 0xFF])
    // Both codes are in the usage data of both commands.
    for (opcode, flags) in [(0x4C, 0x02), (0x4D, 0x00)] as [(UInt8, UInt8)] {
      let usage = bench.run([0xA3, 12, 1, opcode, 0, 0, 0, 0, 0, 64, 0, 0]).data
      #expect(usage[4..<8] == [opcode, flags, 0xFF, 0xFF])
    }
  }

  // MARK: Thin provisioning

  @Test("A unit whose room falls below its threshold says so once to each nexus, and in its pages")
  func softThreshold() {
    var options = Bench.options
    options.thinThresholdPercent = 80
    let store = TestStore(blockBytes: 512, blocks: 64 << 10)
    let first = Bench(store, options: options)
    let second = Bench(store, unit: first.unit, reactorIndex: 1)
    let mebibyte: UInt64 = 1 << 20
    #expect(!first.unit.noteSpace(usedBytes: 20 * mebibyte, availableBytes: 100 * mebibyte))
    // 32 MiB in all: available 12 sets, used 20, of 1 MiB each.
    let page = first.run([0x4D, 0, 0x4C, 0, 0, 0, 0, 0, 64, 0]).data
    #expect(page[8..<12] == [0, 0, 0, 12])
    #expect(page[20..<24] == [0, 0, 0, 20])
    // A fifth of 32 and the rest, rounded down: 6 available, 25 used.
    let mode = first.run([0x1A, 8, 0x1C, 2, 255, 0]).data
    #expect(
      Array(mode.suffix(16)) == [0x80, 1, 0, 0, 0, 0, 0, 6, 0x81, 2, 0, 0, 0, 0, 0, 25])
    #expect(first.unit.noteSpace(usedBytes: 20 * mebibyte, availableBytes: 2 * mebibyte))
    #expect(!first.unit.noteSpace(usedBytes: 20 * mebibyte, availableBytes: mebibyte))
    // By way of the home reactor.
    for bench in [first, first, second] { bench.reactor.turn() }
    for bench in [first, second] {
      #expect(bench.run(CDB.testUnitReady).summary == "06/38/07")
      #expect(bench.run(CDB.testUnitReady).summary == "good")
    }
    #expect(!first.unit.noteSpace(usedBytes: 2 * mebibyte, availableBytes: 100 * mebibyte))
    #expect(first.unit.noteSpace(usedBytes: 31 * mebibyte, availableBytes: 100 * mebibyte))
  }

  /// A unit of 100 MiB with thresholds in percent.
  private func thin(used: UInt8?, available: UInt8?) -> Bench {
    var options = Bench.options
    options.thinThresholdPercent = used
    options.thinAvailableThresholdPercent = available
    return Bench(TestStore(blockBytes: 512, blocks: 100 << 11), options: options)
  }

  @Test("A threshold of what is available is reached from above, whatever is used")
  func availableThreshold() {
    let bench = thin(used: nil, available: 10)
    let mode = bench.run([0x1A, 8, 0x1C, 2, 255, 0]).data
    #expect(mode.count == 4 + 16 + 8 && mode.suffix(8) == [0x80, 1, 0, 0, 0, 0, 0, 10])
    // LBPERE.
    #expect(bench.run([0x1A, 8, 0x01, 0, 255, 0]).data[11] & 0x80 == 0x80)
    let mebibyte: UInt64 = 1 << 20
    func note(_ used: UInt64, _ available: UInt64) -> Bool {
      bench.unit.noteSpace(usedBytes: used * mebibyte, availableBytes: available * mebibyte)
    }
    #expect(!note(89, 500))
    #expect(note(90, 500), "of 100 MiB 10 are left")
    #expect(!note(99, 500), "it was reached before")
    #expect(!note(1, 11))
    #expect(note(1, 10), "the file system has 10 MiB left")
    for _ in 0..<2 { bench.reactor.turn() }
    #expect(bench.run(CDB.testUnitReady).summary == "06/38/07")
    #expect(bench.run(CDB.testUnitReady).summary == "good", "one unit attention of a kind")
  }

  @Test("Each of two thresholds raises the alarm when it is reached, also behind the other")
  func twoThresholds() {
    let bench = thin(used: 50, available: 20)
    let mode = bench.run([0x1A, 8, 0x1C, 2, 255, 0]).data
    #expect(
      Array(mode.suffix(16)) == [0x80, 1, 0, 0, 0, 0, 0, 20, 0x81, 2, 0, 0, 0, 0, 0, 50])
    let mebibyte: UInt64 = 1 << 20
    func note(_ used: UInt64, _ available: UInt64) -> Bool {
      bench.unit.noteSpace(usedBytes: used * mebibyte, availableBytes: available * mebibyte)
    }
    #expect(!note(49, 500))
    #expect(note(50, 500))
    #expect(!note(79, 500))
    #expect(note(80, 500), "20 MiB are left")
    #expect(!note(80, 21))
    #expect(!note(49, 500))
    #expect(note(49, 20))
    #expect(note(50, 20))
  }

  // MARK: Medium errors

  @Test("A READ that fails names the block that its store could not read", arguments: [0, 3])
  func mediumErrorInformation(done: Int) {
    let bench = makeBench()
    bench.store.faults[1] = .medium(.inputOutput)
    bench.store.doneBeforeFault = done * 512
    let outcome = bench.run(CDB.ten(0x28, 10, 8))
    #expect(outcome.sense == .unrecoveredReadError.withInformation(UInt64(10 + done)))
    #expect(outcome.transferLength == 0)
  }

  // MARK: Identifying information and time

  private func set(
    _ type: UInt8, _ bytes: [UInt8], on bench: Bench, telling peer: Bench? = nil
  ) -> String {
    bench.run(
      [
        0xA4, 6, 0, 0, 0, 0, 0, 0, UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF), type << 1, 0,
      ],
      out: bytes, telling: peer
    ).summary
  }

  @Test("Identifying information is what was set, to its limits, and others hear of a change")
  func identifyingInformation() {
    let first = makeBench()
    let second = Bench(first.store, unit: first.unit, reactorIndex: 1)
    let whole = [UInt8](repeating: 7, count: 64)
    #expect(set(0, whole, on: first, telling: second) == "good")
    #expect(set(2, Array("disk".utf8) + [0], on: first, telling: second) == "good")
    #expect(set(0, whole + [7], on: first) == "05/24/00")
    #expect(set(2, Array("disk".utf8), on: first) == "05/26/00")
    #expect(set(1, [1], on: first) == "05/24/00")
    func report(_ type: UInt8) -> [UInt8] {
      first.run([0xA3, 5, 0, 0, 0, 0, 0, 0, 2, 0, type << 1, 0]).data
    }
    #expect(report(0) == [0, 0, 0, 64] + whole)
    #expect(report(2) == [0, 0, 0, 5] + Array("disk".utf8) + [0])
    #expect(report(0x7F).count == 12)
    #expect(second.run(CDB.testUnitReady).summary == "06/3F/05")
    #expect(first.run(CDB.testUnitReady).summary == "good")
    #expect(set(0, [], on: first, telling: second) == "good")
    #expect(report(0) == [0, 0, 0, 0])
  }

  @Test("The timestamp is the machine's time until SET TIMESTAMP, which others hear of")
  func timestamp() {
    let first = makeBench()
    let second = Bench(first.store, unit: first.unit, reactorIndex: 1)
    let report: [UInt8] = [0xA3, 15, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0]
    let before = first.run(report).data
    #expect(Array(before.prefix(4)) == [0, 10, 3, 0])
    let set: [UInt8] = [0xA4, 15, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0]
    let out: [UInt8] = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    #expect(first.run(set, out: out, telling: second).summary == "good")
    let after = first.run(report).data
    #expect(Array(after.prefix(7)) == [0, 10, 2, 0, 0, 1, 0])
    #expect(second.run(CDB.testUnitReady).summary == "06/2A/10")
  }

  // MARK: Diagnostics and buffers

  @Test("A self-test of a ready unit is GOOD; page 00h is the only diagnostic page")
  func diagnostics() {
    let bench = makeBench()
    #expect(bench.run([0x1D, 4, 0, 0, 0, 0]).summary == "good")
    #expect(bench.run([0x1D, 4, 0, 0, 4, 0], out: [0, 0, 0, 0]).summary == "05/24/00")
    #expect(bench.run([0x1D, 0x24, 0, 0, 0, 0]).sense == .invalidFieldInCDB(byte: 1, bit: 5))
    #expect(bench.run([0x1D, 0x10, 0, 0, 4, 0], out: [0, 0, 0, 0]).summary == "good")
    #expect(bench.run([0x1D, 0x10, 0, 0, 4, 0], out: [1, 0, 0, 0]).summary == "05/26/00")
    #expect(bench.run([0x1D, 0x10, 0, 0, 3, 0], out: [0, 0, 0]).summary == "05/1A/00")
    #expect(bench.run([0x1C, 1, 0, 0, 64, 0]).data == [0, 0, 0, 1, 0])
    #expect(bench.run([0x1C, 1, 1, 0, 64, 0]).sense == .invalidFieldInCDB(byte: 2, bit: 7))
  }

  private func buffer(
    _ opcode: UInt8, _ mode: UInt8, offset: Int = 0, _ count: Int, id: UInt8 = 0
  ) -> [UInt8] {
    [opcode, mode, id] + CDB.bytes(UInt64(offset), 3) + CDB.bytes(UInt64(count), 3) + [0]
  }

  @Test("Buffers give back what the same nexus wrote, and have 4096 bytes")
  func buffers() {
    let first = makeBench()
    let second = Bench(first.store, unit: first.unit, reactorIndex: 1)
    #expect(first.run(buffer(0x3C, 0x0A, 64)).summary == "05/2C/00")
    #expect(first.run(buffer(0x3B, 0x0A, 3), out: [1, 2, 3]).summary == "good")
    #expect(first.run(buffer(0x3C, 0x0A, 64)).data == [1, 2, 3])
    #expect(second.run(buffer(0x3C, 0x0A, 64)).summary == "05/2C/00")
    #expect(first.run(buffer(0x3B, 2, offset: 4094, 2), out: [8, 9]).summary == "good")
    #expect(first.run(buffer(0x3C, 2, offset: 4093, 64)).data == [0, 8, 9])
    #expect(first.run(buffer(0x3C, 3, 64)).data == [0, 0, 0x10, 0])
    #expect(first.run(buffer(0x3C, 0x0B, 64)).data == [1, 0, 0x10, 0])
    let long = [UInt8](repeating: 1, count: 4097)
    #expect(first.run(buffer(0x3B, 2, 4097), out: long).summary == "05/24/00")
    #expect(first.run(buffer(0x3B, 2, offset: 4095, 2), out: long).summary == "05/24/00")
    #expect(first.run(buffer(0x3B, 0x0A, 4097), out: long).summary == "05/24/00")
    #expect(first.run(buffer(0x3C, 2, 64, id: 1)).sense == .invalidFieldInCDB(byte: 2, bit: 7))
    // The descriptor of a buffer that is not there.
    #expect(first.run(buffer(0x3C, 3, 64, id: 1)).data == [0, 0, 0, 0])
    #expect(first.run(buffer(0x3C, 5, 64)).sense == .invalidFieldInCDB(byte: 1, bit: 4))
    #expect(first.run(buffer(0x3B, 2, 8), out: [1, 2, 3]).summary == "05/1A/00")
  }

  @Test("INQUIRY tells of several ports, of a removable medium and of the configured speed")
  func configuredPages() {
    var options = LogicalUnitOptions()
    options.mediumRotationRate = 7200
    options.isRemovable = true
    let store = TestStore(blockBytes: 512, blocks: 100)
    let unit = LogicalUnit(
      identity: Bench.identity, store: store, startsWithWriteCache: true, homeReactorIndex: 0,
      options: options)
    let ports = [
      TargetPortIdentity(group: 3, relativePort: 2, name: "iqn.2026-01.example:t,t,0x0007"),
      TargetPortIdentity(group: 8, relativePort: 8, name: "iqn.2026-01.example:t,t,0x0008"),
    ]
    let bench = Bench(store, unit: unit, targetPorts: ports)
    let data = bench.run([0x12, 0, 0, 0, 96, 0]).data
    #expect(data[1] == 0x80)
    #expect(data[5] == 0x18)
    #expect(data[6] == 0x10)
    #expect(bench.run([0x12, 1, 0xB1, 0, 64, 0]).data[4..<6] == [0x1C, 0x20])
    #expect(bench.run([0x12, 1, 0x88, 0, 255, 0]).data[3] == 96)
    let pages = bench.run([0x12, 1, 0, 0, 64, 0]).data
    for page in pages.dropFirst(4) {
      let answer = bench.run([0x12, 1, page, 0, 255, 0]).data
      #expect(answer.prefix(2) == [0, page])
    }
    // Implicit access only: SET TARGET PORT GROUPS is not there.
    let set: [UInt8] = [0xA4, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    #expect(bench.run(set).sense == .invalidFieldInCDB(byte: 1, bit: 4))
    #expect(bench.run([0xA3, 0x0C, 2, 0xA4, 0, 10, 0, 0, 0, 64, 0, 0]).data == [0, 1, 0, 0])
    #expect(bench.run([0xA3, 0x0C, 2, 0xA4, 0, 6, 0, 0, 0, 64, 0, 0]).data[1] == 3)
  }
}
