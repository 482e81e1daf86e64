import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

@Suite("Wrong input: login over the wire")
struct WrongInputLoginTests {
  /// Sends one Login Request with `text` as its data segment.
  private func send(
    _ text: [UInt8], by initiator: ScriptedInitiator, flags: UInt8 = 0x87
  ) {
    var header = BasicHeaderSegment(opcode: .loginRequest)
    header.isImmediate = true
    header.bytes[1] = flags
    header.bytes.setBigEndian(initiator.isid.rawValue << 16, at: 8)
    header.bytes.setBigEndian(UInt32(1), at: 24)
    initiator.send(header, data: text)
  }

  private func status(_ pdu: ScriptedInitiator.Received?) -> UInt16? {
    pdu?.header.bytes.bigEndianUInt16(at: 36)
  }

  private static let names = ScriptedInitiator.text([
    ("InitiatorName", Scene.honestName), ("TargetName", Example.name),
  ])

  private func isEmpty(_ target: SimulatedTarget) -> Bool {
    target.run {
      target.world.openSocketCount == 0 && target.context.sessions.count == 0
        && target.reactors.allSatisfy { $0.buffers.lentBytes == 0 }
    }
  }

  @Test("T-TXT-1…3 Texts that are bombs get a bounded answer and leave nothing")
  func bombs() throws {
    let target = try SimulatedTarget(seed: 1, targets: [Scene.definition()])
    var texts: [[UInt8]] = [63, 64, 65, 255, 4096, 8000].map {
      Self.names + [UInt8](repeating: 0x58, count: $0) + Array("=y\0".utf8)
    }
    texts += (8180...8192).map { [UInt8](repeating: 0x41, count: $0) }
    texts += (8180...8192).map { [UInt8](repeating: 0, count: $0) }
    texts.append(
      Self.names + (0..<2000).flatMap { _ in Array("a=b\0".utf8) })
    texts.append(
      Self.names
        + (0..<1300).flatMap { Array("\(String($0, radix: 36))=b\0".utf8) }.prefix(8000))
    for text in texts {
      let initiator = ScriptedInitiator(target)
      initiator.initiatorName = Scene.honestName
      send(Array(text.prefix(8192)), by: initiator)
      target.pass(milliseconds: 20)
      #expect(initiator.inbox.allSatisfy { $0.data.count <= 8192 })
      #expect(target.reactors[0].buffers.reservedBytes < 1 << 20)
      initiator.peer.close()
    }
    #expect(isEmpty(target))
  }

  @Test("T-TXT-5 A login text that never ends is refused")
  func endless() throws {
    let target = try SimulatedTarget(seed: 1, targets: [Scene.definition()])
    let initiator = ScriptedInitiator(target)
    for _ in 0..<100 where !initiator.isClosed {
      send(Array("X-a=".utf8) + [UInt8](repeating: 0x41, count: 4000), by: initiator, flags: 0x44)
      target.pass(milliseconds: 5)
    }
    #expect(initiator.isClosed)
    #expect(initiator.inbox.count <= LoginMachine.pduCountMax + 1)
    #expect(isEmpty(target))
  }

  @Test(
    "T-TXT-4 Text requests without data, with C and F in all combinations, in full feature phase")
  func emptyText() throws {
    let scene = try Scene()
    for flags: UInt8 in [0x00, 0x40, 0x80, 0xC0] {
      for tag: UInt32 in [.max, 0, 1] {
        var header = BasicHeaderSegment(opcode: .textRequest)
        header.isImmediate = true
        header.bytes[1] = flags
        header.initiatorTaskTag = scene.attacker.takeTag()
        header.bytes.setBigEndian(tag, at: 20)
        scene.attacker.send(header)
        scene.attacker.send(header, data: [UInt8](repeating: 0, count: 5))
        scene.target.pass(milliseconds: 5)
      }
    }
    #expect(scene.honestIsServed)
    #expect(scene.endsClean())
  }

  @Test("T-ACL-1 Access needs the name, the address and the proof: all that is configured")
  func access() throws {
    let user = CHAPUser(name: "user", secret: Secret("sixteen bytes ok"))
    for (name, address, chap) in (0..<8).map({ ($0 & 1 != 0, $0 & 2 != 0, $0 & 4 != 0) }) {
      let range = try #require(AddressRange("10.0.0.7/32"))
      let definition = TargetDefinition(
        name: Example.name, portalGroupTags: [1], units: [],
        accessEntries: [
          AccessEntry(
            initiator: name ? Scene.honestName : Scene.attackerName,
            addresses: [address ? try #require(AddressRange("10.0.0.2/32")) : range],
            users: chap ? [] : [user])
        ])
      let target = try SimulatedTarget(seed: 1, targets: [definition])
      let initiator = ScriptedInitiator(target, from: "10.0.0.2:5000")
      initiator.initiatorName = Scene.honestName
      let status = initiator.login(to: Example.name)
      #expect((status == 0) == (name && address && chap))
      if !name || !address { #expect(status == 0x0203) }
      #expect(target.context.sessions.count == (name && address && chap ? 1 : 0))
    }
  }

  @Test("T-DISC-1 Unknown and forbidden targets get the same answer, and discovery hides both")
  func discovery() throws {
    let target = try SimulatedTarget(seed: 1, targets: [Scene.definition()])
    var answers: [[UInt8]] = []
    for name in [Example.name, "iqn.2026-11.com.example:none"] {
      let stranger = ScriptedInitiator(target)
      stranger.initiatorName = "iqn.2026-11.com.example:stranger"
      stranger.sendLogin([("InitiatorName", stranger.initiatorName), ("TargetName", name)])
      let answer = try #require(stranger.receive(.loginResponse))
      answers.append((0..<48).map { answer.header.bytes[$0] } + answer.data)
    }
    #expect(answers[0] == answers[1])
    for (name, isListed) in [(Scene.honestName, true), ("iqn.2026-11.com.example:stranger", false)]
    {
      for query in ["All", Example.name] {
        let initiator = ScriptedInitiator(target)
        initiator.initiatorName = name
        #expect(initiator.login(to: "", discovery: true) == 0)
        var header = BasicHeaderSegment(opcode: .textRequest)
        header.isImmediate = true
        header.isFinal = true
        header.bytes.setBigEndian(UInt32(0xFFFF_FFFF), at: 20)
        initiator.send(header, data: Array("SendTargets=\(query)\0".utf8))
        let answer = try #require(initiator.receive(.textResponse, seconds: 5))
        #expect(answer.data.isEmpty == !isListed)
      }
    }
  }

  @Test("T-SESS-1 No TSIH that another name guesses attaches to a session")
  func guesses() throws {
    let scene = try Scene()
    let names = [("InitiatorName", Scene.attackerName), ("TargetName", Example.name)]
    for guess in [scene.honest.tsih.rawValue, scene.attacker.tsih.rawValue, 1, 0xFFFF] {
      let initiator = ScriptedInitiator(scene.target)
      initiator.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0099)
      initiator.tsih = TargetSessionID(rawValue: guess)
      initiator.sendLogin(names)
      let answer = try #require(initiator.receive(.loginResponse, seconds: 5))
      #expect(status(answer) == 0x020A)
      #expect(initiator.waitForClose(seconds: 5))
    }
    #expect(scene.honestIsServed)
    #expect(scene.attacker.isAnswered())
    #expect(scene.endsClean())
  }

  @Test("T-SESS-1 A reinstatement that does not prove itself ends nobody's session")
  func unprovenReinstatement() throws {
    let user = CHAPUser(name: "user", secret: Secret("sixteen bytes ok"))
    var definition = Scene.definition()
    definition.accessEntries[0].users = [user]
    let target = try SimulatedTarget(seed: 1, targets: [definition])
    let honest = try Scene.login(target, Scene.honestName, [], ConnectionOptions())
    for claimed in [Scene.attackerName, "iqn.2026-11.com.example:other"] {
      let thief = ScriptedInitiator(target)
      thief.initiatorName = claimed
      #expect(thief.login(to: Example.name) != 0)
    }
    #expect(honest.read(0, 1)?.status == 0)
    #expect(target.context.sessions.count == 1)
  }

  @Test("T-SESS-2 More connections than were agreed are refused, the session is unharmed")
  func tooManyConnections() throws {
    let scene = try Scene()
    for id in UInt16(1)...8 {
      let extra = ScriptedInitiator(scene.target)
      extra.tsih = scene.attacker.tsih
      extra.isid = scene.attacker.isid
      extra.connectionID = ConnectionID(rawValue: id)
      extra.cmdSN = scene.attacker.cmdSN
      extra.sendLogin([("InitiatorName", Scene.attackerName), ("TargetName", Example.name)])
      #expect(status(extra.receive(.loginResponse, seconds: 5)) == 0x0206)
    }
    #expect(scene.attacker.isAnswered())
    #expect(scene.honestIsServed)
    #expect(scene.endsClean())
  }
}
