import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

@Suite("Wrong input: PDUs")
struct WrongInputPDUTests {
  @Test("T-PDU-1 A login PDU of each AHS and DSL extreme, split at every byte, ends or is answered")
  func loginExtremes() throws {
    let target = try SimulatedTarget(seed: 1, targets: [Scene.definition()])
    for (additional, lying) in [(0, nil), (4, nil), (1020, nil), (0, 8193), (1020, 0xFF_FFFF)] {
      for cut in stride(from: 1, to: 48 + additional, by: additional == 0 ? 1 : 97) {
        let initiator = ScriptedInitiator(target)
        var header = BasicHeaderSegment(opcode: .loginRequest)
        header.isImmediate = true
        header.bytes[1] = 0x87
        let bytes = initiator.encode(
          header, [UInt8](repeating: 0xFF, count: additional),
          ScriptedInitiator.text([("InitiatorName", "iqn.2026-11.com.example:x")]), lying)
        initiator.peer.send(Array(bytes[..<cut]))
        target.pass(milliseconds: 1)
        initiator.peer.send(Array(bytes[cut...]))
        #expect(initiator.waitForClose(), "AHS \(additional), DSL \(lying ?? -1), cut at \(cut)")
      }
    }
    #expect(target.run { target.world.openSocketCount == 0 })
    #expect(target.reactors[0].buffers.lentBytes == 0)
  }

  @Test("T-PDU-2 A stream that ends inside any PDU leaves nothing behind", arguments: [0, 1, 2])
  func truncated(kind: Int) throws {
    let scene = try Scene()
    let attacker = scene.attacker
    let bytes: [UInt8]
    switch kind {
    case 0:
      bytes = attacker.encode(attacker.nop(data: [1, 2, 3, 4, 5]).header, [], [1, 2, 3, 4, 5])
    case 1:
      var header = BasicHeaderSegment(opcode: .scsiCommand)
      header.bytes[1] = 0xA1
      header.initiatorTaskTag = InitiatorTaskTag(rawValue: 9)
      header.bytes.setBigEndian(UInt32(512), at: 20)
      header.bytes.setBigEndian(attacker.cmdSN.rawValue, at: 24)
      for (index, byte) in ScriptedInitiator.cdb16(0x8A, 0, 1).enumerated() {
        header.bytes[32 + index] = byte
      }
      bytes = attacker.encode(header, [0, 5, 1, 0, 0, 0, 0, 0], [UInt8](repeating: 1, count: 512))
    default:
      var header = BasicHeaderSegment(opcode: .textRequest)
      header.isImmediate = true
      header.isFinal = true
      header.bytes.setBigEndian(UInt32(0xFFFF_FFFF), at: 20)
      bytes = attacker.encode(header, [], Array("SendTargets=All\0".utf8))
    }
    for count in 0..<bytes.count {
      let victim = try Scene.login(scene.target, Scene.attackerName, [], ConnectionOptions())
      victim.peer.send(Array(bytes[..<count]))
      victim.peer.close()
      scene.target.pass(milliseconds: 5)
    }
    #expect(scene.isUnchanged)
    #expect(scene.honestIsServed)
    #expect(scene.endsClean())
  }

  @Test("T-PDU-3 Transfer lengths whose sums wrap 32 bits answer an error and move nothing")
  func wrappingLengths() throws {
    let scene = try Scene()
    for expected in [UInt32(0xFFFF_FFFF), 0x8000_0000, 0xFFFF_FE00] {
      for blocks in [UInt32(0xFFFF_FFFF), 0x0080_0000, 0x0100_0000] {
        let tag = scene.attacker.sendWrite(blocks: blocks, expected: expected)
        let outcome = try #require(scene.attacker.finish(tag))
        #expect(outcome.status == 2)
      }
    }
    let (tag, request) = try scene.openWrite()
    scene.attacker.sendDataOut(
      tag, transferTag: request.targetTransferTag, offset: 0xFFFF_FFF0,
      [UInt8](repeating: 1, count: 512))
    #expect(scene.attacker.rejection() == .invalidPDUField)
    #expect(scene.isUnchanged)
    #expect(scene.endsClean())
  }

  @Test(
    "T-PDU-4 A data segment longer than declared is refused by its header, before memory is taken")
  func dataSegmentLengths() throws {
    for opcode: UInt8 in [0, 1, 2, 4, 5, 6, 0x10, 0x1F] {
      for length in [262_145, 0x80_0000, 0xFF_FFFF] {
        let scene = try Scene()
        let before = scene.reservedBytes
        var header = BasicHeaderSegment(opcode: Opcode(rawValue: opcode))
        header.isImmediate = true
        header.bytes[1] = 0xA1
        scene.attacker.send(header, lyingLength: length)
        #expect(scene.attacker.waitForClose(seconds: 1), "opcode \(opcode), length \(length)")
        #expect(scene.reservedBytes <= before)
        #expect(scene.honestIsServed)
        #expect(scene.endsClean())
      }
    }
  }

  @Test("T-PDU-4 Additional headers of every length and any contents end in an answer")
  func additionalHeaders() throws {
    let scene = try Scene()
    var generator = SeededGenerator(seed: 4)
    for words in 0...255 {
      for fill in 0..<3 {
        let bytes = (0..<words * 4).map { _ in
          fill == 0 ? 0 : fill == 1 ? 0xFF : UInt8.random(in: 0...255, using: &generator)
        }
        let tag = scene.attacker.takeTag()
        var header = BasicHeaderSegment(opcode: .scsiCommand)
        header.bytes[1] = 0x81
        header.initiatorTaskTag = tag
        header.bytes.setBigEndian(scene.attacker.takeCmdSN().rawValue, at: 24)
        scene.attacker.send(header, additionalHeader: bytes)
        let answer = try #require(scene.attacker.receive(seconds: 5))
        #expect(
          answer.header.opcode == .reject || answer.header.initiatorTaskTag == tag,
          "\(words) words, fill \(fill)")
      }
    }
    #expect(scene.isUnchanged)
    #expect(scene.endsClean())
  }

  @Test(
    "T-PDU-5 A dialogue in pieces of any size has the same result",
    arguments: [Fragmentation.singleBytes, .random(upTo: 2), .random(upTo: 49)])
  func pieces(fragmentation: Fragmentation) throws {
    var options = ConnectionOptions()
    options.toTarget = fragmentation
    options.toPeer = fragmentation
    options.shortensSends = true
    let scene = try Scene(
      keys: [("HeaderDigest", "CRC32C"), ("DataDigest", "CRC32C"), ("InitialR2T", "No")],
      options: options)
    let data = Example.pattern(16 * 512)
    let tag = scene.attacker.sendWrite(
      blocks: 16, isFinal: false, immediateData: Array(data[..<512]))
    scene.attacker.sendDataOut(
      tag, transferTag: .reserved, offset: 512, isFinal: false, Array(data[512..<1111]))
    scene.attacker.sendDataOut(
      tag, transferTag: .reserved, dataSN: 1, offset: 1111, Array(data[1111..<2048]))
    #expect(scene.attacker.finish(tag, source: data)?.status == 0)
    #expect(reads(data, at: 0, scene.attacker))
    #expect(scene.endsClean())
  }

  @Test("T-PDU-5 A thousand PDUs in one segment are all answered, in order")
  func thousand() throws {
    let scene = try Scene()
    var bytes: [UInt8] = []
    var tags: [InitiatorTaskTag] = []
    for _ in 0..<1000 {
      let ping = scene.attacker.nop(data: [1, 2, 3])
      bytes += scene.attacker.encode(ping.header, [], [1, 2, 3])
      tags.append(ping.tag)
    }
    scene.attacker.peer.send(bytes)
    #expect(scene.target.run(seconds: 5) { scene.attacker.inbox.count == 1000 })
    #expect(scene.attacker.inbox.map(\.header.initiatorTaskTag) == tags)
    #expect(scene.endsClean())
  }

  @Test(
    "T-PDU-6 A wrong digest ends the connection and not a byte reaches the medium",
    arguments: [
      (headerPart: true, unsolicited: false), (false, false), (true, true), (false, true),
    ])
  func digests(headerPart: Bool, unsolicited: Bool) throws {
    let scene = try Scene(
      keys: [("HeaderDigest", "CRC32C"), ("DataDigest", "CRC32C"), ("InitialR2T", "No")])
    let data = [UInt8](repeating: 0xEE, count: 4096)
    let tag = scene.attacker.sendWrite(blocks: 8, isFinal: !unsolicited)
    var transferTag = TargetTransferTag.reserved
    if !unsolicited {
      transferTag =
        ReadyToTransfer(
          try #require(scene.attacker.receive(.readyToTransfer)).header
        ).targetTransferTag
    }
    var header = BasicHeaderSegment(opcode: .dataOut)
    header.isFinal = true
    header.initiatorTaskTag = tag
    header.bytes.setBigEndian(transferTag.rawValue, at: 20)
    var bytes = scene.attacker.encode(header, [], data)
    bytes[headerPart ? 50 : bytes.count - 1] ^= 0x10
    scene.attacker.peer.send(bytes)
    #expect(scene.attacker.waitForClose(seconds: 5))
    // RFC 7143 §7.7, §7.8: nothing in a damaged header can be answered, damaged data has to be.
    let reject = scene.attacker.inbox.first { $0.header.opcode == .reject }
    #expect(
      reject.map { Reject($0.header).reason } == (headerPart ? nil : .dataDigestError))
    #expect(headerPart || reject?.data == Array(bytes[..<48]))
    scene.target.pass(milliseconds: 100)
    #expect(scene.isUnchanged)
    #expect(scene.target.disks["scratch"]?.startedCount(.write) == 0)
    #expect(scene.honestIsServed)
    #expect(scene.endsClean())
  }

  @Test("T-PDU-6 A wrong digest of immediate data ends the connection and writes nothing")
  func immediateDigest() throws {
    let scene = try Scene(keys: [("DataDigest", "CRC32C")])
    scene.attacker.framing.dataDigest = false
    scene.attacker.sendWrite(blocks: 1, immediateData: [UInt8](repeating: 0xEE, count: 512))
    scene.attacker.peer.send([0, 0, 0, 0])
    #expect(scene.attacker.rejection() == .dataDigestError)
    #expect(scene.attacker.waitForClose(seconds: 5))
    #expect(scene.isUnchanged)
    #expect(scene.endsClean())
  }

  // MARK: State

  @Test("T-STATE-1 Any opcode but Login before full feature phase closes without a word")
  func beforeLogin() throws {
    let target = try SimulatedTarget(seed: 1, targets: [Scene.definition()])
    for opcode in UInt8(0)..<64 where opcode != Opcode.loginRequest.rawValue {
      for afterFirst in [false, true] {
        let initiator = ScriptedInitiator(target)
        if afterFirst {
          initiator.sendLogin([("InitiatorName", Scene.attackerName)], to: nil)
          _ = initiator.receive(.loginResponse)
        }
        var header = BasicHeaderSegment(opcode: Opcode(rawValue: opcode))
        header.isImmediate = true
        header.bytes[1] = 0xA1
        initiator.send(header, data: [UInt8](repeating: 1, count: 512))
        #expect(initiator.waitForClose(seconds: 5), "opcode \(opcode)")
        #expect(initiator.inbox.isEmpty)
      }
    }
    #expect(target.disks.values.allSatisfy { $0.startedCount(.write) == 0 })
    #expect(target.reactors[0].buffers.lentBytes == 0)
  }

  @Test("T-STATE-1 In a discovery session SCSI commands, task management and Data-Out are refused")
  func discovery() throws {
    for opcode in [Opcode.scsiCommand, .taskManagementRequest, .dataOut] {
      let target = try SimulatedTarget(seed: 1, targets: [Scene.definition()])
      let initiator = ScriptedInitiator(target)
      #expect(initiator.login(to: "", discovery: true) == 0)
      var header = BasicHeaderSegment(opcode: opcode)
      header.isImmediate = true
      header.bytes[1] = 0x81
      header.bytes.setBigEndian(initiator.cmdSN.rawValue, at: 24)
      initiator.send(header)
      #expect(initiator.rejection() == .protocolError)
      #expect(initiator.waitForClose(seconds: 5))
      #expect(target.run { target.world.openSocketCount == 0 })
      #expect(target.reactors[0].buffers.lentBytes == 0)
    }
  }

  @Test("A Login Request in full feature phase is a protocol error and ends the connection")
  func secondLogin() throws {
    let scene = try Scene()
    scene.attacker.sendLogin([("InitiatorName", Scene.honestName), ("TargetName", Example.name)])
    #expect(scene.attacker.rejection() == .protocolError)
    #expect(scene.attacker.waitForClose(seconds: 5))
    #expect(scene.honestIsServed)
    #expect(scene.endsClean())
  }

  @Test("Every opcode that is not a request of ours is rejected with 0x05, and the session goes on")
  func unknownOpcodes() throws {
    let scene = try Scene()
    let known: Set<UInt8> = [0, 1, 2, 3, 4, 5, 6]
    for opcode in UInt8(0)..<64 where !known.contains(opcode) {
      var header = BasicHeaderSegment(opcode: Opcode(rawValue: opcode))
      header.isFinal = true
      header.initiatorTaskTag = scene.attacker.takeTag()
      scene.attacker.send(header, data: [UInt8](repeating: 0x77, count: 40))
      let reject = try #require(scene.attacker.receive(.reject, seconds: 5), "opcode \(opcode)")
      #expect(Reject(reject.header).reason == .commandNotSupported)
      #expect(reject.data.count == 48 && reject.data[0] == opcode)
    }
    #expect(scene.attacker.isAnswered())
    #expect(scene.endsClean())
  }

  @Test("A Reject returns additional header segments, too, as many as the initiator takes")
  func rejectedAdditionalHeader() throws {
    let scene = try Scene()
    #expect(scene.attacker.text([("MaxRecvDataSegmentLength", "512")])?.isEmpty == true)
    var header = BasicHeaderSegment(opcode: Opcode(rawValue: 0x1C))
    header.initiatorTaskTag = scene.attacker.takeTag()
    for count in [4, 464, 468, 1020] {
      let additional = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 4 + 1) }
      let bytes = scene.attacker.encode(header, additional)
      scene.attacker.peer.send(bytes)
      let reject = try #require(scene.attacker.receive(.reject, seconds: 5))
      let isHeader = reject.data == Array(bytes.prefix(512))
      #expect(isHeader, "\(count) bytes: \(reject.data.count)")
    }
    #expect(scene.attacker.isAnswered())
    #expect(scene.endsClean())
  }

  @Test("A task tag of all ones on a command is an invalid field")
  func reservedTag() throws {
    let scene = try Scene()
    scene.attacker.sendCommand([0, 0, 0, 0, 0, 0], tag: .reserved)
    #expect(scene.attacker.rejection() == .invalidPDUField)
    #expect(scene.attacker.isAnswered())
    #expect(scene.endsClean())
  }
}
