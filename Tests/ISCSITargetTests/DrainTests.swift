import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

/// What fencing rests on: an answer that says "these commands are over" comes after the last of
/// them has touched the disk.
@Suite("Drains")
struct DrainTests {
  enum End: String, CaseIterable, Sendable {
    case abortTaskSet, clearTaskSet, logicalUnitReset, warmReset, coldReset, logout
    case reinstatement

    /// Whether only the asking session's commands end.
    var isOfOneSession: Bool {
      switch self {
      case .abortTaskSet, .logout, .reinstatement: true
      default: false
      }
    }

    var function: TaskManagementFunction? {
      switch self {
      case .abortTaskSet: .abortTaskSet
      case .clearTaskSet: .clearTaskSet
      case .logicalUnitReset: .logicalUnitReset
      case .warmReset: .targetWarmReset
      case .coldReset: .targetColdReset
      case .logout, .reinstatement: nil
      }
    }
  }

  /// Writes of every kind, some of them in more than one operation, all on their way to a slow
  /// disk.
  static func load(_ initiator: ScriptedInitiator, from block: UInt64) {
    for number in 0..<12 {
      let data = Example.pattern(4096, seed: UInt64(number))
      _ = initiator.startWrite(
        block + UInt64(number) * 8, data, style: WriteStyle(immediate: number % 4 == 0 ? 0 : 4096))
    }
    var same = ScriptedInitiator.cdb16(0x93, block + 100, 64)
    initiator.sendCommand(
      same, expected: 512, isWrite: true, immediateData: Example.pattern(512))
    same[1] = 0x08
    initiator.sendCommand(
      same, expected: 512, isWrite: true, immediateData: [UInt8](repeating: 0, count: 512))
    initiator.sendCommand([0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test(
    "Nothing lands after the answer", arguments: End.allCases, [UInt64](1...6))
  func nothingLandsLater(end: End, seed: UInt64) throws {
    let target = try SimulatedTarget(
      seed: seed, targets: [Example.open()], reactorCount: 1 + Int(seed % 3))
    let disk = try target.disk()
    target.world.latencies.diskWrite = 3_000_000...60_000_000
    target.world.latencies.diskAllocate = 3_000_000...60_000_000
    target.world.latencies.diskSynchronize = 3_000_000...60_000_000
    let one = try ScriptedInitiator.loggedIn(target, number: 1)
    let two = try ScriptedInitiator.loggedIn(target, number: 2)
    DrainTests.load(one, from: 0)
    if !end.isOfOneSession { DrainTests.load(two, from: 1000) }
    // All have arrived and most are in flight.
    target.pass(milliseconds: 4)
    #expect(disk.operationsInFlight > 4)
    let other = try DrainTests.end(end, one, target)
    #expect(disk.operationsInFlight == 0)
    let landed = disk.writesLanded.count
    #expect(landed > 0)
    target.pass(milliseconds: 500)
    #expect(disk.writesLanded.count == landed)
    #expect(target.isIdle(after: [one, two] + other))
  }

  /// Ends the commands of `one`, or of all, and waits for the answer.
  private static func end(
    _ end: End, _ one: ScriptedInitiator, _ target: SimulatedTarget
  ) throws -> [ScriptedInitiator] {
    if let function = end.function {
      #expect(one.manage(function) == .functionComplete)
    } else if end == .logout {
      #expect(one.logout(.closeSession) == .closed)
    } else {
      let new = SessionTests.successor(of: one, target)
      #expect(new.login(to: Example.name) == 0)
      return [new]
    }
    return []
  }
}
