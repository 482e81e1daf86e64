import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Asymmetric access")
struct AsymmetricAccessTests {
  static let ports = [
    TargetPortIdentity(group: 3, relativePort: 2, name: "iqn.2026-01.example:t,t,0x0007"),
    TargetPortIdentity(group: 8, relativePort: 8, name: "iqn.2026-01.example:t,t,0x0008"),
  ]

  private func makeBenches(
    _ state: AsymmetricAccessState = .activeOptimized
  ) -> (first: Bench, second: Bench) {
    var options = Bench.options
    options.access = AsymmetricAccess(
      groups: [3: AsymmetricAccess.Group(state: state, isPreferred: true)], isExplicit: true)
    let store = TestStore(blockBytes: 512, blocks: 100)
    let first = Bench(store, options: options, targetPorts: Self.ports)
    let second = Bench(store, unit: first.unit, reactorIndex: 1, targetPorts: Self.ports)
    return (first, second)
  }

  /// SET TARGET PORT GROUPS, which ends when both reactors have the new state.
  private func set(
    _ states: [(UInt8, UInt8)], on bench: Bench, _ other: Bench
  ) -> String {
    let list: [UInt8] = [0, 0, 0, 0] + states.flatMap { [$0.1, 0, 0, $0.0] as [UInt8] }
    let cdb: [UInt8] = [0xA4, 10, 0, 0, 0, 0, 0, 0, 0, UInt8(list.count), 0, 0]
    let task = bench.begin(cdb, out: list)
    #expect(task.phase != .ended)
    for _ in 0..<3 {
      bench.reactor.turn()
      #expect(bench.server.taskCount == 1, "GOOD before the other reactor knows")
    }
    other.reactor.turn()
    bench.reactor.turn()
    return bench.endedOutcomes().map(\.summary).joined()
  }

  @Test("A state that is not active is answered for with its own sense, but for what it admits")
  func refusals() {
    for (state, qualifier) in [
      (AsymmetricAccessState.standby, "0B"), (.unavailable, "0C"), (.transitioning, "0A"),
    ] {
      let bench = makeBenches(state).first
      for cdb in [CDB.testUnitReady, CDB.ten(0x28, 0, 1), CDB.ten(0x35, 0, 0)] {
        #expect(bench.run(cdb).summary == "02/04/\(qualifier)")
      }
      #expect(
        bench.run(CDB.ten(0x2A, 0, 1), out: [UInt8](repeating: 1, count: 512)).summary
          == "02/04/\(qualifier)")
      #expect(bench.run([0x12, 0, 0, 0, 96, 0]).summary == "good")
      let sense = bench.run([0x03, 0, 0, 0, 18, 0])
      #expect(SenseData(decoding: sense.data)?.description == "02/04/\(qualifier)")
      let groups = bench.run([0xA3, 0x0A, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0]).data
      #expect(
        groups == [
          0, 0, 0, 24, 0x80 | state.rawValue, 0x8F, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2,
          0, 0x8F, 0, 8, 0, 0, 0, 1, 0, 0, 0, 8,
        ])
      #expect(bench.store.log.isEmpty)
    }
  }

  @Test("A standby path tells the capacity to whoever scans it, and nothing of the blocks")
  func standbyCapacity() {
    for (state, summary) in [
      (AsymmetricAccessState.standby, "good"), (.unavailable, "02/04/0C"),
      (.transitioning, "02/04/0A"),
    ] {
      let bench = makeBenches(state).first
      let ten = bench.run([0x25] + [UInt8](repeating: 0, count: 9))
      let sixteen = bench.run([0x9E, 0x10] + [UInt8](repeating: 0, count: 11) + [32, 0, 0])
      #expect(ten.summary == summary && sixteen.summary == summary)
      guard summary == "good" else { continue }
      #expect(ten.data == [0, 0, 0, 99, 0, 0, 2, 0])
      #expect(sixteen.data.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 2, 0])
      // GET LBA STATUS, of the same operation code.
      let status = bench.run([0x9E, 0x12] + [UInt8](repeating: 0, count: 11) + [32, 0, 0])
      #expect(status.summary == "02/04/0B")
    }
  }

  @Test("SET TARGET PORT GROUPS counts on every reactor before GOOD, and the others hear 2A/06")
  func explicit() {
    let (first, second) = makeBenches()
    #expect(set([(3, 2)], on: first, second) == "good")
    #expect(first.run(CDB.testUnitReady).summary == "02/04/0B")
    #expect(second.run(CDB.testUnitReady).summary == "06/2A/06")
    #expect(second.run(CDB.testUnitReady).summary == "02/04/0B")
    // The same again is no change.
    #expect(set([(3, 2)], on: first, second) == "good")
    #expect(second.run(CDB.testUnitReady).summary == "02/04/0B")
    let groups = second.run([0xA3, 0x2A, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0]).data
    #expect(
      Array(groups.prefix(16)) == [
        0, 0, 0, 28, 0x10, 0, 0, 0, 0x82, 0x8F, 0, 3, 0, 1, 0, 1,
      ])
    #expect(set([(3, 0), (8, 1)], on: second, first) == "good")
    #expect(first.run(CDB.testUnitReady).summary == "06/2A/06")
    #expect(first.run(CDB.testUnitReady).summary == "good")
  }

  @Test("SET TARGET PORT GROUPS waits for a reactor whose mailbox is full, and then ends GOOD")
  func unreachableReactor() {
    let (first, second) = makeBenches()
    while second.reactor.mailbox.post({}) {}
    first.begin([0xA4, 10, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0], out: [0, 0, 0, 0, 2, 0, 0, 3])
    first.reactor.turn()
    second.reactor.turn()
    first.reactor.turn()
    #expect(first.server.taskCount == 1, "GOOD before the other reactor knows")
    first.elapse(milliseconds: 20)
    for _ in 0..<4 {
      first.reactor.turn()
      second.reactor.turn()
    }
    #expect(first.endedOutcomes().map(\.summary) == ["good"])
    #expect(second.run(CDB.testUnitReady).summary == "06/2A/06")
    #expect(second.run(CDB.testUnitReady).summary == "02/04/0B")
  }

  @Test("A write whose data is on the way when the state changes is refused at its dispatch")
  func dispatch() {
    let (first, second) = makeBenches()
    let (task, _) = second.admit(CDB.ten(0x2A, 0, 1), out: [UInt8](repeating: 9, count: 512))
    #expect(set([(3, 3)], on: first, second) == "good")
    second.server.execute(task)
    #expect(second.endedOutcomes().map(\.summary) == ["02/04/0C"])
    #expect(second.store.log.isEmpty)
  }

  @Test("A change counts for every nexus, also behind one of a target that it does not concern")
  func severalTargets() throws {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 100))
    let ports = Array(Self.ports.reversed())
    let behind = try #require(bench.secondNexus(targetPorts: ports).unitNexus(at: 0))
    #expect(bench.unit.setAccess([8: AsymmetricAccess.Group(state: .standby)]))
    bench.reactor.turn()
    #expect(bench.run(CDB.testUnitReady).summary == "good")
    #expect(bench.run(CDB.testUnitReady, nexus: behind).summary == "06/2A/06")
    #expect(bench.run(CDB.ten(0x28, 0, 1), nexus: behind).summary == "02/04/0B")
  }

  @Test("The target may change states itself, and every initiator hears of it")
  func implicit() {
    let (first, second) = makeBenches()
    #expect(
      first.unit.setAccess([
        3: AsymmetricAccess.Group(state: .activeNonOptimized, isPreferred: true)
      ]))
    for bench in [first, second] {
      bench.reactor.turn()
      #expect(bench.run(CDB.testUnitReady).summary == "06/2A/06")
      #expect(bench.run(CDB.testUnitReady).summary == "good")
    }
    let groups = first.run([0xA3, 0x0A, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0]).data
    #expect(groups[4] == 0x81)
    #expect(groups[9] == 2)
  }

  @Test("Another preference is told as 2A/06, once, and is no change of a state")
  func preference() {
    let (first, second) = makeBenches()
    let groups =
      [
        3: AsymmetricAccess.Group(), 8: AsymmetricAccess.Group(isPreferred: true),
      ] as [UInt16: AsymmetricAccess.Group]
    for _ in 0..<2 { #expect(first.unit.setAccess(groups)) }
    for bench in [first, second] {
      bench.reactor.turn()
      #expect(bench.run(CDB.testUnitReady).summary == "06/2A/06")
      #expect(bench.run(CDB.testUnitReady).summary == "good")
      let data = bench.run([0xA3, 0x0A, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0]).data
      #expect(
        data == [
          0, 0, 0, 24, 0x00, 0x8F, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2,
          0x80, 0x8F, 0, 8, 0, 0, 0, 1, 0, 0, 0, 8,
        ])
    }
  }
}
