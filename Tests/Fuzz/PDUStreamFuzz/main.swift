import Bytes
import FuzzDriver
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation

/// T-AVAIL-1. The full feature phase under arbitrary bytes: a good login, then the input. Whatever
/// comes, a unit that is read-only for this initiator stays as it is, and nothing is left when the
/// connection has ended.
///
/// The first byte chooses how the rest is cut into pieces (bit 0), whether both digests are on (bit
/// 1), and whether the stream is sent as it is (bit 2) or, PDU by PDU, with CmdSN, the Target
/// Transfer Tag of Data-Out and the digests set right, so that more than the parser is reached.
@MainActor
private enum StreamFuzzer {
  static let name = "iqn.2026-11.com.example:disk"

  static let definition = TargetDefinition(
    name: name, portalGroupTags: [1],
    units: [
      UnitPresentation(lun: 0, unit: "scratch"),
      UnitPresentation(lun: 1, unit: "protected", isReadOnly: true),
    ],
    admitsAnyInitiator: true, session: SessionPolicy(queueDepth: 16))

  static var target = makeTarget()
  static var runCount = 0

  static func makeTarget() -> SimulatedTarget {
    guard
      let target = try? SimulatedTarget(
        seed: 1, targets: [definition], diskBytes: 16_384, memoryBudgetBytes: 2 << 20)
    else { fatalError("the target cannot be made") }
    return target
  }

  static func run(_ input: [UInt8]) {
    // A new world now and then: it remembers every connection it ever had.
    if runCount % 1000 == 999 { target = makeTarget() }
    runCount += 1
    let choice = input.first ?? 0
    var options = ConnectionOptions()
    if choice & 1 != 0 { options.toTarget = .random(upTo: 64) }
    let initiator = ScriptedInitiator(target, options: options)
    let digest = choice & 2 != 0 ? "CRC32C" : "None"
    let status = initiator.login(
      to: name, [("HeaderDigest", digest), ("DataDigest", digest), ("InitialR2T", "No")])
    guard status == 0 else { fatalError("the login failed") }
    if choice & 4 != 0 {
      initiator.peer.send(Array(input.dropFirst()))
    } else {
      sendCorrected(input.dropFirst(), initiator, target)
    }
    target.pass(milliseconds: 20)
    initiator.peer.reset()
    let pool = target.reactors[0].buffers
    let isEmpty = target.run(seconds: 60) {
      target.world.openSocketCount == 0 && pool.lentBytes == 0 && target.context.sessions.count == 0
    }
    guard isEmpty else { fatalError("something is left of a connection") }
    guard target.disks["protected"]?.writesLanded.isEmpty == true else {
      fatalError("a read-only unit was written to")
    }
    for disk in target.disks.values { disk.forgetEffects() }
  }

  /// The input as PDUs: 48 bytes of header, then as much data as it says or as there is.
  private static func sendCorrected(
    _ input: ArraySlice<UInt8>, _ initiator: ScriptedInitiator, _ target: SimulatedTarget
  ) {
    var rest = input
    var number = initiator.cmdSN
    while rest.count >= BasicHeaderSegment.byteCount {
      var header = BasicHeaderSegment(opcode: .nopOut)
      for (index, byte) in rest.prefix(BasicHeaderSegment.byteCount).enumerated() {
        header.bytes[index] = byte
      }
      rest = rest.dropFirst(BasicHeaderSegment.byteCount)
      let additional = Array(rest.prefix(header.totalAHSLengthBytes / 4 * 4))
      rest = rest.dropFirst(additional.count)
      let data = Array(rest.prefix(header.dataSegmentLength))
      rest = rest.dropFirst(data.count)
      if header.opcode == .dataOut {
        target.pass(milliseconds: 1)
        if let request = initiator.inbox.last(where: { $0.header.opcode == .readyToTransfer }) {
          header.bytes.setBigEndian(
            ReadyToTransfer(request.header).targetTransferTag.rawValue, at: 20)
        }
      } else {
        header.bytes.setBigEndian(number.rawValue, at: 24)
        if !header.isImmediate { number = number + 1 }
      }
      initiator.send(
        header, additionalHeader: additional.count % 4 == 0 ? additional : [], data: data)
    }
  }
}

fuzz { bytes in MainActor.assumeIsolated { StreamFuzzer.run(bytes) } }
