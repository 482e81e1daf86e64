// What LIO has no words for, of a saveconfig.json of our targetcli that was edited since: it stays
// with what it belongs to, as far as that is still what it was.

extension SaveconfigImporter {
  /// What LIO has no words for, of the store of that name.
  mutating func supplementStore(_ name: String) {
    guard let own = ownConfiguration?.store(named: name),
      let index = draft.stores.firstIndex(where: { $0.name == name }),
      own.medium.keyword == draft.stores[index].medium.keyword
    else { return }
    var store = draft.stores[index]
    if own.readOnly { store.readOnly = true }
    if own.cache.isVolatile == store.cache.isVolatile { store.cache = own.cache }
    if (own.rotationRate == 1) == (store.rotationRate == 1) {
      store.rotationRate = own.rotationRate
    }
    if let physical = own.physicalBlockSize, physical >= store.blockSize ?? 512 {
      store.physicalBlockSize = physical
    }
    store.queueDepth = own.queueDepth
    store.removable = own.removable
    store.thinThresholdPercent = own.thinThresholdPercent
    store.thinAvailableThresholdPercent = own.thinAvailableThresholdPercent
    store.servesLongCommands = own.servesLongCommands
    store.servesReferrals = own.servesReferrals
    draft.stores[index] = store
  }

  /// The target at hand, as it was when the file was written.
  private var ownTarget: TargetConfiguration.Target? {
    targetName.flatMap { ownConfiguration?.target(named: ISCSIName.normalized($0)) }
  }

  // MARK: Targets

  /// Before anything else is read of the target.
  mutating func startTarget(_ target: inout TargetConfiguration.Target, _ group: DocumentNode) {
    guard let own = ownTarget else { return }
    target.iscsi = own.iscsi
    target.explicitAlua = own.explicitAlua
    takeTargetUsers(of: own, group, &target)
  }

  /// Whether a parameter that is as LIO has it may have been chosen.
  var choosesParameters: Bool { ownTarget != nil }

  func isReadOnly(_ lun: UInt64, store: String) -> Bool {
    ownTarget?.luns.first { UInt64($0.number) == lun && $0.store == store }?.readOnly ?? false
  }

  /// Users that stand with the target itself, whom its entries ask for that have none of their own.
  /// LIO knows them as those of initiators without an ACL.
  private mutating func takeTargetUsers(
    of own: TargetConfiguration.Target, _ group: DocumentNode,
    _ target: inout TargetConfiguration.Target
  ) {
    guard !own.chap.isEmpty else { return }
    guard let first = own.chap.first, first.isMeant(by: group) else {
      tellLost(own.chap.dropFirst(), of: own.name, group)
      return
    }
    target.chap = own.chap
    guard let user = group["chap_mutual_userid"] else { return }
    target.mutualChap = draft.credential(
      user.string, group["chap_mutual_password"]?.string,
      file: secretFile(user, of: nil, isMutual: true), place(user))
  }

  /// Access states of the portal groups that the target still has.
  mutating func takeAccessStates(
    _ endpoints: [Endpoint], _ target: inout TargetConfiguration.Target, _ group: DocumentNode
  ) {
    guard let own = ownTarget, !own.groupAccess.isEmpty else { return }
    let present = Set(endpoints.compactMap { draft.knownGroups[$0] })
    target.groupAccess = own.groupAccess.filter { present.contains($0.group) }
    let lost = own.groupAccess.filter { !present.contains($0.group) }
    guard !lost.isEmpty else { return }
    note(
      group,
      "access states of \(target.name.quoted) that are not kept, as their portals are not here: "
        + lost.map { "group \($0.group) \($0.state.rawValue)" }.joined(separator: ", "))
  }

  // MARK: Entries

  /// Whether the entry asks for the users of its target: it had none of its own.
  func asksForTargetUsers(
    _ entry: TargetConfiguration.AccessEntry, _ target: TargetConfiguration.Target
  ) -> Bool {
    !target.chap.isEmpty && entry.chap.isEmpty && ownEntry(entry)?.chap.isEmpty ?? false
  }

  /// `isAsked`: its users are.
  mutating func supplementEntry(
    _ entry: inout TargetConfiguration.AccessEntry, _ target: TargetConfiguration.Target,
    isAsked: Bool, _ node: DocumentNode
  ) {
    guard let own = ownEntry(entry) else { return }
    if isAsked { takeFurther(own.chap, &entry.chap, of: own.initiator ?? "any", node) }
    // Read-only as a whole, with the LUNs of its target: those to come, too.
    let luns = entry.luns ?? target.luns
    let areAllReadOnly = luns.allSatisfy { lun in
      lun.readOnly
        && target.luns.contains { $0.number == lun.number && $0.store == lun.store }
    }
    guard own.readOnly, own.luns == nil, areAllReadOnly, luns.count == target.luns.count else {
      return
    }
    entry.readOnly = true
    entry.luns = nil
  }

  /// nil: it was not there, or several could be meant.
  private func ownEntry(
    _ entry: TargetConfiguration.AccessEntry
  ) -> TargetConfiguration.AccessEntry? {
    let name = entry.initiator.map { ISCSIName.normalized($0) }
    let found = (ownTarget?.acl ?? []).filter {
      $0.initiator == name && Set($0.addresses) == Set(entry.addresses)
    }
    return found.count == 1 ? found.first : nil
  }

  // MARK: Users

  /// LIO knows one user, which is the first.
  private mutating func takeFurther(
    _ own: [TargetConfiguration.Credential], _ users: inout [TargetConfiguration.Credential],
    of who: String, _ node: DocumentNode
  ) {
    guard let first = own.first, own.count > 1 else { return }
    if users.count == 1, users[0].user == first.user, users[0].secret == first.secret {
      users = own
    } else {
      tellLost(own.dropFirst(), of: who, node)
    }
  }

  private mutating func tellLost(
    _ users: ArraySlice<TargetConfiguration.Credential>, of who: String, _ node: DocumentNode
  ) {
    guard !users.isEmpty else { return }
    note(
      node,
      "further CHAP users of \(who.quoted) that are not kept, as the first one is another now: "
        + users.map(\.user.quoted).joined(separator: ", "))
  }

  mutating func supplementDiscovery(_ node: DocumentNode) {
    var users = draft.discovery.chap
    takeFurther(ownConfiguration?.discovery.chap ?? [], &users, of: "discovery", node)
    draft.discovery.chap = users
  }
}

extension TargetConfiguration.Credential {
  /// Whether it is the user of a portal group of LIO.
  fileprivate func isMeant(by group: DocumentNode) -> Bool {
    group["chap_userid"]?.string == user
      && group["chap_password"]?.string.map { Secret($0) } == secret
  }
}

extension TargetConfiguration.CacheMode {
  /// Whether initiators must flush it.
  fileprivate var isVolatile: Bool { self == .writeback || self == .none }
}
