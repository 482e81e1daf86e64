import Bytes
import ISCSIModel
import ISCSITarget
import TargetSimulation
import Testing

@Suite("Wrong input: numbers and tags")
struct WrongInputNumberTests {
  @Test("T-SN-1 Commands outside the window are ignored: no answer, no effect")
  func outside() throws {
    let scene = try Scene()
    let expected = scene.attacker.cmdSN
    let data = [UInt8](repeating: 0xEE, count: 512)
    for distance in [UInt32(128), 200, 1 << 30, 1 << 31, (1 << 31) + 1, .max, .max - 500] {
      scene.attacker.sendCommand(
        ScriptedInitiator.cdb16(0x8A, 0, 1), expected: 512, isWrite: true,
        cmdSN: expected + distance, immediateData: data)
    }
    scene.target.pass(milliseconds: 100)
    #expect(scene.attacker.inbox.isEmpty)
    #expect(scene.isUnchanged)
    #expect(scene.attacker.isAnswered())
    #expect(scene.endsClean())
  }

  @Test(
    "T-SN-1 Numbering goes on over 2^31 and 2^32",
    arguments: [UInt32(0x7FFF_FF80), 0xFFFF_FF80])
  func wrap(start: UInt32) throws {
    let target = try SimulatedTarget(seed: 1, targets: [Example.open()])
    let initiator = ScriptedInitiator(target)
    initiator.cmdSN = SerialNumber(start)
    initiator.expStatSN = SerialNumber(start)
    #expect(initiator.login(to: Example.name) == 0)
    initiator.clearUnitAttention()
    for block in 0..<300 {
      let data = Example.pattern(512, seed: UInt64(block))
      #expect(initiator.write(UInt64(block), data)?.status == 0)
      #expect(initiator.maxCmdSN.distance(from: initiator.cmdSN) == 127)
    }
  }

  @Test("T-SN-1 Commands behind a gap wait, and run in their order once it is filled")
  func gap() throws {
    let scene = try Scene()
    let first = scene.attacker.cmdSN
    // Last to first: each writes the same block.
    for number in stride(from: UInt32(7), through: 1, by: -1) {
      scene.attacker.sendCommand(
        ScriptedInitiator.cdb16(0x8A, 0, 1), expected: 512, isWrite: true,
        cmdSN: first + number, immediateData: [UInt8](repeating: UInt8(number), count: 512))
    }
    scene.target.pass(milliseconds: 100)
    #expect(scene.attacker.inbox.isEmpty)
    #expect(scene.isUnchanged)
    scene.attacker.sendCommand([0, 0, 0, 0, 0, 0], cmdSN: first)
    #expect(scene.target.run(seconds: 5) { scene.attacker.inbox.count == 8 })
    scene.attacker.cmdSN = first + 8
    #expect(scene.endsClean())
  }

  @Test("T-SN-1 A window full of large commands behind a gap is bounded and let go at the end")
  func heldFlood() throws {
    let scene = try Scene(memoryBudgetBytes: 8 << 20)
    let first = scene.attacker.cmdSN
    for number in UInt32(1)..<127 {
      scene.attacker.sendCommand(
        ScriptedInitiator.cdb16(0x8A, 0, 128), expected: 65536, isWrite: true,
        cmdSN: first + number, immediateData: [UInt8](repeating: 0xEE, count: 65536))
    }
    _ = scene.target.run(seconds: 5) { scene.attacker.isClosed }
    #expect(scene.reservedBytes <= 8 << 20)
    #expect(scene.isUnchanged)
    #expect(scene.honestIsServed)
    #expect(scene.endsClean())
  }

  @Test("T-SN-1 A command lost with its connection half-way holds up nobody on the others")
  func lostWhileHeld() throws {
    let scene = try Scene(keys: [("MaxConnections", "2")])
    let second = ScriptedInitiator(scene.target)
    second.initiatorName = Scene.attackerName
    second.tsih = scene.attacker.tsih
    second.connectionID = ConnectionID(rawValue: 1)
    second.cmdSN = scene.attacker.cmdSN
    try #require(second.login(to: Example.name) == 0)
    let first = scene.attacker.cmdSN
    // Behind a gap, and only half of its data comes.
    var header = BasicHeaderSegment(opcode: .nopOut)
    header.isFinal = true
    header.initiatorTaskTag = InitiatorTaskTag(rawValue: 900)
    header.bytes.setBigEndian(UInt32.max, at: 20)
    header.bytes.setBigEndian((first + 1).rawValue, at: 24)
    let bytes = second.encode(header, [], [UInt8](repeating: 1, count: 1000))
    second.peer.send(Array(bytes[..<500]))
    scene.target.pass(milliseconds: 10)
    second.peer.reset()
    scene.target.pass(milliseconds: 10)
    for number in [first, first + 2] {
      let tag = scene.attacker.sendCommand([0, 0, 0, 0, 0, 0], cmdSN: number)
      #expect(scene.attacker.receive(seconds: 5) { $0.header.initiatorTaskTag == tag } != nil)
    }
    scene.attacker.cmdSN = first + 3
    #expect(scene.endsClean())
  }

  @Test("T-SN-1 The same CmdSN twice executes once")
  func duplicate() throws {
    let scene = try Scene()
    let number = scene.attacker.takeCmdSN()
    for _ in 0..<2 { scene.attacker.sendCommand([0, 0, 0, 0, 0, 0], cmdSN: number) }
    scene.target.pass(milliseconds: 100)
    #expect(scene.attacker.inbox.count == 1)
    #expect(scene.endsClean())
  }

  @Test("A window is not used up by PDUs that are no commands")
  func windowStaysOpen() throws {
    let scene = try Scene()
    for _ in 0..<400 {
      let ping = scene.attacker.nop(isImmediate: false)
      scene.attacker.send(ping.header)
      let answer = scene.attacker.receive(seconds: 5) {
        $0.header.initiatorTaskTag == ping.tag
      }
      try #require(answer != nil)
    }
    #expect(scene.attacker.read(0, 1)?.status == 0)
    #expect(scene.endsClean())
  }

  @Test("A window is not used up by commands that are malformed")
  func windowAfterMalformed() throws {
    let scene = try Scene()
    for _ in 0..<400 {
      let tag = scene.attacker.sendCommand(
        [0, 0, 0, 0, 0, 0], expected: 512, isRead: true, isWrite: true)
      try #require(scene.attacker.finish(tag)?.sense == 0x05_0E03)
    }
    #expect(scene.attacker.read(0, 1)?.status == 0)
    #expect(scene.endsClean())
  }

  @Test("T-SN-2 A flood of immediate commands is bounded: the excess is rejected with 0x06")
  func immediateFlood() throws {
    let scene = try Scene()
    let hang = try #require(scene.target.disks["scratch"]).inject(
      DiskFault(.hang, on: .read, count: nil))
    for _ in 0..<1000 {
      scene.attacker.sendCommand(
        ScriptedInitiator.cdb16(0x88, 0, 8), expected: 4096, isRead: true, isImmediate: true)
    }
    let rejects = {
      scene.attacker.inbox.count {
        $0.header.opcode == .reject && Reject($0.header).reason == .tooManyImmediateCommands
      }
    }
    #expect(scene.target.run(seconds: 5) { rejects() >= 1000 - 144 })
    #expect(rejects() == 1000 - 144)
    #expect(scene.honestIsServed)
    hang.release()
    #expect(scene.target.run(seconds: 5) { scene.attacker.inbox.count >= 1000 })
    #expect(scene.endsClean())
  }

  @Test("T-SN-2 A flood of task management functions that wait is bounded")
  func managementFlood() throws {
    let scene = try Scene()
    let hang = try #require(scene.target.disks["scratch"]).inject(
      DiskFault(.hang, on: .read, count: nil))
    let tag = scene.attacker.sendCommand(
      ScriptedInitiator.cdb16(0x88, 0, 8), expected: 4096, isRead: true)
    scene.target.pass(milliseconds: 10)
    for _ in 0..<200 { scene.attacker.sendManagement(.abortTask, task: tag) }
    let rejects = {
      scene.attacker.inbox.count {
        $0.header.opcode == .reject && Reject($0.header).reason == .tooManyImmediateCommands
      }
    }
    #expect(scene.target.run(seconds: 5) { rejects() > 0 })
    #expect(scene.honestIsServed)
    hang.release()
    #expect(scene.endsClean())
  }

  @Test("T-TAG-1 A task tag that is in use is rejected with 0x07, and the first task is unharmed")
  func duplicateTag() throws {
    let scene = try Scene()
    let (tag, request) = try scene.openWrite(blocks: 8)
    let data = Example.pattern(4096, seed: 99)
    // Neither takes the number.
    let number = scene.attacker.cmdSN
    scene.attacker.sendCommand([0, 0, 0, 0, 0, 0], tag: tag, cmdSN: number)
    scene.attacker.sendCommand(
      ScriptedInitiator.cdb16(0x8A, 64, 8), expected: 4096, isWrite: true, tag: tag, cmdSN: number,
      immediateData: [UInt8](repeating: 0xEE, count: 4096))
    for _ in 0..<2 { #expect(scene.attacker.rejection() == .taskInProgress) }
    scene.attacker.sendDataOut(
      tag, transferTag: request.targetTransferTag, offset: 0, data)
    #expect(scene.attacker.finish(tag)?.status == 0)
    #expect(reads(data, at: 0, scene.attacker))
    #expect(scene.endsClean())
  }

  @Test("T-TAG-1 Task management that names stale, unknown and odd tags harms no task")
  func managementTags() throws {
    let scene = try Scene()
    let (tag, request) = try scene.openWrite(blocks: 8)
    for raw in [UInt32(0), 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, .max, tag.rawValue &+ 1] {
      for function in UInt8(0)..<128 where function != 2 && !(3...7).contains(function) {
        scene.attacker.sendManagement(
          TaskManagementFunction(rawValue: function), task: InitiatorTaskTag(rawValue: raw))
      }
      #expect(scene.attacker.isAnswered())
    }
    let data = Example.pattern(4096, seed: 98)
    scene.attacker.sendDataOut(
      tag, transferTag: request.targetTransferTag, offset: 0, data)
    #expect(scene.attacker.finish(tag)?.status == 0)
    #expect(scene.honestIsServed)
    #expect(scene.endsClean())
  }

  @Test("T-TMF-1 Aborting a task twice, and while it completes, answers each and leaves nothing")
  func abortTwice() throws {
    for delay in UInt32(0)..<4 {
      let scene = try Scene(seed: UInt64(delay))
      let tag = scene.attacker.sendCommand(
        ScriptedInitiator.cdb16(0x88, 0, 64), expected: 32768, isRead: true)
      scene.target.pass(milliseconds: delay)
      let functions = (0..<3).map { _ in scene.attacker.sendManagement(.abortTask, task: tag) }
      for function in functions {
        let answer = scene.attacker.receive(seconds: 5) {
          $0.header.initiatorTaskTag == function
        }
        #expect(answer != nil)
      }
      #expect(scene.endsClean())
    }
  }
}
