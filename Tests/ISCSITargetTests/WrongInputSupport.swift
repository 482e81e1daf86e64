import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

/// A target with an attacker, who is logged in, and an honest initiator, who must not notice.
///
/// The attacker may write `scratch` at LUN 0 and only read `protected` at LUN 1; the honest one has
/// `protected` at LUN 0.
final class Scene {
  static let attackerName = "iqn.2026-11.com.example:attacker"
  static let honestName = "iqn.2026-11.com.example:honest"

  let target: SimulatedTarget
  let attacker: ScriptedInitiator
  let honest: ScriptedInitiator
  private let contents: [String: [UInt8]]

  static func definition(session: SessionPolicy = SessionPolicy()) -> TargetDefinition {
    TargetDefinition(
      name: Example.name, portalGroupTags: [1], units: [],
      accessEntries: [
        AccessEntry(
          initiator: attackerName,
          units: [
            UnitPresentation(lun: 0, unit: "scratch"),
            UnitPresentation(lun: 1, unit: "protected", isReadOnly: true),
          ]),
        AccessEntry(
          initiator: honestName, units: [UnitPresentation(lun: 0, unit: "protected")]),
      ],
      session: session)
  }

  init(
    seed: UInt64 = 1, keys: [(String, String)] = [], options: ConnectionOptions = .init(),
    limits: ServerLimits = ServerLimits(), session: SessionPolicy = SessionPolicy(),
    reactors: Int = 1, diskBytes: UInt64 = 1 << 16, memoryBudgetBytes: Int = 64 << 20
  ) throws {
    target = try SimulatedTarget(
      seed: seed, targets: [Scene.definition(session: session)], reactorCount: reactors,
      limits: limits, diskBytes: diskBytes, memoryBudgetBytes: memoryBudgetBytes)
    contents = target.disks.mapValues { disk in
      let bytes = (0..<Int(diskBytes / 4096)).flatMap { _ in Scene.page }
      disk.fill(bytes, at: 0)
      return bytes
    }
    honest = try Scene.login(target, Scene.honestName, [], ConnectionOptions())
    attacker = try Scene.login(target, Scene.attackerName, keys, options)
    attacker.clearUnitAttention(lun: Scene.protected)
  }

  private static let page = Example.pattern(4096, seed: 0x5EED)

  /// LUN 1 as the eight bytes of the field.
  static let protected: UInt64 = 0x0001_0000_0000_0000

  static func login(
    _ target: SimulatedTarget, _ name: String, _ keys: [(String, String)],
    _ options: ConnectionOptions
  ) throws -> ScriptedInitiator {
    let initiator = ScriptedInitiator(target, options: options)
    initiator.initiatorName = name
    try #require(initiator.login(to: Example.name, keys) == 0)
    initiator.clearUnitAttention()
    return initiator
  }

  var lentBytes: Int { target.reactors.reduce(0) { $0 + $1.buffers.lentBytes } }
  var reservedBytes: Int { target.reactors.reduce(0) { $0 + $1.buffers.reservedBytes } }

  private func holds(_ name: String) -> Bool {
    guard let disk = target.disks[name] else { return false }
    return disk.visibleBytes(0..<disk.sizeBytes) == contents[name]
  }

  /// Not a byte of the attacker's unit differs.
  var scratchIsUnchanged: Bool { holds("scratch") }
  var protectedIsUnchanged: Bool { holds("protected") }
  var isUnchanged: Bool { scratchIsUnchanged && protectedIsUnchanged }

  /// The honest session reads what it always read. It repeats the command, as initiators do, when
  /// another's reset of the unit has ended it without a word, and when it hears of that reset.
  var honestIsServed: Bool {
    for _ in 0..<4 {
      let tag = honest.sendCommand(
        ScriptedInitiator.cdb16(0x88, 8, 8), expected: 4096, isRead: true)
      let isAnswered = target.run(seconds: 2) {
        honest.isClosed || honest.inbox.contains { $0.header.initiatorTaskTag == tag }
      }
      guard isAnswered else { continue }
      guard let outcome = honest.finish(tag) else { return false }
      if outcome.status == 2, outcome.sense >> 16 == 6 { continue }
      return outcome.status == 0 && outcome.data[...] == contents["protected"]?[8 * 512..<16 * 512]
    }
    return false
  }

  /// Ends both connections; whether the target has then let go of everything.
  func endsClean() -> Bool {
    attacker.peer.close()
    honest.peer.close()
    return isEmptyInTheEnd
  }

  /// No socket, no session, no lent memory, no operation is left within a minute.
  var isEmptyInTheEnd: Bool {
    target.run {
      target.world.openSocketCount == 0 && lentBytes == 0 && target.context.sessions.count == 0
        && target.disks.values.allSatisfy { $0.operationsInFlight == 0 }
    }
  }

  /// A WRITE(16) of `data` that waits for its R2T; the tag and the R2T.
  func openWrite(
    blocks: UInt32 = 64, at block: UInt64 = 0, isFinal: Bool = true
  ) throws -> (tag: InitiatorTaskTag, request: ReadyToTransfer) {
    let tag = attacker.sendWrite(blocks: blocks, at: block)
    let pdu = try #require(attacker.receive { $0.header.initiatorTaskTag == tag })
    try #require(pdu.header.opcode == .readyToTransfer)
    return (tag, ReadyToTransfer(pdu.header))
  }
}

extension ScriptedInitiator {
  /// Sends the header of a WRITE(16).
  @discardableResult
  func sendWrite(
    blocks: UInt32, at block: UInt64 = 0, isFinal: Bool = true, expected: UInt32? = nil,
    lun: UInt64 = 0, immediateData: [UInt8] = []
  ) -> InitiatorTaskTag {
    sendCommand(
      ScriptedInitiator.cdb16(0x8A, block, blocks), lun: lun, expected: expected ?? blocks * 512,
      isWrite: true, isFinal: isFinal, immediateData: immediateData)
  }

  /// Waits for a Reject; its reason.
  func rejection(seconds: UInt32 = 5) -> RejectReason? {
    receive(.reject, seconds: seconds).map { Reject($0.header).reason }
  }

  /// A NOP-Out that asks for an answer.
  func nop(
    tag: InitiatorTaskTag? = nil, isImmediate: Bool = true, data: [UInt8] = []
  ) -> (header: BasicHeaderSegment, tag: InitiatorTaskTag) {
    let tag = tag ?? takeTag()
    var header = BasicHeaderSegment(opcode: .nopOut)
    header.isImmediate = isImmediate
    header.isFinal = true
    header.initiatorTaskTag = tag
    header.bytes.setBigEndian(UInt32(0xFFFF_FFFF), at: 20)
    header.bytes.setBigEndian(takeCmdSN(isImmediate: isImmediate).rawValue, at: 24)
    header.bytes.setBigEndian(expStatSN.rawValue, at: 28)
    header.dataSegmentLength = data.count
    return (header, tag)
  }

  /// Whether a ping is answered.
  func isAnswered() -> Bool {
    let ping = nop()
    send(ping.header)
    return receive(seconds: 5) { $0.header.initiatorTaskTag == ping.tag } != nil
  }
}

// A failed expectation shows its operands with all they refer to. These refer to the whole world.
extension Scene: CustomReflectable {
  var customMirror: Mirror { Mirror(self, children: []) }
}

extension ScriptedInitiator: CustomReflectable {
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SimulatedTarget: CustomReflectable {
  public var customMirror: Mirror { Mirror(self, children: []) }
}
