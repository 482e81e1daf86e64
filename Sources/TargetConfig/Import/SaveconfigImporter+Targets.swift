// Targets of LIO: their portal groups hold what targets hold here.
//
// Users stand with the entry that they belong to, never with the target: LIO asks an initiator with
// an ACL for the users of that ACL alone, and the users of the portal group are for the others.

extension SaveconfigImporter {
  mutating func addTarget(_ node: DocumentNode) {
    let name = node["wwn"]?.string ?? ""
    guard node["fabric"]?.string == "iscsi" else {
      let fabric = node["fabric"]?.string ?? ""
      note(
        node,
        "the target \(name.quoted) is one of \(fabric.quoted), and here is only iSCSI: left out")
      return
    }
    tellOthers(node, ["wwn", "fabric", "tpgs"], "the target \(name.quoted)")
    let groups = node["tpgs"]?.elements ?? []
    guard let group = groups.first(where: { $0["enable"]?.flag != false }) ?? groups.first else {
      note(node, "the target \(name.quoted) has no portal group: left out")
      return
    }
    for other in groups where other.path != group.path {
      let tag = other["tag"]?.unsigned ?? 0
      note(
        other,
        other["enable"]?.flag == false
          ? "portal group \(tag) of \(name.quoted) is disabled: left out"
          : "portal group \(tag) of \(name.quoted): a target has one set of LUNs and initiators "
            + "here, which is that of the first group: left out")
    }
    add(group, name: name, place(node))
  }

  private mutating func add(_ group: DocumentNode, name: String, _ place: ImportPlace) {
    var target = TargetConfiguration.Target(name: name)
    targetName = name
    startTarget(&target, group)
    let lunOfIndex = addLUNs(group, &target)
    let attributes = group["attributes"]
    let asksUsers = attributes?["authentication"]?.flag ?? true
    var isWhole = true
    userless = []
    for acl in group["node_acls"]?.elements ?? [] {
      if !addEntry(acl, lunOfIndex, asksUsers, &target) { isWhole = false }
    }
    if attributes?["generate_node_acls"]?.flag ?? false {
      if isWhole {
        addEverybody(group, asksUsers, &target)
      } else {
        draft.keepClosed(target, place)
      }
    } else if target.chap.isEmpty, let user = group["chap_userid"] {
      note(
        user,
        "the CHAP user of \(name.quoted) is for initiators without an ACL, and none of them gets "
          + "in (generate_node_acls is off): not kept")
    }
    negotiate(group, &target)
    if let attributes { tellAttributes(attributes, of: name, &target) }
    let known: Set<String> = [
      "tag", "enable", "attributes", "parameters", "luns", "portals", "node_acls", "chap_userid",
      "chap_password", "chap_mutual_userid", "chap_mutual_password",
    ]
    tellOthers(group, known, "\(name.quoted)")
    let hasNoPortals = (group["portals"]?.elements ?? []).isEmpty
    withhold(&target, hasNoPortals: hasNoPortals, asksUsers: asksUsers, group)
    let endpoints = hasNoPortals ? nil : endpoints(group)
    takeAccessStates(endpoints ?? [], &target, group)
    draft.add(DraftTarget(target: target, endpoints: endpoints, place: place))
  }

  /// Nobody gets in where nobody got in before.
  private mutating func withhold(
    _ target: inout TargetConfiguration.Target, hasNoPortals: Bool, asksUsers: Bool,
    _ group: DocumentNode
  ) {
    var access = WithheldAccess(target: target.name)
    access.isDisabled = group["enable"]?.flag == false
    access.hasNoPortals = hasNoPortals
    access.asksUsers = asksUsers
    access.userless = userless
    // An ACL has an attribute of its own for that.
    let hasExempt = target.chap.isEmpty && target.acl.contains { $0.chap.isEmpty }
    access.isMixed = asksUsers ? hasExempt : !userless.isEmpty
    if access.isDisabled || hasNoPortals {
      note(
        group,
        "the portal group of \(target.name.quoted) "
          + (access.isDisabled ? "is disabled" : "has no portals")
          + ": the target lets nobody in until it is given whom")
      access.isOpenToAny = target.isOpenToAny
      access.entries = target.acl
      target.acl = []
      target.isOpenToAny = false
    } else if userless.isEmpty {
      // Users that are kept show by themselves that users are asked for.
      let hasUsers = !target.chap.isEmpty || target.acl.contains { !$0.chap.isEmpty }
      guard asksUsers, !hasUsers else { return }
    }
    draft.withheld.append(access)
  }

  // MARK: LUNs

  /// Fills in the target's LUNs and returns the store of each number.
  private mutating func addLUNs(
    _ group: DocumentNode, _ target: inout TargetConfiguration.Target
  ) -> [UInt64: String] {
    var result: [UInt64: String] = [:]
    for node in group["luns"]?.elements ?? [] {
      let path = node["storage_object"]?.string ?? ""
      let parts = path.split(separator: "/", maxSplits: 2).map(String.init)
      let key = parts.count == 3 ? Self.key(parts[1], parts[2]) : ""
      guard let store = stores[key] else {
        note(node, "there is no storage object \(path.quoted): the LUN is left out")
        continue
      }
      let index = node["index"]?.unsigned
      if let index, store.isEmpty {
        note(node, "LUN \(index) is left out with \(path.quoted)")
      }
      guard !store.isEmpty else { continue }
      let count = target.luns.count
      var readOnly = false
      if let index { readOnly = isReadOnly(index, store: store, node) }
      draft.addLUN(index, store: store, readOnly: readOnly, to: &target.luns, place(node))
      if let index, target.luns.count > count { result[index] = store }
      let known: Set<String> = ["index", "storage_object", "alias", "alua_tg_pt_gp_name"]
      tellOthers(node, known, "the LUN")
    }
    tellReadOnlyLUNs(target, group)
    return result
  }

  // MARK: Access

  /// False: the initiator is not in the list.
  private mutating func addEntry(
    _ node: DocumentNode, _ stores: [UInt64: String], _ groupAsks: Bool,
    _ target: inout TargetConfiguration.Target
  ) -> Bool {
    guard let name = node["node_wwn"]?.string.map({ ISCSIName.normalized($0) }) else {
      note(node, "an ACL without \"node_wwn\": left out")
      return false
    }
    guard let addresses = addresses(of: name, node) else { return false }
    var entry = TargetConfiguration.AccessEntry(initiator: name == "any" ? nil : name)
    entry.addresses = addresses
    let own = node["attributes"]?["authentication"]?.string
    let asks = own == "1" || (own != "0" && groupAsks)
    let isUsable =
      node["chap_userid"] == nil && asksForTargetUsers(entry, target)
      || setUsers(&entry, node, asks, "\(name.quoted)")
    var luns: [TargetConfiguration.LUN] = []
    for mapped in node["mapped_luns"]?.elements ?? [] {
      guard let store = mapped["tpg_lun"]?.unsigned.flatMap({ stores[$0] }) else {
        note(mapped, "maps a LUN that is not there any more: left out for \(name.quoted)")
        continue
      }
      let isReadOnly = mapped["write_protect"]?.flag ?? false
      draft.addLUN(
        mapped["index"]?.unsigned, store: store, readOnly: isReadOnly, to: &luns, place(mapped))
    }
    if luns.sorted(by: { $0.number < $1.number })
      != target.luns.sorted(by: { $0.number < $1.number })
    {
      entry.luns = luns
    }
    supplementEntry(&entry, target, isAsked: asks, node)
    tellEntry(node, name)
    guard isUsable else {
      userless.append(entry)
      return false
    }
    return draft.addEntry(entry, to: &target, place(node))
  }

  /// Whether the entry may be used: where users are asked for and none is left, nobody gets in.
  private mutating func setUsers(
    _ entry: inout TargetConfiguration.AccessEntry, _ node: DocumentNode, _ asks: Bool,
    _ who: String
  ) -> Bool {
    guard asks else {
      if let user = node["chap_userid"] {
        note(
          user,
          "the CHAP user of \(who) is not asked for (authentication is off), and here a user is "
            + "always asked for: not kept")
      }
      return true
    }
    let initiator = entry.initiator ?? (entry.addresses.isEmpty ? nil : "any")
    if let user = node["chap_userid"] {
      draft.addUser(
        user.string, node["chap_password"]?.string, file: secretFile(user, of: initiator),
        to: &entry.chap, place(user))
    }
    guard !entry.chap.isEmpty else {
      note(
        node,
        "authentication is on, but \(who) has no CHAP user, so nobody can log in by it: left out")
      return false
    }
    if let user = node["chap_mutual_userid"] {
      entry.mutualChap = draft.credential(
        user.string, node["chap_mutual_password"]?.string,
        file: secretFile(user, of: initiator, isMutual: true), place(user))
    }
    return true
  }

  /// `generate_node_acls`: whoever has no ACL, write-protected unless the attribute says otherwise.
  private mutating func addEverybody(
    _ group: DocumentNode, _ asks: Bool, _ target: inout TargetConfiguration.Target
  ) {
    var entry = TargetConfiguration.AccessEntry(initiator: nil)
    entry.readOnly = group["attributes"]?["demo_mode_write_protect"]?.flag ?? true
    // Where the target has users, who has no entry of its own is asked for those.
    if target.chap.isEmpty {
      guard setUsers(&entry, group, asks, "everybody else") else { return }
    }
    guard supplementEverybody(&entry, target, isAsked: asks, group) else { return }
    if entry.chap.isEmpty, entry.luns == nil, !entry.readOnly {
      target.isOpenToAny = true
    } else {
      draft.addEntry(entry, to: &target, place(group))
    }
  }

  private mutating func tellEntry(_ node: DocumentNode, _ name: String) {
    let usual: [String: String] = [
      "dataout_timeout": "3", "dataout_timeout_retries": "5", "default_erl": "0",
      "nopin_response_timeout": "30", "nopin_timeout": "15", "random_datain_pdu_offsets": "0",
      "random_datain_seq_offsets": "0", "random_r2t_offsets": "0",
    ]
    let unkept = (node["attributes"]?.members ?? []).filter { key, value in
      key != "authentication" && usual[key] != (value.string ?? "")
    }.map { key, value in "\(key) \((value.string ?? value.value.kindName).shortened)" }
    if !unkept.isEmpty {
      note(
        node,
        "attributes of \(name.quoted) that cannot be chosen for one initiator here: "
          + unkept.joined(separator: ", "))
    }
    let known: Set<String> = [
      "node_wwn", "attributes", "mapped_luns", "chap_userid", "chap_password",
      "chap_mutual_userid", "chap_mutual_password",
    ]
    tellOthers(node, known, "\(name.quoted)")
  }

  // MARK: Portals

  private mutating func endpoints(_ group: DocumentNode) -> [Endpoint] {
    var endpoints: [Endpoint] = []
    for node in group["portals"]?.elements ?? [] {
      let text = node["ip_address"]?.string ?? ""
      let plain =
        text.hasPrefix("[") && text.hasSuffix("]") ? text.dropFirst().dropLast() : text[...]
      guard let address = InternetAddress(String(plain)),
        let port = UInt16(exactly: node["port"]?.unsigned ?? 3260), port > 0
      else {
        note(node, "\(text.quoted) is not an address with a port: the portal is left out")
        continue
      }
      if node["iser"]?.flag == true || node["offload"]?.flag == true {
        note(node, "the portal \(text.quoted) is one of iSER or an offload: here it is TCP")
      }
      let endpoint = Endpoint(address: address, port: port)
      endpoints.append(endpoint)
      // LIO's socket for :: takes IPv4 too; here each family has its own.
      if address.family == .v6, address.isUnspecified {
        endpoints.append(Endpoint(address: InternetAddress(v4: 0), port: endpoint.port))
      }
    }
    return endpoints
  }

  // MARK: Negotiation

  /// What LIO says when nobody has chosen: ours are better then.
  private static let standardParameters: [String: String] = [
    "AuthMethod": "CHAP", "DataDigest": "CRC32C,None", "HeaderDigest": "CRC32C,None",
    "DefaultTime2Retain": "20", "DefaultTime2Wait": "2", "FirstBurstLength": "65536",
    "ImmediateData": "Yes", "InitialR2T": "Yes", "MaxBurstLength": "262144",
    "MaxConnections": "1", "MaxOutstandingR2T": "1", "MaxRecvDataSegmentLength": "8192",
    "TargetAlias": "LIO Target", "default_cmdsn_depth": "64",
  ]

  private mutating func negotiate(
    _ group: DocumentNode, _ target: inout TargetConfiguration.Target
  ) {
    for (key, node) in group["parameters"]?.members ?? [] {
      let value = node.string ?? ""
      if Self.standardParameters[key] == value, !choosesParameters { continue }
      switch key {
      case "AuthMethod": break  // follows from the users
      case "TargetAlias": target.alias = value.isEmpty ? nil : value
      default:
        if !draft.negotiate(key, value, &target.iscsi, place(node)) {
          note(node, "the parameter \(key.quoted) is not known: not kept")
        }
      }
    }
  }

  private mutating func tellAttributes(
    _ attributes: DocumentNode, of name: String, _ target: inout TargetConfiguration.Target
  ) {
    let usual: [String: String] = [
      "default_erl": "0", "demo_mode_discovery": "1", "fabric_prot_type": "0",
      "login_keys_workaround": "1", "login_timeout": "15", "netif_timeout": "2",
      "prod_mode_write_protect": "0", "t10_pi": "0", "tpg_enabled_sendtargets": "1",
      "cache_dynamic_acls": "0",
    ]
    let read: Set<String> = [
      "authentication", "generate_node_acls", "demo_mode_write_protect",
    ]
    var unkept: [String] = []
    for (key, node) in attributes.members where !read.contains(key) {
      let value = node.string ?? node.value.kindName
      if usual[key] == value { continue }
      if Self.standardParameters[key] == value, !choosesParameters { continue }
      if key == "default_cmdsn_depth" {
        _ = draft.negotiate(key, value, &target.iscsi, place(node))
      } else {
        unkept.append("\(key) \(value.shortened)")
      }
    }
    guard !unkept.isEmpty else { return }
    note(
      attributes,
      "attributes of \(name.quoted) that are not kept: \(unkept.joined(separator: ", "))")
  }
}
