import FuzzDriver
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation

/// The login phase under arbitrary bytes: one connection per input to a target that asks for CHAP.
/// Whatever comes, nobody gets in, and nothing is left when the connection has ended.
///
/// The first byte chooses how the rest is cut into pieces.
@MainActor
private enum LoginFuzzer {
  static let name = "iqn.2026-11.com.example:disk"
  static var target = makeTarget()
  static var runCount = 0

  static func makeTarget() -> SimulatedTarget {
    let user = CHAPUser(name: "user", secret: Secret("a secret of thirty-two characters"))
    let definition = TargetDefinition(
      name: name, portalGroupTags: [1], units: [UnitPresentation(lun: 0, unit: "unit0")],
      users: [user], mutualUser: CHAPUser(name: "target", secret: Secret("another long secret")),
      admitsAnyInitiator: true)
    guard let target = try? SimulatedTarget(seed: 1, targets: [definition], diskBytes: 4096) else {
      fatalError("the target cannot be made")
    }
    return target
  }

  static func run(_ input: [UInt8]) {
    // The world remembers every connection it ever had.
    if runCount % 1000 == 999 { target = makeTarget() }
    runCount += 1
    var options = ConnectionOptions()
    options.toTarget = (input.first ?? 0) & 1 == 0 ? .whole : .random(upTo: 64)
    let peer = target.world.connect(to: SimulatedTarget.portal, options: options)
    peer.send(Array(input.dropFirst()))
    target.pass(milliseconds: 2)
    guard target.context.sessions.count == 0 else { fatalError("a login without a secret") }
    peer.reset()
    let pool = target.reactors[0].buffers
    let isEmpty = target.run(seconds: 60) {
      target.world.openSocketCount == 0 && pool.lentBytes == 0
    }
    guard isEmpty else { fatalError("something is left of a connection") }
  }
}

fuzz { bytes in MainActor.assumeIsolated { LoginFuzzer.run(bytes) } }
