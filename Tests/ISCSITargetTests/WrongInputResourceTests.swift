import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

@Suite("Wrong input: resources")
struct WrongInputResourceTests {
  @Test("T-DOS-1 A login of a byte a second is over after the login time-out")
  func slowLogin() throws {
    let scene = try Scene()
    let slow = ScriptedInitiator(scene.target)
    var header = BasicHeaderSegment(opcode: .loginRequest)
    header.bytes[1] = 0x87
    let bytes = slow.encode(header, [], [UInt8](repeating: 0x41, count: 100))
    for byte in bytes.prefix(14) {
      slow.peer.send([byte])
      scene.target.pass(milliseconds: 1000)
      #expect(!slow.isClosed)
    }
    for byte in bytes.dropFirst(14).prefix(3) {
      slow.peer.send([byte])
      scene.target.pass(milliseconds: 1000)
    }
    #expect(slow.isClosed)
    #expect(scene.honestIsServed)
    #expect(scene.endsClean())
  }

  @Test("T-DOS-2 Ten thousand connections that do not log in keep nobody out")
  func connectionFlood() throws {
    let scene = try Scene()
    var crowd: [SimulatedPeer] = []
    for _ in 0..<10_000 {
      crowd.append(scene.target.world.connect(to: SimulatedTarget.portal))
      if crowd.count % 100 == 0 { scene.target.pass(milliseconds: 1) }
    }
    scene.target.pass(milliseconds: 10)
    #expect(scene.target.world.openSocketCount <= 1024 + 2)
    #expect(scene.reservedBytes <= 9 << 20)
    let late = ScriptedInitiator(scene.target)
    late.initiatorName = Scene.honestName
    late.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0055)
    let before = scene.target.world.now
    #expect(late.login(to: Example.name) == 0)
    #expect(scene.target.world.now.milliseconds(since: before) < .seconds(1))
    #expect(scene.honestIsServed)
    late.peer.close()
    for peer in crowd { peer.close() }
    #expect(scene.endsClean())
  }

  @Test("T-DOS-2 Connections in all are bounded; logged-in ones are not driven out")
  func connectionBound() throws {
    var limits = ServerLimits()
    limits.connectionsMax = 10
    limits.halfOpenConnectionsMax = 5
    let scene = try Scene(limits: limits)
    let crowd = (0..<50).map { _ in scene.target.world.connect(to: SimulatedTarget.portal) }
    scene.target.pass(milliseconds: 50)
    #expect(scene.target.world.openSocketCount <= 10)
    #expect(scene.honestIsServed)
    for peer in crowd { peer.reset() }
    #expect(scene.endsClean())
  }

  @Test("T-DOS-2 Discovery sessions that stay do not take the memory of the others")
  func discoveryFlood() throws {
    let scene = try Scene(memoryBudgetBytes: 16 << 20)
    var crowd: [ScriptedInitiator] = []
    for _ in 0..<1000 {
      let initiator = ScriptedInitiator(scene.target)
      guard initiator.login(to: "", discovery: true) == 0 else { continue }
      crowd.append(initiator)
    }
    #expect(scene.reservedBytes <= 16 << 20)
    let late = ScriptedInitiator(scene.target)
    late.initiatorName = Scene.honestName
    late.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0055)
    #expect(late.login(to: Example.name) == 0)
    #expect(scene.honestIsServed)
    for initiator in crowd { initiator.peer.close() }
    late.peer.close()
    #expect(scene.endsClean())
  }

  @Test("T-DOS-3 Writes that withhold their data stay within the budget; the excess is told BUSY")
  func withheldData() throws {
    let budget = 8 << 20
    let scene = try Scene(diskBytes: 1 << 20, memoryBudgetBytes: budget)
    var tags: [InitiatorTaskTag] = []
    for blocks: UInt32 in [2048, 512, 128, 32, 8] {
      for _ in 0..<25 { tags.append(scene.attacker.sendWrite(blocks: blocks)) }
    }
    let answered = {
      tags.allSatisfy { tag in
        scene.attacker.inbox.contains { $0.header.initiatorTaskTag == tag }
      }
    }
    #expect(scene.target.run(seconds: 1, until: answered))
    #expect(scene.reservedBytes <= budget)
    let busy = scene.attacker.inbox.count {
      $0.header.opcode == .scsiResponse && SCSIResponse($0.header).status == 8
    }
    #expect(busy > 0)
    // The honest session is answered: at worst BUSY, which its initiator repeats.
    let outcome = scene.honest.read(8, 8)
    #expect(outcome?.status == 0 || outcome?.status == 8)
    scene.attacker.peer.close()
    scene.target.pass(milliseconds: 100)
    #expect(scene.honestIsServed)
    #expect(scene.isUnchanged)
    #expect(scene.endsClean())
  }

  @Test("T-DOS-3 With no byte of memory left answers still leave, and the attacker's are let go")
  func noMemory() throws {
    let scene = try Scene(memoryBudgetBytes: 1 << 20)
    var taken: [Buffer] = []
    let pool = scene.target.reactors[0].buffers
    while let buffer = pool.allocate(4096) { taken.append(buffer) }
    let tag = scene.honest.sendCommand(
      ScriptedInitiator.cdb16(0x88, 8, 8), expected: 4096, isRead: true)
    scene.target.pass(milliseconds: 500)
    for buffer in taken { pool.release(buffer) }
    let answer = scene.honest.receive(seconds: 1) { $0.header.initiatorTaskTag == tag }
    #expect(answer != nil)
    #expect(scene.honestIsServed)
    #expect(scene.endsClean())
  }

  @Test("T-DOS-4 An initiator that does not read its answers is closed, and others go on")
  func neverReads() throws {
    let scene = try Scene(diskBytes: 1 << 20)
    scene.attacker.peer.isReading = false
    for _ in 0..<100 {
      scene.attacker.sendCommand(
        ScriptedInitiator.cdb16(0x88, 0, 512), expected: 262_144, isRead: true)
    }
    #expect(onlyHonestIsLeft(scene))
    #expect(scene.endsClean())
  }

  /// Whether within a minute, in which the honest session works all the time, the attacker's
  /// connection is closed.
  private func onlyHonestIsLeft(_ scene: Scene) -> Bool {
    for _ in 0..<60 {
      guard scene.honestIsServed else { return false }
      if scene.target.world.openSocketCount == 1 { return true }
      scene.target.pass(milliseconds: 1000)
    }
    return false
  }

  @Test("T-DOS-4 NOPs whose answers nobody reads take bounded memory")
  func nopsNeverRead() throws {
    let scene = try Scene()
    scene.attacker.peer.isReading = false
    let data = [UInt8](repeating: 1, count: 16)
    for _ in 0..<20_000 { scene.attacker.send(scene.attacker.nop(data: data).header, data: data) }
    scene.target.pass(milliseconds: 1000)
    #expect(scene.lentBytes < 2 << 20)
    #expect(onlyHonestIsLeft(scene))
    #expect(scene.endsClean())
  }

  @Test("T-DOS-5 A flood of NOPs, texts and task management does not starve another session")
  func controlFlood() throws {
    let scene = try Scene()
    for round in 0..<50 {
      for _ in 0..<100 { scene.attacker.send(scene.attacker.nop().header) }
      for _ in 0..<20 { scene.attacker.sendManagement(.logicalUnitReset) }
      let before = scene.target.world.now
      #expect(scene.honestIsServed, "round \(round)")
      #expect(scene.target.world.now.milliseconds(since: before) < Milliseconds(20))
    }
    #expect(scene.endsClean())
  }

  // MARK: Races

  @Test("T-RACE-1 Bytes right behind a login PDU are harmless", arguments: [1, 48, 4095, 65536])
  func behindLogin(count: Int) throws {
    let target = try SimulatedTarget(seed: 3, targets: [Scene.definition()], reactorCount: 2)
    for round in 0..<40 {
      let initiator = ScriptedInitiator(target)
      initiator.initiatorName = Scene.honestName
      initiator.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0000 + UInt64(round / 4))
      let fill = [UInt8(0), 0xFF, 0x43, 0x01][round % 4]
      initiator.sendLogin([
        ("InitiatorName", initiator.initiatorName), ("TargetName", Example.name),
      ])
      initiator.peer.send([UInt8](repeating: fill, count: count))
      target.pass(milliseconds: 20)
      initiator.peer.close()
    }
    #expect(
      target.run {
        target.world.openSocketCount == 0 && target.context.sessions.count == 0
          && target.reactors.allSatisfy { $0.buffers.lentBytes == 0 }
      })
  }

  @Test(
    "T-RACE-1 Commands pipelined behind the last login PDU reach the session, wherever it lives")
  func pipelined() throws {
    for seed in UInt64(0)..<20 {
      let target = try SimulatedTarget(seed: seed, targets: [Example.open()], reactorCount: 2)
      let crowd = (0..<Int(seed % 3)).map { _ in target.world.connect(to: SimulatedTarget.portal) }
      target.pass(milliseconds: 1)
      // The second login is a reinstatement, whose session may live on the other reactor.
      for round in 0..<3 {
        let initiator = ScriptedInitiator(target)
        initiator.sendLogin([
          ("InitiatorName", initiator.initiatorName), ("TargetName", Example.name),
        ])
        let ping = initiator.nop()
        initiator.send(ping.header)
        let answer = initiator.receive(seconds: 20) { $0.header.initiatorTaskTag == ping.tag }
        #expect(answer != nil, "seed \(seed), round \(round)")
      }
      _ = crowd
    }
  }

  @Test("T-RACE-2 Thousands of sessions that end at any moment leave nothing behind")
  func abruptEnds() throws {
    let scene = try Scene(reactors: 2)
    let world = scene.target.world
    for cycle in 0..<3000 {
      let initiator = ScriptedInitiator(scene.target)
      initiator.initiatorName = Scene.attackerName
      initiator.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0100 + world.pick(0...3))
      initiator.sendLogin([("InitiatorName", Scene.attackerName), ("TargetName", Example.name)])
      scene.target.pass(milliseconds: world.pick(0...2))
      for _ in 0..<world.pick(0...4) {
        if world.pick(0...1) == 0 {
          initiator.sendCommand(
            ScriptedInitiator.cdb16(0x88, 0, 64), expected: 32768, isRead: true)
        } else {
          initiator.sendWrite(
            blocks: 8, lun: Scene.protected, immediateData: [UInt8](repeating: 1, count: 4096))
        }
      }
      scene.target.pass(milliseconds: world.pick(0...2))
      if cycle % 2 == 0 { initiator.peer.reset() } else { initiator.peer.close() }
    }
    #expect(scene.honestIsServed)
    #expect(scene.isUnchanged)
    #expect(scene.endsClean())
  }

  @Test("T-LEAK-1 No answer shows poison or the bytes of another session")
  func noLeak() throws {
    let scene = try Scene()
    // Poisons the pool through the attacker's own memory: what the honest one reads and what nobody
    // wrote must not come back in any answer.
    let pool = scene.target.reactors[0].buffers
    var buffers: [Buffer] = []
    for size in [4096, 16384, 65536] {
      for _ in 0..<16 {
        guard let buffer = pool.allocate(size) else { continue }
        buffer.fill(0..<buffer.capacity, with: 0xA5)
        buffers.append(buffer)
      }
    }
    for buffer in buffers { pool.release(buffer) }
    var poisoned: [UInt8] = []
    for opcode in UInt8(0)...255 {
      for expected in [UInt32(1), 255, 65536] {
        var cdb = [UInt8](repeating: 0, count: 16)
        cdb[0] = opcode
        // ALLOCATION LENGTH, wherever it may be, is large.
        for index in 6..<14 { cdb[index] = index % 2 == 0 ? 0 : 0xFF }
        if [0x12, 0x1A, 0x03].contains(opcode) { cdb[3] = 0xFF }
        let tag = scene.attacker.sendCommand(cdb, expected: expected, isRead: true)
        guard let outcome = scene.attacker.finish(tag) else { continue }
        if outcome.data.count >= 4,
          zip(outcome.data, outcome.data.dropFirst(3)).contains(where: { $0 == 0xA5 && $1 == 0xA5 })
        {
          poisoned.append(opcode)
        }
      }
    }
    #expect(poisoned.isEmpty)
    #expect(scene.endsClean())
  }
}
