import BackingStore
import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSITarget
import TargetSimulation
import Testing

/// Logical units and rights that change while initiators are logged in.
@Suite("Live units")
struct LiveUnitsTests {
  static let unitsChanged: UInt32 = 0x06_3F_0E
  static let modeParametersChanged: UInt32 = 0x06_2A_01
  static let noUnit: UInt32 = 0x05_25_00
  static let taskAborted: UInt8 = 0x40

  /// A target of two units of which it presents one, and another target.
  static func target(seed: UInt64, reactors: Int = 2) throws -> SimulatedTarget {
    let target = try SimulatedTarget(
      seed: seed, targets: [Example.open(units: 2), LiveUnitsTests.other], reactorCount: reactors)
    try target.publish([Example.open(), LiveUnitsTests.other])
    return target
  }

  static let other = TargetDefinition(
    name: "iqn.2026-11.com.example:other", portalGroupTags: [1],
    units: [UnitPresentation(lun: 0, unit: "unit2")], admitsAnyInitiator: true)

  static func otherSession(_ target: SimulatedTarget) throws -> ScriptedInitiator {
    let initiator = ScriptedInitiator(target)
    initiator.initiatorName = "iqn.2026-11.com.example:node9"
    try #require(initiator.login(to: other.name) == 0)
    initiator.clearUnitAttention()
    return initiator
  }

  /// The SCSI event that came, as key, ASC and ASCQ; nil: none.
  static func event(_ initiator: ScriptedInitiator) -> UInt32? {
    guard let pdu = initiator.receive(.asynchronousMessage, seconds: 1) else { return nil }
    let message = AsynchronousMessage(pdu.header)
    guard message.event == .scsi, pdu.data.count >= 16,
      UInt16(pdu.data[0]) << 8 | UInt16(pdu.data[1]) == UInt16(pdu.data.count - 2)
    else { return nil }
    return UInt32(pdu.data[4] & 0x0F) << 16 | UInt32(pdu.data[14]) << 8 | UInt32(pdu.data[15])
  }

  static let reportLUNs: [UInt8] = [0xA0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]

  @Test(
    "A LUN that is added is announced, attached and used; sessions of other targets hear nothing")
  func added() throws {
    let target = try LiveUnitsTests.target(seed: 1)
    let initiators = try (1...3).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    let other = try LiveUnitsTests.otherSession(target)
    try target.publish([Example.open(units: 2), LiveUnitsTests.other])
    for initiator in initiators {
      #expect(LiveUnitsTests.event(initiator) == LiveUnitsTests.unitsChanged)
      #expect(initiator.attention() == LiveUnitsTests.unitsChanged)
      #expect(initiator.attention() == 0)
      #expect(initiator.attention(lun: 1 << 48) == Sense.newNexus)
      #expect(initiator.command(LiveUnitsTests.reportLUNs, expected: 256)?.data.count == 24)
      let data = Example.pattern(512)
      #expect(initiator.write(3, data, lun: 1 << 48)?.status == 0)
    }
    #expect(other.attention() == 0)
    #expect(other.inbox.isEmpty)
    #expect(target.isIdle(after: initiators + [other]))
  }

  @Test("REPORT LUNS after the change withdraws the unit attention")
  func rescanned() throws {
    let target = try LiveUnitsTests.target(seed: 2)
    let initiator = try ScriptedInitiator.loggedIn(target)
    try target.publish([Example.open(units: 2)])
    #expect(initiator.command(LiveUnitsTests.reportLUNs, expected: 256)?.data.count == 24)
    #expect(initiator.attention() == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test(
    "A LUN that is removed ends its commands with TASK ABORTED before it is said to be gone",
    arguments: [UInt64](1...8))
  func removed(seed: UInt64) throws {
    let target = try SimulatedTarget(
      seed: seed, targets: [Example.open(units: 2)], reactorCount: 1 + Int(seed % 3))
    target.world.latencies.diskWrite = 3_000_000...60_000_000
    let initiators = try (1...3).map { try ScriptedInitiator.loggedIn(target, number: $0, luns: 2) }
    let disk = try target.disk("unit1")
    let tags = initiators.map { initiator in
      (0..<8).map { number in
        initiator.startWrite(
          UInt64(number) * 8, Example.pattern(4096),
          style: WriteStyle(immediate: number % 3 == 0 ? 0 : 4096), lun: 1 << 48)
      }
    }
    let kept = initiators[0].startWrite(0, Example.pattern(512), style: WriteStyle(immediate: 512))
    target.pass(milliseconds: 4)
    #expect(disk.operationsInFlight > 4)
    try target.publish([Example.open()])
    #expect(disk.operationsInFlight == 0)
    let landed = disk.writesLanded.count
    #expect(initiators[0].finish(kept)?.status == 0)
    for (initiator, tags) in zip(initiators, tags) {
      #expect(LiveUnitsTests.event(initiator) == LiveUnitsTests.unitsChanged)
      #expect(initiator.attention() == LiveUnitsTests.unitsChanged)
      #expect(initiator.attention(lun: 1 << 48) == LiveUnitsTests.noUnit)
      // Those that are owed data are told when it has come.
      let ends = tags.map { initiator.finish($0, source: Example.pattern(4096))?.status }
      #expect(!ends.contains(nil) && ends.contains(LiveUnitsTests.taskAborted))
    }
    target.pass(milliseconds: 300)
    #expect(disk.writesLanded.count == landed)
    #expect(target.isIdle(after: initiators))
  }

  @Test("A removal waits for a write that the disk does not end, and nobody else does")
  func hungRemoval() throws {
    let target = try SimulatedTarget(
      seed: 5, targets: [Example.open(units: 2)], reactorCount: 2)
    let initiator = try ScriptedInitiator.loggedIn(target, luns: 2)
    let (_, hang) = try TaskManagementTests.hungWrite(initiator, target, unit: 1)
    var isGone = false
    let directory = TargetDirectory(targets: [Example.open()], portals: [])
    target.workers[0].publish(directory) { isGone = true }
    target.pass(milliseconds: 5_000)
    #expect(!isGone)
    #expect(initiator.attention(lun: 1 << 48) == LiveUnitsTests.noUnit)
    try target.publish(TargetDirectory(targets: [Example.open()], portals: []))
    hang.release()
    target.pass(milliseconds: 100)
    #expect(isGone)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Write protection counts from the next command on, and is told as MODE PARAMETERS CHANGED")
  func writeProtection() throws {
    let target = try LiveUnitsTests.target(seed: 6)
    let initiator = try ScriptedInitiator.loggedIn(target)
    var definition = Example.open()
    definition.units[0].isReadOnly = true
    try target.publish([definition])
    #expect(initiator.attention() == LiveUnitsTests.modeParametersChanged)
    #expect(initiator.write(0, Example.pattern(512))?.sense == Sense.writeProtected)
    try target.publish([Example.open()])
    #expect(initiator.attention() == LiveUnitsTests.modeParametersChanged)
    #expect(initiator.write(0, Example.pattern(512))?.status == 0)
    #expect(initiator.inbox.isEmpty)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Another unit at a LUN is announced as such, and reached")
  func replaced() throws {
    let target = try LiveUnitsTests.target(seed: 7)
    let initiator = try ScriptedInitiator.loggedIn(target)
    let data = Example.pattern(512, seed: 9)
    #expect(initiator.write(0, data)?.status == 0)
    var definition = Example.open()
    definition.units[0].unit = "unit1"
    try target.publish([definition])
    #expect(LiveUnitsTests.event(initiator) == LiveUnitsTests.unitsChanged)
    #expect(initiator.attention() == Sense.newNexus)
    #expect(initiator.attention() == 0x06_3F_03)
    let isOther = initiator.read(0, 1)?.data != data
    #expect(isOther)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Another unit that comes to a LUN later is announced as such; the same one is not")
  func replacedLater() throws {
    let target = try LiveUnitsTests.target(seed: 14)
    let initiator = try ScriptedInitiator.loggedIn(target)
    var definition = Example.open(units: 2)
    try target.publish([definition])
    while initiator.attention(lun: 1 << 48) != 0 {}
    for (unit, isOther) in [("unit1", false), ("unit2", true)] {
      try target.publish([Example.open()])
      #expect(initiator.attention(lun: 1 << 48) == LiveUnitsTests.noUnit)
      definition.units[1].unit = unit
      try target.publish([definition])
      #expect(initiator.attention(lun: 1 << 48) == Sense.newNexus)
      #expect(initiator.attention(lun: 1 << 48) == (isOther ? 0x06_3F_03 : 0), "\(unit)")
      #expect(initiator.attention(lun: 1 << 48) == 0)
    }
    #expect(LiveUnitsTests.remove("unit2", force: true, target) == .removed)
    let larger = LiveUnitsTests.makeUnit("unit2", target, sizeBytes: 4 << 20)
    #expect(LiveUnitsTests.add(larger, target) == true)
    let told = (0..<4).map { _ in initiator.attention(lun: 1 << 48) }
    #expect(told == [Sense.newNexus, 0x06_3F_03, 0x06_2A_09, 0])
    initiator.forgetInbox()
    while initiator.attention() != 0 {}
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Who loses the right keeps the session until it is ended, and can begin no other")
  func unqualified() throws {
    let target = try LiveUnitsTests.target(seed: 8)
    let one = try ScriptedInitiator.loggedIn(target, number: 1)
    let two = try ScriptedInitiator.loggedIn(target, number: 2)
    var definition = Example.open(units: 2)
    definition.admitsAnyInitiator = false
    definition.accessEntries = [AccessEntry(initiator: "iqn.2026-11.com.example:node2")]
    try target.publish([definition])
    #expect(one.write(0, Example.pattern(512))?.status == 0)
    #expect(one.attention(lun: 1 << 48) == LiveUnitsTests.noUnit)
    #expect(two.attention(lun: 1 << 48) == Sense.newNexus)
    let late = ScriptedInitiator(target)
    #expect(late.login(to: Example.name) == 0x0203)
    var ended: Int?
    target.workers[1].endUnqualifiedSessions { ended = $0 }
    target.run { ended != nil }
    #expect(ended == 1)
    #expect(one.waitForClose(seconds: 1))
    #expect(two.read(0, 1)?.status == 0x02)
    #expect(two.read(0, 1)?.status == 0)
    #expect(target.isIdle(after: [two, late]))
  }

  @Test("A login that began before the change gets what the directory says after it")
  func loginAcrossChange() throws {
    let target = try LiveUnitsTests.target(seed: 9)
    let late = ScriptedInitiator(target)
    target.pass(milliseconds: 10)
    try target.publish([LiveUnitsTests.other])
    #expect(late.login(to: Example.name) == 0x0203)
    let kept = ScriptedInitiator(target)
    target.pass(milliseconds: 10)
    try target.publish([Example.open(units: 2)])
    #expect(kept.login(to: Example.name) == 0x0203, "it was not there when the login began")
    #expect(target.isIdle(after: [late, kept]))
  }

  @Test("The sessions of a target that is removed end, their writes drained")
  func targetRemoved() throws {
    let target = try LiveUnitsTests.target(seed: 10)
    let initiator = try ScriptedInitiator.loggedIn(target)
    let other = try LiveUnitsTests.otherSession(target)
    target.world.latencies.diskWrite = 30_000_000...60_000_000
    _ = initiator.startWrite(0, Example.pattern(512), style: WriteStyle(immediate: 512))
    target.pass(milliseconds: 10)
    #expect(try target.disk().operationsInFlight == 1)
    try target.publish([LiveUnitsTests.other])
    #expect(try target.disk().operationsInFlight == 0)
    #expect(target.context.sessions.count == 1)
    #expect(other.read(0, 1)?.status == 0)
    #expect(target.isIdle(after: [other]))
  }

  // MARK: Units

  static func makeUnit(
    _ name: String, _ target: SimulatedTarget, sizeBytes: UInt64 = 1 << 20
  ) -> LogicalUnit {
    let disk = target.world.makeDisk(sizeBytes: sizeBytes, blockBytes: 512)
    var options = LogicalUnitOptions()
    options.reservationPersistence = target.reservations
    return LogicalUnit(
      identity: LogicalUnitIdentity(
        name: name, naa: [0x60] + [UInt8](repeating: 0x77, count: 15), serial: name,
        vendor: "SWIFTTGT", product: "VIRTUAL-DISK", revision: "1"),
      store: SimulatedStore(disk), startsWithWriteCache: true,
      homeReactorIndex: target.reactors.count - 1, options: options)
  }

  static func remove(
    _ name: String, force: Bool, _ target: SimulatedTarget, seconds: UInt32 = 5
  ) -> UnitRemoval? {
    var result: UnitRemoval?
    target.workers[0].remove(unitNamed: name, force: force) { result = $0 }
    target.run(seconds: seconds) { result != nil }
    return result
  }

  static func add(_ unit: LogicalUnit, _ target: SimulatedTarget) -> Bool? {
    var result: Bool?
    target.workers[0].add(unit) { result = $0 }
    target.run(seconds: 5) { result != nil }
    return result
  }

  @Test("A unit that is added while sessions run is complete when they meet it", arguments: 1...4)
  func unitAdded(reactors: Int) throws {
    let target = try LiveUnitsTests.target(seed: 11, reactors: reactors)
    let initiator = try ScriptedInitiator.loggedIn(target)
    var definition = Example.open()
    definition.units.append(UnitPresentation(lun: 300, unit: "late"))
    // The directory may name it before it is there.
    try target.publish([definition])
    #expect(initiator.inbox.isEmpty)
    let unit = LiveUnitsTests.makeUnit("late", target)
    #expect(LiveUnitsTests.add(unit, target) == true)
    #expect(LiveUnitsTests.add(LiveUnitsTests.makeUnit("late", target), target) == false)
    #expect(LiveUnitsTests.event(initiator) == LiveUnitsTests.unitsChanged)
    let lun = UInt64(0x4000 | 300) << 48
    #expect(initiator.attention(lun: lun) == Sense.newNexus)
    // RESERVE needs an answer from every reactor.
    #expect(initiator.command([0x16, 0, 0, 0, 0, 0], lun: lun)?.status == 0)
    #expect(initiator.write(0, Example.pattern(512), lun: lun)?.status == 0)
    #expect(LiveUnitsTests.remove("late", force: true, target) == .removed)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A unit in use is removed only by force, its writes drained; it can come back")
  func unitRemoved() throws {
    let target = try SimulatedTarget(
      seed: 12, targets: [Example.open(units: 2)], reactorCount: 3)
    let initiators = try (1...3).map { try ScriptedInitiator.loggedIn(target, number: $0, luns: 2) }
    guard case .inUse(let uses) = LiveUnitsTests.remove("unit1", force: false, target) else {
      return #expect(Bool(false), "three sessions have it")
    }
    #expect(uses.count == 3)
    for initiator in initiators {
      #expect(initiator.inbox.isEmpty)
      #expect(initiator.write(0, Example.pattern(512), lun: 1 << 48)?.status == 0)
    }
    #expect(LiveUnitsTests.remove("nothing", force: true, target) == .notFound)
    let disk = try target.disk("unit1")
    let hang = disk.inject(DiskFault(.hang, on: .write))
    _ = initiators[1].startWrite(
      0, Example.pattern(512), style: WriteStyle(immediate: 512), lun: 1 << 48)
    target.pass(milliseconds: 20)
    var result: UnitRemoval?
    target.workers[0].remove(unitNamed: "unit1", force: true) { result = $0 }
    target.pass(milliseconds: 3_000)
    #expect(result == nil)
    hang.release()
    target.run(seconds: 1) { result != nil }
    #expect(result == .removed)
    #expect(disk.operationsInFlight == 0)
    #expect(LiveUnitsTests.remove("unit1", force: false, target) == .notFound)
    for initiator in initiators {
      #expect(LiveUnitsTests.event(initiator) == LiveUnitsTests.unitsChanged)
      #expect(initiator.attention(lun: 1 << 48) == LiveUnitsTests.noUnit)
    }
    #expect(LiveUnitsTests.add(LiveUnitsTests.makeUnit("unit1", target), target) == true)
    #expect(initiators[2].attention(lun: 1 << 48) == Sense.newNexus)
    #expect(LiveUnitsTests.remove("unit1", force: true, target) == .removed)
    #expect(target.isIdle(after: initiators))
  }

  @Test("A unit that is being formatted is removed only by force, which ends the formatting")
  func formattingUnitRemoved() throws {
    let target = try SimulatedTarget(seed: 13, targets: [Example.open(units: 2)], reactorCount: 2)
    let initiator = try ScriptedInitiator.loggedIn(target, luns: 2)
    target.world.latencies.diskAllocate = 500_000_000...500_000_000
    target.world.latencies.diskSynchronize = 500_000_000...500_000_000
    let format = initiator.sendCommand(
      [0x04, 0x10, 0, 0, 0, 0], lun: 1 << 48, expected: 4,
      isWrite: true, immediateData: [0, 0x02, 0, 0])
    #expect(initiator.finish(format)?.status == 0)
    try target.publish([Example.open()])
    #expect(LiveUnitsTests.remove("unit1", force: false, target) == .inUse([.wipe]))
    #expect(LiveUnitsTests.remove("unit1", force: true, target) == .removed)
    #expect(try target.disk("unit1").operationsInFlight == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test(
    "A copy to a LUN that is removed writes nothing there afterwards", arguments: [UInt64](1...6))
  func copyDestinationRemoved(seed: UInt64) throws {
    let target = try SimulatedTarget(seed: seed, targets: [Example.open(units: 2)])
    target.world.latencies.diskRead = 5_000_000...20_000_000
    let initiator = try ScriptedInitiator.loggedIn(target, luns: 2)
    let disk = try target.disk("unit1")
    _ = initiator.sendCommand(
      [0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, UInt8(LiveUnitsTests.copyList.count), 0, 0],
      expected: UInt32(LiveUnitsTests.copyList.count), isWrite: true,
      immediateData: LiveUnitsTests.copyList)
    target.pass(milliseconds: 2)
    #expect(try target.disk().operationsInFlight > 0)
    try target.publish([Example.open()])
    let landed = disk.writesLanded.count
    target.pass(milliseconds: 500)
    #expect(disk.writesLanded.count == landed)
    #expect(target.isIdle(after: [initiator]))
  }

  /// EXTENDED COPY (LID1): all 2,048 blocks from the first unit to the second.
  static let copyList: [UInt8] =
    [1, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 0] + copyUnit(1) + copyUnit(2) + [
      0x02, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0x08, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]

  /// Identification descriptor CSCD of the unit with NAA 60 followed by fifteen times `number`.
  private static func copyUnit(_ number: UInt8) -> [UInt8] {
    [0xE4, 0, 0, 0, 0x01, 0x03, 0, 16, 0x60] + [UInt8](repeating: number, count: 15)
      + [0, 0, 0, 0, 0, 0x00, 0x02, 0x00]
  }
}
