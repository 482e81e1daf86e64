internal import AdministrationModel
internal import TargetConfig

/// Logins that were refused lately, each with the command that would let it in. They may be meant
/// so: whoever has been shut out tries on.
struct RefusalExamination {
  private let reading: DaemonReading

  /// So many of the newest are told.
  private static let countMax = 8

  init(_ reading: DaemonReading) { self.reading = reading }

  var findings: [Diagnosis] {
    let logins = reading.status.refusedLogins
    var findings = logins.prefix(Self.countMax).map { login in
      Diagnosis.advice(
        "refused \(Quantity.times(login.count)): \(login.words)",
        why: "\(login.message); last at \(Quantity.time(login.at) ?? "-")",
        remedy: remedy(for: login))
    }
    if logins.count > Self.countMax {
      findings.append(
        .advice(
          "\(logins.count - Self.countMax) more were refused",
          why: "the newest are told above", remedy: "swift-tgtadm status --json has them"))
    }
    return findings
  }

  func remedy(for login: RefusedLoginResource) -> String {
    switch login.reason {
    case "notFound", "authorization": remedyOfAccess(login)
    case "authentication": remedyOfCHAP(login)
    case "outOfResources", "tooManyConnections":
      "swift-tgtadm session list shows what it has; the keys \"limits\" and \"memory\" give more"
    case "timeout", "tooManyHalfOpen":
      "find who connects and says nothing, as a monitor or scanner does: ss -tn 'sport = :3260'"
    default: "journalctl -u swift-tgtd, and the log of the node: journalctl -u iscsid"
    }
  }

  // MARK: Access

  private func remedyOfAccess(_ login: RefusedLoginResource) -> String {
    guard let name = login.target else { return "swift-tgtadm target list" }
    let quoted = FilePath.shellQuoted(name)
    guard let target = reading.targets.first(where: { $0.name == name }) else {
      return "there is no such target (swift-tgtadm target list); on the node: "
        + "iscsiadm -m node -T \(quoted) -o delete"
    }
    guard let initiator = login.initiator else { return Hints.howToAllow(name) }
    let entries = target.acl.filter { $0.initiator == initiator }
    if entries.contains(where: { $0.addresses.isEmpty }) || target.isOpenToAny {
      let groups = target.portalGroups.map { $0.map { "\($0)" }.joined(separator: ", ") } ?? "all"
      return "it may log in, but not by that portal: the target has portal groups \(groups); "
        + "swift-tgtadm portal list"
    }
    let address = FilePath.shellQuoted(login.address)
    guard Self.isWellFormed(initiator) else {
      return "its name is no well-formed iSCSI name (iqn., eui. or naa.), so no command is offered "
        + "with it: find who is at \(address); if it may log in, give it one, like "
        + "iqn.2026-11.com.example:node1, in its /etc/iscsi/initiatorname.iscsi"
    }
    guard !entries.contains(where: \.isRestricted) else {
      return "its entry, which has users, LUNs or rights of its own, is for other addresses: if it "
        + "may, add \(address) to the entry's \"addresses\" in the configuration, then "
        + "swift-tgtadm config reload"
    }
    // Options first: behind "--" there are only names.
    let command =
      "swift-tgtadm acl add --target \(quoted) --address \(address) -- "
      + FilePath.shellQuoted(initiator)
    return entries.isEmpty
      ? "if it may: \(command)"
      : "its entry is for other addresses; to add this one: \(command)"
  }

  /// Whether it is safe to paste. Whoever was refused chose the name: "any" would be a word for
  /// everybody, "--force" an option, and letters beyond ASCII may look like those of somebody else.
  private static func isWellFormed(_ name: String) -> Bool {
    name.utf8.allSatisfy { $0 < 0x80 } && ISCSIName.problem(in: name, isTarget: true) == nil
      && ISCSIName.warning(for: ISCSIName.normalized(name)) == nil
  }

  // MARK: CHAP

  private func remedyOfCHAP(_ login: RefusedLoginResource) -> String {
    guard let name = login.target else {
      return "discovery wants a CHAP user: swift-tgtadm chap list; on the node: "
        + "discovery.sendtargets.auth.* in iscsid.conf"
    }
    let quoted = FilePath.shellQuoted(name)
    let target = reading.targets.first { $0.name == name }
    let entry = target?.acl.first { $0.initiator == login.initiator && !$0.chapUsers.isEmpty }
    let users = entry?.chapUsers ?? target?.chapUsers ?? []
    let user = users.count == 1 ? FilePath.shellQuoted(users[0]) : "USER"
    let place = entry.map { " --initiator \(FilePath.shellQuoted($0.initiator))" } ?? ""
    return "compare with the node: iscsiadm -m node -T \(quoted) | grep node.session.auth; "
      + "a new secret: swift-tgtadm chap add --target \(quoted)\(place) \(user) --replace"
  }
}

extension AccessEntryResource {
  /// Whether a second entry of that name, with nothing but addresses, would let in more than it.
  fileprivate var isRestricted: Bool { !chapUsers.isEmpty || luns != nil || readOnly }
}

extension RefusedLoginResource {
  /// Who wanted in where, and from where.
  var words: String {
    let who = initiator ?? "a login"
    return who + (target.map { " at \($0)" } ?? "") + " from \(address)"
  }
}
