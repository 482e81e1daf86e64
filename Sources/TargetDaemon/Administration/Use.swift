internal import AdministrationModel
internal import ISCSITarget
internal import Reactor
internal import TargetConfig

/// Who would lose something by a change.
struct Use {
  let plan: ChangePlan
  let directory: TargetDirectory
  /// Portals that close.
  let closedPortals: [PortalDefinition]

  struct User {
    /// Who it is, and what it loses.
    let sentence: String
    let logout: Logout
  }

  /// Each session that loses something.
  func users(among sessions: [SessionSummary]) -> [User] {
    let closed = Set(plan.closedStores)
    return sessions.compactMap { session in
      if let loss = loss(of: session, closed) {
        return User(sentence: session.user(whoseLoss: loss), logout: .target(session.targetName))
      }
      return portalUser(session)
    }
  }

  private func loss(of session: SessionSummary, _ closed: Set<String>) -> String? {
    guard let losses = directory.losses(of: session) else {
      return "is logged in to \(session.targetName)"
    }
    let numbers = Set(losses.map(\.lun)).union(
      session.units.filter { closed.contains($0.unit) }.map(\.lun))
    guard !numbers.isEmpty else { return nil }
    let list = numbers.sorted().map { "\($0)" }.joined(separator: ", ")
    return "has LUN \(list) of \(session.targetName)"
  }

  /// The node knows the address that it connected to: a portal may be at any address.
  private func portalUser(_ session: SessionSummary) -> User? {
    for connection in session.connections {
      let local = connection.localAddress
      guard let portal = closedPortals.first(where: { $0.carries(local) }) else { continue }
      return User(
        sentence: session.user(whoseLoss: "is connected through \(portal.address)"),
        logout: .portal("\(local)"))
    }
    return nil
  }
}

/// What of a node has to log out: never all of it, as it has other sessions too.
enum Logout: Hashable {
  case target(String)
  /// The address that it connected to.
  case portal(String)

  /// The command for open-iscsi that does all of them, or says where to put their names.
  static func command(_ logouts: [Logout]) -> String {
    let different = Set(logouts)
    if different.count == 1, let only = different.first { return only.command }
    let isOfPortals = different.allSatisfy(\.isOfPortal)
    return "iscsiadm -m node \(isOfPortals ? "-p ADDRESS" : "-T TARGET") --logout"
  }

  private var isOfPortal: Bool {
    switch self {
    case .target: false
    case .portal: true
    }
  }

  private var command: String {
    switch self {
    case .target(let name): "iscsiadm -m node -T \(FilePath.shellQuoted(name)) --logout"
    case .portal(let address): "iscsiadm -m node -p \(FilePath.shellQuoted(address)) --logout"
    }
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
  /// Whether a connection to that address of ours came in here.
  func carries(_ local: SocketAddress) -> Bool {
    guard local.port == address.port, local.ip.isIPv6 == address.ip.isIPv6 else { return false }
    return address.ip.isUnspecified || local.ip.bytes == address.ip.bytes
  }
}
