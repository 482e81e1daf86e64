import Bytes
import ISCSIModel
import Reactor
import TargetSimulation
import Testing

@testable import ISCSITarget

/// Whatever some do with the memory and the places of a reactor, there is some left for the others.
@Suite("Shares of memory")
struct MemoryShareTests {
  @Test("T-DOS-2 Discovery sessions that read no answers take no more than the share of strangers")
  func discoveryPings() throws {
    let budget = 16 << 20
    let scene = try Scene(memoryBudgetBytes: budget)
    let before = scene.lentBytes
    let data = [UInt8](repeating: 1, count: 8192)
    var crowd: [ScriptedInitiator] = []
    for _ in 0..<60 {
      let stranger = ScriptedInitiator(scene.target)
      try #require(stranger.login(to: "", discovery: true) == 0)
      stranger.peer.isReading = false
      for _ in 0..<120 { stranger.send(stranger.nop(data: data).header, data: data) }
      crowd.append(stranger)
    }
    scene.target.pass(milliseconds: 1000)
    #expect(scene.lentBytes - before <= budget / 8)
    #expect(crowd.last?.isClosed == false)
    #expect(scene.honestIsServed)
    let late = ScriptedInitiator(scene.target)
    late.initiatorName = Scene.honestName
    late.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0055)
    #expect(late.login(to: Example.name) == 0)
    for initiator in crowd + [late] { initiator.peer.close() }
    #expect(scene.endsClean())
  }

  @Test("A connection whose pings are not read has memory for few of them")
  func pingMemory() throws {
    let (target, initiator) = try Example.session()
    let idle = target.reactors[0].buffers.lentBytes
    initiator.peer.isReading = false
    let data = [UInt8](repeating: 1, count: 8192)
    for _ in 0..<200 { initiator.ping(tag: initiator.takeTag(), data: data) }
    target.pass(milliseconds: 1000)
    #expect(target.reactors[0].buffers.lentBytes - idle <= 32 << 10)
    initiator.peer.isReading = true
    target.pass(milliseconds: 2000)
    #expect(initiator.inbox.count { $0.header.opcode == .nopIn } == 200)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A discovery session keeps next to nothing of PDUs whose turn has not come")
  func discoveryHolds() throws {
    let target = try SimulatedTarget(seed: 12, targets: [Example.open()])
    let stranger = ScriptedInitiator(target)
    try #require(stranger.login(to: "", discovery: true) == 0)
    _ = stranger.takeCmdSN()
    let data = [UInt8](repeating: 1, count: 8192)
    for _ in 0..<6 { stranger.ping(tag: stranger.takeTag(), isImmediate: false, data: data) }
    #expect(stranger.waitForClose(seconds: 1))
    #expect(target.isIdle(after: []))
  }

  @Test("What a session holds out of order counts as its own: another's command is served")
  func heldData() throws {
    let budget = 4 << 20
    let target = try SimulatedTarget(
      seed: 13, targets: [Example.open()], memoryBudgetBytes: budget)
    let other = try ScriptedInitiator.loggedIn(target, number: 2)
    let greedy = try ScriptedInitiator.loggedIn(target)
    let idle = target.reactors[0].buffers.lentBytes
    _ = greedy.takeCmdSN()
    let data = [UInt8](repeating: 1, count: 65_536)
    var most = 0
    for _ in 0..<100 {
      _ = greedy.startWrite(0, data, style: WriteStyle(immediate: data.count))
      target.pass(milliseconds: 2)
      most = max(most, target.reactors[0].buffers.lentBytes - idle)
    }
    #expect(most <= budget / 2)
    #expect(greedy.isClosed)
    #expect(other.read(0, 128)?.status == 0)
    #expect(target.isIdle(after: [other]))
  }

  @Test("A disk that hangs, and sessions that want all of it, leave memory for others and logins")
  func hungDisk() throws {
    let scene = try Scene(diskBytes: 1 << 20, memoryBudgetBytes: 16 << 20)
    let hang = try #require(scene.target.disks["scratch"]).inject(
      DiskFault(.hang, on: .read, count: nil))
    var crowd: [ScriptedInitiator] = []
    for number in 0..<4 {
      let busy = ScriptedInitiator(scene.target)
      busy.initiatorName = Scene.attackerName
      busy.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0100 + UInt64(number))
      try #require(busy.login(to: Example.name) == 0)
      busy.clearUnitAttention()
      for blocks: UInt32 in [2048, 512, 128, 32, 8] {
        for _ in 0..<20 {
          busy.sendCommand(
            ScriptedInitiator.cdb16(0x88, 0, blocks), expected: blocks * 512, isRead: true)
        }
        scene.target.pass(milliseconds: 20)
      }
      crowd.append(busy)
    }
    // Half, and the first command of each session as far as a quarter is left.
    #expect(hang.heldCount > 0 && scene.lentBytes <= 12 << 20)
    #expect(scene.honestIsServed)
    let late = ScriptedInitiator(scene.target)
    late.initiatorName = Scene.honestName
    late.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0055)
    #expect(late.login(to: Example.name) == 0)
    hang.release()
    for initiator in crowd + [late] { initiator.peer.close() }
    #expect(scene.endsClean())
  }

  @Test("The longest transfer that the unit promises is served, however small the memory")
  func longestTransfer() throws {
    let target = try SimulatedTarget(
      seed: 14, targets: [Example.open()], diskBytes: 17 << 20, memoryBudgetBytes: 8 << 20)
    let initiator = try ScriptedInitiator.loggedIn(target)
    let page = try #require(initiator.command([0x12, 1, 0xB0, 0, 64, 0], expected: 64)).data
    let blocks = page[8..<12].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    #expect(blocks == (4 << 20) / 512)
    let longest = initiator.read(0, blocks)
    #expect(longest?.status == 0 && longest?.data.count == 4 << 20)
    #expect(initiator.read(0, blocks + 1)?.sense == 0x05_24_00)
    #expect(initiator.read(0, 32_768)?.sense == 0x05_24_00)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Of the logins that wait for a connection to end the newest few are kept")
  func departures() throws {
    let target = try SessionTests.target()
    let first = try ScriptedInitiator.loggedIn(target)
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    _ = first.startWrite(0, SessionTests.oldData(), style: WriteStyle(immediate: 512))
    target.pass(milliseconds: 50)
    var crowd: [ScriptedInitiator] = []
    for _ in 0..<40 {
      let again = first.sibling(target, connectionID: 0)
      SessionTests.sendLogin(again)
      target.pass(milliseconds: 10)
      crowd.append(again)
    }
    let session = try #require(target.workers[0].sessions(ofTarget: Example.name).first)
    #expect(session.departures.count == Session.successorsMax)
    hang.release()
    #expect(try #require(crowd[39].receive(.loginResponse)).loginStatus == 0)
    #expect(target.isIdle(after: crowd))
  }

  @Test("A stray Data-Out does not make a command that is answered meanwhile answer again")
  func strayDataOut() throws {
    let scene = try Scene(diskBytes: 1 << 20)
    let attacker = scene.attacker
    attacker.peer.isReading = false
    for _ in 0..<16 {
      attacker.sendCommand(
        ScriptedInitiator.cdb16(0x88, 0, 256), expected: 131_072, isRead: true)
    }
    scene.target.pass(milliseconds: 100)
    let tag = attacker.sendWrite(blocks: 8, lun: Scene.protected)
    var header = BasicHeaderSegment(opcode: .dataOut)
    header.isFinal = true
    header.lun = Scene.protected
    header.initiatorTaskTag = tag
    header.bytes.setBigEndian(TargetTransferTag.reserved.rawValue, at: 20)
    let stray = attacker.encode(header, [], [UInt8](repeating: 0xEE, count: 4096))
    attacker.peer.send(Array(stray[..<2000]))
    scene.target.pass(milliseconds: 100)
    attacker.peer.isReading = true
    scene.target.pass(milliseconds: 500)
    let answers = { attacker.inbox.count { $0.header.initiatorTaskTag == tag } }
    #expect(answers() == 1)
    attacker.peer.send(Array(stray[2000...]))
    scene.target.pass(milliseconds: 100)
    #expect(answers() == 1)
    #expect(attacker.isAnswered())
    #expect(scene.isUnchanged)
    #expect(scene.endsClean())
  }
}
