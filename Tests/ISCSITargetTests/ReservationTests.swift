import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSIModel
import TargetSimulation
import Testing

/// Fences as clusters use them: over sessions on several reactors, in the middle of traffic.
@Suite("Reservations over sessions")
struct ReservationTests {
  static let conflict = SCSIStatus.reservationConflict.rawValue

  @Test("A fence answers when the victim's write in flight has ended, and later ones never land")
  func fence() throws {
    let target = try SimulatedTarget(seed: 71, targets: [Example.open()], reactorCount: 3)
    let nodes = try Self.cluster(target, count: 4)
    let (tag, hang) = try TaskManagementTests.hungWrite(nodes[1], target)
    let data = Example.pattern(4096)
    let collecting = nodes[1].startWrite(64, data)
    let request = ReadyToTransfer(try #require(nodes[1].receive(.readyToTransfer)).header)
    let fence = nodes[0].startReserve(.preemptAndAbort, key: 1, new: 2)
    target.pass(milliseconds: 2_000)
    #expect(nodes[0].inbox.isEmpty)
    #expect(nodes[2].write(200, data)?.status == 0)
    hang.release()
    #expect(nodes[0].finish(fence)?.status == 0)
    let landed = try target.disk().writesLanded.count
    nodes[1].sendDataOut(
      collecting, transferTag: request.targetTransferTag, offset: request.bufferOffset, data)
    target.pass(milliseconds: 100)
    // With TAS, the default, the victim's kernel need not wait for what was aborted.
    for aborted in [tag, collecting] { #expect(nodes[1].finish(aborted)?.status == 0x40) }
    #expect(nodes[1].attention() == 0x06_2A_05)
    while nodes[1].attention() != 0 {}
    #expect(nodes[1].write(0, data)?.status == Self.conflict)
    #expect(nodes[1].read(0, 1)?.status == 0)
    #expect(try target.disk().writesLanded.count == landed)
    #expect(nodes[2].write(0, data)?.status == 0)
    #expect(nodes[3].keys() == [1, 3, 4])
    #expect(target.isIdle(after: nodes))
  }

  @Test("A fencer that is lost while it waits has fenced, and is still registered when it returns")
  func lostFencer() throws {
    let target = try SimulatedTarget(seed: 72, targets: [Example.open()], reactorCount: 2)
    let nodes = try Self.cluster(target, count: 3)
    let (_, hang) = try TaskManagementTests.hungWrite(nodes[1], target)
    nodes[0].startReserve(.preemptAndAbort, key: 1, new: 2)
    target.pass(milliseconds: 100)
    nodes[0].peer.reset()
    target.pass(milliseconds: 100)
    #expect(nodes[2].keys() == [1, 2, 3])
    hang.release()
    target.pass(milliseconds: 100)
    #expect(nodes[2].keys() == [1, 3])
    let again = try ScriptedInitiator.loggedIn(target, number: 1)
    #expect(again.write(0, Example.pattern(512))?.status == 0)
    #expect(again.reserve(.preempt, key: 1, new: 3) == 0)
    #expect(again.keys() == [1])
    #expect(target.isIdle(after: nodes + [again]))
  }

  @Test("Another ISID is another nexus, and logout keeps the registration")
  func identity() throws {
    let target = try SimulatedTarget(seed: 73, targets: [Example.open()], reactorCount: 2)
    let nodes = try Self.cluster(target, count: 2)
    let other = ScriptedInitiator(target)
    other.initiatorName = nodes[1].initiatorName
    other.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0002)
    #expect(other.login(to: Example.name) == 0)
    other.clearUnitAttention()
    #expect(other.write(0, Example.pattern(512))?.status == Self.conflict)
    #expect(nodes[1].logout(.closeSession) == .closed)
    let again = try ScriptedInitiator.loggedIn(target, number: 2)
    #expect(again.write(0, Example.pattern(512))?.status == 0)
    #expect(target.isIdle(after: nodes + [other, again]))
  }

  /// The answer may reach the initiator while its connection, and so its nexus, still closes.
  @Test("A logout that is answered has ended its RESERVE", arguments: 0..<16)
  func legacyReservation(seed: UInt64) throws {
    let target = try SimulatedTarget(
      seed: 7_500 + seed, targets: [Example.open()], reactorCount: 3)
    let nodes = try (1...3).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    let reserve: [UInt8] = [0x16, 0, 0, 0, 0, 0]
    #expect(nodes[0].command(reserve)?.status == 0)
    #expect(nodes[1].command(reserve)?.status == Self.conflict)
    let reason: LogoutReason = seed % 2 == 0 ? .closeSession : .closeConnection
    target.world.latencies.completion = 5_000_000...20_000_000
    #expect(nodes[0].logout(reason) == .closed)
    #expect(nodes[1].command(reserve)?.status == 0)
    #expect(target.isIdle(after: nodes))
  }

  @Test(
    "Under slow disks and full queues nothing of the victim lands after GOOD", arguments: 0..<16)
  func race(seed: UInt64) throws {
    let target = try SimulatedTarget(
      seed: 7_400 + seed, targets: [Example.open()], reactorCount: 3,
      startsWithWriteCache: seed % 2 == 0)
    let nodes = try Self.cluster(target, count: 3)
    target.world.latencies.diskWrite = 50_000...30_000_000
    let disk = try target.disk()
    for round in 0..<10 {
      Self.attack(nodes[1], round: round, delay: target.world.pick(0...3), target)
    }
    let aborts = seed % 3 != 0
    #expect(disk.operationsInFlight > 4)
    let fence = nodes[0].startReserve(aborts ? .preemptAndAbort : .preempt, key: 1, new: 2)
    for round in 10..<16 {
      Self.attack(nodes[1], round: round, delay: target.world.pick(0...3), target)
    }
    #expect(nodes[0].finish(fence)?.status == 0)
    let landed = disk.writesLanded.count
    for round in 16..<20 { Self.attack(nodes[1], round: round, delay: 10, target) }
    target.pass(milliseconds: 500)
    #expect(disk.writesLanded.count == landed)
    #expect(nodes[2].keys() == [1, 3])
    #expect(target.isIdle(after: nodes))
  }

  /// A few writes of the victim in several styles, and answers to the R2Ts that came.
  private static func attack(
    _ victim: ScriptedInitiator, round: Int, delay: UInt32, _ target: SimulatedTarget
  ) {
    let data = Example.pattern(8 * 512)
    for number in 0..<4 {
      _ = victim.startWrite(
        UInt64(round * 40 + number * 8), data, style: WriteStyle(immediate: number * 1024))
    }
    target.pass(milliseconds: delay)
    while let index = victim.inbox.firstIndex(where: { $0.header.opcode == .readyToTransfer }) {
      let header = victim.inbox[index].header
      guard
        let pdu = victim.receive(
          seconds: 1, where: { $0.header.bytes.isSame(as: header.bytes) })
      else { return }
      let request = ReadyToTransfer(pdu.header)
      let start = Int(request.bufferOffset)
      victim.sendDataOut(
        pdu.header.initiatorTaskTag, transferTag: request.targetTransferTag,
        offset: request.bufferOffset,
        Array(data[start..<start + Int(request.desiredDataTransferLength)]))
    }
  }

  /// Nodes 1 to `count`, each registered with its number; the second holds a reservation that
  /// admits registrants to write.
  static func cluster(
    _ target: SimulatedTarget, count: Int
  ) throws -> [ScriptedInitiator] {
    let nodes = try (1...count).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    for (index, node) in nodes.enumerated() {
      try #require(node.reserve(.register, key: 0, new: UInt64(index + 1)) == 0)
    }
    try #require(nodes[1].reserve(.reserve, key: 2) == 0)
    return nodes
  }
}

extension InlineArray where Element == UInt8 {
  fileprivate func isSame(as other: Self) -> Bool { indices.allSatisfy { self[$0] == other[$0] } }
}

extension ScriptedInitiator {
  /// Sends a PERSISTENT RESERVE OUT, write exclusive registrants only.
  @discardableResult
  func startReserve(
    _ action: PersistentReserveOut.Action, key: UInt64, new: UInt64 = 0
  ) -> InitiatorTaskTag {
    var list = ByteWriter()
    list.uint64(key)
    list.uint64(new)
    list.zeros(8)
    return sendCommand(
      [0x5F, action.rawValue, 5, 0, 0, 0, 0, 0, 24, 0], expected: 24, isWrite: true,
      immediateData: list.bytes)
  }

  func reserve(_ action: PersistentReserveOut.Action, key: UInt64, new: UInt64 = 0) -> UInt8? {
    finish(startReserve(action, key: key, new: new))?.status
  }

  /// What READ KEYS tells, ascending.
  func keys() -> [UInt64] {
    guard let data = command([0x5E, 0, 0, 0, 0, 0, 0, 0x10, 0, 0], expected: 4096)?.data else {
      return []
    }
    return stride(from: 8, to: data.count, by: 8).map { start in
      data[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }.sorted()
  }
}
