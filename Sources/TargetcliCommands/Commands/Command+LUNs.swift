internal import AdministrationModel
internal import TargetConfig

extension Command {
  private static var lunMax: UInt16 { TargetConfiguration.LUN.numberMax }

  mutating func createLUN(_ name: String, _ arguments: Arguments) async throws {
    let isMapping =
      try arguments.boolean("add_mapped_luns") ?? preferences.isSet("auto_add_mapped_luns")
    let wanted = try arguments["lun"].map { text throws(ExecutionError) in try Self.number(text) }
    let store = try await storageObject(try arguments.required("storage_object"))
    let old = state.group(try target(name))
    guard !old.luns.contains(where: { $0.store == store.name }) else {
      throw ExecutionError("lun for storage object \(store.storageObject) already exists")
    }
    let number = try wanted ?? Self.free(old.luns)
    guard !old.luns.contains(where: { $0.number == number }) else {
      throw ExecutionError("This LUN already exists in configFS")
    }
    let added = MappedLUN(number, store.name)
    var group = old
    group.luns = (old.luns + [added]).sorted { $0.number < $1.number }
    var mappings: [String] = []
    for index in group.acls.indices {
      try map(added, isMapping, old, &group.acls[index], &mappings)
    }
    let change = Change.addLUN(Change.LUNAddition(target: name, added.specification))
    try await commit(group, from: old, before: [change])
    say("Created LUN \(number).")
    mappings.forEach { say($0) }
    try created(at: NodePath(names: ["iscsi", name, "tpg1", "luns", "lun\(number)"]))
  }

  /// An initiator that sees all of a target's LUNs sees the new one by itself.
  private func map(
    _ lun: MappedLUN, _ isMapping: Bool, _ old: PortalGroup, _ acl: inout NodeACL,
    _ mappings: inout [String]
  ) throws(ExecutionError) {
    guard isMapping else {
      if acl.luns == nil { acl.luns = old.luns }
      return
    }
    var number = lun.number
    if let own = acl.luns {
      if own.contains(where: { $0.number == number }) { number = try Self.free(own) }
      acl.luns = (own + [MappedLUN(number, lun.store)]).sorted { $0.number < $1.number }
    }
    mappings.append("Created LUN \(lun.number)->\(number) mapping in node ACL \(acl.wwn)")
  }

  /// `3`, `lun3` or `LUN3`.
  static func number(_ text: String) throws(ExecutionError) -> UInt16 {
    let digits = text.lowercased().hasPrefix("lun") ? text.dropFirst(3) : text[...]
    guard let number = UInt16(digits), number <= Self.lunMax else {
      throw ExecutionError("LUN must be 0 to \(Self.lunMax), '\(text)' given")
    }
    return number
  }

  static func free(_ luns: [MappedLUN]) throws(ExecutionError) -> UInt16 {
    let taken = Set(luns.map(\.number))
    guard let free = (0...Self.lunMax).first(where: { !taken.contains($0) }) else {
      throw ExecutionError("All LUNs 0-\(Self.lunMax) in use")
    }
    return free
  }

  mutating func deleteLUN(_ name: String, _ arguments: Arguments) async throws {
    let text = try arguments.required("lun")
    let old = state.group(try target(name))
    guard let number = try? Self.number(text),
      let lun = old.luns.first(where: { $0.number == number })
    else { throw ExecutionError("Invalid LUN") }
    var group = old
    group.luns.removeAll { $0.number == number }
    for index in group.acls.indices { group.acls[index].luns?.removeAll { $0.store == lun.store } }
    group.everybodyLUNs?.removeAll { $0.store == lun.store }
    let removal = Change.removeLUN(Change.LUNName(target: name, lun: number))
    try await commit(group, from: old, after: [removal], force: true)
    say("Deleted LUN \(number).")
  }

  // MARK: Mapped LUNs

  private func acl(_ group: PortalGroup, _ key: EntryKey) throws(ExecutionError) -> Int {
    guard let index = group.acls.firstIndex(where: { $0.key == key }) else {
      throw ExecutionError("No such NodeACL in configfs: \(key.initiator)")
    }
    return index
  }

  mutating func mapLUN(_ name: String, _ key: EntryKey, _ arguments: Arguments) async throws {
    guard let number = UInt16(try arguments.required("mapped_lun")), number <= Self.lunMax else {
      throw ExecutionError("mapped_lun must be an integer")
    }
    let isReadOnly = try arguments.boolean("write_protect") ?? false
    let text = try arguments.required("tpg_lun_or_backstore")
    let store: String
    if let lun = try? Self.number(text) {
      guard let found = state.group(try target(name)).luns.first(where: { $0.number == lun }) else {
        throw ExecutionError("LUN, storage object, or path not valid")
      }
      store = found.store
    } else {
      store = try await storageObject(text).name
    }
    let old = state.group(try target(name))
    var group = old
    var before: [Change] = []
    var added: UInt16?
    if !old.luns.contains(where: { $0.store == store }) {
      let lun = MappedLUN(try Self.free(old.luns), store)
      for index in group.acls.indices where group.acls[index].luns == nil {
        group.acls[index].luns = old.luns
      }
      group.luns.append(lun)
      before = [.addLUN(Change.LUNAddition(target: name, lun.specification))]
      added = lun.number
    }
    let index = try acl(group, key)
    var own = group.acls[index].luns ?? group.luns
    guard !own.contains(where: { $0.number == number }) else {
      throw ExecutionError("This MappedLUN already exists in configFS")
    }
    let isTwice = own.contains { $0.store == store }
    own.append(MappedLUN(number, store, isReadOnly: isReadOnly))
    group.acls[index].luns = own.sorted { $0.number < $1.number }
    try await commit(group, from: old, before: before)
    if let added { say("Created LUN \(added).") }
    if isTwice { remark("Warning: TPG LUN already mapped to this NodeACL") }
    say("Created Mapped LUN \(number).")
    try created(at: path.appending("mapped_lun\(number)"))
  }

  mutating func unmapLUN(_ name: String, _ key: EntryKey, _ arguments: Arguments) async throws {
    let text = try arguments.required("mapped_lun")
    let digits = text.hasPrefix("mapped_lun") ? text.dropFirst(10) : text[...]
    let old = state.group(try target(name))
    let index = try acl(old, key)
    let own = old.acls[index].luns ?? old.luns
    guard let number = UInt16(digits), own.contains(where: { $0.number == number }) else {
      throw ExecutionError("No such MappedLUN in configfs: \(text)")
    }
    var group = old
    group.acls[index].luns = own.filter { $0.number != number }
    try await commit(group, from: old, force: true)
    say("Deleted Mapped LUN \(number).")
  }

  // MARK: Initiators

  mutating func createACL(_ name: String, _ arguments: Arguments) async throws {
    let wwn = try arguments.required("wwn")
    let isMapping =
      try arguments.boolean("add_mapped_luns") ?? preferences.isSet("auto_add_mapped_luns")
    try Self.checkName(wwn)
    let old = state.group(try target(name))
    var acl = NodeACL(wwn.lowercased())
    guard !old.acls.contains(where: { $0.wwn == acl.wwn }) else {
      throw ExecutionError("This NodeACL already exists in configFS")
    }
    acl.luns = isMapping ? nil : []
    // authentication=1 would shut out who gets in without a user: the newcomer alone waits.
    acl.waitsForUser = old.authentication == nil && old.isMixed ? true : nil
    var group = old
    group.acls.append(acl)
    if acl.waitsForUser == true {
      remark("Note: users are asked for here, and \(acl.wwn) waits for one.")
    } else if group.authentication == nil {
      // Who has said authentication=0 means newcomers, too.
      try keepAsking(&group, since: old)
    }
    try await commit(group, from: old)
    say("Created Node ACL for \(acl.wwn)")
    if isMapping { old.luns.forEach { say("Created mapped LUN \($0.number).") } }
    try created(at: NodePath(names: ["iscsi", name, "tpg1", "acls", acl.wwn]))
  }

  mutating func deleteACL(_ name: String, _ arguments: Arguments) async throws {
    let wwn = try arguments.required("wwn").lowercased()
    let old = state.group(try target(name))
    guard old.acls.contains(where: { $0.wwn == wwn }) else {
      throw ExecutionError("No such NodeACL in configfs: \(wwn)")
    }
    var group = old
    group.acls.removeAll { $0.wwn == wwn }
    // Who has said authentication=0 means newcomers, too.
    if group.authentication == nil { try keepAsking(&group, since: old) }
    try await commit(group, from: old, force: true, now: true)
    say("Deleted Node ACL \(wwn).")
  }
}
