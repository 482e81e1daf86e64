internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

/// What to type next, on this machine and on the node.
struct Hints {
  /// The addresses at which a node finds the target, `192.0.2.7:3260`.
  var portals: [String]
  var target: TargetResource

  /// At most so many addresses are shown: a machine may have very many.
  private static let portalCountMax = 8

  init(_ target: TargetResource, portals: [PortalResource], machine: any Machine) {
    self.target = target
    let serving = portals.filter { portal in
      portal.isListening && target.portalGroups?.contains(portal.group) != false
    }
    var seen: Set<String> = []
    self.portals = Array(
      serving.flatMap { Self.addresses($0, machine) }.filter { seen.insert($0).inserted }
        .prefix(Self.portalCountMax))
  }

  /// "Any address" is nothing that a node could connect to: it becomes the machine's own ones.
  private static func addresses(_ portal: PortalResource, _ machine: any Machine) -> [String] {
    if let advertise = portal.advertise { return [advertise] }
    let address = portal.address
    guard let colon = address.lastIndex(of: ":") else { return [address] }
    let port = address[colon...]
    switch address[..<colon] {
    case "0.0.0.0": return machine.addresses(isV6: false).map { "\($0)\(port)" }
    case "[::]": return machine.addresses(isV6: true).map { "[\($0)]\(port)" }
    default: return [address]
    }
  }

  /// For who types it: nothing in it runs by itself when it is pasted.
  static func howToAllow(_ target: String) -> String {
    "swift-tgtadm acl add --target \(FilePath.shellQuoted(target)) INITIATOR"
  }

  /// Whether a report has said already, and in the words of commands, what the daemon warns of.
  static func isTold(_ warning: String, in report: String) -> Bool {
    report.contains(nobody) && warning.contains("nobody can log in")
  }

  private static let nobody = "Nobody may log in yet"

  /// How to let somebody log in when nobody may.
  static func nobodyYet(_ target: String) -> String {
    "\(nobody); allow a node, by the name in its /etc/iscsi/initiatorname.iscsi, with\n"
      + "  \(howToAllow(target))\n"
  }

  /// Linux is told of a new size at the next command, and does nothing with it by itself.
  static let rescan = """
    Nodes that are logged in take the new size with
      iscsiadm -m session --rescan

    """

  /// The commands for open-iscsi on the node.
  func node(wwid: String?) -> String {
    let name = FilePath.shellQuoted(target.name)
    var lines = ["On the node:"]
    if portals.isEmpty {
      lines.append("  # no portal listens for this target yet: swift-tgtadm portal list")
    }
    if let portal = portals.first {
      let address = FilePath.shellQuoted(portal)
      lines.append("  iscsiadm -m discovery -t sendtargets -p \(address)")
      if needsCHAP { lines += authentication(name, address) }
      lines.append("  iscsiadm -m node -T \(name) -p \(address) --login")
    }
    if target.sessionCount > 0 {
      lines.append("  iscsiadm -m session --rescan   # where it is logged in already")
    }
    if portals.count > 1 {
      lines.append("  # it is also at \(portals.dropFirst().joined(separator: ", ").printable)")
    }
    if let wwid { lines.append("  ls -l /dev/disk/by-id/wwn-0x\(wwid.printable)") }
    return lines.joined(separator: "\n") + "\n"
  }

  private var needsCHAP: Bool {
    !target.chapUsers.isEmpty || target.acl.contains { !$0.chapUsers.isEmpty }
  }

  /// The secret stays out of it: the node's administrator knows it.
  private func authentication(_ name: String, _ address: String) -> [String] {
    let update = "  iscsiadm -m node -T \(name) -p \(address) --op update"
    let user = target.chapUsers.first ?? target.acl.lazy.flatMap(\.chapUsers).first ?? ""
    return [
      "\(update) -n node.session.auth.authmethod -v CHAP",
      "\(update) -n node.session.auth.username -v \(FilePath.shellQuoted(user.printable))",
      "\(update) -n node.session.auth.password -v SECRET",
    ]
  }
}
