import Bytes
import ISCSIModel
import ISCSITarget
import TargetSimulation
import Testing

/// CmdSN, StatSN and the command window (RFC 7143 §4.2.2).
@Suite("Numbering")
struct NumberingTests {
  @Test("Every status takes the next StatSN; what carries no status takes none")
  func statSN() throws {
    let (target, initiator) = try Example.session()
    let first = initiator.expStatSN
    let data = Example.pattern(64 * 512)
    #expect(initiator.write(0, data)?.status == 0)
    #expect(initiator.expStatSN == first + 1)
    #expect(initiator.read(0, 64)?.status == 0)
    #expect(initiator.expStatSN == first + 2)
    initiator.ping(tag: initiator.takeTag())
    let pong = try #require(initiator.receive(.nopIn))
    #expect(NopIn(pong.header).numbers.statSN == first + 2)
    #expect(initiator.manage(.abortTaskSet) == .functionComplete)
    #expect(initiator.expStatSN == first + 4)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("ExpCmdSN follows the commands, MaxCmdSN leaves the whole queue depth when all is quiet")
  func window() throws {
    let (target, initiator) = try Example.session()
    for _ in 0..<5 {
      initiator.ping(tag: initiator.takeTag())
      let pong = NopIn(try #require(initiator.receive(.nopIn)).header)
      #expect(pong.numbers.expCmdSN == initiator.cmdSN)
      #expect(pong.numbers.maxCmdSN == initiator.cmdSN + 127)
      #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    }
    #expect(target.isIdle(after: [initiator]))
  }

  @Test(
    "The whole window may be used at once, again and again, in any mix", arguments: [1, 2, 128])
  func fullWindow(depth: Int) throws {
    var definition = Example.open()
    definition.session.queueDepth = depth
    let target = try SimulatedTarget(seed: 21, targets: [definition])
    let initiator = ScriptedInitiator(target)
    try #require(initiator.login(to: Example.name) == 0)
    initiator.clearUnitAttention()
    var open: Set<InitiatorTaskTag> = []
    var sent = 0
    var ended = 0
    while ended < depth * 6 {
      // As much as the window lets: not one command less.
      while sent < depth * 6, initiator.cmdSN.distance(from: initiator.maxCmdSN) <= 0 {
        open.insert(NumberingTests.send(sent, initiator))
        sent += 1
      }
      guard let pdu = initiator.receive(seconds: 5, where: { $0.isStatus }) else { break }
      #expect(open.remove(pdu.header.initiatorTaskTag) != nil)
      ended += 1
    }
    #expect(ended == depth * 6)
    #expect(target.isIdle(after: [initiator]))
  }

  private static func send(_ index: Int, _ initiator: ScriptedInitiator) -> InitiatorTaskTag {
    let block = UInt64(index % 200) * 8
    switch index % 3 {
    case 0:
      return initiator.sendCommand(
        ScriptedInitiator.read16(block, 8), expected: 4096, isRead: true)
    case 1:
      return initiator.sendCommand(
        ScriptedInitiator.write16(block, 8), expected: 4096, isWrite: true,
        immediateData: Example.pattern(4096, seed: UInt64(index)))
    default:
      return initiator.sendCommand(ScriptedInitiator.testUnitReady)
    }
  }

  @Test("128 commands at once are all answered, round after round")
  func burst() throws {
    let (target, initiator) = try Example.session()
    for round in 0..<8 {
      let tags = (0..<128).map { NumberingTests.send($0 + round, initiator) }
      target.run(seconds: 30) { initiator.inbox.filter(\.isStatus).count == 128 }
      let ended = Set(initiator.inbox.filter(\.isStatus).map(\.header.initiatorTaskTag))
      #expect(ended == Set(tags))
      #expect(initiator.maxCmdSN == initiator.cmdSN + 127)
      initiator.forgetInbox()
    }
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A hung disk closes the window; commands beyond it are ignored without a word")
  func beyondTheWindow() throws {
    var definition = Example.open()
    definition.session.queueDepth = 4
    let target = try SimulatedTarget(seed: 22, targets: [definition])
    let initiator = try ScriptedInitiator.loggedIn(target)
    let hang = try target.disk().inject(DiskFault(.hang, on: .read, count: nil))
    for _ in 0..<6 {
      initiator.sendCommand(ScriptedInitiator.read16(0, 1), expected: 512, isRead: true)
    }
    target.pass(milliseconds: 100)
    #expect(hang.heldCount == 4)
    initiator.ping(tag: initiator.takeTag())
    let pong = NopIn(try #require(initiator.receive(.nopIn)).header)
    #expect(pong.numbers.expCmdSN == initiator.cmdSN - 2)
    #expect(pong.numbers.maxCmdSN == pong.numbers.expCmdSN - 1)
    hang.release()
    target.pass(milliseconds: 100)
    #expect(initiator.inbox.filter(\.isStatus).count == 4)
    // The two that were ignored were never received: their numbers are still due.
    initiator.forgetInbox()
    initiator.cmdSN = pong.numbers.expCmdSN
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A window that another initiator's reset opens again is announced with one NOP-In")
  func openedSilently() throws {
    var definition = Example.open()
    definition.session.queueDepth = 4
    let target = try SimulatedTarget(seed: 24, targets: [definition])
    let one = try ScriptedInitiator.loggedIn(target, number: 1)
    let two = try ScriptedInitiator.loggedIn(target, number: 2)
    // Else each of them would be told, and the window with it.
    TaskManagementTests.clearTaskAbortedStatus(two)
    one.clearUnitAttention()
    for block in UInt64(0)..<4 {
      _ = one.startWrite(block * 8, Example.pattern(4096))
    }
    target.run(seconds: 1) { one.inbox.filter { $0.header.opcode == .readyToTransfer }.count == 4 }
    #expect(one.maxCmdSN == one.cmdSN - 1)
    one.forgetInbox()
    #expect(two.manage(.logicalUnitReset) == .functionComplete)
    target.pass(milliseconds: 50)
    #expect(one.inbox.count == 1)
    let nop = NopIn(try #require(one.receive(.nopIn, seconds: 0)).header)
    #expect(nop.targetTransferTag == .reserved && nop.initiatorTaskTag == .reserved)
    #expect(nop.numbers.statSN == one.expStatSN)
    #expect(one.maxCmdSN == one.cmdSN + 3)
    #expect(one.attention() == Sense.busDeviceReset)
    #expect(target.isIdle(after: [one, two]))
  }

  @Test(
    "A window that a lost connection's tasks had used up is announced over the one that is left")
  func openedByLoss() throws {
    var definition = Example.open()
    definition.session.queueDepth = 2
    let target = try SimulatedTarget(seed: 25, targets: [definition])
    let one = try ScriptedInitiator.loggedIn(target, keys: [("MaxConnections", "2")])
    let two = one.sibling(target, connectionID: 1)
    try #require(two.login(to: Example.name) == 0)
    for block in UInt64(0)..<2 { _ = two.startWrite(block * 8, Example.pattern(4096)) }
    target.pass(milliseconds: 50)
    one.cmdSN = two.cmdSN
    one.forgetInbox()
    two.peer.reset()
    target.pass(milliseconds: 50)
    let nop = NopIn(try #require(one.receive(.nopIn, seconds: 0)).header)
    #expect(nop.numbers.expCmdSN == one.cmdSN && nop.numbers.maxCmdSN == one.cmdSN + 1)
    #expect(one.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [one]))
  }

  @Test("Numbered pings and text requests alone do not use the window up")
  func numberedPings() throws {
    let (target, initiator) = try Example.session()
    for number in 0..<300 {
      if number % 3 == 0 {
        guard initiator.text([("SendTargets", "")]) != nil else { break }
      } else {
        initiator.ping(tag: initiator.takeTag(), isImmediate: false)
        guard initiator.receive(.nopIn, seconds: 5) != nil else { break }
      }
      guard initiator.maxCmdSN == initiator.cmdSN + 127 else { break }
    }
    #expect(initiator.maxCmdSN == initiator.cmdSN + 127)
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Rejected commands do not use the window up")
  func rejectedCommands() throws {
    let (target, initiator) = try Example.session()
    for _ in 0..<200 {
      let number = initiator.cmdSN
      initiator.sendCommand(ScriptedInitiator.testUnitReady, tag: .reserved)
      guard initiator.receive(.reject, seconds: 5) != nil else { break }
      initiator.cmdSN = number
    }
    #expect(initiator.maxCmdSN == initiator.cmdSN + 127)
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  /// Sends a PDU that must be rejected, numbered as it is told.
  private typealias Rejected = (ScriptedInitiator, SerialNumber) -> Void

  @Test("What is rejected takes no number: the number is still due, and taken when it comes")
  func numberOfRejected() throws {
    let (target, initiator) = try Example.session()
    let (busy, hang) = try TaskManagementTests.hungWrite(initiator, target)
    let rejected: [(RejectReason, Rejected)] = [
      (.invalidPDUField, { $0.sendCommand([0, 0, 0, 0, 0, 0], tag: .reserved, cmdSN: $1) }),
      (.taskInProgress, { $0.sendCommand([0, 0, 0, 0, 0, 0], tag: busy, cmdSN: $1) }),
      (.invalidPDUField, { $0.sendNumbered(.logoutRequest, flags: 0x80 | 0x05, $1) }),
      (.protocolError, { $0.sendNumbered(.textRequest, flags: 0xC0, $1) }),
      (.invalidPDUField, { $0.sendNumbered(.textRequest, flags: 0x80, transferTag: 5, $1) }),
      (.protocolError, { $0.sendNumbered(.textRequest, flags: 0x80, $1, Array("bomb".utf8)) }),
    ]
    for (reason, send) in rejected {
      let number = initiator.cmdSN
      send(initiator, number)
      let reject = try #require(initiator.receive(.reject, seconds: 5))
      #expect(Reject(reject.header).reason == reason)
      #expect(Reject(reject.header).numbers.expCmdSN == number)
      // One that is not due is not even rejected.
      send(initiator, number - 1)
      send(initiator, number + 1000)
      #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
      #expect(initiator.inbox.isEmpty)
    }
    hang.release()
    #expect(initiator.finish(busy)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A numbered function beyond the bound is answered FUNCTION REJECTED and takes its number")
  func numberedFunctions() throws {
    let (target, initiator) = try Example.session()
    let (busy, hang) = try TaskManagementTests.hungWrite(initiator, target)
    for _ in 0..<16 { initiator.sendManagement(.abortTask, task: busy) }
    initiator.sendNumbered(.taskManagementRequest, flags: 0x81, initiator.takeCmdSN())
    #expect(TaskManagementTests.response(initiator) == .functionRejected)
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    hang.release()
    for _ in 0..<16 { #expect(TaskManagementTests.response(initiator) == .functionComplete) }
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("The tag of a held command is in use: another command under it is rejected")
  func tagOfHeld() throws {
    let (target, initiator) = try Example.session()
    let number = initiator.cmdSN
    let tag = initiator.sendCommand(ScriptedInitiator.testUnitReady, cmdSN: number + 1)
    initiator.sendCommand(ScriptedInitiator.testUnitReady, tag: tag, cmdSN: number)
    let reject = try #require(initiator.receive(.reject, seconds: 5))
    #expect(Reject(reject.header).reason == .taskInProgress)
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(initiator.finish(tag)?.status == 0)
    initiator.cmdSN = number + 2
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test(
    "A malformed command takes its number and ends with INVALID FIELD IN COMMAND INFORMATION UNIT")
  func malformedCommands() throws {
    let (target, initiator) = try Example.session(keys: [("InitialR2T", "No")])
    for round in 0..<200 {
      let number = initiator.cmdSN
      let tag: InitiatorTaskTag
      switch round % 3 {
      case 0:
        tag = initiator.sendCommand(
          ScriptedInitiator.read16(0, 1), expected: 512, isRead: true, isWrite: true)
      case 1:
        tag = initiator.sendCommand(
          ScriptedInitiator.testUnitReady, attribute: TaskAttribute(rawValue: 7))
      default:
        // Its data comes, all the same, and is waited for.
        tag = initiator.sendCommand(
          ScriptedInitiator.write16(0, 1), expected: 512, isWrite: true, isFinal: false,
          attribute: TaskAttribute(rawValue: 7))
        target.pass(milliseconds: 10)
        #expect(initiator.inbox.isEmpty)
        initiator.sendDataOut(
          tag, transferTag: .reserved, offset: 0, [UInt8](repeating: 1, count: 512))
      }
      let answer = try #require(initiator.receive(seconds: 5))
      #expect(answer.header.opcode == .scsiResponse && answer.header.initiatorTaskTag == tag)
      #expect(Array(answer.data[4...4]) == [5] && Array(answer.data[14...15]) == [0x0E, 0x03])
      #expect(SCSIResponse(answer.header).numbers.expCmdSN == number + 1)
    }
    #expect(initiator.maxCmdSN == initiator.cmdSN + 127)
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(try target.disk().writesLanded.isEmpty)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A task tag may be used again once its status is there, whatever else waits to leave")
  func tagReuse() throws {
    var options = ConnectionOptions()
    options.bufferBytes = 4096
    let (target, initiator) = try Example.session(options: options)
    try target.disk().fill(Example.pattern(8192), at: 0)
    func read(_ tag: InitiatorTaskTag? = nil) {
      initiator.sendCommand(
        ScriptedInitiator.read16(0, 16), expected: 8192, isRead: true, tag: tag)
    }
    for _ in 0..<32 { read() }
    var ended = 0
    while ended < 300, let pdu = initiator.receive(seconds: 5), pdu.header.opcode == .dataIn {
      guard pdu.isStatus else { continue }
      ended += 1
      read(pdu.header.initiatorTaskTag)
    }
    #expect(ended == 300)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("CmdSN and the window go through the wrap at 2^32")
  func wrap() throws {
    let target = try SimulatedTarget(seed: 23, targets: [Example.open()])
    let initiator = ScriptedInitiator(target)
    initiator.cmdSN = SerialNumber(0xFFFF_FFC0)
    try #require(initiator.login(to: Example.name) == 0)
    initiator.clearUnitAttention()
    for round in 0..<3 {
      let tags = (0..<100).map { NumberingTests.send($0 + round, initiator) }
      target.run(seconds: 30) { initiator.inbox.filter(\.isStatus).count == 100 }
      #expect(Set(initiator.inbox.filter(\.isStatus).map(\.header.initiatorTaskTag)) == Set(tags))
      initiator.forgetInbox()
    }
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A renegotiated segment length counts from the next command on")
  func renegotiation() throws {
    let (target, initiator) = try Example.session()
    let data = Example.pattern(8192)
    try target.disk().fill(data, at: 0)
    for segment in [1024, 8192, 512] {
      #expect(initiator.text([("MaxRecvDataSegmentLength", "\(segment)")])?.isEmpty == true)
      let tag = initiator.sendCommand(
        ScriptedInitiator.read16(0, 16), expected: 8192, isRead: true)
      let pdus = initiator.pdus(of: tag)
      #expect(pdus.map(\.data.count) == Array(repeating: segment, count: 8192 / segment))
      let isSame = pdus.flatMap(\.data) == data
      #expect(isSame)
    }
    #expect(target.isIdle(after: [initiator]))
  }
}

extension ScriptedInitiator {
  /// Sends a PDU with `flags` in byte 1, numbered `number`.
  func sendNumbered(
    _ opcode: Opcode, flags: UInt8, transferTag: UInt32 = .max, _ number: SerialNumber,
    _ data: [UInt8] = [], additionalHeader: [UInt8] = []
  ) {
    var header = BasicHeaderSegment(opcode: opcode)
    header.bytes[1] = flags
    header.initiatorTaskTag = takeTag()
    header.bytes.setBigEndian(transferTag, at: 20)
    header.bytes.setBigEndian(number.rawValue, at: 24)
    header.bytes.setBigEndian(expStatSN.rawValue, at: 28)
    send(header, additionalHeader: additionalHeader, data: data)
  }
}

extension ScriptedInitiator.Received {
  /// Ends a command.
  var isStatus: Bool {
    header.opcode == .scsiResponse || (header.opcode == .dataIn && DataIn(header).status != nil)
  }
}
