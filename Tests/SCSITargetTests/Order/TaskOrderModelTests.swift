import BackingStore
import Reactor
import SCSIModel
import TargetSimulation
import Testing

@testable import SCSITarget

/// Random commands with random attributes on several reactors, their operations completed in random
/// order, some of them aborted; every start is judged by what SAM-5 §8.7 allows at that moment.
private final class OrderRun: SCSITaskOwner {
  struct Record {
    var attribute: SCSITask.Attribute
    var share: Int
    var nexus: Int
    /// When its data was there.
    var readyAt = Int.max
    var hasStarted = false
    var hasEnded = false
  }

  let readKeys: [UInt8] = [0x5E, 0, 0, 0, 0, 0, 0, 2, 0, 0]
  let store: TestStore
  let benches: [Bench]
  var generator: SeededGenerator
  /// By number, which is also the block that the command reads and the order of admission.
  var records: [Record] = []
  var numbers: [ObjectIdentifier: Int] = [:]
  var live: [SCSITask] = []
  var collecting: [SCSITask] = []
  var violations: [String] = []
  var readyCount = 0
  /// Two initiators on each reactor.
  let units: [[LogicalUnitNexus]]
  let second: [InitiatorTargetNexus]
  var managementAsked = 0
  var managementDone = 0

  init(seed: UInt64, reactors: Int) {
    generator = SeededGenerator(seed: seed)
    store = TestStore(blockBytes: 512, blocks: 2048)
    store.isHolding = true
    let first = Bench(store)
    benches =
      [first] + (1..<reactors).map { Bench(first.store, unit: first.unit, reactorIndex: $0) }
    second = benches.map { $0.secondNexus() }
    units = zip(benches, second).map { bench, second in [bench.lun] + second.unitNexuses }
    store.onStart = { [unowned self] in started(Int($0.offset / 512)) }
  }

  func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

  func step() {
    switch pick(0...19) {
    case 0...6: admit()
    case 7...8: if !collecting.isEmpty { execute(pick(0...collecting.count - 1)) }
    case 9...14: if store.heldCount > 0 { store.releaseHeld(at: pick(0...store.heldCount - 1)) }
    case 15: if !live.isEmpty { abort(live[pick(0...live.count - 1)]) }
    case 16: if pick(0...9) == 0 { manage() }
    default:
      let bench = benches[pick(0...benches.count - 1)]
      bench.elapse(milliseconds: 15)
      bench.reactor.turn()
    }
  }

  private func admit() {
    let share = pick(0...benches.count - 1)
    let attribute: SCSITask.Attribute = [
      .simple, .simple, .simple, .simple, .ordered, .ordered, .headOfQueue,
    ][pick(0...6)]
    let number = records.count
    let task = SCSITask(owner: self)
    // READ KEYS, which starts nothing and waits for its own initiator only, or a read.
    let cdb = pick(0...9) == 0 ? readKeys : CDB.ten(0x28, UInt64(number), 1)
    task.begin(
      CommandDescriptorBlock(cdb), expectedDataIn: 512, expectedDataOut: 0, attribute: attribute)
    numbers[ObjectIdentifier(task)] = number
    let nexus = pick(0...1)
    records.append(Record(attribute: attribute, share: share, nexus: nexus))
    units[share][nexus].withdrawAll()
    guard benches[share].server.admit(task, units[share][nexus]) == .execute else {
      violations.append("refused")
      return
    }
    live.append(task)
    collecting.append(task)
    if pick(0...3) > 0 { execute(collecting.count - 1) }
  }

  private func execute(_ index: Int) {
    let task = collecting.remove(at: index)
    guard let nexus = task.nexus, let number = numbers[ObjectIdentifier(task)] else { return }
    records[number].readyAt = readyCount
    readyCount += 1
    nexus.server.execute(task)
  }

  private func abort(_ task: SCSITask) {
    task.nexus?.server.abort(task, barrier: nil)
  }

  private func manage() {
    let bench = benches[pick(0...benches.count - 1)]
    managementAsked += 1
    if pick(0...1) == 0 {
      bench.server.abortTaskSet(of: bench.lun) { [unowned self] in managementDone += 1 }
    } else {
      bench.server.clearTaskSet(by: bench.lun) { [unowned self] in managementDone += 1 }
    }
  }

  func taskEnded(_ task: SCSITask) {
    guard let number = numbers[ObjectIdentifier(task)] else { return }
    records[number].hasEnded = true
    live.removeAll { $0 === task }
    collecting.removeAll { $0 === task }
    if let data = task.data {
      benches[records[number].share].reactor.buffers.release(data)
      task.data = nil
    }
  }

  private func started(_ number: Int) {
    records[number].hasStarted = true
    let record = records[number]
    let running = records.indices.filter {
      $0 != number && records[$0].hasStarted && !records[$0].hasEnded
    }
    let olderHere = records[..<number].filter {
      $0.share == record.share && $0.nexus == record.nexus && !$0.hasEnded
    }
    switch record.attribute {
    case .ordered:
      if running.contains(where: { records[$0].attribute != .headOfQueue }) {
        violations.append("\(number) is ORDERED and starts beside others")
      }
      if !olderHere.isEmpty { violations.append("\(number) is ORDERED and overtakes") }
    case .simple:
      if running.contains(where: { records[$0].attribute == .ordered }) {
        violations.append("\(number) starts beside ORDERED")
      }
      if olderHere.contains(where: { $0.attribute != .simple }) {
        violations.append("\(number) overtakes ORDERED or HEAD OF QUEUE")
      }
    case .headOfQueue, .aca: break
    }
  }

  /// Lets everything end; whether it has.
  func finish() -> Bool {
    for _ in 0..<2000 {
      while !collecting.isEmpty { execute(0) }
      while store.heldCount > 0 { store.releaseHeld(at: 0) }
      for bench in benches {
        bench.elapse(milliseconds: 15)
        bench.reactor.turn()
      }
      if live.isEmpty, benches.allSatisfy({ $0.server.order.isIdle }) { break }
    }
    for _ in 0..<4 { for bench in benches { bench.reactor.turn() } }
    return live.isEmpty && managementAsked == managementDone
      && benches.allSatisfy { $0.server.order.isIdle && !$0.server.isOrdering }
      && benches.allSatisfy { $0.reactor.buffers.lentBytes == 0 }
  }
}

extension LogicalUnitNexus {
  fileprivate func withdrawAll() { while takeAttention() != nil {} }
}

@Suite("Task order, at random")
struct TaskOrderModelTests {
  @Test("No start breaks the order, and nothing waits for ever", arguments: 1...40)
  func random(seed: UInt64) {
    let run = OrderRun(seed: seed, reactors: 1 + Int(seed % 4))
    for _ in 0..<500 { run.step() }
    #expect(run.violations.isEmpty)
    let isOver = run.finish()
    #expect(isOver)
    #expect(run.violations.isEmpty)
    #expect(run.records.filter(\.hasStarted).count > 20)
    run.store.onStart = nil
    run.benches[0].unit.withdraw()
  }
}
