import BackingStore
import SCSIModel
import TargetSimulation
import Testing

@testable import SCSITarget

/// What a disk must do, in the simplest way: an array and the standard's rules.
private struct ReferenceDisk {
  var image: [UInt8]
  let blockBytes: Int
  let canUnmap: Bool
  var blocks: Int { image.count / blockBytes }

  static let outOfRange = "05/21/00"
  static let invalidField = "05/24/00"

  func bytes(_ lba: UInt64, _ count: Int) -> Range<Int> {
    Int(lba) * blockBytes..<(Int(lba) + count) * blockBytes
  }
  func exists(_ lba: UInt64, _ count: Int) -> Bool {
    lba <= UInt64(blocks) && UInt64(count) <= UInt64(blocks) - lba
  }
  mutating func set(_ range: Range<Int>, _ data: [UInt8]) {
    overwrite(&image, at: range.lowerBound, with: data, count: range.count)
  }
  func holds(_ range: Range<Int>, _ data: [UInt8]) -> Bool {
    isEqual(image, at: range.lowerBound, data, at: 0, count: range.count)
  }

  mutating func write(_ lba: UInt64, _ count: Int, _ out: [UInt8]) -> String {
    guard exists(lba, count) else { return Self.outOfRange }
    let given = min(out.count, count * blockBytes) / blockBytes
    set(bytes(lba, given), out)
    return "good"
  }

  func verify(_ lba: UInt64, _ count: Int, _ check: Int, _ out: [UInt8]) -> String {
    guard exists(lba, count) else { return Self.outOfRange }
    switch check {
    case 0: return "good"
    case 1:
      let given = min(out.count, count * blockBytes) / blockBytes
      return holds(bytes(lba, given), out) ? "good" : "0E/1D/00"
    default:
      if count == 0 { return "good" }
      guard out.count >= blockBytes else { return Self.invalidField }
      let isSame = (0..<count).allSatisfy {
        holds(bytes(lba + UInt64($0), 1), out)
      }
      return isSame ? "good" : "0E/1D/00"
    }
  }

  mutating func writeSame(
    _ lba: UInt64, _ wanted: Int, unmaps: Bool, hasData: Bool, _ out: [UInt8]
  ) -> String {
    guard exists(lba, wanted) else { return Self.outOfRange }
    if unmaps, !canUnmap { return Self.invalidField }
    if hasData, out.count != blockBytes { return Self.invalidField }
    let count = wanted == 0 ? blocks - Int(lba) : wanted
    let block = hasData ? out : [UInt8](repeating: 0, count: blockBytes)
    for index in 0..<count { set(bytes(lba + UInt64(index), 1), block) }
    return "good"
  }

  mutating func compareAndWrite(_ lba: UInt64, _ count: Int, _ out: [UInt8]) -> String {
    guard exists(lba, count) else { return Self.outOfRange }
    let size = count * blockBytes
    guard out.count == 2 * size else { return Self.invalidField }
    guard holds(bytes(lba, count), out) else { return "0E/1D/00" }
    set(bytes(lba, count), Array(out.suffix(size)))
    return "good"
  }

  mutating func orWrite(_ lba: UInt64, _ count: Int, _ out: [UInt8]) -> String {
    guard exists(lba, count) else { return Self.outOfRange }
    let range = bytes(lba, min(out.count, count * blockBytes) / blockBytes)
    let united = zip(image[range], out).map { $0 | $1 }
    set(range, united)
    return "good"
  }

  mutating func unmap(_ ranges: [(UInt64, Int)]) -> String {
    guard canUnmap else { return "05/20/00" }
    guard ranges.allSatisfy({ exists($0.0, $0.1) }) else { return Self.outOfRange }
    for range in ranges {
      clear(&image, bytes(range.0, range.1))
    }
    return "good"
  }
}

/// A unit, its reference, and the commands given to both.
private struct ModelRun {
  let bench: Bench
  var reference: ReferenceDisk
  var generator: SeededGenerator
  var largest: Int

  mutating func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &generator)! }

  mutating func place() -> (lba: UInt64, count: Int) {
    let blocks = UInt64(reference.blocks)
    let count = pick([0, 1, 1, 2, 3, 7, 8, 16, 40, largest])
    switch Int.random(in: 0..<20, using: &generator) {
    case 0: return (pick([blocks, blocks + 1, 1 << 31, 0xFFFF_FFFF]), count)
    case 1: return (blocks - UInt64(count), count)
    case 2: return (blocks - UInt64(count) + 1, count)
    default: return (UInt64.random(in: 0..<blocks, using: &generator), count)
    }
  }

  mutating func data(_ count: Int) -> [UInt8] {
    let blockBytes = reference.blockBytes
    let byte = UInt8.random(in: 0...3, using: &generator)
    var data = [UInt8](repeating: byte, count: count * blockBytes)
    if Bool.random(using: &generator) {
      for start in stride(from: 0, to: data.count, by: 61) {
        data[start] = UInt8.random(in: 0...255, using: &generator)
      }
    }
    // Now and then the initiator gives less or more than the command moves.
    switch Int.random(in: 0..<12, using: &generator) {
    case 0: return Array(data.prefix(data.count / 2 + 17 < data.count ? data.count / 2 + 17 : 0))
    case 1: return data + [1, 2, 3]
    default: return data
    }
  }

  /// One random command to both. Returns a description and the two answers.
  mutating func step() -> (command: [UInt8], unit: String, reference: String) {
    let (lba, count) = place()
    let fua: UInt8 = pick([0, 8])
    switch Int.random(in: 0..<12, using: &generator) {
    case 10: return compareAndWrite(lba, min(count, 255))
    case 11: return orWrite(lba, min(count, 3), fua)
    case 0...2: return write(lba, count, fua)
    case 3, 4: return read(lba, count, fua)
    case 5: return writeAndVerify(lba, count)
    case 6: return verify(lba, count)
    case 7, 8: return writeSame(lba, count)
    default: return unmap()
    }
  }

  private mutating func write(_ lba: UInt64, _ count: Int, _ fua: UInt8) -> (
    [UInt8], String, String
  ) {
    let out = data(count)
    let cdb = pick([
      CDB.ten(0x2A, lba, count, flags: fua), CDB.twelve(0xAA, lba, count, flags: fua),
      CDB.sixteen(0x8A, lba, count, flags: fua), CDB.thirtyTwo(11, lba, count, flags: fua),
    ])
    let outcome = bench.run(cdb, out: out)
    if outcome.status == .good {
      #expect(outcome.transferLength == UInt64(count * reference.blockBytes))
    }
    return (cdb, outcome.summary, reference.write(lba, count, out))
  }

  private mutating func read(_ lba: UInt64, _ count: Int, _ fua: UInt8) -> ([UInt8], String, String)
  {
    let cdb = pick([
      CDB.ten(0x28, lba, count, flags: fua), CDB.twelve(0xA8, lba, count, flags: fua),
      CDB.sixteen(0x88, lba, count, flags: fua), CDB.thirtyTwo(9, lba, count, flags: fua),
    ])
    let outcome = bench.run(cdb, expected: 8 << 20)
    guard reference.exists(lba, count) else {
      return (cdb, outcome.summary, ReferenceDisk.outOfRange)
    }
    let range = reference.bytes(lba, count)
    #expect(outcome.data.count == range.count)
    #expect(outcome.data.count == range.count && reference.holds(range, outcome.data))
    return (cdb, outcome.summary, "good")
  }

  private mutating func writeAndVerify(_ lba: UInt64, _ count: Int) -> ([UInt8], String, String) {
    let out = data(count)
    let flags: UInt8 = pick([0, 2])
    let cdb = pick([
      CDB.ten(0x2E, lba, count, flags: flags), CDB.twelve(0xAE, lba, count, flags: flags),
      CDB.sixteen(0x8E, lba, count, flags: flags), CDB.thirtyTwo(12, lba, count, flags: flags),
    ])
    return (cdb, bench.run(cdb, out: out).summary, reference.write(lba, count, out))
  }

  private mutating func verify(_ lba: UInt64, _ count: Int) -> ([UInt8], String, String) {
    let check = pick([0, 1, 3])
    var out = data(check == 1 ? count : 1)
    if Bool.random(using: &generator), reference.exists(lba, count) {
      out = Array(reference.image[reference.bytes(lba, check == 1 ? count : min(count, 1))])
    }
    let cdb = pick([
      CDB.ten(0x2F, lba, count, flags: UInt8(check) << 1),
      CDB.twelve(0xAF, lba, count, flags: UInt8(check) << 1),
      CDB.sixteen(0x8F, lba, count, flags: UInt8(check) << 1),
      CDB.thirtyTwo(10, lba, count, flags: UInt8(check) << 1),
    ])
    return (cdb, bench.run(cdb, out: out).summary, reference.verify(lba, count, check, out))
  }

  private mutating func writeSame(_ lba: UInt64, _ count: Int) -> ([UInt8], String, String) {
    let out = data(1)
    let unmaps = Bool.random(using: &generator)
    let hasData = pick([true, true, false])
    let flags: UInt8 = (unmaps ? 8 : 0) | (hasData ? 0 : 1)
    let cdb =
      hasData && Bool.random(using: &generator)
      ? CDB.ten(0x41, lba, count, flags: flags)
      : pick([
        CDB.sixteen(0x93, lba, count, flags: flags), CDB.thirtyTwo(13, lba, count, flags: flags),
      ])
    let summary = bench.run(cdb, out: out).summary
    return (
      cdb, summary, reference.writeSame(lba, count, unmaps: unmaps, hasData: hasData, out)
    )
  }

  private mutating func compareAndWrite(_ lba: UInt64, _ count: Int) -> ([UInt8], String, String) {
    var out = data(2 * count)
    if Int.random(in: 0..<3, using: &generator) > 0, reference.exists(lba, count),
      out.count == 2 * count * reference.blockBytes
    {
      overwrite(
        &out, at: 0, with: Array(reference.image[reference.bytes(lba, count)]),
        count: count * reference.blockBytes)
    }
    let cdb = CDB.compareAndWrite(lba, UInt8(count))
    return (cdb, bench.run(cdb, out: out).summary, reference.compareAndWrite(lba, count, out))
  }

  private mutating func orWrite(_ lba: UInt64, _ count: Int, _ fua: UInt8) -> (
    [UInt8], String, String
  ) {
    let out = data(count)
    let cdb = CDB.sixteen(0x8B, lba, count, flags: fua)
    return (cdb, bench.run(cdb, out: out).summary, reference.orWrite(lba, count, out))
  }

  private mutating func unmap() -> ([UInt8], String, String) {
    let ranges = (0..<Int.random(in: 0...3, using: &generator)).map { _ in place() }
    let list = CDB.unmapList(ranges.map { ($0.lba, $0.count) })
    let cdb = CDB.unmap(list.count)
    return (
      cdb, bench.run(cdb, out: list).summary, reference.unmap(ranges.map { ($0.lba, $0.count) })
    )
  }
}

@Suite("A logical unit against a reference disk")
struct ModelTests {
  /// Block length, punches holes, zeroes ranges, write cache.
  struct Setting: CustomTestStringConvertible {
    var blockBytes: UInt32
    var punches = true
    var zeroes = true
    var caches = true
    var testDescription: String {
      "\(blockBytes) punch \(punches) zero \(zeroes) cache \(caches)"
    }
    static let all = [
      Setting(blockBytes: 512), Setting(blockBytes: 4096),
      Setting(blockBytes: 512, caches: false),
      Setting(blockBytes: 4096, zeroes: false, caches: false),
      Setting(blockBytes: 512, punches: false),
      Setting(blockBytes: 4096, punches: false, zeroes: false),
    ]
  }

  @Test(
    "Random commands of all families leave and answer what the reference disk does",
    arguments: Setting.all, [1, 2] as [UInt64])
  func randomCommands(_ setting: Setting, seed: UInt64) {
    var run = makeRun(setting, seed: seed)
    let store = run.bench.store
    for index in 0..<1750 {
      // Rarely, since they take long: more than one piece of work.
      run.largest = index % 50 == 0 ? 2_500_000 / Int(setting.blockBytes) : 64
      store.log.removeAll(keepingCapacity: true)
      let (command, unit, reference) = run.step()
      #expect(unit == reference, "command \(index): \(command)")
      if !setting.caches { #expect(!store.isDirty, "command \(index): \(command)") }
      if index % 25 == 24 {
        guard isEqual(store.image, run.reference.image) else {
          Issue.record("the disks differ after command \(index), \(command)")
          return
        }
      }
    }
    #expect(isEqual(store.image, run.reference.image))
  }

  private func makeRun(_ setting: Setting, seed: UInt64) -> ModelRun {
    // 3 MiB: ranges longer than one piece of work, and odd ends.
    let blocks = 3 << 20 / Int(setting.blockBytes) + 5
    let store = TestStore(
      blockBytes: setting.blockBytes, blocks: blocks,
      capabilities: StoreCapabilities(
        canPunchHoles: setting.punches, canZeroRanges: setting.zeroes))
    return ModelRun(
      bench: Bench(store, writeCache: setting.caches),
      reference: ReferenceDisk(
        image: store.image, blockBytes: Int(setting.blockBytes), canUnmap: setting.punches),
      generator: SeededGenerator(seed: seed), largest: 64)
  }

  /// T-LBA-2. A block that the wrong command changed is seen before another writes over it.
  @Test(
    "After each WRITE, WRITE SAME, UNMAP and their like the whole disk is as the reference disk",
    arguments: Setting.all)
  func wholeDisk(_ setting: Setting) {
    var run = makeRun(setting, seed: 3)
    for index in 0..<400 {
      // Rarely, since they take long: more than one piece of work.
      run.largest = index % 40 == 0 ? 2_500_000 / Int(setting.blockBytes) : 64
      let (command, unit, reference) = run.step()
      #expect(unit == reference, "command \(index): \(command)")
      guard isEqual(run.bench.store.image, run.reference.image) else {
        Issue.record("the disks differ after command \(index), \(command)")
        return
      }
    }
  }

  @Test("READ(6) and WRITE(6) with transfer length 0 move 256 blocks")
  func sixByteCommands() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 1000))
    let out = (0..<256 * 512).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    #expect(bench.run(CDB.six(0x0A, 700, 0), out: out).transferLength == 256 * 512)
    #expect(bench.run(CDB.six(0x08, 700, 0)).data == out)
    #expect(bench.run(CDB.six(0x08, 745, 0)).summary == "05/21/00")
    #expect(bench.run(CDB.six(0x08, 999, 1)).data.elementsEqual(bench.store.image.suffix(512)))
  }

  @Test(
    "A WRITE SAME that the store cannot do by deallocating or zeroing is written",
    arguments: [0, 1, 8, 9] as [UInt8])
  func allocationRefused(flags: UInt8) {
    let store = TestStore(blockBytes: 512, blocks: 5000)
    store.refusesAllocation = true
    let bench = Bench(store, writeCache: false)
    var wanted = store.image
    wanted.replaceSubrange(512..<4801 * 512, with: repeatElement(0, count: 4800 * 512))
    let outcome = bench.run(
      CDB.sixteen(0x93, 1, 4800, flags: flags), out: [UInt8](repeating: 0, count: 512))
    #expect(outcome.summary == "good")
    #expect(store.image == wanted)
    #expect(!store.isDirty)
  }
}
