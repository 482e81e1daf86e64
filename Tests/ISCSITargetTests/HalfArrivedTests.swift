import Bytes
import ISCSIModel
import ISCSITarget
import TargetSimulation
import Testing

/// What becomes of a write whose header has arrived and whose data has not, when somebody wants it
/// gone: once that is acknowledged it must never run (RFC 7143 §4.2.3.3, §11.6.1).
@Suite("Half-arrived writes")
struct HalfArrivedTests {
  static let data = Example.pattern(8192, seed: 31)

  /// Two connections of one session with unsolicited data, their unit attention taken.
  private static func pair(
    _ more: [(String, String)] = []
  ) throws -> (SimulatedTarget, ScriptedInitiator, ScriptedInitiator) {
    let target = try SimulatedTarget(seed: 5, targets: [Example.open()])
    let first = ScriptedInitiator(target)
    let keys = [("MaxConnections", "2"), ("InitialR2T", "No")] + more
    try #require(first.login(to: Example.name, keys) == 0)
    first.clearUnitAttention()
    let second = first.sibling(target, connectionID: 1)
    try #require(second.login(to: Example.name, keys) == 0)
    return (target, first, second)
  }

  /// Nothing was written, nothing is said about `tag`, and both connections go on from `number`.
  private func isForgotten(
    _ tag: InitiatorTaskTag, _ target: SimulatedTarget, _ initiators: [ScriptedInitiator],
    from number: SerialNumber
  ) throws -> Bool {
    target.pass(milliseconds: 100)
    guard try target.disk().writesLanded.isEmpty else { return false }
    var number = number
    for initiator in initiators {
      guard !initiator.inbox.contains(where: { $0.header.initiatorTaskTag == tag }) else {
        return false
      }
      initiator.cmdSN = number
      guard initiator.command(ScriptedInitiator.testUnitReady) != nil else { return false }
      number = initiator.cmdSN
    }
    return target.isIdle(after: initiators)
  }

  @Test(
    "ABORT TASK over another connection ends a write that overtook and is not whole, for good",
    arguments: [true, false], [true, false])
  func abortHeld(isFinal: Bool, gapIsFilledFirst: Bool) throws {
    let (target, first, second) = try Self.pair()
    let start = first.cmdSN
    let write = second.halfWrite(cmdSN: start + 1, Self.data, isFinal: isFinal)
    target.pass(milliseconds: 20)
    func fillGap() {
      #expect(
        first.finish(first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start)) != nil)
    }
    if gapIsFilledFirst { fillGap() }
    first.cmdSN = start + 2
    #expect(
      first.manage(.abortTask, task: write.tag, refCmdSN: start + 1) == .functionComplete)
    if !gapIsFilledFirst { fillGap() }
    write.sendRest()
    #expect(try isForgotten(write.tag, target, [first, second], from: start + 2))
  }

  @Test("ABORT TASK that names the number of a half-arrived write and another tag or LUN fails")
  func abortOfAnother() throws {
    let (target, first, second) = try Self.pair()
    let start = first.cmdSN
    let write = second.halfWrite(cmdSN: start + 1, Self.data)
    target.pass(milliseconds: 20)
    first.cmdSN = start + 2
    #expect(
      first.manage(.abortTask, task: InitiatorTaskTag(rawValue: 77), refCmdSN: start + 1)
        == .taskDoesNotExist)
    #expect(
      first.manage(.abortTask, lun: 1 << 48, task: write.tag, refCmdSN: start + 1)
        == .taskDoesNotExist)
    first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start)
    write.sendRest()
    #expect(second.finish(write.tag)?.status == 0)
    #expect(reads(Self.data, at: 5, first))
    #expect(target.isIdle(after: [first, second]))
  }

  private static let functions: [TaskManagementFunction] = [
    .abortTaskSet, .clearTaskSet, .logicalUnitReset, .targetWarmReset, .nexusReset,
  ]

  @Test(
    "A reset waits for a write that overtook and is not whole; nothing lands after its answer",
    arguments: functions)
  func resetOfHeld(_ function: TaskManagementFunction) throws {
    let (target, first, second) = try Self.pair(ExtendedTaskManagementTests.level)
    let start = first.cmdSN
    let write = second.halfWrite(cmdSN: start + 1, Self.data, isFinal: false)
    target.pass(milliseconds: 20)
    #expect(first.finish(first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start)) != nil)
    first.cmdSN = start + 2
    first.sendManagement(function)
    target.pass(milliseconds: 200)
    #expect(first.inbox.isEmpty)
    write.sendImmediate()
    #expect(TaskManagementTests.response(first) == .functionComplete)
    write.sendUnsolicited()
    #expect(try isForgotten(write.tag, target, [first, second], from: start + 2))
  }

  @Test(
    "A reset over another connection ends a write in order that is not whole", arguments: functions)
  func resetOfDelivered(_ function: TaskManagementFunction) throws {
    let (target, first, second) = try Self.pair(ExtendedTaskManagementTests.level)
    let start = first.cmdSN
    let write = second.halfWrite(cmdSN: start, Self.data, isFinal: false)
    target.pass(milliseconds: 20)
    first.cmdSN = start + 1
    #expect(first.manage(function) == .functionComplete)
    write.sendRest()
    #expect(try isForgotten(write.tag, target, [first, second], from: start + 1))
  }

  // MARK: Refused

  @Test(
    "A reset ends a refused write whose data is still due: no status follows, its tag is free",
    arguments: functions)
  func resetOfRefused(_ function: TaskManagementFunction) throws {
    let (target, initiator) = try Example.session(
      keys: [("InitialR2T", "No")] + ExtendedTaskManagementTests.level)
    let tag = initiator.sendCommand(
      ScriptedInitiator.write16(1 << 40, 16), expected: 8192, isWrite: true, isFinal: false)
    target.pass(milliseconds: 50)
    #expect(initiator.manage(function) == .functionComplete)
    let again = initiator.sendCommand(ScriptedInitiator.testUnitReady, tag: tag)
    #expect(initiator.finish(again) != nil)
    initiator.sendDataOut(tag, transferTag: .reserved, offset: 0, Self.data)
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(initiator.inbox.isEmpty)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test(
    "ABORT TASK over another connection ends a write that is arriving: no status, its tag is free",
    arguments: [UInt64(1 << 40), 5], [true, false])
  func abortOfArriving(block: UInt64, isFinal: Bool) throws {
    let (target, first, second) = try Self.pair()
    let start = first.cmdSN
    let write = second.halfWrite(cmdSN: start, Self.data, block: block, isFinal: isFinal)
    target.pass(milliseconds: 20)
    first.cmdSN = start + 1
    #expect(first.manage(.abortTask, task: write.tag, refCmdSN: start) == .functionComplete)
    let again = first.sendCommand(ScriptedInitiator.testUnitReady, tag: write.tag)
    #expect(first.finish(again)?.status == 0)
    write.sendRest()
    #expect(try isForgotten(write.tag, target, [first, second], from: start + 2))
  }

  @Test("ABORT TASK SET of one unit leaves the refused write of another its status")
  func otherUnit() throws {
    let target = try SimulatedTarget(seed: 6, targets: [Example.open(units: 2)])
    let initiator = try ScriptedInitiator.loggedIn(
      target, keys: [("InitialR2T", "No")], luns: 2)
    let tag = initiator.sendCommand(
      ScriptedInitiator.write16(1 << 40, 16), lun: 1 << 48, expected: 8192, isWrite: true,
      isFinal: false)
    #expect(initiator.manage(.abortTaskSet) == .functionComplete)
    initiator.sendDataOut(tag, transferTag: .reserved, offset: 0, lun: 1 << 48, Self.data)
    #expect(initiator.finish(tag)?.sense == 0x05_21_00)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A reset numbered before a held command leaves that command alone")
  func resetBeforeHeld() throws {
    let (target, first, second) = try Self.pair()
    let start = first.cmdSN
    let tag = second.sendCommand(
      ScriptedInitiator.write16(5, 16), expected: 8192, isWrite: true, cmdSN: start + 1,
      immediateData: Self.data)
    first.cmdSN = start + 1
    first.sendManagement(.abortTaskSet)
    target.pass(milliseconds: 50)
    #expect(first.inbox.isEmpty)
    first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start)
    #expect(TaskManagementTests.response(first) == .functionComplete)
    #expect(second.finish(tag)?.status == 0)
    first.cmdSN = start + 2
    #expect(reads(Self.data, at: 5, first))
    #expect(target.isIdle(after: [first, second]))
  }

  @Test("When its connection is lost, nobody waits for a half-arrived write, and it never runs")
  func lostConnection() throws {
    let (target, first, second) = try Self.pair()
    let start = first.cmdSN
    let write = second.halfWrite(cmdSN: start + 1, Self.data)
    target.pass(milliseconds: 20)
    second.peer.reset()
    target.pass(milliseconds: 20)
    #expect(first.finish(first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start)) != nil)
    #expect(try isForgotten(write.tag, target, [first], from: start + 2))
  }

  @Test(
    "Session reinstatement ends half-arrived writes, held and in order: none lands after it",
    arguments: [true, false])
  func reinstatement(isHeld: Bool) throws {
    let (target, first, second) = try Self.pair()
    let start = first.cmdSN
    let write = second.halfWrite(cmdSN: isHeld ? start + 1 : start, Self.data)
    target.pass(milliseconds: 20)
    let successor = ScriptedInitiator(target)
    try #require(successor.login(to: Example.name) == 0)
    #expect(first.waitForClose(seconds: 1) && second.waitForClose(seconds: 1))
    write.sendRest()
    target.pass(milliseconds: 100)
    #expect(try target.disk().writesLanded.isEmpty)
    #expect(successor.attention() == Sense.newNexus)
    #expect(target.isIdle(after: [successor]))
  }

  @Test("On one connection reinstatement ends a half-arrived write: it never lands")
  func reinstatementOfOne() throws {
    let (target, initiator) = try Example.session(keys: [("InitialR2T", "No")])
    let write = initiator.halfWrite(cmdSN: initiator.cmdSN, Self.data, isFinal: false)
    target.pass(milliseconds: 20)
    let successor = ScriptedInitiator(target)
    try #require(successor.login(to: Example.name) == 0)
    write.sendRest()
    target.pass(milliseconds: 100)
    #expect(try target.disk().writesLanded.isEmpty)
    #expect(target.isIdle(after: [successor]))
  }
}

/// A write of which the header and a bit of the immediate data have been sent.
struct HalfWrite {
  let initiator: ScriptedInitiator
  let tag: InitiatorTaskTag
  /// What of the command PDU is still to be sent.
  let rest: [UInt8]
  let unsolicited: [UInt8]

  func sendImmediate() { initiator.peer.send(rest) }

  func sendUnsolicited() {
    guard !unsolicited.isEmpty else { return }
    initiator.sendDataOut(tag, transferTag: .reserved, offset: 4096, unsolicited)
  }

  func sendRest() {
    sendImmediate()
    sendUnsolicited()
  }
}

extension ScriptedInitiator {
  /// Sends the first 1000 bytes of a WRITE(16) of `data` to block 5; without F its second half is
  /// to follow in a Data-Out of its own.
  func halfWrite(
    cmdSN number: SerialNumber, _ data: [UInt8], block: UInt64 = 5, isFinal: Bool = true,
    lun: UInt64 = 0, tag: InitiatorTaskTag? = nil
  ) -> HalfWrite {
    let tag = tag ?? takeTag()
    var header = BasicHeaderSegment(opcode: .scsiCommand)
    header.isFinal = isFinal
    header.bytes[1] |= 0x21
    header.lun = lun
    header.initiatorTaskTag = tag
    header.bytes.setBigEndian(UInt32(data.count), at: 20)
    header.bytes.setBigEndian(number.rawValue, at: 24)
    header.bytes.setBigEndian(expStatSN.rawValue, at: 28)
    let cdb = ScriptedInitiator.write16(block, UInt32(data.count / 512))
    for (index, byte) in cdb.enumerated() { header.bytes[32 + index] = byte }
    let immediate = isFinal ? data[...] : data[..<4096]
    let bytes = encode(header, [], Array(immediate))
    peer.send(Array(bytes[..<1000]))
    return HalfWrite(
      initiator: self, tag: tag, rest: Array(bytes[1000...]),
      unsolicited: Array(data[immediate.count...]))
  }
}
