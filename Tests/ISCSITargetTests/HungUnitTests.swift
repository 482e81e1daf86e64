import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSIModel
import TargetSimulation
import Testing

/// A store hangs, and initiators log in anew: their other units are theirs at once, the hung one
/// when its last old operation has ended, and never two sessions of one nexus work on it at a time.
@Suite("Hung units")
struct HungUnitTests {
  static let busy = SCSIStatus.busy.rawValue
  static let good = SCSIStatus.good.rawValue
  static let healthy: UInt64 = 1 << 48

  static func lun(_ number: Int) -> UInt64 { UInt64(number) << 48 }

  /// An initiator with a write at block 0 of each of `units` that hangs, and what holds them.
  private static func hung(
    units: [Int] = [0], of count: Int = 2, reactors: Int = 1, seed: UInt64 = 81,
    keys: [(String, String)] = []
  ) throws -> (SimulatedTarget, ScriptedInitiator, [InjectedFault]) {
    let target = try SimulatedTarget(
      seed: seed, targets: [Example.open(units: count)], reactorCount: reactors)
    let old = try ScriptedInitiator.loggedIn(target, keys: keys, luns: count)
    let hangs = try units.map { unit in
      let hang = try target.disk("unit\(unit)").inject(DiskFault(.hang, count: nil))
      _ = old.startWrite(
        0, SessionTests.oldData(), style: WriteStyle(immediate: 512), lun: lun(unit))
      return hang
    }
    target.pass(milliseconds: 50)
    for hang in hangs { try #require(hang.heldCount == 1) }
    return (target, old, hangs)
  }

  /// A login in place of `old`, which has to wait for hung operations.
  private static func successor(
    of old: ScriptedInitiator, _ target: SimulatedTarget, keys: [(String, String)] = []
  ) throws -> ScriptedInitiator {
    let new = SessionTests.successor(of: old, target)
    try #require(new.login(to: Example.name, keys) == 0)
    return new
  }

  @Test(
    "After three seconds the healthy unit serves the new session, and the hung one is BUSY",
    arguments: 1...3)
  func healthyServes(reactors: Int) throws {
    let (target, old, hangs) = try Self.hung(reactors: reactors)
    let start = target.world.now
    let new = try Self.successor(of: old, target)
    #expect(target.world.now.milliseconds(since: start) >= .seconds(3))
    #expect(target.world.now.milliseconds(since: start) < .seconds(4))
    #expect(new.attention(lun: Self.healthy) == Sense.newNexus)
    let data = SessionTests.newData()
    for _ in 0..<20 {
      #expect(new.command(ScriptedInitiator.testUnitReady)?.status == Self.busy)
      #expect(new.write(0, data, immediate: 512)?.status == Self.busy)
      #expect(new.read(0, 1)?.status == Self.busy)
      #expect(new.write(0, data, lun: Self.healthy, immediate: 512)?.status == Self.good)
    }
    #expect(try target.disk("unit0").writesLanded.isEmpty)
    for hang in hangs { hang.release() }
    target.pass(milliseconds: 100)
    #expect(try target.disk("unit0").writesLanded.count == 1)
    #expect(new.attention() == Sense.newNexus)
    #expect(reads(SessionTests.oldData(), at: 0, new))
    #expect(new.write(0, data, immediate: 512)?.status == Self.good)
    #expect(reads(data, at: 0, new))
    #expect(target.isIdle(after: [new]))
  }

  @Test("While a unit is shut it tells what it is and who reserves it, and takes no reservation")
  func servedWhileShut() throws {
    let (target, old, hangs) = try Self.hung()
    let new = try Self.successor(of: old, target)
    #expect(new.command([0x12, 0, 0, 0, 36, 0], expected: 36)?.data.count == 36)
    let reportLUNs: [UInt8] = [0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0]
    #expect(new.command(reportLUNs, expected: 64)?.data.count == 24)
    #expect(new.command([0x03, 0, 0, 0, 18, 0], expected: 18)?.status == Self.good)
    #expect(new.command([0x5E, 0, 0, 0, 0, 0, 0, 0, 8, 0], expected: 8)?.status == Self.good)
    #expect(new.reserve(.registerAndIgnoreExistingKey, key: 0, new: 5) == Self.busy)
    #expect(new.command([0x16, 0, 0, 0, 0, 0])?.status == Self.busy)
    #expect(new.keys().isEmpty)
    hangs[0].release()
    target.pass(milliseconds: 100)
    // What was asked meanwhile has not taken it.
    #expect(new.attention() == Sense.newNexus)
    #expect(new.reserve(.register, key: 0, new: 5) == Self.good)
    #expect(target.isIdle(after: [new]))
  }

  @Test("A unit under two LUNs is shut under both, and opens under both")
  func twoLUNs() throws {
    var definition = Example.open(units: 2)
    definition.units.append(UnitPresentation(lun: 2, unit: "unit0"))
    let target = try SimulatedTarget(seed: 86, targets: [definition])
    let old = try ScriptedInitiator.loggedIn(target, luns: 3)
    #expect(old.command(ScriptedInitiator.testUnitReady, lun: Self.lun(2))?.status == Self.good)
    let (_, hang) = try TaskManagementTests.hungWrite(old, target)
    let new = try Self.successor(of: old, target)
    for lun in [0, 2] {
      let outcome = new.command(ScriptedInitiator.testUnitReady, lun: Self.lun(lun))
      // Under LUN 2 the old session had nothing, but it is the same disk and the same nexus.
      #expect(outcome?.status == Self.busy)
    }
    hang.release()
    target.pass(milliseconds: 100)
    for lun in [0, 2] { #expect(new.attention(lun: Self.lun(lun)) == Sense.newNexus) }
    #expect(target.isIdle(after: [new]))
  }

  @Test("BUSY of the shut unit does not narrow the window that the healthy one needs")
  func window() throws {
    let (target, old, hangs) = try Self.hung()
    let new = try Self.successor(of: old, target)
    let width = new.maxCmdSN.rawValue &- new.cmdSN.rawValue
    for _ in 0..<100 { _ = new.command(ScriptedInitiator.testUnitReady) }
    #expect(new.maxCmdSN.rawValue &- new.cmdSN.rawValue >= width)
    hangs[0].release()
    #expect(target.isIdle(after: [new]))
  }

  @Test(
    "A kernel that logs in again and again is served each time and leaves nothing behind",
    arguments: [(1, false), (3, false), (1, true), (3, true)])
  func again(reactors: Int, isDropped: Bool) throws {
    let (target, old, hangs) = try Self.hung(reactors: reactors)
    var last = old
    var lent: Int?
    for round in 0..<40 {
      if isDropped {
        last.peer.reset()
        target.pass(milliseconds: 200)
      }
      let start = target.world.now
      last = try Self.successor(of: last, target)
      if round > 0 { #expect(target.world.now.milliseconds(since: start) < .seconds(1)) }
      #expect(last.command(ScriptedInitiator.testUnitReady)?.status == Self.busy)
      #expect(last.attention(lun: Self.healthy) == Sense.newNexus)
      let data = Example.pattern(512, seed: UInt64(round))
      #expect(last.write(0, data, lun: Self.healthy, immediate: 512)?.status == Self.good)
      #expect(target.context.sessions.count == 1)
      target.pass(milliseconds: 50)
      let now = target.reactors.reduce(0) { $0 + $1.buffers.lentBytes }
      if let lent { #expect(now <= lent) } else { lent = now }
    }
    hangs[0].release()
    target.pass(milliseconds: 100)
    #expect(last.attention() == Sense.newNexus)
    #expect(last.write(0, SessionTests.newData(), immediate: 512)?.status == Self.good)
    #expect(target.isIdle(after: [last]))
  }

  @Test("Logged out or lost, the port finds the unit shut until its old write has ended")
  func afterTheEnd() throws {
    for end in 0..<3 {
      let (target, old, hangs) = try Self.hung(reactors: 2)
      switch end {
      case 0: old.sendLogout(.closeSession)
      case 1: old.peer.close()
      default: old.peer.reset()
      }
      target.pass(milliseconds: 60_000)
      let new = try Self.successor(of: old, target)
      #expect(new.command(ScriptedInitiator.testUnitReady)?.status == Self.busy)
      #expect(new.attention(lun: Self.healthy) == Sense.newNexus)
      // Its own end leaves the old write where it is, and a third session shut.
      #expect(new.sendLogout(.closeSession) != .reserved)
      target.pass(milliseconds: 1_000)
      #expect(new.inbox.isEmpty, "a logout says that nothing of the nexus is under way")
      let third = try Self.successor(of: old, target)
      #expect(third.command(ScriptedInitiator.testUnitReady)?.status == Self.busy)
      let leaving = third.sendLogout(.closeSession)
      hangs[0].release()
      #expect(third.receive { $0.header.initiatorTaskTag == leaving } != nil)
      #expect(try target.disk("unit0").writesLanded.count == 1)
      #expect(target.isIdle(after: [new, third]))
    }
  }

  @Test("Stores that hang one after the other: past the bound a login waits for the end")
  func severalHang() throws {
    let (target, first, hangs) = try Self.hung(of: 12, reactors: 2)
    var all = hangs
    var last = first
    for unit in 1...9 {
      guard unit < 9 else { break }
      last = try Self.successor(of: last, target)
      for lun in 0..<12 {
        let status = last.command(ScriptedInitiator.testUnitReady, lun: Self.lun(lun))?.status
        #expect((status == Self.busy) == (lun < unit))
      }
      let hang = try target.disk("unit\(unit)").inject(DiskFault(.hang, count: nil))
      _ = last.startWrite(
        0, SessionTests.oldData(), style: WriteStyle(immediate: 512), lun: Self.lun(unit))
      target.pass(milliseconds: 50)
      all.append(hang)
    }
    // Eight have made way; the ninth may not.
    let waiting = SessionTests.successor(of: last, target)
    #expect(waiting.login(to: Example.name) == nil)
    // As soon as one of the eight has ended the next may.
    all[3].release()
    let new = try Self.successor(of: last, target)
    for lun in 0..<12 {
      let outcome = new.command(ScriptedInitiator.testUnitReady, lun: Self.lun(lun))
      #expect((outcome?.status == Self.busy) == (lun < 9 && lun != 3))
    }
    for hang in all { hang.release() }
    target.pass(milliseconds: 100)
    for lun in 0..<9 where lun != 3 {
      #expect(new.attention(lun: Self.lun(lun)) == Sense.newNexus)
    }
    #expect(target.isIdle(after: [new]))
  }

  @Test("A login time limit below the wait leaves the login half of it")
  func shortTimeLimit() throws {
    var limits = ServerLimits()
    limits.loginTimeout = .seconds(2)
    let target = try SimulatedTarget(
      seed: 84, targets: [Example.open(units: 2)], limits: limits)
    let old = try ScriptedInitiator.loggedIn(target, luns: 2)
    let (_, hang) = try TaskManagementTests.hungWrite(old, target)
    let new = try Self.successor(of: old, target)
    #expect(new.attention(lun: Self.healthy) == Sense.newNexus)
    hang.release()
    #expect(target.isIdle(after: [new]))
  }

  // MARK: What waits for the real end

  @Test(
    "Task management of the new session is answered after the old write has landed",
    arguments: [
      TaskManagementFunction.abortTaskSet, .clearTaskSet, .logicalUnitReset, .targetWarmReset,
      .targetColdReset, .nexusReset,
    ])
  func management(function: TaskManagementFunction) throws {
    let keys = ExtendedTaskManagementTests.level
    let (target, old, hangs) = try Self.hung(reactors: 2, keys: keys)
    let new = try Self.successor(of: old, target, keys: keys)
    let tag = new.sendManagement(function)
    target.pass(milliseconds: 5_000)
    #expect(new.inbox.isEmpty)
    #expect(try target.disk("unit0").writesLanded.isEmpty)
    hangs[0].release()
    let answer = new.receive { $0.header.initiatorTaskTag == tag }
    #expect(answer.map { TaskManagementFunctionResponse($0.header).response } == .functionComplete)
    #expect(try target.disk("unit0").writesLanded.count == 1)
    #expect(target.isIdle(after: [new]))
  }

  @Test("PREEMPT AND ABORT of a port waits for the write of its session before the present one")
  func fence() throws {
    let target = try SimulatedTarget(
      seed: 82, targets: [Example.open(units: 2)], reactorCount: 3)
    let nodes = try (1...2).map { try ScriptedInitiator.loggedIn(target, number: $0, luns: 2) }
    for (index, node) in nodes.enumerated() {
      try #require(node.reserve(.register, key: 0, new: UInt64(index + 1)) == 0)
    }
    try #require(nodes[0].reserve(.reserve, key: 1) == 0)
    let (_, hang) = try TaskManagementTests.hungWrite(nodes[1], target)
    let again = try Self.successor(of: nodes[1], target)
    let fence = nodes[0].startReserve(.preemptAndAbort, key: 1, new: 2)
    target.pass(milliseconds: 5_000)
    #expect(nodes[0].inbox.isEmpty)
    hang.release()
    #expect(nodes[0].finish(fence)?.status == Self.good)
    #expect(try target.disk().writesLanded.count == 1)
    while again.attention() != 0 {}
    #expect(
      again.write(0, SessionTests.newData(), immediate: 512)?.status == ReservationTests.conflict)
    #expect(target.isIdle(after: nodes + [again]))
  }

  @Test("RESERVE(6) ends with the old session's last write on that unit, on others at once")
  func legacyReservation() throws {
    let target = try SimulatedTarget(
      seed: 83, targets: [Example.open(units: 2)], reactorCount: 3)
    let nodes = try (1...2).map { try ScriptedInitiator.loggedIn(target, number: $0, luns: 2) }
    for lun in 0..<2 {
      #expect(nodes[0].command([0x16, 0, 0, 0, 0, 0], lun: Self.lun(lun))?.status == Self.good)
    }
    let (_, hang) = try TaskManagementTests.hungWrite(nodes[0], target)
    let again = try Self.successor(of: nodes[0], target)
    let data = SessionTests.newData()
    #expect(nodes[1].write(8, data, immediate: 512)?.status == ReservationTests.conflict)
    #expect(nodes[1].write(8, data, lun: Self.healthy, immediate: 512)?.status == Self.good)
    hang.release()
    target.pass(milliseconds: 100)
    #expect(nodes[1].write(8, data, immediate: 512)?.status == Self.good)
    #expect(again.attention() == Sense.newNexus)
    #expect(target.isIdle(after: nodes + [again]))
  }

  @Test("A stop waits for what the session before the present one has left")
  func stop() throws {
    let (target, old, hangs) = try Self.hung(reactors: 2)
    let new = try Self.successor(of: old, target)
    var stopped = 0
    for worker in target.workers { worker.stop(grace: .seconds(1)) { stopped += 1 } }
    target.pass(milliseconds: 5_000)
    #expect(new.isClosed)
    #expect(stopped == 1)
    hangs[0].release()
    target.pass(milliseconds: 100)
    #expect(stopped == 2)
    #expect(target.isIdle(after: []))
  }

  // MARK: Order

  @Test(
    "Whatever the disk's pace, what a session's answered write put there stays", arguments: 0..<24)
  func generations(seed: UInt64) throws {
    let target = try SimulatedTarget(
      seed: 8_500 + seed, targets: [Example.open(units: 2)], reactorCount: 1 + Int(seed % 3))
    let disk = try target.disk("unit0")
    var all: [ScriptedInitiator] = []
    // Every so often an operation takes much longer than a login waits.
    for _ in 0..<6 {
      let delay = Milliseconds.seconds(target.world.pick(1...12))
      disk.inject(DiskFault(.delay(delay), skipping: target.world.pick(0...30), count: 4))
    }
    for round in 0..<15 {
      let node = ScriptedInitiator(target)
      all.append(node)
      guard node.login(to: Example.name) == 0 else { continue }
      node.clearUnitAttention(lun: Self.healthy)
      let other = Example.pattern(512, seed: UInt64(round))
      #expect(node.write(0, other, lun: Self.healthy, immediate: 512)?.status == Self.good)
      for copy in 0..<6 {
        _ = node.startWrite(
          UInt64(copy), [UInt8](repeating: UInt8(round), count: 512),
          style: WriteStyle(immediate: 512))
      }
      target.pass(milliseconds: target.world.pick(0...4_000))
      guard round % 2 == 1 else { continue }
      // Until the unit is open, then its own mark, which nothing older may cover.
      var status: UInt8?
      repeat {
        target.pass(milliseconds: 500)
        status = node.write(0, [UInt8](repeating: UInt8(100 + round), count: 512))?.status
      } while status == Self.busy || status == SCSIStatus.checkCondition.rawValue
      #expect(status == Self.good)
      let before = disk.writesLanded.filter { $0.offset == 0 }.count
      target.pass(milliseconds: 20_000)
      let isMarked = disk.visibleBytes(0..<1) == [UInt8(100 + round)]
      #expect(isMarked)
      #expect(disk.writesLanded.filter { $0.offset == 0 }.count == before)
    }
    #expect(target.isIdle(after: all))
  }
}
