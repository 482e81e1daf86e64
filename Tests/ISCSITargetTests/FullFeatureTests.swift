import Bytes
import ISCSIModel
import ISCSITarget
import TargetSimulation
import Testing

/// The targets that most tests use.
enum Example {
  static let name = "iqn.2026-11.com.example:disk"

  static func open(units: Int = 1) -> TargetDefinition {
    TargetDefinition(
      name: name, portalGroupTags: [1],
      units: (0..<units).map { UnitPresentation(lun: UInt16($0), unit: "unit\($0)") },
      admitsAnyInitiator: true)
  }

  /// A target and an initiator logged in to it, its first unit attention taken.
  static func session(
    seed: UInt64 = 1, keys: [(String, String)] = [], options: ConnectionOptions = .init(),
    reactors: Int = 1, blockBytes: UInt32 = 512
  ) throws -> (SimulatedTarget, ScriptedInitiator) {
    let target = try SimulatedTarget(
      seed: seed, targets: [open()], reactorCount: reactors, blockBytes: blockBytes)
    let initiator = ScriptedInitiator(target, options: options)
    let status = initiator.login(to: name, keys)
    try #require(status == 0)
    initiator.clearUnitAttention()
    return (target, initiator)
  }

  static func pattern(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }
}

/// Whether the blocks from `block` on hold `data`: a Bool, so that a failure does not print them
/// all.
func reads(_ data: [UInt8], at block: UInt64, _ initiator: ScriptedInitiator) -> Bool {
  guard let outcome = initiator.read(block, UInt32(data.count / 512)) else { return false }
  return outcome.status == 0 && outcome.data == data
}

@Suite("Full feature phase")
struct FullFeatureTests {
  @Test("What is written is read back")
  func readBack() throws {
    let (_, initiator) = try Example.session()
    let data = Example.pattern(64 * 512)
    let written = try #require(initiator.write(10, data))
    #expect(written.status == 0)
    #expect(reads(data, at: 10, initiator))
  }

  @Test("Every PDU arrives one byte at a time, in both directions")
  func drip() throws {
    var options = ConnectionOptions()
    options.toTarget = .singleBytes
    options.toPeer = .singleBytes
    let (_, initiator) = try Example.session(options: options)
    let data = Example.pattern(8 * 512)
    #expect(initiator.write(0, data, immediate: 512)?.status == 0)
    #expect(reads(data, at: 0, initiator))
  }

  @Test(
    "Header and data digests protect both directions",
    arguments: [("CRC32C", "None"), ("None", "CRC32C"), ("CRC32C", "CRC32C")])
  func digests(header: String, data: String) throws {
    let (_, initiator) = try Example.session(
      keys: [("HeaderDigest", header), ("DataDigest", data)])
    #expect(initiator.framing.headerDigest == (header == "CRC32C"))
    #expect(initiator.framing.dataDigest == (data == "CRC32C"))
    let pattern = Example.pattern(300 * 512)
    #expect(initiator.write(3, pattern, immediate: 1024)?.status == 0)
    #expect(reads(pattern, at: 3, initiator))
  }

  @Test("A ping comes back with its data")
  func nop() throws {
    let (_, initiator) = try Example.session()
    var header = BasicHeaderSegment(opcode: .nopOut)
    header.isImmediate = true
    header.isFinal = true
    header.initiatorTaskTag = InitiatorTaskTag(rawValue: 77)
    header.bytes.setBigEndian(UInt32(0xFFFF_FFFF), at: 20)
    header.bytes.setBigEndian(initiator.cmdSN.rawValue, at: 24)
    initiator.send(header, data: [1, 2, 3, 4, 5])
    let answer = try #require(initiator.receive(.nopIn))
    #expect(answer.header.initiatorTaskTag.rawValue == 77)
    #expect(answer.data == [1, 2, 3, 4, 5])
  }
}
