import Bytes
import Foundation
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

/// A dialogue that begins as a good one and is spoiled by a seed.
private struct RandomAttack {
  private var random: SeededGenerator
  private let scene: Scene

  init(seed: UInt64) throws {
    random = SeededGenerator(seed: seed)
    var options = ConnectionOptions()
    options.toTarget = [.whole, .random(upTo: 100)][random.pick(0...1)]
    options.shortensSends = random.coin()
    let digests = ["None", "CRC32C"]
    scene = try Scene(
      seed: seed,
      keys: [
        ("HeaderDigest", digests[random.pick(0...1)]), ("DataDigest", digests[random.pick(0...1)]),
        ("InitialR2T", ["Yes", "No"][random.pick(0...1)]),
        ("MaxOutstandingR2T", "\(random.pick(1...4))"), ("MaxBurstLength", "4096"),
      ],
      options: options, session: SessionPolicy(queueDepth: 16),
      reactors: 1 + Int(seed % 2), diskBytes: 32_768, memoryBudgetBytes: 4 << 20)
  }

  /// What is wrong after the attack; nil for nothing.
  mutating func run() -> String? {
    var queue: [[UInt8]] = []
    for _ in 0..<random.pick(5...25) {
      queue.append(spoiled(pdu()))
      if random.pick(0...3) == 0, let last = queue.last { queue.append(last) }
      if random.pick(0...7) == 0 { queue.shuffle(using: &random) }
      while queue.count > random.pick(0...3) { scene.attacker.peer.send(queue.removeFirst()) }
      if random.pick(0...3) == 0 { scene.target.pass(milliseconds: random.pick(0...3)) }
    }
    for bytes in queue { scene.attacker.peer.send(bytes) }
    scene.target.pass(milliseconds: random.pick(0...20))
    if random.coin() { scene.attacker.peer.reset() }
    if !scene.honestIsServed { return "the honest session is not served" }
    if !scene.protectedIsUnchanged { return "a protected block has changed" }
    if scene.reservedBytes > 4 << 20 { return "more memory than the budget" }
    if !scene.endsClean() { return "something is left" }
    return scene.protectedIsUnchanged ? nil : "a protected block has changed at the end"
  }

  // MARK: Good PDUs

  private mutating func pdu() -> (header: BasicHeaderSegment, data: [UInt8]) {
    let lun = random.pick(0...2) == 0 ? Scene.protected : 0
    switch random.pick(0...9) {
    case 0: return (scene.attacker.nop(isImmediate: random.coin()).header, bytes(0...64))
    case 1, 2: return (command(read, lun, flags: 0xC0, expected: 4096), [])
    case 3: return (command(write, lun, flags: 0xA0, expected: 4096), bytes(0...4096))
    case 4: return (command(write, lun, flags: 0x20, expected: 4096), bytes(0...1024))
    case 5, 6: return dataOut()
    case 7: return (management(lun), [])
    case 8: return (other(), bytes(0...40))
    default:
      let cdb = bytes(16...16)
      return (command(cdb, lun, flags: 0x80 | UInt8(random.pick(0...3)) << 5, expected: 512), [])
    }
  }

  private var read: [UInt8] { ScriptedInitiator.cdb16(0x88, 0, 8) }
  private var write: [UInt8] { ScriptedInitiator.cdb16(0x8A, 8, 8) }

  private mutating func bytes(_ count: ClosedRange<Int>) -> [UInt8] {
    (0..<random.pick(count)).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  private mutating func command(
    _ cdb: [UInt8], _ lun: UInt64, flags: UInt8, expected: UInt32
  ) -> BasicHeaderSegment {
    var header = BasicHeaderSegment(opcode: .scsiCommand)
    header.isImmediate = random.pick(0...7) == 0
    header.bytes[1] = flags | 1
    header.lun = lun
    header.initiatorTaskTag = scene.attacker.takeTag()
    header.bytes.setBigEndian(expected, at: 20)
    header.bytes.setBigEndian(
      scene.attacker.takeCmdSN(isImmediate: header.isImmediate).rawValue, at: 24)
    for (index, byte) in cdb.enumerated() { header.bytes[32 + index] = byte }
    return header
  }

  /// An answer to an R2T that came, or to one that did not.
  private mutating func dataOut() -> (BasicHeaderSegment, [UInt8]) {
    var header = BasicHeaderSegment(opcode: .dataOut)
    header.isFinal = true
    header.initiatorTaskTag = InitiatorTaskTag(rawValue: random.pick(1...20))
    header.bytes.setBigEndian(random.coin() ? UInt32.max : random.pick(0...20), at: 20)
    var count = random.pick(0...4096)
    let requests = scene.attacker.inbox.filter { $0.header.opcode == .readyToTransfer }
    if let pdu = requests.randomElement(using: &random) {
      let request = ReadyToTransfer(pdu.header)
      header.lun = request.lun
      header.initiatorTaskTag = request.initiatorTaskTag
      header.bytes.setBigEndian(request.targetTransferTag.rawValue, at: 20)
      header.bytes.setBigEndian(request.bufferOffset, at: 40)
      count = Int(request.desiredDataTransferLength)
    }
    return (header, [UInt8](repeating: 0xEE, count: count))
  }

  private mutating func management(_ lun: UInt64) -> BasicHeaderSegment {
    var header = BasicHeaderSegment(opcode: .taskManagementRequest)
    header.isImmediate = true
    // A cold reset ends the honest session, too, as it should; it is left out.
    let functions: [UInt8] = [1, 2, 3, 4, 5, 6, 8, 9]
    header.bytes[1] = 0x80 | functions[random.pick(0...functions.count - 1)]
    header.lun = lun
    header.initiatorTaskTag = scene.attacker.takeTag()
    header.bytes.setBigEndian(random.pick(UInt32(0)...30), at: 20)
    header.bytes.setBigEndian(scene.attacker.cmdSN.rawValue, at: 24)
    header.bytes.setBigEndian(
      scene.attacker.cmdSN.rawValue &- random.pick(UInt32(0)...8), at: 32)
    return header
  }

  private mutating func other() -> BasicHeaderSegment {
    let opcodes: [Opcode] = [.textRequest, .logoutRequest, .snackRequest, .loginRequest]
    // What ends the session at once is rare.
    var header = BasicHeaderSegment(
      opcode: random.pick(0...5) == 0 ? opcodes[random.pick(0...3)] : .textRequest)
    header.isImmediate = random.coin()
    header.bytes[1] = 0x80 | UInt8(random.pick(0...3))
    header.initiatorTaskTag = scene.attacker.takeTag()
    header.bytes.setBigEndian(UInt32.max, at: 20)
    header.bytes.setBigEndian(
      scene.attacker.takeCmdSN(isImmediate: header.isImmediate).rawValue, at: 24)
    return header
  }

  // MARK: Spoiling

  private mutating func spoiled(_ pdu: (header: BasicHeaderSegment, data: [UInt8])) -> [UInt8] {
    var header = pdu.header
    var additional: [UInt8] = []
    var lying: Int?
    switch random.pick(0...11) {
    case 0: header.bytes[random.pick(0...47)] = UInt8.random(in: 0...255, using: &random)
    case 1: header.bytes[random.pick(0...47)] ^= 1 << random.pick(UInt8(0)...7)
    case 2:
      // A number at a border in one of the fields of 32 bits.
      let borders: [UInt32] = [0, 1, 0x7FFF_FFFF, 0x8000_0000, .max, .max - 1, 512, 511, 4097]
      header.bytes.setBigEndian(
        borders[random.pick(0...borders.count - 1)], at: 16 + 4 * random.pick(0...7))
    case 3: additional = bytes(0...64)
    case 4: lying = random.pick(0...7) == 0 ? random.pick(0...0xFF_FFFF) : nil
    default: break
    }
    if additional.count % 4 != 0 { additional.removeLast(additional.count % 4) }
    // A management function must not become the cold reset that is left out.
    if header.opcode == .taskManagementRequest, header.bytes[1] & 0x7F == 7 {
      header.bytes[1] = 0x81
    }
    var bytes = scene.attacker.encode(header, additional, pdu.data, lying)
    if random.pick(0...40) == 0 { bytes.removeLast(random.pick(1...bytes.count)) }
    return bytes
  }
}

@Suite("Wrong input: random")
struct WrongInputRandomTests {
  /// SWIFT_TGTD_ATTACKS sets how many seeds, SWIFT_TGTD_ATTACK_SEED the first.
  private static func setting(_ name: String, _ standard: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap(UInt64.init) ?? standard
  }

  @Test("Spoiled dialogues harm neither another session nor a unit they may not write")
  func attacks() throws {
    let first = Self.setting("SWIFT_TGTD_ATTACK_SEED", 1)
    let count = Self.setting("SWIFT_TGTD_ATTACKS", 2000)
    for seed in first..<first + count {
      var attack = try RandomAttack(seed: seed)
      if let wrong = attack.run() { Issue.record("seed \(seed): \(wrong)") }
    }
  }
}
