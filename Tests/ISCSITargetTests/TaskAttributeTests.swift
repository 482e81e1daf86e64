import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSIModel
import TargetSimulation
import Testing

/// Task attributes on the wire (RFC 7143 §11.3.1, SAM-5 §8.7), and what becomes of tasks that wait.
@Suite("Task attributes")
struct TaskAttributeTests {
  private func write(
    _ initiator: ScriptedInitiator, _ block: UInt64, _ attribute: TaskAttribute = .simple
  ) -> InitiatorTaskTag {
    initiator.startWrite(
      block, Example.pattern(512), style: WriteStyle(immediate: 512), attribute: attribute)
  }

  /// The blocks of the writes that have landed, in order.
  private func landed(_ target: SimulatedTarget) throws -> [UInt64] {
    try target.disk().writesLanded.map { $0.offset / 512 }
  }

  private func pair(_ seed: UInt64, reactors: Int = 2) throws -> (
    SimulatedTarget, ScriptedInitiator, ScriptedInitiator
  ) {
    let target = try SimulatedTarget(
      seed: seed, targets: [Example.open()], reactorCount: reactors)
    return (
      target, try ScriptedInitiator.loggedIn(target, number: 1),
      try ScriptedInitiator.loggedIn(target, number: 2)
    )
  }

  @Test("An ORDERED write waits for the other reactor's hung write, and a later one for it")
  func acrossReactors() throws {
    let (target, one, two) = try pair(201)
    let (hung, hang) = try TaskManagementTests.hungWrite(two, target, block: 8)
    let ordered = write(one, 0, .ordered)
    target.pass(milliseconds: 100)
    let later = write(two, 16)
    let behind = write(one, 24)
    target.pass(milliseconds: 500)
    #expect(try landed(target).isEmpty)
    hang.release()
    for (initiator, tag) in [(two, hung), (one, ordered), (two, later), (one, behind)] {
      #expect(initiator.finish(tag)?.status == 0)
    }
    let order = try landed(target)
    #expect(order.prefix(2) == [8, 0] && Set(order) == [0, 8, 16, 24])
    #expect(target.isIdle(after: [one, two]))
  }

  @Test("HEAD OF QUEUE goes ahead of what waits behind ORDERED")
  func headOfQueue() throws {
    let (target, initiator) = try Example.session()
    let (hung, hang) = try TaskManagementTests.hungWrite(initiator, target)
    let ordered = write(initiator, 8, .ordered)
    let simple = write(initiator, 16)
    let head = write(initiator, 24, .headOfQueue)
    #expect(initiator.finish(head)?.status == 0)
    #expect(try landed(target) == [24])
    hang.release()
    for tag in [hung, ordered, simple] { #expect(initiator.finish(tag)?.status == 0) }
    #expect(try landed(target) == [24, 0, 8, 16])
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("An ORDERED write without its data holds up its own session, not the others")
  func withheldData() throws {
    let (target, one, two) = try pair(202, reactors: 1)
    let data = Example.pattern(512)
    let ordered = one.startWrite(0, data, attribute: .ordered)
    let request = ReadyToTransfer(try #require(one.receive(.readyToTransfer)).header)
    let behind = write(one, 8)
    #expect(two.write(16, data)?.status == 0)
    #expect(try landed(target) == [16])
    one.sendDataOut(ordered, transferTag: request.targetTransferTag, offset: 0, data)
    #expect(one.finish(ordered)?.status == 0)
    #expect(one.finish(behind)?.status == 0)
    #expect(try landed(target) == [16, 0, 8])
    #expect(target.isIdle(after: [one, two]))
  }

  @Test("ABORT TASK of an ORDERED task frees those behind it, on both reactors")
  func abort() throws {
    let (target, one, two) = try pair(203)
    let (hung, hang) = try TaskManagementTests.hungWrite(two, target, block: 8)
    let number = one.cmdSN
    let ordered = write(one, 0, .ordered)
    target.pass(milliseconds: 50)
    let behind = write(one, 16)
    let later = write(two, 24)
    target.pass(milliseconds: 50)
    #expect(one.manage(.abortTask, task: ordered, refCmdSN: number) == .functionComplete)
    #expect(one.finish(behind)?.status == 0)
    #expect(two.finish(later)?.status == 0)
    hang.release()
    #expect(two.finish(hung)?.status == 0)
    #expect(!one.inbox.contains { $0.header.initiatorTaskTag == ordered })
    #expect(target.isIdle(after: [one, two]))
  }

  @Test(
    "Functions reach the tasks that wait behind ORDERED and answer after what runs",
    arguments: [TaskManagementFunction.abortTaskSet, .clearTaskSet, .logicalUnitReset])
  func functions(function: TaskManagementFunction) throws {
    let (target, one, two) = try pair(204)
    let (_, hang) = try TaskManagementTests.hungWrite(one, target, block: 8)
    let tags = [write(one, 0, .ordered), write(one, 16), write(one, 24, .ordered)]
    target.pass(milliseconds: 50)
    one.sendManagement(function)
    target.pass(milliseconds: 500)
    #expect(one.inbox.isEmpty)
    hang.release()
    #expect(TaskManagementTests.response(one) == .functionComplete)
    #expect(try landed(target) == [8])
    #expect(!one.inbox.contains { tags.contains($0.header.initiatorTaskTag) })
    for initiator in [one, two] { _ = initiator.attention() }
    #expect(two.write(32, Example.pattern(512))?.status == 0)
    #expect(one.write(40, Example.pattern(512))?.status == 0)
    #expect(target.isIdle(after: [one, two]))
  }

  @Test("When the session of an ORDERED task ends the others go on", arguments: [false, true])
  func sessionEnds(runs: Bool) throws {
    let (target, one, two) = try pair(205)
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    if runs {
      _ = write(one, 0, .ordered)
    } else {
      _ = write(two, 8)
      target.pass(milliseconds: 20)
      _ = write(one, 0, .ordered)
    }
    target.pass(milliseconds: 50)
    let later = write(two, 16)
    target.pass(milliseconds: 50)
    #expect(try landed(target).isEmpty)
    one.peer.reset()
    target.pass(milliseconds: 50)
    // What runs ends by its own completion only.
    #expect(try landed(target) == (runs ? [] : [16]))
    hang.release()
    #expect(two.finish(later)?.status == 0)
    #expect(target.isIdle(after: [two]))
  }

  @Test("ACA is refused with INVALID MESSAGE ERROR, and a reserved attribute with 0E/03")
  func refused() throws {
    let (target, initiator) = try Example.session()
    let tag = initiator.sendCommand(ScriptedInitiator.testUnitReady, attribute: .aca)
    #expect(initiator.finish(tag)?.sense == 0x05_49_00)
    let reserved = initiator.sendCommand(
      ScriptedInitiator.testUnitReady, attribute: TaskAttribute(rawValue: 6))
    #expect(initiator.finish(reserved)?.sense == 0x05_0E_03)
    let untagged = initiator.sendCommand(ScriptedInitiator.testUnitReady, attribute: .untagged)
    #expect(initiator.finish(untagged)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A failed ORDERED write frees those behind it like one that succeeds")
  func failure() throws {
    let (target, one, two) = try pair(207)
    let hang = try target.disk().inject(DiskFault(.delay(Milliseconds(100)), on: .write))
    let first = write(two, 8)
    target.pass(milliseconds: 20)
    try target.disk().inject(DiskFault(.failure(.inputOutput), on: .write))
    let ordered = write(one, 0, .ordered)
    target.pass(milliseconds: 20)
    let behind = [(one, write(one, 16)), (two, write(two, 24))]
    #expect(two.finish(first)?.status == 0)
    #expect(one.finish(ordered)?.status == 2)
    for (initiator, tag) in behind { #expect(initiator.finish(tag)?.status == 0) }
    #expect(hang.hits == 1)
    #expect(target.isIdle(after: [one, two]))
  }

  // MARK: Depth

  @Test("Past the unit's depth commands end with TASK SET FULL, and with BUSY for a newcomer")
  func taskSetFull() throws {
    let target = try SimulatedTarget(
      seed: 208, targets: [Example.open()], unitQueueDepth: 4)
    let one = try ScriptedInitiator.loggedIn(target, number: 1)
    let two = try ScriptedInitiator.loggedIn(target, number: 2)
    let three = try ScriptedInitiator.loggedIn(target, number: 3)
    let hang = try target.disk().inject(DiskFault(.hang, on: .write, count: 4))
    // The last quarter is for another.
    let held = (0..<3).map { write(one, UInt64($0) * 8) }
    target.pass(milliseconds: 20)
    let full = try #require(one.finish(write(one, 40)))
    #expect(full.status == 0x28 && full.sense == 0)
    let last = write(two, 24)
    target.pass(milliseconds: 20)
    #expect(three.command(ScriptedInitiator.testUnitReady)?.status == 0x08)
    hang.release()
    for tag in held { #expect(one.finish(tag)?.status == 0) }
    #expect(two.finish(last)?.status == 0)
    #expect(one.write(40, Example.pattern(512))?.status == 0)
    #expect(target.isIdle(after: [one, two, three]))
  }

  @Test("When memory runs out the window narrows, and opens again when commands succeed")
  func window() throws {
    let target = try SimulatedTarget(
      seed: 206, targets: [Example.open()], memoryBudgetBytes: 4 << 20)
    let initiator = try ScriptedInitiator.loggedIn(
      target, keys: [("iSCSIProtocolLevel", "2")])
    #expect(initiator.maxCmdSN == initiator.cmdSN + 127)
    let tags = (0..<40).map {
      initiator.sendCommand(
        ScriptedInitiator.read16(UInt64($0), 400), expected: 400 * 512, isRead: true)
    }
    var statuses: [UInt8] = []
    var qualifiers: Set<UInt16> = []
    for tag in tags {
      for pdu in initiator.pdus(of: tag) where pdu.header.opcode == .scsiResponse {
        let response = SCSIResponse(pdu.header)
        if response.status == 0x08 { qualifiers.insert(response.statusQualifier) }
        statuses.append(response.status)
      }
    }
    #expect(statuses.contains(0x08) && qualifiers == [1])
    // What was offered stands; it is used up before the narrow window is seen.
    #expect(initiator.maxCmdSN.distance(from: initiator.cmdSN) == 87)
    for _ in 0..<88 { initiator.clearUnitAttention() }
    let narrow = initiator.maxCmdSN.distance(from: initiator.cmdSN) + 1
    #expect(narrow >= 1 && narrow < 64)
    for _ in 0..<600 { initiator.clearUnitAttention() }
    #expect(initiator.maxCmdSN.distance(from: initiator.cmdSN) + 1 > narrow)
    #expect(target.isIdle(after: [initiator]))
  }
}
