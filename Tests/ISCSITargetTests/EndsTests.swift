import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

/// How connections and sessions end when nobody did anything wrong, or nobody is there any more.
@Suite("Ends")
struct EndsTests {
  static func target(
    interval: UInt32 = 10, timeout: UInt32 = 10, limits: ServerLimits = ServerLimits(),
    reactors: Int = 1
  ) throws -> SimulatedTarget {
    var definition = Example.open()
    definition.session.nopInterval = .seconds(interval)
    definition.session.nopTimeout = .seconds(timeout)
    return try SimulatedTarget(
      seed: 31, targets: [definition], reactorCount: reactors, limits: limits)
  }

  @Test(
    "An initiator that falls silent is closed within a second after interval and timeout",
    arguments: [(10, 10), (2, 3), (10, 1), (1, 20)])
  func silence(interval: UInt32, timeout: UInt32) throws {
    let target = try EndsTests.target(interval: interval, timeout: timeout)
    let initiator = try ScriptedInitiator.loggedIn(target)
    initiator.peer.cut()
    target.pass(milliseconds: (interval + timeout) * 1000 - 500)
    #expect(target.context.sessions.count == 1)
    target.pass(milliseconds: 1600)
    #expect(target.context.sessions.count == 0)
    #expect(target.isIdle(after: []))
    withExtendedLifetime(initiator) {}
  }

  @Test("An initiator that answers pings stays, however long it has nothing to say")
  func answering() throws {
    let target = try EndsTests.target()
    let initiator = try ScriptedInitiator.loggedIn(target)
    for _ in 0..<20 {
      let ping = try #require(initiator.receive(.nopIn, seconds: 15))
      let nopIn = NopIn(ping.header)
      #expect(nopIn.initiatorTaskTag == .reserved)
      #expect(nopIn.targetTransferTag != .reserved)
      #expect(nopIn.numbers.statSN == initiator.expStatSN)
      initiator.pong(ping)
    }
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Anything heard counts as a sign of life")
  func anyTraffic() throws {
    let target = try EndsTests.target()
    let initiator = try ScriptedInitiator.loggedIn(target)
    for _ in 0..<30 {
      target.pass(milliseconds: 5000)
      #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    }
    #expect(initiator.inbox.isEmpty)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("An interval of zero asks never")
  func noKeepAlive() throws {
    let target = try EndsTests.target(interval: 0)
    let initiator = try ScriptedInitiator.loggedIn(target)
    target.pass(milliseconds: 3_600_000)
    #expect(initiator.inbox.isEmpty)
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  // MARK: Logout

  @Test("A session logout is answered after its commands have ended, then the connection closes")
  func sessionLogout() throws {
    let (target, initiator) = try Example.session()
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    let tag = initiator.startWrite(0, Example.pattern(512), style: WriteStyle(immediate: 512))
    target.pass(milliseconds: 50)
    #expect(hang.heldCount == 1)
    initiator.sendLogout(.closeSession)
    target.pass(milliseconds: 5_000)
    #expect(initiator.inbox.isEmpty)
    hang.release()
    let response = try #require(initiator.receive(.logoutResponse))
    #expect(LogoutResponse(response.header).response == .closed)
    #expect(try target.disk().writesLanded.count == 1)
    #expect(initiator.waitForClose(seconds: 1))
    #expect(!initiator.inbox.contains { $0.header.initiatorTaskTag == tag })
    #expect(target.isIdle(after: []))
  }

  @Test("A logout of this connection ends a session of one connection")
  func connectionLogout() throws {
    let (target, initiator) = try Example.session()
    #expect(initiator.logout(.closeConnection, connectionID: 9) == .connectionNotFound)
    #expect(initiator.logout(.removeConnectionForRecovery) == .recoveryNotSupported)
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(initiator.logout(.closeConnection) == .closed)
    #expect(initiator.waitForClose(seconds: 1))
    #expect(target.isIdle(after: []))
  }

  // MARK: Stop

  @Test("A stop asks every initiator to log out; when all have, it is complete")
  func orderlyStop() throws {
    let target = try EndsTests.target(reactors: 2)
    let initiators = try (1...4).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    let halfOpen = ScriptedInitiator(target)
    target.pass(milliseconds: 10)
    var stopped = 0
    for worker in target.workers { worker.stop(grace: .seconds(10)) { stopped += 1 } }
    for initiator in initiators {
      let message = try #require(initiator.receive(.asynchronousMessage, seconds: 1))
      let asked = AsynchronousMessage(message.header)
      #expect(asked.event == .logoutRequest)
      #expect(asked.parameter3 == 10)
    }
    #expect(halfOpen.isClosed)
    #expect(stopped == 0)
    // Commands are served until the logout.
    #expect(initiators[0].command(ScriptedInitiator.testUnitReady)?.status == 0)
    for initiator in initiators { #expect(initiator.logout(.closeSession) == .closed) }
    target.pass(milliseconds: 100)
    #expect(stopped == 2)
    #expect(target.isIdle(after: []))
  }

  @Test("A stop closes after the grace who does not log out, and waits for their writes")
  func stopWithoutLogout() throws {
    let (target, initiator) = try Example.session()
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    _ = initiator.startWrite(0, Example.pattern(512), style: WriteStyle(immediate: 512))
    target.pass(milliseconds: 50)
    var isStopped = false
    target.workers[0].stop(grace: .seconds(3)) { isStopped = true }
    target.pass(milliseconds: 2_900)
    #expect(!initiator.isClosed)
    target.pass(milliseconds: 200)
    #expect(initiator.isClosed)
    #expect(!isStopped)
    hang.release()
    target.pass(milliseconds: 100)
    #expect(isStopped)
    #expect(target.isIdle(after: []))
  }

  @Test("A stop does not wait for an initiator that is cut off, but for its writes")
  func stopWithoutPeer() throws {
    let target = try EndsTests.target()
    let polite = try ScriptedInitiator.loggedIn(target, number: 1)
    let gone = try ScriptedInitiator.loggedIn(target, number: 2)
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    _ = gone.startWrite(0, Example.pattern(512), style: WriteStyle(immediate: 512))
    target.pass(milliseconds: 50)
    #expect(hang.heldCount == 1)
    gone.peer.cut()
    var isStopped = false
    target.workers[0].stop(grace: .seconds(10)) { isStopped = true }
    #expect(polite.logout(.closeSession) == .closed)
    target.pass(milliseconds: 500)
    #expect(target.world.openSocketCount == 1, "one packet may be lost")
    target.pass(milliseconds: 600)
    #expect(target.world.openSocketCount == 0)
    #expect(!isStopped, "its write may still land")
    hang.release()
    target.pass(milliseconds: 100)
    #expect(isStopped)
    #expect(target.isIdle(after: []))
    withExtendedLifetime(gone) {}
  }

  @Test("A stop waits for an initiator that is slow and acknowledges")
  func stopWithSlowPeer() throws {
    let (target, initiator) = try Example.session()
    target.world.latencies.network = 700_000_000...700_000_000
    var isStopped = false
    target.workers[0].stop(grace: .seconds(3)) { isStopped = true }
    target.pass(milliseconds: 1_500)
    #expect(!initiator.isClosed && !isStopped)
    #expect(initiator.logout(.closeSession) == .closed)
    #expect(isStopped)
    #expect(target.isIdle(after: []))
  }

  @Test("A stop while a login waits for its predecessor's write waits for the write only")
  func stopDuringReinstatement() throws {
    let target = try EndsTests.target(reactors: 2)
    let old = try ScriptedInitiator.loggedIn(target)
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    _ = old.startWrite(0, Example.pattern(512), style: WriteStyle(immediate: 512))
    target.pass(milliseconds: 50)
    let new = SessionTests.successor(of: old, target)
    SessionTests.sendLogin(new)
    target.pass(milliseconds: 50)
    var stopped = 0
    for worker in target.workers { worker.stop(grace: .seconds(3)) { stopped += 1 } }
    target.pass(milliseconds: 5_000)
    #expect(new.isClosed)
    #expect(stopped == 1)
    hang.release()
    target.pass(milliseconds: 100)
    #expect(stopped == 2)
    #expect(target.isIdle(after: []))
  }

  @Test("A connection that arrives after the stop is closed at once")
  func connectionAfterStop() throws {
    let target = try EndsTests.target()
    var isStopped = false
    target.workers[0].stop(grace: .seconds(3)) { isStopped = true }
    #expect(isStopped)
    let initiator = ScriptedInitiator(target)
    #expect(initiator.waitForClose(seconds: 1))
    #expect(target.isIdle(after: []))
  }

  // MARK: Broken connections

  @Test("A lost connection aborts its commands, and what is in flight ends before the memory goes")
  func connectionLost() throws {
    let (target, initiator) = try Example.session()
    let hang = try target.disk().inject(DiskFault(.hang, count: nil))
    for number in 0..<8 {
      _ = initiator.startWrite(
        UInt64(number), Example.pattern(512), style: WriteStyle(immediate: 512))
      initiator.sendCommand(ScriptedInitiator.read16(0, 8), expected: 4096, isRead: true)
    }
    _ = initiator.startWrite(100, Example.pattern(512))  // Its R2T is never answered.
    target.pass(milliseconds: 50)
    #expect(hang.heldCount == 16)
    initiator.peer.reset()
    target.pass(milliseconds: 10_000)
    #expect(target.world.openSocketCount == 0)
    #expect(target.context.sessions.count == 1)
    #expect(target.reactors[0].buffers.lentBytes > 0)
    hang.release()
    #expect(target.isIdle(after: []))
    #expect(try target.disk().writesLanded.count == 8)
  }

  @Test("A connection cut off in the middle of a PDU leaves nothing behind", arguments: 0...120)
  func cutInPDU(count: Int) throws {
    let (target, initiator) = try Example.session()
    var header = BasicHeaderSegment(opcode: .scsiCommand)
    header.bytes[1] = 0xA1
    header.initiatorTaskTag = initiator.takeTag()
    header.bytes.setBigEndian(UInt32(512), at: 20)
    header.bytes.setBigEndian(initiator.takeCmdSN().rawValue, at: 24)
    let cdb = ScriptedInitiator.write16(0, 1)
    for (index, byte) in cdb.enumerated() { header.bytes[32 + index] = byte }
    let bytes = initiator.encode(header, [], Example.pattern(512))
    initiator.peer.send(Array(bytes.prefix(count)))
    target.pass(milliseconds: 20)
    #expect(target.isIdle(after: [initiator]))
    #expect(try target.disk().writesLanded.isEmpty)
  }

  @Test("A reader that stalls holds bounded memory and is closed after the send timeout")
  func stalledReader() throws {
    var limits = ServerLimits()
    limits.sendTimeout = .seconds(20)
    var definition = Example.open()
    definition.session.nopInterval = Milliseconds(0)
    let target = try SimulatedTarget(seed: 33, targets: [definition], limits: limits)
    let initiator = try ScriptedInitiator.loggedIn(target)
    initiator.peer.isReading = false
    for _ in 0..<128 {
      initiator.sendCommand(ScriptedInitiator.read16(0, 128), expected: 65_536, isRead: true)
    }
    target.pass(milliseconds: 19_000)
    #expect(!initiator.isClosed)
    #expect(target.reactors[0].buffers.lentBytes <= 128 * 65_536 + (1 << 20))
    target.pass(milliseconds: 6_500)
    #expect(target.world.openSocketCount == 0)
    #expect(target.isIdle(after: []))
    withExtendedLifetime(initiator) {}
  }

  @Test("Pings that are never read stop being answered, and the memory for them is bounded")
  func pingFlood() throws {
    let (target, initiator) = try Example.session()
    initiator.peer.isReading = false
    let idle = target.reactors[0].buffers.lentBytes
    for _ in 0..<3_000 {
      initiator.ping(tag: initiator.takeTag(), data: Array(repeating: 1, count: 4000))
    }
    target.pass(milliseconds: 2_000)
    #expect(target.reactors[0].buffers.lentBytes - idle < 4 << 20)
    initiator.peer.isReading = true
    target.pass(milliseconds: 5_000)
    #expect(initiator.inbox.filter { $0.header.opcode == .nopIn }.count == 3_000)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Answers leave although other sessions have used the memory up")
  func answersWithoutMemory() throws {
    let target = try SimulatedTarget(
      seed: 34, targets: [Example.open()], memoryBudgetBytes: 2 << 20)
    let modest = try ScriptedInitiator.loggedIn(target, number: 1)
    // One session gets half of the memory at most.
    let greedy = try (2...4).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    let hang = try target.disk().inject(DiskFault(.hang, on: .read, count: nil))
    for initiator in greedy {
      for _ in 0..<64 {
        initiator.sendCommand(ScriptedInitiator.read16(0, 8), expected: 4096, isRead: true)
        initiator.sendCommand(ScriptedInitiator.read16(0, 128), expected: 65_536, isRead: true)
      }
    }
    target.pass(milliseconds: 100)
    let hasRefusals = greedy.allSatisfy { initiator in
      initiator.inbox.contains { SCSIResponse($0.header).status == 8 }
    }
    #expect(hasRefusals)
    // What the unit leaves to others they use up, too.
    let pool = target.reactors[0].buffers
    var taken: [Buffer] = []
    while let buffer = pool.allocate(4096) { taken.append(buffer) }
    let refused = modest.finish(
      modest.sendCommand(ScriptedInitiator.read16(0, 128), expected: 65_536, isRead: true))
    #expect(refused?.status == 8)
    let before = target.world.now
    #expect(modest.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.world.now.milliseconds(since: before) < .seconds(1))
    for buffer in taken { pool.release(buffer) }
    hang.release()
    #expect(target.isIdle(after: greedy + [modest]))
  }

  @Test("One session cannot take the memory of all: another's command is served")
  func sessionShare() throws {
    let target = try SimulatedTarget(
      seed: 35, targets: [Example.open()], memoryBudgetBytes: 2 << 20)
    let greedy = try ScriptedInitiator.loggedIn(target, number: 1)
    let modest = try ScriptedInitiator.loggedIn(target, number: 2)
    // Writes whose data never comes.
    for _ in 0..<64 {
      greedy.sendCommand(ScriptedInitiator.write16(0, 128), expected: 65_536, isWrite: true)
    }
    target.pass(milliseconds: 100)
    #expect(greedy.inbox.contains { SCSIResponse($0.header).status == 8 })
    #expect(modest.read(0, 128)?.status == 0)
    #expect(target.isIdle(after: [greedy, modest]))
  }
}
