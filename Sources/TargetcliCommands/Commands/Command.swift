internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

/// A command at a node, with all that it may look at.
struct Command {
  var session: Session
  var state: State
  var node: TreeNode
  var path: NodePath

  var daemon: any Administrator { session.daemon }
  var surroundings: any Surroundings { session.surroundings }
  var preferences: Preferences { session.preferences }

  mutating func run(_ line: CommandLine) async throws {
    guard let name = line.command else {
      try changePath(line.path ?? ".")
      return
    }
    let commands = CommandTable.commands(of: node.kind)
    guard let signature = commands.first(where: { $0.name == name }) else {
      throw ExecutionError("Command not found \(name)")
    }
    if signature.isOpen {
      try await runOpen(name, line)
    } else {
      try await run(name, try Arguments(line, for: signature))
    }
  }

  /// Commands that every node has, then those of the node.
  private mutating func run(_ name: String, _ arguments: Arguments) async throws {
    switch name {
    case "ls": try list(arguments)
    case "cd": try changePath(arguments["path"] ?? ".")
    case "pwd": say("\(path)")
    case "help": try help(arguments["topic"])
    case "status": say("Status for \(path): \(node.description)")
    case "refresh": break
    case "exit", "quit": session.wantsExit = true
    case "bookmarks": try bookmark(arguments)
    case "info": try await showInfo()
    case "version": try await showVersion()
    default: try await runOfNode(name, arguments)
    }
  }

  private mutating func runOfNode(_ name: String, _ arguments: Arguments) async throws {
    switch (node.kind, name) {
    case (_, "saveconfig"): try await saveConfiguration(arguments)
    case (_, "restoreconfig"): try await restoreConfiguration(arguments)
    case (_, "clearconfig"): try await clearConfiguration(arguments)
    case (_, "sessions"): try await showSessions(arguments)
    case (.plugin(let plugin), "create"): try await createStore(plugin, arguments)
    case (.plugin(let plugin), "delete"): try await deleteStore(plugin, arguments)
    case (.alua, _):
      throw ExecutionError(
        "Access states are those of portal groups here: \"portalGroups\" of a target in the "
          + "configuration.")
    case (.iscsi, "create"): try await createTarget(arguments)
    case (.iscsi, "delete"): try await deleteTarget(arguments)
    case (.target(let target), "create"): try createGroup(target, arguments)
    case (.target(let target), "delete"): try await deleteGroup(target, arguments)
    case (.group(let target), "enable"): try await enable(true, target)
    case (.group(let target), "disable"): try await enable(false, target)
    case (.luns(let target), "create"): try await createLUN(target, arguments)
    case (.luns(let target), "delete"): try await deleteLUN(target, arguments)
    case (.acls(let target), "create"): try await createACL(target, arguments)
    case (.acls(let target), "delete"): try await deleteACL(target, arguments)
    case (.acls, "tag"), (.acls, "untag"):
      throw ExecutionError("Tags are not kept here: name the initiators themselves.")
    case (.acl(let target, let key), "create"), (.acl(let target, let key), "map"):
      try await mapLUN(target, key, arguments)
    case (.acl(let target, let key), "delete"), (.acl(let target, let key), "unmap"):
      try await unmapLUN(target, key, arguments)
    case (.portals(let target), "create"): try await createPortal(target, arguments)
    case (.portals(let target), "delete"): try await deletePortal(target, arguments)
    case (.portal, "enable_iser"), (.portal, "enable_offload"):
      try refuseOffload(name, arguments)
    default: throw ExecutionError("Command not found \(name)")
    }
  }

  private mutating func runOpen(_ name: String, _ line: CommandLine) async throws {
    let group = line.positional.first ?? line.named.first { $0.name == "group" }?.value
    let named = line.named.filter { $0.name != "group" }
    switch name {
    case "get":
      guard named.isEmpty else {
        throw ExecutionError("Unexpected keyword parameter '\(named[0].name)'.")
      }
      try await getSettings(group, Array(line.positional.dropFirst()))
    case "set":
      guard line.positional.count <= 1 else {
        throw ExecutionError("Unexpected positional parameter '\(line.positional[1])'.")
      }
      try await setSettings(group, named)
    default: throw ExecutionError("Command not found \(name)")
    }
  }

  // MARK: Telling

  func say(_ text: String) { surroundings.write(text.printable + "\n") }

  /// What somebody ought to know and no program reads.
  func remark(_ text: String) { surroundings.complain(text.printable + "\n") }

  /// A path as the person who typed it means it: the daemon stands elsewhere.
  func absolute(_ path: String) -> String {
    FilePath.resolve(path, against: surroundings.currentDirectory)
  }

  // MARK: Changing

  /// All of the changes and the notes, or none. Nothing is written to the configuration file: that
  /// is for `saveconfig`.
  mutating func commit(
    _ changes: [Change], notes: Notes? = nil, force: Bool = false, now: Bool = false,
    showsWarnings: Bool = false
  ) async throws {
    let all = try changes + (notes ?? state.notes).changes(from: state.kept)
    guard !all.isEmpty else { return }
    let options = ChangeOptions(force: force, runtimeOnly: true, now: now)
    let result = try await daemon.change(ChangeRequest(all, options))
    if showsWarnings { result.warnings.forEach { remark("Warning: \($0)") } }
    state = try await State.read(daemon)
  }

  /// Brings the daemon and the notes to what `group` says now.
  mutating func commit(
    _ wanted: PortalGroup, from present: PortalGroup, before: [Change] = [],
    after: [Change] = [], force: Bool = false, now: Bool = false, showsWarnings: Bool = false
  ) async throws {
    var (group, old) = (wanted, present)
    if group.userLost != nil {
      // Whom another program has let in may have to wait from now on, with its secrets.
      let vault = try await Vault.open(daemon)
      vault.fill(&group)
      vault.fill(&old)
    }
    if let user = group.userLost {
      throw ExecutionError(
        "The secret of \(user) stands in a file that cannot be read here, and would be lost: do it "
          + "as root.")
    }
    if let user = group.everybodyLost(from: old) {
      throw ExecutionError(
        "Whoever has no ACL has the user \(user) of its own here, beside the users of the target, "
          + "which cannot be kept: take its entry or the user \(user) away with swift-tgtadm "
          + "first.")
    }
    let losing = group.usersLost(from: old)
    guard losing.isEmpty else {
      throw ExecutionError(
        "Several users are set for \(losing.words) here, of which targetcli would keep one: take "
          + "the others away with swift-tgtadm first.")
    }
    var notes = state.notes
    notes.targets[group.target] = group.notes
    let changes = before + (try group.changes(from: old)) + after
    try await commit(
      changes, notes: notes.pruned(to: Set(notes.targets.keys)), force: force, now: now,
      showsWarnings: showsWarnings)
    let strangers = group.shutOut(since: old)
    if !strangers.isEmpty {
      remark("Note: let in by another program, and not any more: \(strangers.words)")
    }
  }

  func target(_ name: String) throws(ExecutionError) -> TargetResource {
    guard let target = state.target(name) else {
      throw ExecutionError("No such Target in configfs: \(name)")
    }
    return target
  }

  /// The portal group with its secrets, as far as the daemon gives them.
  func groupWithSecrets(
    _ target: TargetResource
  ) async throws -> (group: PortalGroup, vault: Vault) {
    var group = state.group(target)
    let vault = try await Vault.open(daemon)
    vault.fill(&group)
    return (group, vault)
  }

  /// After a creation: the place is remembered, and gone to where that is wanted.
  mutating func created(at path: NodePath) throws(ExecutionError) {
    session.preferences.bookmarks["last"] = "\(path)"
    // Without a place for it the bookmark is missing, and what was created is there.
    try? session.preferencesFile.write(session.preferences, surroundings)
    if preferences.isSet("auto_cd_after_create") {
      say("Entering new node \(path)")
      session.path = path
    }
  }
}
