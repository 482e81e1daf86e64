import TargetSimulation

/// Random commands of all kinds from several nodes, given to a logical unit and to its model:
/// status, sense and data of each must be the same, and now and then every block.
public struct UnitModelRun {
  public struct Report: Sendable {
    public var commands = 0
    /// By the answer, so that one can see that not all was refused.
    public var answers: [String: Int] = [:]
    /// Descriptors of GET LBA STATUS that told of anchored blocks.
    public var anchoredRanges = 0
    /// The first difference, with all that is needed to see it; nil: there is none.
    public var difference: String?
  }

  let bench: UnitBench
  var model: UnitModel
  var random: SeededGenerator
  /// What this unit serves beyond the basics, by operation code.
  var served: Set<UInt8> = []
  var compareBlocksMax: UInt64 = 0
  /// Who commands now.
  var node = 0
  private var report = Report()
  private let seed: UInt64

  /// Runs `count` commands of `seed`; 512 or 4096 bytes a block, by seed.
  public static func run(seed: UInt64, commands count: Int) throws -> Report {
    var run = try UnitModelRun(seed)
    defer { run.bench.close() }
    run.run(count)
    return run.report
  }

  private init(_ seed: UInt64) throws {
    self.seed = seed
    random = SeededGenerator(seed: seed)
    let blockBytes = random.coin() ? 512 : 4096
    let blocks = 1024 + random.pick(0...5)
    bench = try UnitBench(blockBytes: UInt32(blockBytes), blocks: blocks)
    model = UnitModel(blockBytes: blockBytes, blocks: blocks)
    probe()
  }

  /// Finds out what is served, by REPORT SUPPORTED OPERATION CODES.
  private mutating func probe() {
    _ = model.takeAttention(0)
    _ = bench.run(0, [UInt8](repeating: 0, count: 6))
    for code in [0x89, 0x8B, 0x34, 0x90] as [UInt8] {
      let cdb: [UInt8] = [0xA3, 0x0C, 1, code, 0, 0, 0, 0, 1, 0, 0, 0]
      let outcome = bench.run(0, cdb)
      if outcome.data.count > 1, outcome.data[1] & 7 == 3 { served.insert(code) }
    }
    let limits = bench.run(0, [0x12, 1, 0xB0, 0, 64, 0]).data
    if limits.count > 5 { compareBlocksMax = UInt64(limits[5]) }
  }

  private mutating func run(_ count: Int) {
    while report.commands < count, report.difference == nil {
      node = random.pick(0...UnitBench.nodeCount - 1)
      step()
      if report.commands % 10_000 == 9_999 { compareDisks() }
    }
    compareDisks()
    if report.difference == nil, bench.lentBytes != 0 {
      report.difference = "seed \(seed): \(bench.lentBytes) bytes of buffers are still lent"
    }
  }

  private mutating func compareDisks() {
    guard report.difference == nil else { return }
    node = 0
    // No reservation keeps it from anybody.
    while model.hasAttention(node), report.difference == nil { requestSense() }
    // Past reservations, a few blocks at a time.
    let step: UInt64 = 256
    for lba in stride(from: 0, to: UInt64(model.disk.blocks), by: Int(step)) {
      let count = min(step, UInt64(model.disk.blocks) - lba)
      let (answer, data) = model.read(0, lba, count)
      let outcome = bench.run(0, CDBs.sixteen(0x88, lba, count))
      check([0x88], outcome.summary, answer)
      if !isSame(outcome.data, data) { differ([0x88], "the disks differ from block \(lba) on") }
    }
    blockStates(from: 0, room: 32_000)
  }

  mutating func noteAnchored(_ count: Int) { report.anchoredRanges += count }

  // MARK: Comparing

  /// Runs the command and compares; `data` nil: what is returned does not matter.
  mutating func run(
    _ cdb: [UInt8], out: [UInt8] = [], expecting answer: String, data: [UInt8]? = nil,
    or alternative: String? = nil
  ) {
    let outcome = bench.run(node, cdb, out: out)
    if outcome.summary != alternative { check(cdb, outcome.summary, answer) }
    if let data, answer == UnitModel.good, !isSame(outcome.data, data) {
      differ(cdb, "\(outcome.data.count) bytes, other than the \(data.count) of the model")
    }
  }

  private mutating func check(_ cdb: [UInt8], _ found: String, _ wanted: String) {
    report.commands += 1
    report.answers[found, default: 0] += 1
    if found != wanted { differ(cdb, "\(found), where the model says \(wanted)") }
  }

  mutating func differ(_ cdb: [UInt8], _ what: String) {
    guard report.difference == nil else { return }
    let bytes = cdb.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    report.difference =
      "seed \(seed), command \(report.commands) of node \(node), \(bytes): \(what)"
  }
}

/// Command descriptor blocks.
enum CDBs {
  static func six(_ code: UInt8, _ lba: UInt64, _ count: UInt64) -> [UInt8] {
    [code] + bigEndian(lba & 0x1F_FFFF, 3) + [UInt8(truncatingIfNeeded: count), 0]
  }
  static func ten(_ code: UInt8, _ lba: UInt64, _ count: UInt64, _ flags: UInt8 = 0) -> [UInt8] {
    [code, flags] + bigEndian(lba, 4) + [0] + bigEndian(count, 2) + [0]
  }
  static func twelve(_ code: UInt8, _ lba: UInt64, _ count: UInt64, _ flags: UInt8 = 0)
    -> [UInt8]
  {
    [code, flags] + bigEndian(lba, 4) + bigEndian(count, 4) + [0, 0]
  }
  static func sixteen(_ code: UInt8, _ lba: UInt64, _ count: UInt64, _ flags: UInt8 = 0)
    -> [UInt8]
  {
    [code, flags] + bigEndian(lba, 8) + bigEndian(count, 4) + [0, 0]
  }
}
