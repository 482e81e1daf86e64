internal import AdministrationModel
internal import TargetConfig

// Saving, restoring and clearing.

extension Command {
  static var standardFile: String { "/etc/target/saveconfig.json" }

  mutating func saveConfiguration(_ arguments: Arguments) async throws {
    let result = try await daemon.save(ChangeOptions())
    // What is saved already is not written again.
    var file = result.savedTo
    if file == nil { file = try await daemon.configuration(withSecrets: false).file }
    if let file {
      say("Configuration saved to \(file)")
    } else if arguments["savefile"] == nil {
      throw ExecutionError("The daemon runs without a configuration file: name one.")
    }
    if let path = arguments["savefile"].map(absolute) {
      let vault = try await Vault.open(daemon)
      let document = try SaveconfigDocument(state, vault)
      try surroundings.replace(path, by: try document.text)
      say("Configuration saved to \(path)")
      tellWhatLIOWouldDo()
    }
    tellWhatWaits()
  }

  /// Here the file comes back as it was; who gives it to LIO must know.
  private func tellWhatLIOWouldDo() {
    for target in state.targets {
      let acls = state.group(target).acls.filter { !$0.addresses.isEmpty && $0.wwn != "any" }
      guard !acls.isEmpty else { continue }
      remark(
        "Note: LIO does not ask from where initiators come, and with this file it would let these "
          + "in to \(target.name) from everywhere: " + acls.map(\.wwn).joined(separator: ", "))
    }
  }

  /// What is in the notes is nowhere else.
  private func tellWhatWaits() {
    for (name, notes) in state.notes.targets.sorted(by: { $0.key < $1.key }) {
      var lost: [String] = []
      if asksWithoutUsers(name) { lost.append("that users are asked for (authentication=1)") }
      if notes.isDisabled { lost.append("that it is disabled") }
      if notes.hasNoPortals { lost.append("that it has no portals") }
      if !notes.auth.isEmpty { lost.append("users of tpg1 that are set in part, or not asked for") }
      if notes.targetMutual != nil { lost.append("the mutual user of the target") }
      if notes.everybodyLUNs != nil { lost.append("the LUNs of whoever has no ACL") }
      if !notes.acls.isEmpty {
        lost.append("ACLs and users of " + notes.acls.map(\.wwn).joined(separator: ", "))
      }
      guard !lost.isEmpty else { continue }
      remark(
        "Note: not saved, and known only while the daemon runs, of \(name): "
          + lost.joined(separator: "; ") + ". After a restart who waits has to be set anew.")
    }
    if !state.notes.discovery.auth.isEmpty {
      remark("Note: not saved: users of discovery that are set in part, or not asked for.")
    }
  }

  /// Users are asked for, and the configuration does not show it: it has none.
  private func asksWithoutUsers(_ name: String) -> Bool {
    guard let target = state.target(name), state.group(target).asksUsers else { return false }
    return target.chapUsers.isEmpty && target.acl.allSatisfy(\.chapUsers.isEmpty)
  }

  mutating func clearConfiguration(_ arguments: Arguments) async throws {
    guard try arguments.boolean("confirm") == true else {
      throw ExecutionError("As a precaution, confirm=True needs to be set")
    }
    try await commit(clearing, notes: Notes(), force: true, now: true)
    say("All configuration cleared")
  }

  /// Every target, every store, and who may do discovery. Portals stay: they are the daemon's own.
  private var clearing: [Change] {
    var changes = state.targets.map { Change.removeTarget(Change.TargetName($0.name)) }
    changes += state.stores.map { .removeStore(Change.StoreName($0.name)) }
    if state.discovery.mutualCHAPUser != nil { changes.append(.clearMutualCHAP(.discovery)) }
    changes += state.discovery.chapUsers.map {
      .removeCHAPUser(Change.UserName($0, at: .discovery, allowingOpenAccess: true))
    }
    return changes
  }

  /// One transaction: what is there stays until all of the file is.
  mutating func restoreConfiguration(_ arguments: Arguments) async throws {
    let path = arguments["savefile"].map(absolute) ?? Self.standardFile
    let isClearing = try arguments.boolean("clear_existing") ?? false
    guard let text = try surroundings.text(of: path) else {
      say("Restore file \(path) not found")
      return
    }
    guard isClearing || state.targets.isEmpty && state.stores.isEmpty else {
      throw ExecutionError("storageobjects or targets present, not restoring")
    }
    let imported: ImportedConfiguration
    // Secrets that stand in files are the daemon's to read.
    var configuration: TargetConfiguration
    do throws(ConfigurationError) {
      imported = try ConfigurationImport.read(text: text, fileName: path, format: .saveconfig)
      configuration = try ConfigurationLoader.look(at: imported.text, file: path)
    } catch {
      throw ExecutionError("\(error)")
    }
    let running = try await Vault.open(daemon, withSecrets: false).configuration
    configuration.stores = configuration.stores.map { withoutMadeIdentity($0, running) }
    var notes = Notes()
    var general = configuration.iscsi
    if imported.isOwn {
      configuration.stores = configuration.stores.map(withoutNewFile)
      notes = try Notes(ofSaveconfig: text)
      general = running.iscsi
    } else {
      nameGroups(&configuration, imported.withheld)
    }
    for access in imported.withheld {
      notes.targets[ISCSIName.normalized(access.target)] = Notes.OfTarget(access)
    }
    let restoration = try Restoration(
      configuration, besides: general, portals: state.portals, isOwn: imported.isOwn)
    try await commit(
      clearing + restoration.changes, notes: notes, force: true, now: true, showsWarnings: true)
    imported.notes.forEach { remark("Note: \($0)") }
    restoration.remarks.forEach { remark($0) }
    say("Configuration restored from \(path)")
  }

  /// LIO's targets are reached through the portals that they name, and through no others: not
  /// through those of here that the file does not know, nor through those to come.
  private func nameGroups(
    _ configuration: inout TargetConfiguration, _ withheld: [WithheldAccess]
  ) {
    let groups = Set(configuration.portals.map(\.group)).sorted()
    guard !groups.isEmpty else { return }
    let unreached = Set(withheld.filter(\.hasNoPortals).map { ISCSIName.normalized($0.target) })
    for index in configuration.targets.indices
    where configuration.targets[index].portalGroups == nil
      && !unreached.contains(configuration.targets[index].name)
    {
      configuration.targets[index].portalGroups = groups
    }
  }

  /// An identity that the daemon made for a store of that name is the same again without a word:
  /// so the configuration says no more than it did.
  private func withoutMadeIdentity(
    _ store: TargetConfiguration.Store, _ running: TargetConfiguration
  ) -> TargetConfiguration.Store {
    guard let served = state.store(store.name), let configured = running.store(named: store.name)
    else { return store }
    var store = store
    if configured.naa == nil, store.naa?.description == served.wwn { store.naa = nil }
    if configured.serial == nil, store.serial == served.serial { store.serial = nil }
    return store
  }

  /// A file that is missing is an error, and no new empty disk.
  private func withoutNewFile(_ store: TargetConfiguration.Store) -> TargetConfiguration.Store {
    guard case .file(let path) = store.medium, surroundings.kind(of: path) == nil else {
      return store
    }
    var store = store
    store.sizeBytes = nil
    return store
  }
}
