import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

/// Initiators that do anything at any time, by seed.
final class Storm {
  let target: SimulatedTarget
  private var generator: SeededGenerator
  private var initiators: [ScriptedInitiator] = []
  private var writes: [WriteKey: [UInt8]] = [:]
  private var hangs: [InjectedFault] = []

  private struct WriteKey: Hashable {
    var initiator: ObjectIdentifier
    var tag: InitiatorTaskTag
  }

  init(seed: UInt64) throws {
    generator = SeededGenerator(seed: seed)
    var definition = Example.open(units: 2)
    definition.session.queueDepth = 16
    var limits = ServerLimits()
    limits.halfOpenConnectionsMax = 12
    target = try SimulatedTarget(
      seed: seed, targets: [definition], reactorCount: 1 + Int(seed % 3), limits: limits,
      memoryBudgetBytes: seed % 4 == 0 ? 2 << 20 : 16 << 20)
  }

  func run(steps: Int) throws {
    for _ in 0..<steps {
      switch generator.pick(0...39) {
      case 0...1: connect()
      case 2...26: try use()
      case 27: try inject()
      case 28...29: hangs.popLast()?.release()
      case 30: try disturb()
      default: target.pass(milliseconds: generator.pick(0...5))
      }
      answer()
    }
  }

  /// Lets everything go on that waits, and ends every connection; whether nothing is left.
  func end() -> Bool {
    for hang in hangs { hang.release() }
    target.pass(milliseconds: 100)
    return target.isIdle(after: initiators)
  }

  /// Stops the server in the middle of it; whether every worker says so, and nothing is left.
  func stop() -> Bool {
    var stopped = 0
    for worker in target.workers { worker.stop(grace: .seconds(1)) { stopped += 1 } }
    target.pass(milliseconds: generator.pick(0...3_000))
    for hang in hangs { hang.release() }
    return target.run(seconds: 120) { stopped == target.workers.count && target.isIdle }
  }

  private func connect() {
    var options = ConnectionOptions()
    options.toTarget = [.whole, .random(upTo: 500), .random(upTo: 9000)][generator.pick(0...2)]
    options.shortensSends = generator.coin()
    options.bufferBytes = [2048, 16_384, 262_144][generator.pick(0...2)]
    let initiator = ScriptedInitiator(target, options: options)
    initiator.initiatorName = "iqn.2026-11.com.example:node\(generator.pick(1...4))"
    initiators.append(initiator)
    // Now and then one more connection of somebody's session, or the replacement of one.
    if generator.pick(0...2) == 0, let leader = pickInitiator(), leader.tsih != .none {
      initiator.initiatorName = leader.initiatorName
      initiator.tsih = leader.tsih
      initiator.cmdSN = leader.cmdSN
      initiator.connectionID = ConnectionID(rawValue: generator.pick(0...2))
      initiator.nextTag = UInt32(initiators.count) << 16
    }
    if generator.pick(0...9) == 0 { return }
    let digest = generator.coin() ? "CRC32C" : "None"
    initiator.sendLogin([
      ("HeaderDigest", digest), ("DataDigest", digest), ("InitiatorName", initiator.initiatorName),
      ("TargetName", Example.name),
      ("InitialR2T", "No"), ("MaxConnections", "3"), ("MaxBurstLength", "8192"),
      ("FirstBurstLength", "8192"), ("iSCSIProtocolLevel", generator.coin() ? "2" : "1"),
    ])
    // Otherwise the answer is found later, or somebody is quicker.
    if generator.coin() { target.pass(milliseconds: 5) }
  }

  /// Goes on with an initiator whose login has been answered.
  private func enter(_ initiator: ScriptedInitiator, _ answer: ScriptedInitiator.Received) {
    guard answer.loginStatus == 0 else { return }
    initiator.tsih = TargetSessionID(rawValue: answer.header.bytes.bigEndianUInt16(at: 14))
    let digests = ScriptedInitiator.pairs(answer.data).contains { $0 == ("DataDigest", "CRC32C") }
    initiator.framing = PDUFraming(headerDigest: digests, dataDigest: digests)
    for lun in [UInt64(0), 1] {
      for _ in 0..<2 { initiator.sendCommand(ScriptedInitiator.testUnitReady, lun: lun << 48) }
    }
  }

  var loginCount: Int { initiators.filter { $0.tsih != .none }.count }
  /// Commands that were answered.
  private(set) var statusCount = 0
  var writeCount: Int { target.disks.values.reduce(0) { $0 + $1.writesLanded.count } }

  private func pickInitiator() -> ScriptedInitiator? {
    guard !initiators.isEmpty else { return nil }
    return initiators[generator.pick(max(0, initiators.count - 8)...initiators.count - 1)]
  }

  private func use() throws {
    guard let initiator = pickInitiator(), !initiator.isClosed, initiator.tsih != .none else {
      return
    }
    let block = UInt64(generator.pick(0...1900))
    let count: UInt32 = generator.pick(1...100)
    let lun = UInt64(generator.pick(0...2)) << 48
    let attributes: [TaskAttribute] = [
      .simple, .simple, .simple, .simple, .simple, .untagged, .ordered, .headOfQueue, .aca,
    ]
    let attribute = attributes[generator.pick(0...attributes.count - 1)]
    switch generator.pick(0...3) {
    case 0:
      initiator.sendCommand(
        ScriptedInitiator.read16(block, count), lun: lun, expected: count * 512, isRead: true,
        attribute: attribute)
    case 1:
      initiator.sendCommand(ScriptedInitiator.testUnitReady, lun: lun, attribute: attribute)
    default:
      let data = [UInt8](repeating: UInt8(generator.pick(0...255)), count: Int(count) * 512)
      let immediate = generator.coin() ? 0 : min(data.count, 4096)
      let style = WriteStyle(
        immediate: immediate,
        unsolicited: generator.coin() ? 0 : min(data.count - immediate, 4096), segment: 3000)
      let tag = initiator.startWrite(
        block, data, style: style, lun: lun, attribute: attribute)
      writes[WriteKey(initiator: ObjectIdentifier(initiator), tag: tag)] = data
    }
  }

  /// Takes what came; now and then an R2T goes unanswered.
  private func answer() {
    for initiator in initiators where !initiator.isClosed {
      let arrived = initiator.inbox
      initiator.forgetInbox()
      for pdu in arrived {
        switch pdu.header.opcode {
        case .loginResponse: enter(initiator, pdu)
        case .readyToTransfer: answer(ReadyToTransfer(pdu.header), initiator)
        default: if pdu.isStatus { statusCount += 1 }
        }
      }
    }
  }

  private func answer(_ request: ReadyToTransfer, _ initiator: ScriptedInitiator) {
    let tag = request.initiatorTaskTag
    let key = WriteKey(initiator: ObjectIdentifier(initiator), tag: tag)
    guard generator.pick(0...30) > 0, let data = writes[key] else { return }
    let end = Int(request.bufferOffset) + Int(request.desiredDataTransferLength)
    guard end <= data.count else { return }
    initiator.sendBurst(
      tag, transferTag: request.targetTransferTag, data, from: Int(request.bufferOffset), to: end,
      segment: 5000, lun: request.lun)
  }

  private func inject() throws {
    let disk = try target.disk("unit\(generator.pick(0...1))")
    let effects: [DiskFault.Effect] = [
      .hang, .hang, .failure(.inputOutput), .failure(.noSpace), .shortCount(1000),
      .delay(Milliseconds(20)),
    ]
    let kinds: [DiskOperationKind?] = [.read, .write, nil]
    let fault = disk.inject(
      DiskFault(
        effects[generator.pick(0...effects.count - 1)], on: kinds[generator.pick(0...2)],
        count: generator.pick(1...5)))
    if fault.fault.effect == .hang { hangs.append(fault) }
  }

  private func disturb() throws {
    guard let initiator = pickInitiator() else { return }
    let functions: [TaskManagementFunction] = [
      .abortTask, .abortTask, .abortTaskSet, .clearTaskSet, .logicalUnitReset, .targetWarmReset,
      .targetColdReset, .queryTask, .queryTaskSet, .nexusReset, .queryAsynchronousEvent,
    ]
    switch generator.pick(0...9) {
    case 0: initiator.peer.reset()
    case 1: initiator.peer.close()
    case 2: initiator.peer.isReading.toggle()
    case 3:
      initiator.sendLogout(
        generator.coin() ? .closeSession : .closeConnection, connectionID: generator.pick(0...2))
    case 4: _ = initiator.takeCmdSN()
    default:
      initiator.sendManagement(
        functions[generator.pick(0...functions.count - 1)],
        lun: UInt64(generator.pick(0...2)) << 48,
        task: InitiatorTaskTag(rawValue: max(1, initiator.nextTag &- generator.pick(1...4))),
        refCmdSN: initiator.cmdSN - generator.pick(1...3))
    }
  }
}

@Suite("Storm")
struct StormTests {
  @Test(
    "Whatever initiators do, nothing traps and nothing is left when they have gone",
    arguments: 1...40)
  func storm(seed: UInt64) throws {
    let storm = try Storm(seed: seed)
    try storm.run(steps: 400)
    #expect(storm.loginCount >= 5 && storm.statusCount >= 40 && storm.writeCount > 0)
    let isEnded = storm.end()
    #expect(isEnded)
  }

  @Test("A stop in the middle of a storm completes, and leaves nothing", arguments: 101...130)
  func stop(seed: UInt64) throws {
    let storm = try Storm(seed: seed)
    try storm.run(steps: 300)
    let isStopped = storm.stop()
    #expect(isStopped)
    withExtendedLifetime(storm) {}
  }

  @Test("A storm is the same each time", arguments: [3, 4, 5])
  func determinism(seed: UInt64) throws {
    let digests = try (0..<2).map { _ in
      let storm = try Storm(seed: seed)
      try storm.run(steps: 400)
      _ = storm.end()
      return storm.target.world.traceDigest
    }
    #expect(digests[0] == digests[1])
  }
}
