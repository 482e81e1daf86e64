internal import AdministrationModel
internal import ISCSITarget
internal import Reactor

/// Who would lose something by a change.
struct Use {
  let plan: ChangePlan
  let directory: TargetDirectory
  /// Portals that close.
  let closedPortals: [PortalDefinition]

  /// A sentence for each session that loses something.
  func users(among sessions: [SessionSummary]) -> [String] {
    let closed = Set(plan.closedStores)
    return sessions.compactMap { session in
      guard let loss = loss(of: session, closed) else { return nil }
      return session.user(whoseLoss: loss)
    }
  }

  private func loss(of session: SessionSummary, _ closed: Set<String>) -> String? {
    guard let losses = directory.losses(of: session) else {
      return "is logged in to \(session.targetName)"
    }
    let numbers = Set(losses.map(\.lun)).union(
      session.units.filter { closed.contains($0.unit) }.map(\.lun))
    if !numbers.isEmpty {
      let list = numbers.sorted().map { "\($0)" }.joined(separator: ", ")
      return "has LUN \(list) of \(session.targetName)"
    }
    guard let portal = closedPortals.first(where: { $0.carries(session) }) else { return nil }
    return "is connected through \(portal.address)"
  }
}

extension SessionSummary {
  /// The sentence that names it as a user.
  func user(whoseLoss loss: String) -> String {
    let address = connections.first.map { " from \($0.peerAddress)" } ?? ""
    return "\(initiatorName)\(address) (session \(id.rawValue)): \(loss)"
  }
}

extension PortalDefinition {
  func carries(_ session: SessionSummary) -> Bool {
    session.connections.contains { carries($0.localAddress) }
  }

  /// Whether a connection to that address of ours came in here.
  func carries(_ local: SocketAddress) -> Bool {
    guard local.port == address.port, local.ip.isIPv6 == address.ip.isIPv6 else { return false }
    return address.ip.isUnspecified || local.ip.bytes == address.ip.bytes
  }
}
