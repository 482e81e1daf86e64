import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

/// What an initiator does on hearing GOOD, it may do through another session on another reactor.
@Suite("Changes that other initiators are told of")
struct ParameterChangeTests {
  private struct Change {
    var name: String
    var cdb: [UInt8]
    var out: [UInt8]?
    var attention: String
  }

  private static let changes = [
    Change(
      name: "MODE SELECT(6)", cdb: CDB.control(writeProtect: true).cdb,
      out: CDB.control(writeProtect: true).out, attention: "06/2A/01"),
    Change(
      name: "MODE SELECT(6), write cache off", cdb: CDB.writeCache(false).cdb,
      out: CDB.writeCache(false).out, attention: "06/2A/01"),
    Change(
      name: "LOG SELECT", cdb: [0x4C, 2, 0, 0, 0, 0, 0, 0, 0, 0], out: nil, attention: "06/2A/02"),
    Change(
      name: "SET IDENTIFYING INFORMATION", cdb: [0xA4, 6, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], out: [7],
      attention: "06/3F/05"),
    Change(
      name: "SET TIMESTAMP", cdb: [0xA4, 15, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0],
      out: [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], attention: "06/2A/10"),
    Change(
      name: "START STOP UNIT, load", cdb: [0x1B, 0, 0, 0, 3, 0], out: nil, attention: "06/28/00"),
  ]

  private func makeBenches() -> (one: Bench, two: Bench) {
    let store = TestStore(blockBytes: 512, blocks: 100)
    var options = Bench.options
    options.isRemovable = true
    let unit = LogicalUnit(
      identity: Bench.identity, store: store, startsWithWriteCache: true, homeReactorIndex: 0,
      options: options)
    return (Bench(store, unit: unit), Bench(store, unit: unit, reactorIndex: 1))
  }

  @Test("GOOD comes when every reactor has established the unit attention, and not before")
  func goodIsLast() {
    for change in Self.changes {
      let (one, two) = makeBenches()
      if change.cdb[0] == 0x1B {
        #expect(one.run([0x1B, 0, 0, 0, 2, 0]).summary == "good")
      }
      let task = one.begin(change.cdb, out: change.out)
      for _ in 0..<10 { one.reactor.turn() }
      #expect(task.phase == .executing, "\(change.name)")
      two.reactor.turn()
      one.reactor.turn()
      #expect(one.endedOutcomes().map(\.summary) == ["good"], "\(change.name)")
      #expect(two.run(CDB.testUnitReady).summary == change.attention, "\(change.name)")
      #expect(one.run(CDB.testUnitReady).summary == "good", "\(change.name)")
    }
  }

  @Test("A reactor whose mailbox is full is told when it is not, and GOOD waits for that")
  func fullMailbox() throws {
    let (one, two) = makeBenches()
    while two.reactor.mailbox.post({}) {}
    let select = CDB.control(writeProtect: true)
    let task = one.begin(select.cdb, out: select.out)
    for _ in 0..<10 { one.reactor.turn() }
    two.reactor.turn()
    #expect(task.phase == .executing)
    let engine = try #require(one.reactor.engine as? TestEngine)
    engine.now = engine.now + Milliseconds(20)
    for _ in 0..<3 {
      one.reactor.turn()
      two.reactor.turn()
    }
    one.reactor.turn()
    #expect(one.endedOutcomes().map(\.summary) == ["good"])
    #expect(two.run(CDB.testUnitReady).summary == "06/2A/01")
  }

  @Test("An abort of the command waits until the others have been told")
  func abort() {
    let (one, two) = makeBenches()
    let select = CDB.control(writeProtect: true)
    let task = one.begin(select.cdb, out: select.out)
    var isDrained = false
    let barrier = DrainBarrier { isDrained = true }
    one.server.abort(task, barrier: barrier)
    barrier.arm()
    one.reactor.turn()
    #expect(!isDrained)
    two.reactor.turn()
    one.reactor.turn()
    #expect(isDrained)
    #expect(one.unit.parameters.beginChange())
  }
}
