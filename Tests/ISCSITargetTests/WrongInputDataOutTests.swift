import Bytes
import ISCSIModel
import ISCSITarget
import TargetSimulation
import Testing

/// A Data-Out with which an attacker answers an R2T for 32 KiB of LUN 0.
struct ForgedDataOut: Sendable, CustomTestStringConvertible {
  enum End: Sendable {
    /// Reject with reason 0x09, then the end of the connection (RFC 7143 §11.17.1, §7.8).
    case invalidField
    /// ABORTED COMMAND with this ASC and ASCQ (§11.4.7.2).
    case aborted(UInt32)
  }

  var claim: String
  var end = End.invalidField
  var transferTagOffset: UInt32 = 0
  var lun: UInt64 = 0
  var offset: UInt32 = 0
  var dataSN: UInt32 = 0
  var isFinal = true
  var count = 32768
  var isUnsolicited = false

  var testDescription: String { claim }

  static let all: [ForgedDataOut] = [
    ForgedDataOut(claim: "another TTT", transferTagOffset: 1),
    ForgedDataOut(claim: "another LUN", lun: Scene.protected),
    ForgedDataOut(claim: "offset past the R2T", offset: 32768),
    ForgedDataOut(claim: "offset inside the R2T, not at its start", offset: 512),
    ForgedDataOut(claim: "offset at 2^32 - 1", offset: .max),
    ForgedDataOut(claim: "DataSN not from zero", end: .aborted(0x0B_4705), dataSN: 1),
    ForgedDataOut(claim: "DataSN of minus one", end: .aborted(0x0B_4705), dataSN: .max),
    ForgedDataOut(claim: "more than was asked for", end: .aborted(0x0B_0C0D), count: 32772),
    ForgedDataOut(claim: "F too early", end: .aborted(0x0B_0C0D), count: 512),
    ForgedDataOut(claim: "F missing", end: .aborted(0x0B_0C0D), isFinal: false),
    ForgedDataOut(
      claim: "unsolicited when it has ended", end: .aborted(0x0B_0C0C), isUnsolicited: true),
  ]
}

@Suite("Wrong input: Data-Out")
struct WrongInputDataOutTests {
  private static let bytes = [UInt8](repeating: 0xEE, count: 1 << 20)

  @Test(
    "T-DO-1 A forged answer to an R2T has a defined end and changes nothing",
    arguments: ForgedDataOut.all)
  func forged(_ forged: ForgedDataOut) throws {
    let scene = try Scene(keys: [("InitialR2T", "Yes")])
    let (tag, request) = try scene.openWrite()
    let transferTag =
      forged.isUnsolicited
      ? TargetTransferTag.reserved
      : TargetTransferTag(
        rawValue: request.targetTransferTag.rawValue &+ forged.transferTagOffset)
    scene.attacker.sendDataOut(
      tag, transferTag: transferTag, dataSN: forged.dataSN, offset: forged.offset,
      isFinal: forged.isFinal, lun: forged.lun,
      Array(WrongInputDataOutTests.bytes[..<forged.count]))
    switch forged.end {
    case .invalidField:
      #expect(scene.attacker.rejection() == .invalidPDUField)
      #expect(scene.attacker.waitForClose(seconds: 5))
    case .aborted(let sense):
      if !forged.isFinal || forged.isUnsolicited {
        // The R2T is not answered yet, and the command not before it is.
        scene.target.pass(milliseconds: 200)
        #expect(scene.attacker.inbox.isEmpty)
        scene.attacker.sendDataOut(
          tag, transferTag: request.targetTransferTag, offset: 0,
          Array(WrongInputDataOutTests.bytes[..<32768]))
      }
      let outcome = try #require(scene.attacker.finish(tag))
      #expect(outcome.status == 2 && outcome.sense == sense)
      #expect(scene.attacker.isAnswered())
    }
    #expect(scene.isUnchanged)
    #expect(scene.honestIsServed)
    #expect(scene.endsClean())
    #expect(scene.isUnchanged)
  }

  @Test("T-DO-1 The TTT of another task of the session does not serve")
  func otherTask() throws {
    let scene = try Scene()
    let (first, _) = try scene.openWrite(at: 0)
    let (_, other) = try scene.openWrite(at: 64)
    scene.attacker.sendDataOut(
      first, transferTag: other.targetTransferTag, offset: 0,
      Array(WrongInputDataOutTests.bytes[..<32768]))
    #expect(scene.attacker.rejection() == .invalidPDUField)
    #expect(scene.attacker.waitForClose(seconds: 5))
    #expect(scene.isUnchanged)
    #expect(scene.endsClean())
  }

  @Test("T-DO-1 Tags of another session reach nothing there")
  func otherSession() throws {
    let scene = try Scene()
    let tag = scene.honest.sendWrite(blocks: 8, at: 32)
    let request = ReadyToTransfer(try #require(scene.honest.receive(.readyToTransfer)).header)
    // The same numbers that the honest session uses: there is no such task here.
    for transferTag in 0...request.targetTransferTag.rawValue + 4 {
      scene.attacker.sendDataOut(
        tag, transferTag: TargetTransferTag(rawValue: transferTag), offset: 0,
        Array(WrongInputDataOutTests.bytes[..<4096]))
    }
    #expect(scene.attacker.isAnswered())
    #expect(scene.isUnchanged)
    #expect(scene.honestIsServed)
    #expect(scene.endsClean())
  }

  @Test("T-DO-1 Data for a read, for an unknown tag and for a task that ended is dropped")
  func noTransfer() throws {
    let scene = try Scene()
    let hang = try #require(scene.target.disks["scratch"]).inject(DiskFault(.hang, on: .read))
    let reading = scene.attacker.sendCommand(
      ScriptedInitiator.cdb16(0x88, 0, 8), expected: 4096, isRead: true)
    let writing = scene.attacker.sendWrite(blocks: 1, at: 3_000_000)
    #expect(scene.attacker.finish(writing)?.sense == 0x05_2100)
    for tag in [reading, writing, InitiatorTaskTag(rawValue: 0xDEAD)] {
      for transferTag in [TargetTransferTag.reserved, TargetTransferTag(rawValue: 1)] {
        scene.attacker.sendDataOut(
          tag, transferTag: transferTag, offset: 0,
          Array(WrongInputDataOutTests.bytes[..<4096]))
      }
    }
    #expect(scene.attacker.isAnswered())
    hang.release()
    #expect(scene.attacker.finish(reading)?.status == 0)
    #expect(scene.isUnchanged)
    #expect(scene.honestIsServed)
    #expect(scene.endsClean())
  }

  @Test("T-DO-1 Data that comes after ABORT TASK touches nothing")
  func afterAbort() throws {
    let scene = try Scene()
    let (tag, request) = try scene.openWrite()
    #expect(scene.attacker.manage(.abortTask, task: tag) == .functionComplete)
    scene.attacker.sendDataOut(
      tag, transferTag: request.targetTransferTag, offset: 0,
      Array(WrongInputDataOutTests.bytes[..<32768]))
    #expect(scene.attacker.isAnswered())
    scene.target.pass(milliseconds: 100)
    #expect(!scene.attacker.inbox.contains { $0.header.initiatorTaskTag == tag })
    #expect(scene.isUnchanged)
    #expect(scene.endsClean())
  }

  @Test("T-DO-1 A task that another session's reset ends while its data arrives writes nothing")
  func resetWhileArriving() throws {
    let scene = try Scene()
    let other = ScriptedInitiator(scene.target)
    other.initiatorName = Scene.attackerName
    other.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0077)
    try #require(other.login(to: Example.name) == 0)
    let (tag, request) = try scene.openWrite()
    var header = BasicHeaderSegment(opcode: .dataOut)
    header.isFinal = true
    header.initiatorTaskTag = tag
    header.bytes.setBigEndian(request.targetTransferTag.rawValue, at: 20)
    let bytes = scene.attacker.encode(
      header, [], Array(WrongInputDataOutTests.bytes[..<32768]))
    scene.attacker.peer.send(Array(bytes[..<10_000]))
    scene.target.pass(milliseconds: 5)
    #expect(other.manage(.logicalUnitReset) == .functionComplete)
    scene.attacker.peer.send(Array(bytes[10_000...]))
    #expect(scene.attacker.isAnswered())
    scene.target.pass(milliseconds: 50)
    #expect(scene.isUnchanged)
    other.peer.close()
    #expect(scene.endsClean())
  }

  @Test("T-DO-1 More unsolicited data than FirstBurstLength, and a gap in DataSN, are refused")
  func firstBurst() throws {
    let keys = [("InitialR2T", "No"), ("FirstBurstLength", "4096")]
    let scene = try Scene(keys: keys)
    let tag = scene.attacker.sendWrite(blocks: 16, isFinal: false)
    scene.attacker.sendDataOut(
      tag, transferTag: .reserved, offset: 0, Array(WrongInputDataOutTests.bytes[..<4100]))
    #expect(scene.attacker.finish(tag)?.sense == 0x0B_0C0D)
    let second = scene.attacker.sendWrite(blocks: 16, isFinal: false)
    scene.attacker.sendDataOut(
      second, transferTag: .reserved, offset: 0, isFinal: false,
      Array(WrongInputDataOutTests.bytes[..<512]))
    scene.attacker.sendDataOut(
      second, transferTag: .reserved, dataSN: 2, offset: 512,
      Array(WrongInputDataOutTests.bytes[..<512]))
    #expect(scene.attacker.finish(second)?.sense == 0x0B_4705)
    #expect(scene.isUnchanged)
    #expect(scene.endsClean())
  }

  @Test("T-DO-1 Immediate data past FirstBurstLength or where it was not agreed is refused, once")
  func immediate() throws {
    for keys in [[("FirstBurstLength", "512")], [("ImmediateData", "No")]] {
      let scene = try Scene(keys: keys)
      // The data segment arrives long after its header.
      let tag = scene.attacker.takeTag()
      var header = BasicHeaderSegment(opcode: .scsiCommand)
      header.bytes[1] = 0xA1
      header.initiatorTaskTag = tag
      header.bytes.setBigEndian(UInt32(4096), at: 20)
      header.bytes.setBigEndian(scene.attacker.takeCmdSN().rawValue, at: 24)
      for (index, byte) in ScriptedInitiator.cdb16(0x8A, 0, 8).enumerated() {
        header.bytes[32 + index] = byte
      }
      let bytes = scene.attacker.encode(header, [], [UInt8](repeating: 0xEE, count: 4096))
      scene.attacker.peer.send(Array(bytes[..<100]))
      scene.target.pass(milliseconds: 50)
      scene.attacker.peer.send(Array(bytes[100...]))
      scene.target.pass(milliseconds: 50)
      let answers = scene.attacker.inbox.filter { $0.header.initiatorTaskTag == tag }
      #expect(answers.count == 1)
      #expect(scene.attacker.finish(tag)?.status == 2)
      #expect(scene.attacker.isAnswered())
      #expect(scene.isUnchanged)
      #expect(scene.endsClean())
    }
  }

  @Test("T-DO-1 A write that began wrong is answered after the F of its unsolicited data")
  func wrongFromTheStart() throws {
    // F is not set, although all data has to be asked for; or there is too much at once.
    for keys in [[("InitialR2T", "Yes")], [("InitialR2T", "No"), ("FirstBurstLength", "512")]] {
      let scene = try Scene(keys: keys)
      let tag = scene.attacker.sendWrite(
        blocks: 8, isFinal: false, immediateData: Array(WrongInputDataOutTests.bytes[..<1024]))
      for number in UInt32(0)..<3 {
        scene.target.pass(milliseconds: 50)
        #expect(scene.attacker.inbox.isEmpty)
        scene.attacker.sendDataOut(
          tag, transferTag: .reserved, dataSN: number, offset: 1024 + 512 * number,
          isFinal: number == 2, Array(WrongInputDataOutTests.bytes[..<512]))
      }
      #expect(scene.attacker.finish(tag)?.status == 2)
      #expect(scene.attacker.inbox.isEmpty && scene.attacker.isAnswered())
      #expect(scene.isUnchanged)
      #expect(scene.endsClean())
    }
  }

  @Test("T-DO-1 The rest of wrong data that never comes ends the connection after half a minute")
  func restWithheld() throws {
    let scene = try Scene(keys: [("InitialR2T", "Yes")])
    let (tag, request) = try scene.openWrite()
    scene.attacker.sendDataOut(
      tag, transferTag: request.targetTransferTag, dataSN: 7, offset: 0, isFinal: false,
      Array(WrongInputDataOutTests.bytes[..<512]))
    for _ in 0..<10 where !scene.attacker.isClosed {
      scene.target.pass(milliseconds: 4000)
      scene.attacker.send(scene.attacker.nop().header)
    }
    #expect(scene.attacker.isClosed)
    #expect(!scene.attacker.inbox.contains { $0.header.initiatorTaskTag == tag })
    #expect(scene.isUnchanged)
    #expect(scene.endsClean())
  }

  @Test("A refused write with unsolicited data to come is answered once, after its data")
  func refusedWithData() throws {
    let scene = try Scene(keys: [("InitialR2T", "No")])
    let tag = scene.attacker.sendWrite(blocks: 4, at: 3_000_000, isFinal: false)
    // The second fills the write without saying that it is the last.
    for number in UInt32(0)..<3 {
      scene.target.pass(milliseconds: 50)
      #expect(scene.attacker.inbox.isEmpty)
      scene.attacker.sendDataOut(
        tag, transferTag: .reserved, dataSN: number, offset: 1024 * number, isFinal: number == 2,
        Array(WrongInputDataOutTests.bytes[..<(number == 2 ? 0 : 1024)]))
    }
    #expect(scene.attacker.finish(tag)?.status == 2)
    #expect(scene.attacker.isAnswered())
    #expect(scene.isUnchanged)
    #expect(scene.endsClean())
  }

  @Test("T-DO-1 A write to a read-only unit asks for no data and changes nothing")
  func readOnly() throws {
    let scene = try Scene()
    let tag = scene.attacker.sendWrite(
      blocks: 8, lun: Scene.protected, immediateData: [UInt8](repeating: 0xEE, count: 4096))
    #expect(scene.attacker.finish(tag)?.sense == 0x07_2700)
    #expect(scene.isUnchanged)
    #expect(scene.endsClean())
  }

  // MARK: Lengths

  @Test("T-EDTL-1 A write whose W bit is not set writes nothing, whatever length it names")
  func writeWithoutW() throws {
    for isRead in [false, true] {
      for expected in [UInt32(0), 512, 4096, 1 << 20, .max] {
        let scene = try Scene()
        // Fills the pool with bytes that must not show.
        _ = scene.attacker.read(0, 64)
        let tag = scene.attacker.sendCommand(
          ScriptedInitiator.cdb16(0x8A, 100, 8), expected: expected, isRead: isRead)
        let outcome = try #require(scene.attacker.finish(tag))
        #expect(outcome.data.isEmpty)
        #expect(scene.isUnchanged, "R \(isRead), EDTL \(expected), status \(outcome.status)")
        #expect(scene.endsClean())
      }
    }
  }

  @Test("T-EDTL-1 A parameter list without the W bit is not taken from memory of others")
  func parametersWithoutW() throws {
    for cdb: [UInt8] in [
      [0x15, 0x10, 0, 0, 24, 0], [0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0],
      [0x41, 0, 0, 0, 0, 0, 0, 0, 1, 0], [0x2F, 2, 0, 0, 0, 0, 0, 0, 1, 0],
    ] {
      let scene = try Scene()
      let outcome = try #require(
        scene.attacker.finish(scene.attacker.sendCommand(cdb, expected: 512)))
      #expect(outcome.status == 2, "opcode \(cdb[0])")
      #expect(scene.isUnchanged)
      #expect(scene.endsClean())
    }
  }

  @Test("T-EDTL-1 A read with the W bit takes the data and gives none")
  func readWithW() throws {
    let scene = try Scene()
    let tag = scene.attacker.sendCommand(
      ScriptedInitiator.cdb16(0x88, 0, 8), expected: 4096, isWrite: true,
      immediateData: [UInt8](repeating: 0xEE, count: 512))
    let outcome = try #require(
      scene.attacker.finish(tag, source: [UInt8](repeating: 0xEE, count: 4096)))
    #expect(outcome.data.isEmpty)
    #expect(scene.isUnchanged)
    #expect(scene.attacker.isAnswered())
    #expect(scene.endsClean())
  }

  @Test(
    "T-EDTL-1 A write with less data than its CDB names changes no block it has not all of",
    arguments: [UInt32(0), 1, 511, 512, 513, 1024, 4095])
  func shortWrite(expected: UInt32) throws {
    let scene = try Scene()
    let old = try #require(scene.attacker.read(0, 16)).data
    let tag = scene.attacker.sendWrite(blocks: 8, expected: expected)
    let outcome = try #require(
      scene.attacker.finish(tag, source: [UInt8](repeating: 0xEE, count: Int(expected))))
    #expect(outcome.residual == .overflow(4096 - expected) || outcome.status == 2)
    let now = try #require(scene.attacker.read(0, 16)).data
    let whole = Int(expected) / 512 * 512
    #expect(now[whole...] == old[whole...])
    #expect(scene.protectedIsUnchanged)
    #expect(scene.endsClean())
  }

  @Test("T-EDTL-1 A write with more data than its CDB names changes only what it names")
  func longWrite() throws {
    let scene = try Scene()
    let old = try #require(scene.attacker.read(0, 16)).data
    let tag = scene.attacker.sendWrite(
      blocks: 2, expected: 4096, immediateData: [UInt8](repeating: 0xEE, count: 4096))
    let outcome = try #require(scene.attacker.finish(tag))
    #expect(outcome.residual == .underflow(3072))
    let now = try #require(scene.attacker.read(0, 16)).data
    #expect(now[1024...] == old[1024...])
    #expect(scene.endsClean())
  }

  @Test(
    "T-EDTL-1 A read returns no more than EDTL, says what is missing, and never another's bytes",
    arguments: [UInt32(0), 1, 511, 512, 513, 4095, 4096, 5000, 65536])
  func reading(expected: UInt32) throws {
    let scene = try Scene()
    let all = try #require(scene.attacker.read(0, 8)).data
    let tag = scene.attacker.sendCommand(
      ScriptedInitiator.cdb16(0x88, 0, 8), expected: expected, isRead: true)
    let outcome = try #require(scene.attacker.finish(tag))
    let isPrefix = outcome.data[...] == all.prefix(Int(expected))
    #expect(isPrefix)
    switch expected {
    case ..<4096: #expect(outcome.residual == .overflow(4096 - expected))
    case 4096: #expect(outcome.residual == .none)
    default: #expect(outcome.residual == .underflow(expected - 4096))
    }
    #expect(scene.endsClean())
  }

  @Test("Both R and W on one command is refused: no command here is bidirectional")
  func bidirectional() throws {
    let scene = try Scene()
    let tag = scene.attacker.sendCommand(
      ScriptedInitiator.cdb16(0x8A, 0, 8), expected: 4096, isRead: true, isWrite: true)
    #expect(scene.attacker.finish(tag)?.sense == 0x05_0E03)
    #expect(scene.isUnchanged)
    #expect(scene.endsClean())
  }
}
