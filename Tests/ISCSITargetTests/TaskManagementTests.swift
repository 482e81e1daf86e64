import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSIModel
import TargetSimulation
import Testing

/// Task management functions (RFC 7143 §11.5, SAM-5 §7).
@Suite("Task management")
struct TaskManagementTests {
  static func hungWrite(
    _ initiator: ScriptedInitiator, _ target: SimulatedTarget, unit: Int = 0, block: UInt64 = 0
  ) throws -> (InitiatorTaskTag, InjectedFault) {
    let hang = try target.disk("unit\(unit)").inject(DiskFault(.hang, on: .write))
    let tag = initiator.startWrite(
      block, Example.pattern(512), style: WriteStyle(immediate: 512), lun: UInt64(unit) << 48)
    target.pass(milliseconds: 50)
    try #require(hang.heldCount == 1)
    return (tag, hang)
  }

  static func response(_ initiator: ScriptedInitiator, seconds: UInt32 = 5)
    -> TaskManagementResponseCode?
  {
    initiator.receive(.taskManagementResponse, seconds: seconds)
      .map { TaskManagementFunctionResponse($0.header).response }
  }

  // MARK: ABORT TASK

  @Test("ABORT TASK of a write that collects data ends it at once, and nothing is written")
  func abortCollecting() throws {
    let (target, initiator) = try Example.session()
    let data = Example.pattern(4096)
    let number = initiator.cmdSN
    let tag = initiator.startWrite(0, data, style: WriteStyle(immediate: 512))
    let request = ReadyToTransfer(try #require(initiator.receive(.readyToTransfer)).header)
    #expect(initiator.manage(.abortTask, task: tag, refCmdSN: number) == .functionComplete)
    // Its data was on the way.
    initiator.sendDataOut(
      tag, transferTag: request.targetTransferTag, offset: 512, Array(data[512...]))
    target.pass(milliseconds: 100)
    #expect(initiator.inbox.isEmpty)
    #expect(try target.disk().writesLanded.isEmpty)
    #expect(initiator.maxCmdSN == initiator.cmdSN + 127)
    #expect(initiator.write(0, data)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("ABORT TASK in the middle of an incoming PDU waits for nothing and keeps the stream whole")
  func abortWhileReceiving() throws {
    var options = ConnectionOptions()
    options.toTarget = .random(upTo: 900)
    let (target, initiator) = try Example.session(keys: [("InitialR2T", "No")], options: options)
    let data = Example.pattern(60 * 512)
    for round in 0..<10 {
      let number = initiator.cmdSN
      let tag = initiator.startWrite(
        0, data, style: WriteStyle(immediate: 512 * round, unsolicited: 512 * 20))
      #expect(initiator.manage(.abortTask, task: tag, refCmdSN: number) == .functionComplete)
    }
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("ABORT TASK of a write on a hung disk is answered only when the write has landed")
  func abortExecuting() throws {
    let (target, initiator) = try Example.session()
    let number = initiator.cmdSN
    let (tag, hang) = try TaskManagementTests.hungWrite(initiator, target)
    initiator.sendManagement(.abortTask, task: tag, refCmdSN: number)
    target.pass(milliseconds: 8_000)
    #expect(initiator.inbox.allSatisfy { $0.header.opcode == .nopIn })
    #expect(try target.disk().writesLanded.isEmpty)
    hang.release()
    #expect(TaskManagementTests.response(initiator) == .functionComplete)
    let landed = try #require(try target.disk().writesLanded.first)
    #expect(landed.time <= target.world.now)
    // No status for the aborted command.
    target.pass(milliseconds: 100)
    #expect(!initiator.inbox.contains { $0.header.initiatorTaskTag == tag })
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Two ABORT TASKs of one hung write are both answered after it, and its tag is free")
  func abortTwice() throws {
    let (target, initiator) = try Example.session()
    let number = initiator.cmdSN
    let (tag, hang) = try TaskManagementTests.hungWrite(initiator, target)
    initiator.sendManagement(.abortTask, task: tag, refCmdSN: number)
    initiator.sendManagement(.abortTask, task: tag, refCmdSN: number)
    target.pass(milliseconds: 1_000)
    #expect(initiator.inbox.isEmpty)
    hang.release()
    #expect(TaskManagementTests.response(initiator) == .functionComplete)
    #expect(TaskManagementTests.response(initiator) == .functionComplete)
    #expect(
      initiator.finish(initiator.sendCommand(ScriptedInitiator.testUnitReady, tag: tag))
        != nil)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("ABORT TASK of a command that has ended, or never was, answers TASK DOES NOT EXIST")
  func abortEnded() throws {
    let (target, initiator) = try Example.session()
    let number = initiator.cmdSN
    let tag = initiator.sendCommand(ScriptedInitiator.testUnitReady)
    #expect(initiator.finish(tag)?.status == 0)
    #expect(initiator.manage(.abortTask, task: tag, refCmdSN: number) == .taskDoesNotExist)
    let never = InitiatorTaskTag(rawValue: 0x7777)
    #expect(initiator.manage(.abortTask, task: never, refCmdSN: number) == .taskDoesNotExist)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("ABORT TASK of a command still on its way completes; when it comes it is dropped")
  func abortUnknownInWindow() throws {
    let (target, initiator) = try Example.session()
    let skipped = initiator.takeCmdSN()
    let tag = initiator.takeTag()
    #expect(initiator.manage(.abortTask, task: tag, refCmdSN: skipped) == .functionComplete)
    initiator.sendCommand(ScriptedInitiator.testUnitReady, tag: tag, cmdSN: skipped)
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(!initiator.inbox.contains { $0.header.initiatorTaskTag == tag })
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("ABORT TASK of a command held for an earlier one lets those behind it go on")
  func abortHeld() throws {
    let (target, initiator) = try Example.session()
    let missing = initiator.takeCmdSN()
    let heldNumber = initiator.cmdSN
    let data = Example.pattern(512)
    let held = initiator.startWrite(0, data, style: WriteStyle(immediate: 512))
    let behind = initiator.sendCommand(ScriptedInitiator.testUnitReady)
    target.pass(milliseconds: 50)
    #expect(initiator.manage(.abortTask, task: held, refCmdSN: heldNumber) == .functionComplete)
    initiator.sendCommand(
      ScriptedInitiator.testUnitReady, tag: InitiatorTaskTag(rawValue: 0x9999), cmdSN: missing)
    #expect(initiator.finish(behind)?.status == 0)
    #expect(initiator.finish(InitiatorTaskTag(rawValue: 0x9999))?.status == 0)
    #expect(!initiator.inbox.contains { $0.header.initiatorTaskTag == held })
    #expect(try target.disk().writesLanded.isEmpty)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Functions that are not there, and LUNs that are not, have their own answers")
  func otherFunctions() throws {
    let (target, initiator) = try Example.session()
    #expect(initiator.manage(.taskReassign) == .reassignmentNotSupported)
    #expect(initiator.manage(.clearACA) == .functionNotSupported)
    #expect(initiator.manage(.queryTask) == .functionNotSupported)
    for function in [TaskManagementFunction.abortTaskSet, .clearTaskSet, .logicalUnitReset] {
      #expect(initiator.manage(function, lun: 7 << 48) == .lunDoesNotExist)
    }
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  // MARK: Task sets

  @Test("ABORT TASK SET ends this nexus's tasks only, after the hung ones")
  func abortTaskSet() throws {
    let target = try SimulatedTarget(seed: 41, targets: [Example.open()])
    let one = try ScriptedInitiator.loggedIn(target, number: 1)
    let two = try ScriptedInitiator.loggedIn(target, number: 2)
    let (first, hang) = try TaskManagementTests.hungWrite(one, target)
    let collecting = one.startWrite(8, Example.pattern(512))
    _ = one.receive(.readyToTransfer)
    let other = two.startWrite(16, Example.pattern(512))
    one.sendManagement(.abortTaskSet)
    target.pass(milliseconds: 1_000)
    #expect(one.inbox.isEmpty)
    hang.release()
    #expect(TaskManagementTests.response(one) == .functionComplete)
    #expect(one.attention() == 0)
    #expect(two.completeWrite(other, Example.pattern(512)).outcome == 0)
    #expect(two.attention() == 0)
    #expect(
      !one.inbox.contains { [first, collecting].contains($0.header.initiatorTaskTag) })
    #expect(target.isIdle(after: [one, two]))
  }

  @Test(
    "CLEAR TASK SET without TAS ends all nexuses' tasks and tells those that lost some",
    arguments: [1, 2])
  func clearTaskSet(reactors: Int) throws {
    let target = try SimulatedTarget(
      seed: 42, targets: [Example.open()], reactorCount: reactors)
    let one = try ScriptedInitiator.loggedIn(target, number: 1)
    let two = try ScriptedInitiator.loggedIn(target, number: 2)
    let three = try ScriptedInitiator.loggedIn(target, number: 3)
    TaskManagementTests.clearTaskAbortedStatus(one)
    for other in [two, three] { other.clearUnitAttention() }
    let (_, hang) = try TaskManagementTests.hungWrite(two, target)
    one.sendManagement(.clearTaskSet)
    target.pass(milliseconds: 1_000)
    #expect(one.inbox.isEmpty)
    hang.release()
    #expect(TaskManagementTests.response(one) == .functionComplete)
    #expect(try target.disk().writesLanded.count == 1)
    #expect(one.attention() == 0)
    #expect(two.attention() == Sense.commandsCleared)
    #expect(two.attention() == 0)
    #expect(three.attention() == 0)
    #expect(target.isIdle(after: [one, two, three]))
  }

  /// Clears TAS in the control mode page.
  static func clearTaskAbortedStatus(_ initiator: ScriptedInitiator) {
    let sense = initiator.command([0x1A, 0x08, 0x0A, 0, 0xFF, 0], expected: 255)
    guard var list = sense?.data, list.count >= 16 else { return }
    list[0] = 0
    list[2] = 0
    list[4] &= 0x7F
    list[9] &= ~0x40
    let outcome = initiator.command(
      [0x15, 0x10, 0, 0, UInt8(list.count), 0], writing: list, immediate: list.count)
    #expect(outcome?.status == 0)
  }

  @Test("CLEAR TASK SET by one LUN of a unit ends the sender's own tasks by another, silently")
  func clearOfOtherLUN() throws {
    var definition = Example.open()
    definition.units.append(UnitPresentation(lun: 2, unit: "unit0"))
    let target = try SimulatedTarget(seed: 49, targets: [definition])
    let initiator = try ScriptedInitiator.loggedIn(target)
    initiator.clearUnitAttention(lun: 2 << 48)
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    let data = Example.pattern(512)
    let hung = initiator.startWrite(0, data, style: WriteStyle(immediate: 512), lun: 2 << 48)
    let asked = initiator.startWrite(8, data, lun: 2 << 48)
    let request = ReadyToTransfer(try #require(initiator.receive(.readyToTransfer)).header)
    target.pass(milliseconds: 50)
    try #require(hang.heldCount == 1)
    initiator.sendManagement(.clearTaskSet)
    target.pass(milliseconds: 100)
    #expect(initiator.inbox.isEmpty)
    hang.release()
    target.pass(milliseconds: 100)
    // The data that it was asked for is still due.
    #expect(initiator.inbox.isEmpty)
    initiator.sendDataOut(
      asked, transferTag: request.targetTransferTag, offset: 0, lun: 2 << 48, data)
    #expect(TaskManagementTests.response(initiator) == .functionComplete)
    #expect(!initiator.inbox.contains { [hung, asked].contains($0.header.initiatorTaskTag) })
    for lun in [UInt64(0), 2] { #expect(initiator.attention(lun: lun << 48) == 0) }
    #expect(target.isIdle(after: [initiator]))
  }

  // MARK: Resets

  @Test("LOGICAL UNIT RESET waits for all reactors' tasks and tells every nexus 29/03")
  func logicalUnitReset() throws {
    let target = try SimulatedTarget(
      seed: 45, targets: [Example.open(units: 2)], reactorCount: 2)
    let one = try ScriptedInitiator.loggedIn(target, number: 1, luns: 2)
    let two = try ScriptedInitiator.loggedIn(target, number: 2, luns: 2)
    let (mine, first) = try TaskManagementTests.hungWrite(one, target)
    let (theirs, second) = try TaskManagementTests.hungWrite(two, target, block: 8)
    let otherUnit = two.startWrite(0, Example.pattern(512), lun: 1 << 48)
    one.sendManagement(.logicalUnitReset)
    target.pass(milliseconds: 500)
    #expect(one.inbox.isEmpty)
    first.release()
    target.pass(milliseconds: 500)
    #expect(one.inbox.isEmpty)
    second.release()
    #expect(TaskManagementTests.response(one) == .functionComplete)
    #expect(try target.disk().writesLanded.count == 2)
    #expect(one.attention() == Sense.busDeviceReset)
    #expect(two.attention() == Sense.busDeviceReset)
    #expect(one.attention(lun: 1 << 48) == 0)
    #expect(two.completeWrite(otherUnit, Example.pattern(512)).outcome == 0)
    #expect(!one.inbox.contains { $0.header.initiatorTaskTag == mine })
    #expect(two.finish(theirs)?.status == 0x40)
    #expect(target.isIdle(after: [one, two]))
  }

  @Test("TARGET WARM RESET resets every unit and keeps the sessions")
  func warmReset() throws {
    let target = try SimulatedTarget(
      seed: 46, targets: [Example.open(units: 3)], reactorCount: 2)
    let one = try ScriptedInitiator.loggedIn(target, number: 1, luns: 3)
    let two = try ScriptedInitiator.loggedIn(target, number: 2, luns: 3)
    let (_, hang) = try TaskManagementTests.hungWrite(two, target)
    one.sendManagement(.targetWarmReset)
    target.pass(milliseconds: 500)
    #expect(one.inbox.isEmpty)
    hang.release()
    #expect(TaskManagementTests.response(one) == .functionComplete)
    for initiator in [one, two] {
      for lun in 0..<3 {
        #expect(initiator.attention(lun: UInt64(lun) << 48) == Sense.busDeviceReset)
      }
    }
    #expect(target.isIdle(after: [one, two]))
  }

  @Test("TARGET COLD RESET is answered after the tasks and then ends every session of the target")
  func coldReset() throws {
    var bystander = Example.open()
    bystander.name = DiscoveryTests.other
    let target = try SimulatedTarget(
      seed: 47, targets: [Example.open(), bystander], reactorCount: 2)
    let one = try ScriptedInitiator.loggedIn(target, number: 1)
    let two = try ScriptedInitiator.loggedIn(target, number: 2)
    let other = ScriptedInitiator(target)
    try #require(other.login(to: DiscoveryTests.other) == 0)
    let (hung, hang) = try TaskManagementTests.hungWrite(two, target)
    one.sendManagement(.targetColdReset)
    target.pass(milliseconds: 500)
    #expect(!one.isClosed && !two.isClosed)
    hang.release()
    #expect(TaskManagementTests.response(one) == .functionComplete)
    #expect(one.waitForClose(seconds: 1))
    #expect(two.waitForClose(seconds: 1))
    // A hard reset tells of no task.
    #expect(!two.inbox.contains { $0.header.initiatorTaskTag == hung })
    #expect(!other.isClosed)
    let again = ScriptedInitiator(target)
    again.initiatorName = one.initiatorName
    #expect(again.login(to: Example.name) == 0)
    #expect(target.isIdle(after: [other, again]))
  }
}

enum DataOutHeader {
  /// The one Data-Out that answers all of `request`.
  static func make(
    _ tag: InitiatorTaskTag, _ request: ReadyToTransfer, _ initiator: ScriptedInitiator
  ) -> BasicHeaderSegment {
    var header = BasicHeaderSegment(opcode: .dataOut)
    header.isFinal = true
    header.lun = request.lun
    header.initiatorTaskTag = tag
    header.bytes.setBigEndian(request.targetTransferTag.rawValue, at: 20)
    header.bytes.setBigEndian(initiator.expStatSN.rawValue, at: 28)
    header.bytes.setBigEndian(request.bufferOffset, at: 40)
    return header
  }
}
