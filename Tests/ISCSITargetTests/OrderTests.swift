import Bytes
import ISCSIModel
import ISCSITarget
import TargetSimulation
import Testing

/// What the numbering of commands decides over two connections of one session (RFC 7143 §4.2.2.1).
@Suite("Order of commands")
struct OrderTests {
  /// Two connections of one session with unsolicited data, their unit attention taken.
  private static func pair(
    segment: Int = 262_144
  ) throws -> (SimulatedTarget, ScriptedInitiator, ScriptedInitiator) {
    let target = try SimulatedTarget(seed: 3, targets: [Example.open()])
    let first = ScriptedInitiator(target)
    let keys = [("MaxConnections", "2"), ("InitialR2T", "No")]
    try #require(first.login(to: Example.name, keys, segment: segment) == 0)
    first.clearUnitAttention()
    let second = first.sibling(target, connectionID: 1)
    try #require(second.login(to: Example.name, keys) == 0)
    return (target, first, second)
  }

  @Test("The unsolicited data of a write that overtook waits for the write")
  func unsolicitedDataOfHeld() throws {
    let (target, first, second) = try OrderTests.pair()
    let start = first.cmdSN
    let data = Example.pattern(8192)
    let tag = second.sendCommand(
      ScriptedInitiator.cdb16(0x8A, 5, 16), expected: 8192, isWrite: true, isFinal: false,
      cmdSN: start + 1, immediateData: Array(data[..<4096]))
    second.sendDataOut(tag, transferTag: .reserved, offset: 4096, Array(data[4096...]))
    target.pass(milliseconds: 100)
    #expect(second.inbox.isEmpty)
    #expect(first.finish(first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start)) != nil)
    #expect(second.finish(tag)?.status == 0)
    first.cmdSN = start + 2
    #expect(reads(data, at: 5, first))
    #expect(target.isIdle(after: [first, second]))
  }

  @Test("A ping during which its connection's limit is raised brings back its own bytes")
  func pingAndRaisedLimit() throws {
    let (target, first, second) = try OrderTests.pair(segment: 512)
    let start = first.cmdSN
    first.cmdSN = start + 1
    first.sendText([("MaxRecvDataSegmentLength", "262144")])
    let tag = InitiatorTaskTag(rawValue: 900)
    let data = Example.pattern(8192)
    let ping = first.encodedPing(tag: tag, data: data)
    first.peer.send(Array(ping[..<100]))
    target.pass(milliseconds: 20)
    second.cmdSN = start
    second.ping(tag: InitiatorTaskTag(rawValue: 901), isImmediate: false)
    target.pass(milliseconds: 20)
    first.peer.send(Array(ping[100...]))
    let answer = try #require(first.receive { $0.header.initiatorTaskTag == tag })
    #expect(answer.data == data)
    #expect(target.isIdle(after: [first, second]))
  }

  @Test("A PDU that finds no room leaves no number missing: the other connection works on")
  func heldWithoutRoom() throws {
    let target = try SimulatedTarget(
      seed: 5, targets: [Example.open()], memoryBudgetBytes: 4 << 20)
    let keys = [("MaxConnections", "2"), ("InitialR2T", "No"), ("FirstBurstLength", "262144")]
    let first = ScriptedInitiator(target)
    try #require(first.login(to: Example.name, keys) == 0)
    first.clearUnitAttention()
    let second = first.sibling(target, connectionID: 1)
    try #require(second.login(to: Example.name, keys) == 0)
    let start = first.cmdSN
    // Half of the memory is a session's: 30 have room, and more than that the last one wants.
    let sizes = [Int](repeating: 65_536, count: 30) + [262_144]
    let count = UInt32(sizes.count)
    for (index, size) in sizes.enumerated() {
      #expect(!second.isClosed)
      second.sendCommand(
        ScriptedInitiator.write16(0, UInt32(size / 512)), expected: UInt32(size), isWrite: true,
        cmdSN: start + UInt32(index) + 1, immediateData: [UInt8](repeating: 1, count: size))
      target.pass(milliseconds: 2)
    }
    #expect(second.isClosed && !first.isClosed)
    let before = first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start)
    #expect(first.finish(before)?.status == 0)
    first.cmdSN = start + count + 1
    #expect(first.command(ScriptedInitiator.testUnitReady)?.status == 0)
    for _ in 0..<40 {
      target.pass(milliseconds: 1000)
      first.answerPings()
    }
    #expect(!first.isClosed)
    #expect(target.isIdle(after: [first]))
  }

  @Test("After a held write was aborted its connection reads on")
  func abortedHeld() throws {
    let (target, first, second) = try OrderTests.pair()
    let start = first.cmdSN
    let tag = second.sendCommand(
      ScriptedInitiator.cdb16(0x8A, 5, 16), expected: 8192, isWrite: true, isFinal: false,
      cmdSN: start + 1, immediateData: Array(repeating: 1, count: 4096))
    second.sendDataOut(tag, transferTag: .reserved, offset: 4096, Array(repeating: 1, count: 4096))
    target.pass(milliseconds: 50)
    first.cmdSN = start + 2
    #expect(first.manage(.abortTask, task: tag, refCmdSN: start + 1) == .functionComplete)
    #expect(first.finish(first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start)) != nil)
    second.cmdSN = start + 2
    #expect(second.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [first, second]))
  }

  @Test(
    "A reset reaches the writes numbered before it that have not arrived in order yet",
    arguments: [
      TaskManagementFunction.abortTaskSet, .clearTaskSet, .logicalUnitReset, .targetWarmReset,
    ])
  func resetOfHeld(_ function: TaskManagementFunction) throws {
    let (target, first, second) = try OrderTests.pair()
    let start = first.cmdSN
    // The number before it is missing, so this write is held.
    let data = [UInt8](repeating: 7, count: 512)
    let held = second.sendCommand(
      ScriptedInitiator.cdb16(0x8A, 5, 1), expected: 512, isWrite: true, cmdSN: start + 1,
      immediateData: data)
    target.pass(milliseconds: 50)
    first.cmdSN = start + 2
    let tag = first.sendManagement(function)
    target.pass(milliseconds: 50)
    #expect(first.inbox.isEmpty, "it waits for the number that is missing")
    first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start)
    let answer = try #require(first.receive { $0.header.initiatorTaskTag == tag })
    #expect(TaskManagementFunctionResponse(answer.header).response == .functionComplete)
    let landed = try target.disk().writesLanded.count
    target.pass(milliseconds: 500)
    #expect(try target.disk().writesLanded.count == landed, "nothing lands after the answer")
    second.inboxForget(held)
    #expect(target.isIdle(after: [first, second]))
  }

  @Test(
    "A write that overtook has the time of any other data while it comes, and no more",
    arguments: [5 << 10, 1000])
  func slowHeld(bytesPerSecond: Int) throws {
    let target = try SimulatedTarget(seed: 4, targets: [Example.open()], diskBytes: 1 << 20)
    let first = ScriptedInitiator(target)
    let keys = [
      ("MaxConnections", "2"), ("FirstBurstLength", "262144"), ("MaxBurstLength", "262144"),
    ]
    try #require(first.login(to: Example.name, keys) == 0)
    first.clearUnitAttention()
    let second = first.sibling(target, connectionID: 1)
    try #require(second.login(to: Example.name, keys) == 0)
    let start = first.cmdSN
    let write = second.halfWrite(cmdSN: start + 1, Example.pattern(262_144))
    target.pass(milliseconds: 20)
    #expect(first.finish(first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start)) != nil)
    var rest = write.rest[...]
    for _ in 0..<40 where !second.isClosed {
      second.peer.send(Array(rest.prefix(bytesPerSecond)))
      rest = rest.dropFirst(bytesPerSecond)
      target.pass(milliseconds: 1000)
      first.answerPings()
    }
    // Half a minute at 16 KiB/s is behind what has come.
    let isInTime = bytesPerSecond > 1000
    #expect(second.isClosed != isInTime && !first.isClosed)
    if isInTime {
      second.peer.send(Array(rest))
      #expect(second.finish(write.tag)?.status == 0)
    }
    #expect(target.isIdle(after: [first, second]))
  }

  @Test("Commands that overtake each other all the time keep a session for as long as none is late")
  func overtakingForMinutes() throws {
    let (target, first, second) = try OrderTests.pair()
    var number = first.cmdSN
    // The next one is held already when the last gap is filled: something is held at every moment.
    second.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: number + 1)
    for _ in 0..<12 {
      target.pass(milliseconds: 5000)
      second.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: number + 3)
      target.pass(milliseconds: 5)
      first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: number)
      number = number + 2
      for initiator in [first, second] { initiator.answerPings() }
      guard !first.isClosed, !second.isClosed else { break }
    }
    #expect(!first.isClosed && !second.isClosed)
    #expect(target.isIdle(after: [first, second]))
  }

  @Test("A connection that joins while a command is on its way does not acknowledge that command")
  func joiningAcknowledgesNothing() throws {
    let target = try SimulatedTarget(seed: 3, targets: [Example.open()])
    let first = ScriptedInitiator(target)
    let keys = [("MaxConnections", "2")]
    try #require(first.login(to: Example.name, keys) == 0)
    first.clearUnitAttention()
    let second = first.sibling(target, connectionID: 1)
    // The first connection has numbered a command that has not arrived yet.
    let missing = first.takeCmdSN()
    second.cmdSN = first.cmdSN
    second.sendLogin(
      [("InitiatorName", second.initiatorName), ("TargetName", Example.name)], from: 0, to: 1)
    let greeting = try #require(second.receive(.loginResponse)).header
    #expect(SerialNumber(greeting.bytes.bigEndianUInt32(at: 28)).precedes(missing))
    #expect(SerialNumber(greeting.bytes.bigEndianUInt32(at: 32)).precedes(missing))
    second.sendLogin(keys, from: 1, to: 3)
    let final = try #require(second.receive(.loginResponse)).header
    #expect(SerialNumber(final.bytes.bigEndianUInt32(at: 28)) == missing)
    #expect(target.isIdle(after: [first, second]))
  }

  @Test("A number that does not come for half a minute ends the session that waits for it")
  func missingNumber() throws {
    let (target, first, second) = try OrderTests.pair()
    second.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: first.cmdSN + 1)
    for _ in 0..<12 where !first.isClosed {
      target.pass(milliseconds: 4000)
      for initiator in [first, second] { initiator.answerPings() }
    }
    #expect(first.isClosed || second.isClosed)
    #expect(target.isIdle(after: [first, second]))
  }

  @Test("Of two connections the one is closed on which a write stays half-arrived")
  func stalledWrite() throws {
    let (target, first, second) = try OrderTests.pair()
    let start = first.cmdSN
    let write = second.halfWrite(cmdSN: start + 1, HalfArrivedTests.data)
    target.pass(milliseconds: 20)
    let tag = first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start)
    #expect(first.finish(tag) != nil)
    first.cmdSN = start + 2
    for index in 0..<12 where !second.isClosed {
      target.pass(milliseconds: 4000)
      first.answerPings()
      // It is not silent, which would be another reason.
      second.peer.send([write.rest[index]])
    }
    #expect(second.isClosed && !first.isClosed)
    #expect(first.command(ScriptedInitiator.testUnitReady) != nil)
    #expect(target.isIdle(after: [first]))
  }

  @Test("A ping without a task tag has to be immediate; otherwise it takes no number")
  func nopWithoutTag() throws {
    let (target, initiator) = try Example.session()
    var header = BasicHeaderSegment(opcode: .nopOut)
    header.isFinal = true
    header.initiatorTaskTag = .reserved
    header.bytes.setBigEndian(TargetTransferTag.reserved.rawValue, at: 20)
    header.bytes.setBigEndian(initiator.cmdSN.rawValue, at: 24)
    initiator.send(header)
    let reject = try #require(initiator.receive(.reject))
    #expect(Reject(reject.header).reason == .protocolError)
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A malformed text request that was held takes no number; what comes under it is served")
  func heldText() throws {
    let (target, first, second) = try OrderTests.pair()
    let start = first.cmdSN
    second.sendNumbered(
      .textRequest, flags: 0x80, start + 1, Array("bomb".utf8), additionalHeader: [0, 1, 0x40, 7])
    let later = second.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start + 2)
    target.pass(milliseconds: 20)
    #expect(second.inbox.isEmpty)
    let before = first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start)
    #expect(first.finish(before)?.status == 0)
    let rejection = try #require(second.receive(.reject, seconds: 1))
    #expect(rejection.data.count == 52 && rejection.data.suffix(4) == [0, 1, 0x40, 7])
    let reject = Reject(rejection.header)
    #expect(reject.reason == .protocolError && reject.numbers.expCmdSN == start + 1)
    #expect(second.inbox.isEmpty)
    let plug = first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start + 1)
    #expect(first.finish(plug)?.status == 0)
    #expect(second.finish(later)?.status == 0)
    #expect(target.isIdle(after: [first, second]))
  }

  @Test("A text request whose text is on the way keeps the commands behind it waiting, no longer")
  func arrivingText() throws {
    let (target, first, second) = try OrderTests.pair()
    let start = first.cmdSN
    var header = BasicHeaderSegment(opcode: .textRequest)
    header.isFinal = true
    header.initiatorTaskTag = second.takeTag()
    header.bytes.setBigEndian(TargetTransferTag.reserved.rawValue, at: 20)
    header.bytes.setBigEndian(start.rawValue, at: 24)
    let bytes = second.encode(header, [], Array("SendTargets=\0".utf8))
    second.peer.send(Array(bytes[..<50]))
    let later = first.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: start + 1)
    target.pass(milliseconds: 50)
    #expect(first.inbox.isEmpty)
    second.peer.send(Array(bytes[50...]))
    #expect(first.finish(later)?.status == 0)
    #expect(second.receive(.textResponse, seconds: 1) != nil)
    #expect(target.isIdle(after: [first, second]))
  }

  @Test("ABORT TASK of a refused write whose data is still due completes, and no status follows")
  func abortOfRefused() throws {
    let (target, initiator) = try Example.session(keys: [("InitialR2T", "No")])
    let number = initiator.cmdSN
    let tag = initiator.sendCommand(
      ScriptedInitiator.cdb16(0x8A, 1 << 40, 16), expected: 8192, isWrite: true, isFinal: false)
    target.pass(milliseconds: 50)
    #expect(initiator.inbox.isEmpty)
    #expect(initiator.manage(.abortTask, task: tag, refCmdSN: number) == .functionComplete)
    target.pass(milliseconds: 100)
    #expect(initiator.inbox.isEmpty)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A discovery session is not pinged, and ends when it has been idle for a minute")
  func idleDiscovery() throws {
    let target = try SimulatedTarget(seed: 4, targets: [Example.open()])
    let initiator = ScriptedInitiator(target)
    try #require(initiator.login(to: "", discovery: true) == 0)
    target.pass(milliseconds: 50_000)
    #expect(initiator.inbox.isEmpty)
    #expect(!initiator.isClosed)
    #expect(initiator.waitForClose(seconds: 20))
  }
}

extension ScriptedInitiator {
  /// Answers the pings there are, and forgets everything else.
  fileprivate func answerPings() {
    for pdu in inbox where pdu.header.opcode == .nopIn { pong(pdu) }
    forgetInbox()
  }

  /// Takes whatever came for `tag` out of the inbox; there may be nothing.
  fileprivate func inboxForget(_ tag: InitiatorTaskTag) {
    if inbox.contains(where: { $0.header.initiatorTaskTag == tag }) { _ = finish(tag) }
  }
}
