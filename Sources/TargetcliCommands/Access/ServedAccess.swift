internal import AdministrationModel

// What the daemon is to be told of a portal group, and the way there.

/// An initiator that gets in.
struct ServedEntry: Equatable {
  var key: EntryKey
  var auth: Credentials
  var luns: [MappedLUN]?
  var isReadOnly: Bool
}

/// What holds for whoever has no entry of its own.
enum Everybody: Equatable {
  case nobody
  /// `"initiators": "any"`; with users that stand with the target, or with none.
  case open
  /// An entry for any name, behind all others.
  case entry(Credentials, luns: [MappedLUN]?, isReadOnly: Bool)

  /// With users beside those of the target.
  static func letting(
    _ auth: Credentials, luns: [MappedLUN]?, isReadOnly: Bool
  ) -> Everybody {
    luns == nil && !isReadOnly && auth.isEmpty
      ? .open : .entry(auth, luns: luns, isReadOnly: isReadOnly)
  }

  /// Of an entry of its own.
  var user: CHAPUser? {
    guard case .entry(let auth, _, _) = self else { return nil }
    return auth.user
  }
}

extension PortalGroup {
  /// Nobody gets in without a portal, nor while the group is disabled.
  private var isServed: Bool { isEnabled && !hasNoPortals }

  /// nil: that initiator does not get in, because it would have to prove itself and nobody has said
  /// how.
  func entry(of acl: NodeACL) -> ServedEntry? {
    guard isServed, provesItself(acl) || !isAsked(acl) else { return nil }
    return ServedEntry(acl, acl.auth.served(besideOthers: asksTargetUsers))
  }

  var everybody: Everybody {
    guard isServed, generateNodeACLs else { return .nobody }
    // The target's users hold for an entry that has none.
    let own = hasTargetUsers ? everybodyAuth : auth.served(besideOthers: false)
    guard !own.user.isEmpty || asksTargetUsers || authentication != true else { return .nobody }
    return .letting(own, luns: everybodyLUNs, isReadOnly: demoModeWriteProtect)
  }

  var entries: [ServedEntry] { acls.compactMap(entry) }

  /// Somebody gets in with a user besides those of the target itself.
  private var asksEntryUsers: Bool {
    entries.contains { !$0.auth.user.isEmpty } || everybody.user?.isEmpty == false
  }

  /// Of a target with users of its own: its mutual user holds with those of entries, too.
  var asksFurtherUsers: Bool { asksTargetUsers || asksEntryUsers }

  /// What the daemon is to have with the target itself.
  var servedTargetAuth: Credentials {
    let own = hasTargetUsers ? auth : Credentials(mutual: targetMutual)
    return own.served(besideOthers: asksFurtherUsers)
  }

  /// What holds for it in the daemon, whether or not it has to wait.
  var presentEverybody: Everybody {
    guard let entry = everybodyEntry else { return isOpenToAny ? .open : .nobody }
    let own = hasTargetUsers ? everybodyAuth : entry.auth
    return .letting(own, luns: entry.luns, isReadOnly: entry.isReadOnly)
  }

  /// Whom another program let in although it had to wait, and who does wait from now on.
  func shutOut(since old: PortalGroup) -> Set<EntryKey> {
    var keys = Set(old.presentACLs.map(\.key)).subtracting(old.entries.map(\.key))
      .subtracting(entries.map(\.key)).intersection(acls.map(\.key))
    if old.presentEverybody != .nobody, old.everybody == .nobody, everybody == .nobody {
      keys.insert(.everybody)
    }
    return keys
  }

  /// What makes the daemon serve this, where `old` is what it was read as. Whoever is there counts,
  /// not whoever ought to be: nobody stays because the notes say that it waits.
  func changes(from old: PortalGroup) throws(ExecutionError) -> [Change] {
    let place = CredentialPlace(target: target)
    var changes = try servedTargetAuth.changes(from: old.presentAuth, at: place)
    let present = old.presentACLs.map { ServedEntry($0, $0.auth) }
    let before = Dictionary(present.map { ($0.key, $0) }) { first, _ in first }
    let wanted = Dictionary(entries.map { ($0.key, $0) }) { first, _ in first }
    for entry in present where wanted[entry.key] == nil {
      changes.append(.removeACLEntry(Change.EntryName(target: target, entry.key.exact)))
    }
    let isLetting = try everybodyChanges(from: old, &changes)
    var count = present.filter { wanted[$0.key] != nil }.count
    for (index, entry) in entries.enumerated() {
      if let former = before[entry.key] {
        changes += try entry.changes(from: former, target: target)
      } else {
        var specification = try entry.specification
        // Where it stood in the list: all entries before it are there by now.
        specification.index = isLetting || index < count ? index : nil
        changes.append(.addACLEntry(Change.EntryAddition(target: target, specification)))
        count += 1
      }
    }
    return changes
  }

  /// True: an entry for any name stands behind the others now.
  private func everybodyChanges(
    from old: PortalGroup, _ changes: inout [Change]
  ) throws(ExecutionError) -> Bool {
    switch (old.presentEverybody, everybody) {
    case (
      .entry(let before, let formerLUNs, let wasReadOnly),
      .entry(let auth, let luns, let isReadOnly)
    ):
      let old = ServedEntry(
        key: .everybody, auth: before, luns: formerLUNs, isReadOnly: wasReadOnly)
      let new = ServedEntry(key: .everybody, auth: auth, luns: luns, isReadOnly: isReadOnly)
      changes += try new.changes(from: old, target: target)
      return true
    case (let before, let after):
      guard before != after else { return old.everybodyEntry != nil }
      // As the daemon has it, which other tools may have told both.
      if old.everybodyEntry != nil {
        changes.append(
          .removeACLEntry(Change.EntryName(target: target, EntryKey.everybody.exact)))
      }
      if old.isOpenToAny != (after == .open) {
        let value: JSONValue = after == .open ? "any" : .null
        changes.append(.setTarget(Change.TargetKeys(target, ["initiators": value])))
      }
      if case .entry(let auth, let luns, let isReadOnly) = after {
        let entry = ServedEntry(key: .everybody, auth: auth, luns: luns, isReadOnly: isReadOnly)
        changes.append(.addACLEntry(Change.EntryAddition(target: target, try entry.specification)))
        return true
      }
      return false
    }
  }
}

extension ServedEntry {
  init(_ acl: NodeACL, _ auth: Credentials) {
    self.init(key: acl.key, auth: auth, luns: acl.luns, isReadOnly: acl.isReadOnly)
  }

  var specification: AccessEntrySpecification {
    get throws(ExecutionError) {
      var entry = AccessEntrySpecification(initiator: key.initiator, addresses: key.addresses)
      if !auth.user.isEmpty { entry.chap = [try auth.user.known] }
      if !auth.mutual.isEmpty { entry.mutualCHAP = try auth.mutual.known }
      entry.luns = luns?.map(\.specification)
      entry.readOnly = isReadOnly ? true : nil
      return entry
    }
  }

  func changes(from old: ServedEntry, target: String) throws(ExecutionError) -> [Change] {
    var values: [String: JSONValue] = [:]
    if luns != old.luns { values["luns"] = luns.map { .list($0.map(\.json)) } ?? .null }
    if isReadOnly != old.isReadOnly { values["readOnly"] = isReadOnly ? true : .null }
    if auth.user != old.auth.user {
      // As a whole: an entry's only user cannot be taken away by itself.
      values["chap"] = auth.user.isEmpty ? .null : .list([try auth.user.json])
    }
    var changes: [Change] = []
    if !values.isEmpty {
      changes.append(.setACLEntry(Change.EntryKeys(target: target, key.exact, values)))
    }
    let place = CredentialPlace(target: target, entry: key.exact)
    return try auth.mutualChanges(from: old.auth, at: place) + changes
  }
}

extension Credentials {
  func changes(
    from old: Credentials, at place: CredentialPlace
  ) throws(ExecutionError) -> [Change] {
    var changes: [Change] = []
    if user != old.user {
      if let name = old.user.userid {
        changes.append(
          .removeCHAPUser(Change.UserName(name, at: place, allowingOpenAccess: true)))
      }
      if !user.isEmpty {
        changes.append(.addCHAPUser(Change.UserAddition(try user.known, at: place)))
      }
    }
    return try changes + mutualChanges(from: old, at: place)
  }

  func mutualChanges(
    from old: Credentials, at place: CredentialPlace
  ) throws(ExecutionError) -> [Change] {
    guard mutual != old.mutual else { return [] }
    guard !mutual.isEmpty else { return [.clearMutualCHAP(place)] }
    return [.setMutualCHAP(Change.UserAddition(try mutual.known, at: place))]
  }
}

extension CHAPUser {
  var json: JSONValue {
    get throws(ExecutionError) {
      let known = try known
      let file = known.secretFile.map { JSONValue.object(["file": .text($0)]) }
      return ["user": .text(known.user), "secret": file ?? .text(known.secret?.reveal ?? "")]
    }
  }

  var known: CredentialSpecification {
    get throws(ExecutionError) {
      guard let specification else {
        throw ExecutionError(
          "The secret of \(userid ?? "") is known to the daemon alone: set the password, too.")
      }
      return specification
    }
  }
}

extension NodeACL {
  var key: EntryKey {
    EntryKey(initiator: wwn, addresses: addresses.isEmpty ? nil : addresses)
  }
}

extension EntryKey {
  /// Whoever has no entry of its own.
  static let everybody = EntryKey(initiator: "any")

  /// Names an entry from anywhere as such: no addresses at all would mean any of its initiator's.
  var exact: EntryKey { EntryKey(initiator: initiator, addresses: addresses ?? []) }
}

extension Set<EntryKey> {
  /// For people.
  var words: String {
    map { $0 == .everybody ? "whoever has no ACL" : $0.initiator }.sorted().joined(separator: ", ")
  }
}

extension MappedLUN {
  var specification: LUNSpecification {
    LUNSpecification(lun: number, store: store, readOnly: isReadOnly ? true : nil)
  }

  var json: JSONValue {
    var members: [String: JSONValue] = ["lun": .integer(Int64(number)), "store": .text(store)]
    if isReadOnly { members["readOnly"] = true }
    return .object(members)
  }
}
