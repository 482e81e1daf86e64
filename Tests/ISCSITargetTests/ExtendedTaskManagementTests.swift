import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSIModel
import TargetSimulation
import Testing

/// RFC 7144 §6.3, and what responses wait for (RFC 7143 §4.2.3.3).
@Suite("Extended task management")
struct ExtendedTaskManagementTests {
  static let level = [("iSCSIProtocolLevel", "2")]

  private static let functions: [TaskManagementFunction] = [
    .queryTask, .queryTaskSet, .nexusReset, .queryAsynchronousEvent,
  ]

  /// REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS.
  private func supported(_ initiator: ScriptedInitiator) -> [UInt8]? {
    initiator.command([0xA3, 0x0D, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0], expected: 4)?.data
  }

  @Test("Without protocol level 2 the functions are not there, and not reported")
  func levelOne() throws {
    for keys in [[], [("iSCSIProtocolLevel", "1")]] {
      let (target, initiator) = try Example.session(keys: keys)
      for function in Self.functions {
        #expect(initiator.manage(function) == .functionNotSupported)
      }
      #expect(supported(initiator) == [0xDA, 0, 0, 0])
      #expect(target.isIdle(after: [initiator]))
    }
  }

  @Test("Protocol level 2 reports all four, and a LUN that is not there has its own answer")
  func levelTwo() throws {
    let (target, initiator) = try Example.session(keys: [("iSCSIProtocolLevel", "5")])
    #expect(supported(initiator) == [0xDE, 0x07, 0, 0])
    for function in Self.functions where function != .nexusReset {
      #expect(initiator.manage(function, lun: 7 << 48) == .lunDoesNotExist)
    }
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("QUERY TASK and QUERY TASK SET tell whether there is a task")
  func queries() throws {
    let (target, initiator) = try Example.session(keys: Self.level)
    #expect(initiator.manage(.queryTaskSet) == .functionComplete)
    let (tag, hang) = try TaskManagementTests.hungWrite(initiator, target)
    #expect(initiator.manage(.queryTask, task: tag) == .functionSucceeded)
    #expect(
      initiator.manage(.queryTask, task: InitiatorTaskTag(rawValue: 0x777)) == .functionComplete)
    #expect(initiator.manage(.queryTaskSet) == .functionSucceeded)
    hang.release()
    #expect(initiator.finish(tag)?.status == 0)
    #expect(initiator.manage(.queryTask, task: tag) == .functionComplete)
    #expect(initiator.manage(.queryTaskSet) == .functionComplete)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("QUERY ASYNCHRONOUS EVENT tells the pending unit attention and leaves it")
  func queryEvent() throws {
    let target = try SimulatedTarget(seed: 221, targets: [Example.open()])
    let one = try ScriptedInitiator.loggedIn(target, number: 1, keys: Self.level)
    let two = try ScriptedInitiator.loggedIn(target, number: 2)
    #expect(one.manage(.queryAsynchronousEvent) == .functionComplete)
    #expect(two.manage(.logicalUnitReset) == .functionComplete)
    let tag = one.sendManagement(.queryAsynchronousEvent)
    let pdu = try #require(one.receive { $0.header.initiatorTaskTag == tag })
    let response = TaskManagementFunctionResponse(pdu.header)
    #expect(response.response == .functionSucceeded)
    #expect((8...10).map { pdu.header.bytes[$0] } == [0x16, 0x29, 0x03])
    #expect(response.information.depth == .one)
    #expect(one.attention() == Sense.busDeviceReset)
    #expect(one.manage(.queryAsynchronousEvent) == .functionComplete)
    #expect(target.isIdle(after: [one, two]))
  }

  @Test("I_T NEXUS RESET ends the tasks of its own nexus on every unit and answers after them")
  func nexusReset() throws {
    let target = try SimulatedTarget(
      seed: 222, targets: [Example.open(units: 2)], reactorCount: 2)
    let one = try ScriptedInitiator.loggedIn(target, number: 1, keys: Self.level, luns: 2)
    let two = try ScriptedInitiator.loggedIn(target, number: 2, luns: 2)
    let (mine, hang) = try TaskManagementTests.hungWrite(one, target)
    let other = two.startWrite(16, Example.pattern(512))
    let tag = one.sendManagement(.nexusReset)
    target.pass(milliseconds: 500)
    #expect(one.inbox.isEmpty)
    hang.release()
    let answer = one.receive { $0.header.initiatorTaskTag == tag }
    #expect(
      answer.map { TaskManagementFunctionResponse($0.header).response } == .functionComplete)
    for lun in [UInt64(0), 1] {
      #expect(one.attention(lun: lun << 48) == 0x06_29_07)
      #expect(one.attention(lun: lun << 48) == 0)
      #expect(two.attention(lun: lun << 48) == 0)
    }
    #expect(two.completeWrite(other, Example.pattern(512)).outcome == 0)
    #expect(!one.inbox.contains { $0.header.initiatorTaskTag == mine })
    #expect(target.isIdle(after: [one, two]))
  }

  // MARK: Data owed

  @Test("A response waits for the data owed on R2Ts, and is given as soon as that has come")
  func waitsForData() throws {
    let (target, initiator) = try Example.session()
    let data = Example.pattern(4096)
    let tag = initiator.startWrite(0, data)
    let request = ReadyToTransfer(try #require(initiator.receive(.readyToTransfer)).header)
    initiator.sendManagement(.abortTaskSet)
    target.pass(milliseconds: 300)
    #expect(initiator.inbox.isEmpty)
    initiator.sendBurst(
      tag, transferTag: request.targetTransferTag, data, from: 0, to: 4096, segment: 1000)
    target.pass(milliseconds: 50)
    #expect(TaskManagementTests.response(initiator, seconds: 0) == .functionComplete)
    #expect(try target.disk().writesLanded.isEmpty)
    #expect(initiator.write(0, data)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test(
    "Data that never comes delays a response for a second, not for ever",
    arguments: [TaskManagementFunction.abortTaskSet, .clearTaskSet, .logicalUnitReset])
  func withheldData(function: TaskManagementFunction) throws {
    let (target, initiator) = try Example.session()
    _ = initiator.startWrite(0, Example.pattern(4096))
    _ = initiator.receive(.readyToTransfer)
    initiator.sendManagement(function)
    target.pass(milliseconds: 900)
    #expect(initiator.inbox.isEmpty)
    target.pass(milliseconds: 200)
    #expect(TaskManagementTests.response(initiator, seconds: 0) == .functionComplete)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test(
    "A unit attention whose command is aborted before it was told is told by the next command",
    arguments: [TaskManagementFunction.abortTask, .abortTaskSet, .clearTaskSet])
  func attentionOfAborted(function: TaskManagementFunction) throws {
    let target = try SimulatedTarget(seed: 225, targets: [Example.open()])
    let initiator = ScriptedInitiator(target)
    try #require(initiator.login(to: Example.name, [("InitialR2T", "No")]) == 0)
    let number = initiator.cmdSN
    // Refused with the unit attention of a new nexus; answered when its data has come.
    let tag = initiator.sendWrite(blocks: 8, isFinal: false)
    target.pass(milliseconds: 50)
    #expect(initiator.inbox.isEmpty)
    #expect(initiator.manage(function, task: tag, refCmdSN: number) == .functionComplete)
    #expect(initiator.attention() == Sense.newNexus)
    #expect(initiator.attention() == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A unit attention that a lost connection had still to tell is told by the one that is left")
  func attentionOfLost() throws {
    let target = try SimulatedTarget(seed: 226, targets: [Example.open()])
    let one = ScriptedInitiator(target)
    try #require(one.login(to: Example.name, [("InitialR2T", "No"), ("MaxConnections", "2")]) == 0)
    let two = one.sibling(target, connectionID: 1)
    try #require(two.login(to: Example.name) == 0)
    two.cmdSN = one.cmdSN
    two.sendWrite(blocks: 8, isFinal: false)
    target.pass(milliseconds: 50)
    one.cmdSN = two.cmdSN
    two.peer.reset()
    target.pass(milliseconds: 50)
    #expect(one.attention() == Sense.newNexus)
    #expect(one.attention() == 0)
    #expect(target.isIdle(after: [one]))
  }

  @Test("Data owed on another connection is not waited for when that is gone")
  func lostConnection() throws {
    let target = try SimulatedTarget(seed: 224, targets: [Example.open()])
    let one = try ScriptedInitiator.loggedIn(target, keys: [("MaxConnections", "2")])
    let two = one.sibling(target, connectionID: 1)
    try #require(two.login(to: Example.name) == 0)
    two.cmdSN = one.cmdSN
    _ = two.startWrite(0, Example.pattern(4096))
    _ = two.receive(.readyToTransfer)
    one.cmdSN = two.cmdSN
    one.sendManagement(.abortTaskSet)
    target.pass(milliseconds: 300)
    #expect(one.inbox.isEmpty)
    two.peer.reset()
    target.pass(milliseconds: 50)
    #expect(TaskManagementTests.response(one, seconds: 0) == .functionComplete)
    #expect(target.isIdle(after: [one]))
  }

  @Test("LOGICAL UNIT RESET with TAS ends the other nexus's tasks with TASK ABORTED")
  func resetWithTaskAborted() throws {
    let target = try SimulatedTarget(
      seed: 223, targets: [Example.open()], reactorCount: 2)
    let one = try ScriptedInitiator.loggedIn(target, number: 1)
    let two = try ScriptedInitiator.loggedIn(target, number: 2)
    two.clearUnitAttention()
    let (theirs, hang) = try TaskManagementTests.hungWrite(two, target)
    let mine = one.startWrite(8, Example.pattern(512))
    _ = one.receive(.readyToTransfer)
    one.sendManagement(.logicalUnitReset)
    target.pass(milliseconds: 50)
    hang.release()
    #expect(TaskManagementTests.response(one) == .functionComplete)
    #expect(two.finish(theirs)?.status == 0x40)
    #expect(!one.inbox.contains { $0.header.initiatorTaskTag == mine })
    #expect(one.attention() == Sense.busDeviceReset)
    #expect(two.attention() == Sense.busDeviceReset)
    #expect(target.isIdle(after: [one, two]))
  }
}
