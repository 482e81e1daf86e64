// Targets, their LUNs and their access lists.

extension ConfigurationText {
  public mutating func addTarget(_ target: NewTarget) throws(ConfigurationEditError) {
    if let present = try? self.target(target.name) {
      throw present.error(
        .conflict, "there is a target of that name already",
        remedy: "take another name, or remove that one first; swift-tgtadm target show "
          + FilePath.shellQuoted(target.name) + " tells what it is")
    }
    for lun in target.luns + target.acl.flatMap({ $0.luns ?? [] }) { _ = try store(lun.store) }
    for credential in target.credentials { _ = try Self.checked(credential) }
    try append(target.value, to: "targets", of: whole)
  }

  public mutating func removeTarget(_ name: String) throws(ConfigurationEditError) {
    try apply(.remove(try target(name).path))
  }

  /// Sets any key of a target; nil removes it, so that its default counts.
  public mutating func setTarget(
    _ key: String, _ value: ConfigurationValue?, of name: String
  ) throws(ConfigurationEditError) {
    try set(key, value, of: try target(name), .target)
  }

  // MARK: LUNs

  /// Adds a LUN to a target, or to an entry of its access list that has LUNs of its own.
  public mutating func addLUN(
    _ lun: NewLUN, target name: String, entry: AccessEntryName? = nil
  ) throws(ConfigurationEditError) {
    let place = try presenter(target: name, entry: entry)
    _ = try store(lun.store)
    guard lun.number <= TargetConfiguration.LUN.numberMax else {
      throw place.error(
        .invalid, at: "luns",
        "LUN \(lun.number) cannot be: the last is \(TargetConfiguration.LUN.numberMax)")
    }
    if entry != nil, place.node["luns"] == nil {
      throw place.error(
        .conflict, at: "luns",
        "this entry shows the target's LUNs: with one of its own it would show no others, so set "
          + "the whole list")
    }
    if let taken = place.elements("luns").first(where: { $0.number == Int64(lun.number) }) {
      let store = taken.presentedStore.map { "store \($0.quoted)" } ?? "another"
      throw place.error(
        .conflict, at: "luns", "LUN \(lun.number) is taken by \(store)",
        remedy: "leave out --lun, or name a free number")
    }
    try append(lun.value, to: "luns", of: place)
  }

  public mutating func removeLUN(
    _ number: UInt16, target name: String, entry: AccessEntryName? = nil
  ) throws(ConfigurationEditError) {
    let place = try presenter(target: name, entry: entry)
    let luns = place.elements("luns")
    guard let found = luns.first(where: { $0.number == Int64(number) }) else {
      let numbers = luns.compactMap(\.number).map { "\($0)" }
      throw place.error(
        .notFound, at: "luns", "there is no LUN \(number) \(Absence.list("LUNs", numbers))")
    }
    try apply(.remove(found.path))
  }

  func presenter(
    target name: String, entry: AccessEntryName?
  ) throws(ConfigurationEditError) -> EditPlace {
    let target = try target(name)
    guard let entry else { return target }
    return try self.entry(entry, of: target)
  }

  // MARK: Access lists

  /// Adds an entry before the one at `index`, or behind all. The first entry that matches decides.
  public mutating func addACLEntry(
    _ entry: NewAccessEntry, target name: String, index: Int? = nil
  ) throws(ConfigurationEditError) {
    let target = try target(name)
    let exact = AccessEntryName(
      initiator: entry.name.initiator, addresses: entry.name.addresses ?? [])
    if let present = try? self.entry(exact, of: target) {
      throw present.error(
        .conflict, "there is an entry for \(entry.name.description.quoted) already",
        remedy: "remove it first; swift-tgtadm acl list shows them")
    }
    for lun in entry.luns ?? [] { _ = try store(lun.store) }
    for credential in entry.credentials { _ = try Self.checked(credential) }
    let count = target.elements("acl").count
    if let index, !(0...count).contains(index) {
      throw target.error(
        .invalid, at: "acl",
        count == 0
          ? "index \(index) cannot be: there are no entries yet, so it is 0"
          : "index \(index) cannot be: it is from 0 to \(count), which is behind all entries")
    }
    guard let index, target.node["acl"] != nil else {
      try append(entry.value, to: "acl", of: target)
      return
    }
    try apply(.insert(target.path.appending("acl"), entry.value, index: index))
  }

  public mutating func removeACLEntry(
    _ entry: AccessEntryName, target name: String
  ) throws(ConfigurationEditError) {
    try apply(.remove(try self.entry(entry, of: try target(name)).path))
  }

  /// Sets any key of an entry; nil removes it, so that its default counts.
  public mutating func setACLEntry(
    _ key: String, _ value: ConfigurationValue?, of entry: AccessEntryName, target name: String
  ) throws(ConfigurationEditError) {
    try set(key, value, of: try self.entry(entry, of: try target(name)), .accessEntry)
  }
}

extension EditPlace {
  /// The number of a LUN.
  fileprivate var number: Int64? { node["lun"]?.integer }
}
