import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

/// What one initiator must not get or do by way of another's session, or of a connection that is
/// gone.
@Suite("Rights and lost connections")
struct RightsTests {
  @Test("A connection cannot join a session that was made by another rule")
  func joinByWeakerRule() throws {
    let name = "iqn.2026-11.com.example:node1"
    var definition = Example.open()
    definition.admitsAnyInitiator = false
    definition.accessEntries = [
      AccessEntry(
        initiator: name, addresses: [try #require(AddressRange("10.0.0.2"))]),
      AccessEntry(initiator: name, isReadOnly: true),
    ]
    let target = try SimulatedTarget(seed: 8, targets: [definition])
    let keys = [("MaxConnections", "2")]
    let owner = ScriptedInitiator(target, from: "10.0.0.2:5000")
    try #require(owner.login(to: Example.name, keys) == 0)
    owner.clearUnitAttention()
    let thief = ScriptedInitiator(target, from: "10.0.0.9:5000")
    thief.tsih = owner.tsih
    thief.connectionID = ConnectionID(rawValue: 1)
    #expect(thief.login(to: Example.name, keys) == 0x0208)
    let evictor = ScriptedInitiator(target, from: "10.0.0.9:5001")
    evictor.tsih = owner.tsih
    #expect(evictor.login(to: Example.name, keys) == 0x0208)
    #expect(owner.write(0, Example.pattern(512))?.status == 0)
    #expect(target.isIdle(after: [owner, thief, evictor]))
  }

  @Test("A connection that replaces a lost one waits for the lost one's writes")
  func replacementWaits() throws {
    let (target, first) = try Example.session(keys: [("MaxConnections", "2")])
    let second = first.sibling(target, connectionID: 1)
    try #require(second.login(to: Example.name, [("MaxConnections", "2")]) == 0)
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    let old = [UInt8](repeating: 1, count: 512)
    second.sendCommand(
      ScriptedInitiator.write16(9, 1), expected: 512, isWrite: true, cmdSN: first.cmdSN,
      immediateData: old)
    first.cmdSN = first.cmdSN + 1
    target.pass(milliseconds: 50)
    second.peer.reset()
    target.pass(milliseconds: 50)
    let third = first.sibling(target, connectionID: 1)
    third.sendLogin([
      ("InitiatorName", third.initiatorName), ("TargetName", Example.name),
      ("MaxRecvDataSegmentLength", "262144"),
    ])
    target.pass(milliseconds: 500)
    #expect(third.inbox.isEmpty, "the old write may still land")
    hang.release()
    let answer = try #require(third.receive(.loginResponse))
    #expect(answer.header.bytes[36] == 0)
    third.cmdSN = first.cmdSN
    let new = [UInt8](repeating: 2, count: 512)
    #expect(third.write(9, new)?.status == 0)
    third.cmdSN = first.cmdSN + 1
    #expect(reads(new, at: 9, third))
    #expect(target.isIdle(after: [first, third]))
  }

  @Test(
    "A login that finds no memory for its session ends once; one of discovery needs none to end",
    arguments: [false, true])
  func lastAnswerWithoutMemory(isDiscovery: Bool) throws {
    let target = try SimulatedTarget(seed: 9, targets: [Example.open()], memoryBudgetBytes: 1 << 20)
    let peer = ScriptedInitiator(target)
    peer.sendLogin(
      [
        ("InitiatorName", peer.initiatorName),
        isDiscovery ? ("SessionType", "Discovery") : ("TargetName", Example.name),
      ], from: 0, to: 1)
    try #require(peer.receive(.loginResponse) != nil)
    // Nothing is left to be had.
    let pool = target.reactors[0].buffers
    var taken: [Buffer] = []
    while let buffer = pool.allocate(4096) { taken.append(buffer) }
    peer.sendLogin([], from: 1, to: 3)
    #expect(peer.waitForClose(seconds: 5) != isDiscovery)
    #expect((peer.receive(.loginResponse, seconds: 0) != nil) == isDiscovery)
    for buffer in taken { pool.release(buffer) }
    let next = ScriptedInitiator(target)
    #expect(next.login(to: "", discovery: true) == 0)
    #expect(target.isIdle(after: [peer, next]))
  }

  @Test(
    "Two login requests in one piece leave nothing behind when the login moves to another reactor")
  func handoverInOnePiece() throws {
    let target = try SimulatedTarget(seed: 10, targets: [Example.open()], reactorCount: 2)
    let idle = target.reactors.map(\.buffers.lentBytes)
    for round in 0..<6 {
      let initiator = ScriptedInitiator(target)
      initiator.sendLogin(
        [
          ("InitiatorName", initiator.initiatorName), ("TargetName", Example.name),
          ("AuthMethod", "None"),
        ], from: 0, to: 1)
      initiator.sendLogin([("MaxRecvDataSegmentLength", "65536")], from: 1, to: 3)
      let isIn = target.run(seconds: 5) {
        initiator.inbox.filter { $0.header.opcode == .loginResponse }.count == 2
      }
      #expect(isIn, "round \(round)")
      if round % 2 == 0 { initiator.peer.reset() } else { initiator.peer.close() }
      target.pass(milliseconds: 100)
    }
    #expect(target.isIdle(after: []))
    #expect(target.reactors.map(\.buffers.lentBytes) == idle)
  }

  @Test("Commands behind a logout are dropped, and nothing of them lands after its answer")
  func commandsBehindLogout() throws {
    let (target, initiator) = try Example.session()
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    initiator.sendCommand(
      ScriptedInitiator.write16(3, 1), expected: 512, isWrite: true,
      immediateData: Example.pattern(512))
    target.pass(milliseconds: 50)
    var header = BasicHeaderSegment(opcode: .logoutRequest)
    header.isImmediate = true
    header.isFinal = true
    header.initiatorTaskTag = initiator.takeTag()
    header.bytes.setBigEndian(initiator.cmdSN.rawValue, at: 24)
    initiator.send(header)
    initiator.sendCommand(
      ScriptedInitiator.write16(4, 1), expected: 512, isWrite: true,
      immediateData: Example.pattern(512))
    target.pass(milliseconds: 200)
    #expect(initiator.inbox.isEmpty)
    hang.release()
    #expect(initiator.receive(.logoutResponse) != nil)
    target.pass(milliseconds: 500)
    #expect(try target.disk().writesLanded.count == 1)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("An initiator that may only read cannot reset what others write")
  func resetsByReader() throws {
    var definition = Example.open()
    definition.units[0].isReadOnly = true
    let target = try SimulatedTarget(seed: 11, targets: [definition])
    let initiator = ScriptedInitiator(target)
    try #require(initiator.login(to: Example.name) == 0)
    initiator.clearUnitAttention()
    for function: TaskManagementFunction in [
      .clearTaskSet, .logicalUnitReset, .targetWarmReset, .targetColdReset,
    ] {
      #expect(initiator.manage(function) == .functionAuthorizationFailed)
    }
    #expect(initiator.manage(.abortTaskSet) == .functionComplete)
    #expect(target.isIdle(after: [initiator]))
  }

  /// Node 1 sees unit 0, node 2 unit 1, node 3 both; others none.
  private func divided(seed: UInt64) throws -> SimulatedTarget {
    var definition = Example.open(units: 2)
    let units = definition.units
    definition.admitsAnyInitiator = false
    definition.accessEntries = zip(1...3, [[units[0]], [units[1]], units]).map { number, seen in
      AccessEntry(initiator: "iqn.2026-11.com.example:node\(number)", units: seen)
    }
    definition.accessEntries.append(AccessEntry(initiator: nil, units: []))
    return try SimulatedTarget(seed: seed, targets: [definition], reactorCount: 2)
  }

  @Test("An initiator that sees no logical unit resets no target")
  func resetsWithoutUnit() throws {
    let target = try divided(seed: 12)
    let node = ScriptedInitiator(target)
    node.initiatorName = "iqn.2026-11.com.example:node1"
    try #require(node.login(to: Example.name) == 0)
    node.clearUnitAttention()
    let stranger = ScriptedInitiator(target)
    stranger.initiatorName = "iqn.2026-11.com.example:stranger"
    try #require(stranger.login(to: Example.name) == 0)
    for function: TaskManagementFunction in [.targetWarmReset, .targetColdReset] {
      #expect(stranger.manage(function) == .functionAuthorizationFailed)
    }
    target.pass(milliseconds: 500)
    #expect(!node.isClosed && !stranger.isClosed)
    #expect(node.write(0, Example.pattern(512))?.status == 0)
    #expect(target.isIdle(after: [node, stranger]))
  }

  @Test("TARGET COLD RESET ends the sessions that share a logical unit with its own, and no other")
  func coldResetOfOwnUnits() throws {
    let target = try divided(seed: 13)
    let nodes = try (1...3).map { number in
      let node = ScriptedInitiator(target)
      node.initiatorName = "iqn.2026-11.com.example:node\(number)"
      try #require(node.login(to: Example.name) == 0)
      node.clearUnitAttention(lun: number == 2 ? 1 << 48 : 0)
      return node
    }
    #expect(nodes[0].manage(.targetColdReset) == .functionComplete)
    #expect(nodes[0].waitForClose(seconds: 1))
    #expect(nodes[2].waitForClose(seconds: 1))
    #expect(!nodes[1].isClosed)
    // It has not even been told of a reset.
    #expect(nodes[1].command(ScriptedInitiator.testUnitReady, lun: 1 << 48)?.status == 0)
    #expect(target.isIdle(after: [nodes[1]]))
  }
}
