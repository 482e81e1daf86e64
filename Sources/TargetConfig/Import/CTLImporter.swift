/// ctl.conf of FreeBSD's ctld.
///
/// Access: names and addresses of an auth-group must both match, as in our entries: each name is an
/// entry with all the addresses.
struct CTLImporter {
  var draft: ImportDraft
  var groups: [String: CTLAuthentication] = [:]
  private var portalGroups: [String: CTLPortalGroup] = [:]
  /// The store of each lun of the whole file; an empty text where it was left out.
  var stores: [String: String] = [:]

  init(draft: ImportDraft) { self.draft = draft }

  mutating func run(_ root: [Statement]) {
    groups["no-authentication"] = CTLAuthentication(type: "none")
    groups["no-access"] = CTLAuthentication(type: "deny")
    groups["default"] = CTLAuthentication(type: "deny")
    for statement in root { global(statement) }
    var portalsUsed: [String] = []
    for statement in root where statement.name == "target" {
      portalsUsed.append(addTarget(statement))
    }
    settleDiscovery(portalsUsed)
    if draft.stores.contains(where: { $0.medium.path != nil }) {
      draft.note(
        "paths are those of FreeBSD: replace each by the file or device that has the content here")
    }
  }

  // MARK: The whole file

  private mutating func global(_ statement: Statement) {
    let name = statement.argument() ?? ""
    switch statement.name {
    case "target": break
    case "auth-group": groups[name] = authentication(statement.children ?? [])
    case "portal-group": portalGroups[name] = portalGroup(statement)
    case "lun": stores[name] = addStore(statement, name: name)
    case "pidfile", "debug", "maxproc":
      draft.note(statement.place, "\(statement.name) concerns ctld alone: not kept")
    default:
      draft.note(
        statement.place, "\(statement.name.quoted): there is nothing like it here: not kept")
    }
  }

  // MARK: Portals

  private struct CTLPortalGroup {
    var endpoints: [Endpoint] = []
    var discovery = CTLAuthentication(type: "deny")
    var place: ImportPlace
  }

  private mutating func portalGroup(_ statement: Statement) -> CTLPortalGroup {
    var group = CTLPortalGroup(place: statement.place)
    for child in statement.children ?? [] {
      switch child.name {
      case "listen":
        if let endpoint = endpoint(child) { group.endpoints.append(endpoint) }
      case "discovery-auth-group":
        let name = child.argument() ?? ""
        if let found = groups[name] {
          group.discovery = found
        } else {
          draft.note(child.place, "there is no auth-group \(name.quoted)")
        }
      case "discovery-filter":
        draft.note(
          child.place, "discovery shows an initiator what it may log in to: no other filter is kept"
        )
      default:
        draft.note(
          child.place, "\(child.name.quoted) of the portal group \(statement.rest.quoted): not kept"
        )
      }
    }
    return group
  }

  private mutating func endpoint(_ statement: Statement) -> Endpoint? {
    let text = statement.argument() ?? ""
    if let address = InternetAddress(text) {
      return Endpoint(address: address, port: Endpoint.defaultPort)
    }
    if let endpoint = try? Endpoint(parsing: text) { return endpoint }
    draft.note(
      statement.place, "\(text.quoted) is not an address, and names are not looked up: left out")
    return nil
  }

  /// Every portal group has users of its own there; here discovery has one set.
  private mutating func settleDiscovery(_ names: [String]) {
    let used = Set(names).sorted().compactMap { portalGroups[$0] }
    guard let asking = used.first(where: { !$0.discovery.users.isEmpty }) else {
      if used.isEmpty || used.contains(where: { $0.discovery.type == "deny" }) {
        draft.note(
          "discovery was denied, which is not possible here: it shows an initiator only what it "
            + "may log in to")
      }
      return
    }
    for user in asking.discovery.users {
      draft.addDiscoveryUser(user.name, user.secret, user.place)
    }
    if draft.discovery.chap.isEmpty {
      draft.note(
        asking.place, "discovery asked for a password, but no user could be kept: it asks for none")
    }
    if let mutual = asking.discovery.users.first(where: { $0.mutualName != nil }) {
      draft.discovery.mutualChap = draft.credential(
        mutual.mutualName, mutual.mutualSecret, mutual.place)
    }
    if used.count > 1 {
      draft.note(
        asking.place,
        "discovery has one set of users here, for all portals: that of this portal group")
    }
  }

  // MARK: Targets

  /// Adds it and returns the name of its portal group.
  private mutating func addTarget(_ statement: Statement) -> String {
    let children = statement.children ?? []
    var target = TargetConfiguration.Target(name: statement.argument() ?? "")
    var group = "default"
    var authentication = authentication(children.filter(Self.isAuthentication))
    var namesGroup = false
    for child in children where !Self.isAuthentication(child) {
      switch child.name {
      case "alias": target.alias = child.rest
      case "auth-group":
        namesGroup = true
        authentication = found(child)
      case "portal-group":
        group = child.argument() ?? "default"
        if child.argument(1) != nil {
          draft.note(
            child.place, "an auth-group for one portal group is not possible here: not kept")
        }
      case "lun": addLUN(child, to: &target.luns)
      default:
        draft.note(
          child.place, "\(child.name.quoted) of the target \(target.name.quoted): not kept")
      }
    }
    let isSilent = !namesGroup && !children.contains(where: Self.isAuthentication)
    if isSilent { authentication = groups["default"] ?? authentication }
    if namesGroup, children.contains(where: Self.isAuthentication) {
      draft.note(
        statement.place,
        "\(target.name.quoted) has an auth-group and users or initiators of its own, which ctld "
          + "refuses: nobody gets in")
      authentication = CTLAuthentication(type: "deny")
    }
    apply(authentication, to: &target, statement.place)
    draft.add(
      DraftTarget(target: target, endpoints: endpoints(group, statement), place: statement.place))
    return group
  }

  private mutating func found(_ statement: Statement) -> CTLAuthentication {
    let name = statement.argument() ?? ""
    if let group = groups[name] { return group }
    draft.note(statement.place, "there is no auth-group \(name.quoted): nobody gets in by it")
    return CTLAuthentication(type: "deny")
  }

  private mutating func endpoints(_ group: String, _ statement: Statement) -> [Endpoint] {
    if let found = portalGroups[group] { return found.endpoints }
    if group != "default" {
      draft.note(statement.place, "there is no portal group \(group.quoted)")
      return []
    }
    return TargetConfiguration.Portal.standard.map(\.endpoint)
  }
}
