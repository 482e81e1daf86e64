internal import AdministrationModel
internal import TargetConfig

// `get` and `set`.

extension Command {
  private func group(_ name: String) throws(ExecutionError) -> SettingGroup {
    guard let group = SettingGroup(rawValue: name),
      SettingGroup.all(of: node.kind).contains(group)
    else { throw ExecutionError("Unknown configuration group: \(name)") }
    return group
  }

  private func listGroups() {
    say("AVAILABLE CONFIGURATION GROUPS")
    say("==============================")
    say(SettingGroup.all(of: node.kind).map(\.rawValue).joined(separator: " "))
  }

  func getSettings(_ name: String?, _ names: [String]) async throws {
    guard let name else { return listGroups() }
    let group = try group(name)
    let settings = try await settings(group).sorted { $0.name < $1.name }
    guard !names.isEmpty else {
      Self.section(
        group, settings.map { ($0, "\($0.name)=\($0.value)\($0.isWritable ? "" : " [ro]")") }
      )
      .forEach { say($0) }
      return
    }
    for name in names {
      guard let setting = settings.first(where: { $0.name == name }) else {
        throw ExecutionError("No parameter '\(name)' in group '\(group.rawValue)'.")
      }
      say("\(name)=\(setting.value) \(setting.isWritable ? "" : "[ro]")")
    }
  }

  private static func section(
    _ group: SettingGroup, _ settings: [(setting: Setting, title: String)]
  ) -> [String] {
    let title = "\(group.rawValue.uppercased()) CONFIG GROUP"
    let head = [title, String(repeating: "=", count: title.count)]
    return head
      + settings.flatMap { setting, title in
        [title, String(repeating: "-", count: title.count), setting.meaning, ""]
      }
  }

  /// All values at once: those that mean something only together never hold apart.
  mutating func setSettings(
    _ name: String?, _ named: [(name: String, value: String)]
  ) async throws {
    guard let name else { return listGroups() }
    let group = try group(name)
    let settings = try await settings(group)
    guard !named.isEmpty else {
      let writable = settings.filter(\.isWritable).sorted { $0.name < $1.name }
      Self.section(group, writable.map { ($0, $0.name) }).forEach { say($0) }
      return
    }
    for (name, _) in named {
      guard let setting = settings.first(where: { $0.name == name }) else {
        throw ExecutionError("Unknown parameter \(name) in group '\(group.rawValue)'.")
      }
      guard setting.isWritable else { throw ExecutionError("Parameter \(name) is read-only.") }
    }
    try await set(group, named)
    let now = try await self.settings(group)
    for (name, _) in named {
      let value = now.first { $0.name == name }?.value ?? ""
      say("Parameter \(name) is now '\(value)'.")
    }
  }

  private func settings(_ group: SettingGroup) async throws -> [Setting] {
    switch (group, node.kind.settingsOwner) {
    case (.global, _):
      return Preferences.known.map { Setting($0.key, preferences[$0.key], $0.value.meaning) }
    case (.alua, .lun):
      return [Setting("alua_tg_pt_gp_name", "default_tg_pt_gp", isWritable: false)]
    case (.alua, _): return FixedValues.alua.map { Setting($0, $1, isWritable: false) }
    case (.attribute, .storageObject(let name)):
      return state.store(name).map(StoreAttributes.settings) ?? []
    case (.attribute, .group(let name)):
      let vault = try await Vault.open(daemon, withSecrets: false)
      return GroupAttributes.settings(
        state.group(try target(name)), vault.configuration.target(named: name)?.iscsi,
        vault.configuration.limits)
    case (.attribute, _): return FixedValues.acl.map { Setting($0, $1) }
    case (.parameter, .group(let name)), (.parameter, .acl(let name, _)):
      let vault = try await Vault.open(daemon, withSecrets: false)
      let isOfACL = if case .acl = node.kind { true } else { false }
      return SessionParameters.settings(
        vault.configuration.target(named: name),
        asksUsers: state.group(try target(name)).asksUsers, isWritable: !isOfACL)
    case (.auth, .group(let name)):
      return Self.settings(try await groupWithSecrets(try target(name)).group.shownAuth)
    case (.auth, .acl(let name, let key)):
      let group = try await groupWithSecrets(try target(name)).group
      return Self.settings(group.acls.first { $0.key == key }?.auth ?? Credentials())
    case (.discoveryAuth, _):
      var auth = state.discoveryAuth
      try await Vault.open(daemon).fill(&auth)
      return Self.settings(auth) + [Setting("enable", state.asksAtDiscovery ? "True" : "False")]
    default: return []
    }
  }

  private static func settings(_ auth: Credentials) -> [Setting] {
    let isMutual = auth.mutual.isComplete
    return Credentials.parameters.map { name in
      Setting(name, auth[name] ?? "", "The \(name) auth parameter.")
    } + [Setting("authenticate_target", isMutual ? "True" : "False", isWritable: false)]
  }

  private mutating func set(
    _ group: SettingGroup, _ named: [(name: String, value: String)]
  ) async throws {
    switch (group, node.kind.settingsOwner) {
    case (.global, _):
      for (name, value) in named { try session.preferences.set(name, value) }
      try session.preferencesFile.write(session.preferences, surroundings)
    case (.attribute, .storageObject(let name)): try await setStore(name, named)
    case (.attribute, .group(let name)): try await setAttributes(name, named)
    case (.attribute, _):
      for (name, value) in named {
        try FixedValues.check(name, value, FixedValues.acl[name], of: "one initiator")
      }
    case (.parameter, .group(let name)): try await setParameters(name, named)
    case (.auth, .group(let name)):
      try await setAuth(name) { group in
        for (name, value) in named { group.shownAuth[name] = value }
      }
    case (.auth, .acl(let name, let key)):
      try await setAuth(name) { group in
        guard let index = group.acls.firstIndex(where: { $0.key == key }) else { return }
        for (name, value) in named { group.acls[index].auth[name] = value }
      }
    case (.discoveryAuth, _): try await setDiscovery(named)
    default: break
    }
  }

  // MARK: CHAP

  /// A half user waits in the notes; a whole one goes to the daemon, and its owner gets in.
  private mutating func setAuth(
    _ name: String, _ edit: (inout PortalGroup) -> Void
  ) async throws {
    let old = try await groupWithSecrets(try target(name)).group
    var group = old
    edit(&group)
    try group.refuseHalfTargetUser()
    try keepAsking(&group, since: old)
    try await commit(group, from: old, showsWarnings: true)
  }

  /// Sets authentication=1, and says so, where somebody would get in without a user who did not
  /// before, now or once it comes.
  func keepAsking(
    _ group: inout PortalGroup, since old: PortalGroup
  ) throws(ExecutionError) {
    guard try group.keepAsking(since: old) else { return }
    remark("Note: users are asked for here (authentication=1): who has none waits for one.")
  }

  private mutating func setDiscovery(_ named: [(name: String, value: String)]) async throws {
    let vault = try await Vault.open(daemon)
    let discovery = state.discovery
    var present = Credentials(
      daemon: discovery.chapUsers, discovery.mutualCHAPUser, waiting: nil)
    vault.fill(&present)
    var auth = state.discoveryAuth
    vault.fill(&auth)
    let hasOthers = discovery.chapUsers.count > 1
    var isEnabled = state.asksAtDiscovery
    for (name, value) in named {
      if name == "enable" { isEnabled = try Truth.parse(value) } else { auth[name] = value }
    }
    guard isEnabled || !hasOthers else {
      throw ExecutionError(
        "Several users are set for discovery here, of which targetcli would keep one: take the "
          + "others away with swift-tgtadm first.")
    }
    let served = isEnabled ? auth.served(besideOthers: hasOthers) : Credentials()
    let changes = try served.changes(from: present, at: .discovery)
    var notes = state.notes
    notes.discovery.isEnabled = isEnabled
    notes.discovery.auth = isEnabled ? auth.waiting(besideOthers: hasOthers) : auth
    try await commit(changes, notes: notes, showsWarnings: true)
    if isEnabled, !hasOthers, !auth.user.isComplete {
      remark("Note: discovery asks for nothing until userid and password are set.")
    }
  }

  // MARK: Attributes and parameters

  private mutating func setAttributes(
    _ name: String, _ named: [(name: String, value: String)]
  ) async throws {
    let target = try target(name)
    let (old, vault) = try await groupWithSecrets(target)
    let configured = vault.configuration.target(named: name)
    var group = old
    var after: [Change] = []
    for (name, value) in named {
      switch name {
      case "authentication": group.authentication = try Truth.parse(value)
      case "generate_node_acls": group.generateNodeACLs = try Truth.parse(value)
      case "demo_mode_write_protect": group.demoModeWriteProtect = try Truth.parse(value)
      case "cache_dynamic_acls":
        group.cacheDynamicACLs = try Truth.parse(value)
        if group.cacheDynamicACLs {
          remark("Note: cache_dynamic_acls is kept, and without effect: nothing is lost at logout.")
        }
      case "default_cmdsn_depth":
        after.append(
          try SessionParameters.change(
            [("default_cmdsn_depth", value)], target: target.name, configured,
            general: vault.configuration.iscsi))
      default:
        let usual = GroupAttributes.settings(old, configured?.iscsi, vault.configuration.limits)
          .first { $0.name == name }?.value
        try FixedValues.check(name, value, usual, of: "a portal group")
      }
    }
    if group.authentication == false, old.hasUsers,
      named.contains(where: { $0.name == "authentication" })
    {
      throw ExecutionError(
        "Users that are set are always asked for here: empty userid and password first, and "
          + "authentication=0 lets their owners in without.")
    }
    // Who has said authentication=0 means newcomers, too.
    if group.authentication == nil { try keepAsking(&group, since: old) }
    if !group.generateNodeACLs, group.hasTargetUsers, old.generateNodeACLs {
      remark("Note: the users of the target itself stay, for initiators that have an ACL.")
    }
    try await commit(group, from: old, after: after)
  }

  private mutating func setParameters(
    _ name: String, _ named: [(name: String, value: String)]
  ) async throws {
    let target = try target(name)
    let vault = try await Vault.open(daemon, withSecrets: false)
    let configured = vault.configuration.target(named: name)
    try await commit([
      try SessionParameters.change(
        named, target: target.name, configured, general: vault.configuration.iscsi)
    ])
  }

  private mutating func setStore(
    _ name: String, _ named: [(name: String, value: String)]
  ) async throws {
    guard let store = state.store(name) else {
      throw ExecutionError("No storage object named \(name).")
    }
    let values = try StoreAttributes.values(named, of: store)
    guard !values.isEmpty else { return }
    try await commit([.setStore(Change.StoreKeys(name, values))])
  }
}
