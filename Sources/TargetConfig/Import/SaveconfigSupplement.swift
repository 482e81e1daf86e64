// What LIO has no words for, of a saveconfig.json of our targetcli that was edited since: it stays
// with what it belongs to, as far as that is still what it was.

extension SaveconfigImporter {
  /// What LIO has no words for, of the store of that name.
  mutating func supplementStore(_ name: String) {
    guard let index = draft.stores.firstIndex(where: { $0.name == name }) else { return }
    if formers(of: draft.stores[index]).contains(where: \.readOnly) {
      draft.stores[index].readOnly = true
    }
    guard let own = ownConfiguration?.store(named: name),
      own.medium.keyword == draft.stores[index].medium.keyword
    else { return }
    var store = draft.stores[index]
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

  /// What the store may have been: one of its name, or on its medium.
  private func formers(of store: TargetConfiguration.Store) -> [TargetConfiguration.Store] {
    (ownConfiguration?.stores ?? []).filter {
      $0.name == store.name || ($0.medium.path != nil && $0.medium.path == store.medium.path)
    }
  }

  /// After all stores.
  mutating func tellReadOnlyStores() {
    let found = Set(draft.stores.flatMap { formers(of: $0).map(\.name) })
    let lost = (ownConfiguration?.stores ?? []).filter {
      $0.readOnly && !found.contains($0.name)
    }
    guard !lost.isEmpty else { return }
    draft.note(
      "stores that were read-only and are here no more under their names or paths: "
        + lost.map(\.name.quoted).joined(separator: ", ")
        + "; what has taken the place of one is writable unless it says otherwise")
  }

  /// The target at hand, as it was when the file was written.
  var ownTarget: TargetConfiguration.Target? {
    targetName.flatMap { ownConfiguration?.target(named: ISCSIName.normalized($0)) }
  }

  /// What the target at hand may have been: one that is not known may be any by another name.
  var formerTargets: [TargetConfiguration.Target] {
    ownTarget.map { [$0] } ?? ownConfiguration?.targets ?? []
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

  /// Under another number, or in a target of another name, it stays what it was.
  mutating func isReadOnly(_ lun: UInt64, store: String, _ node: DocumentNode) -> Bool {
    let names = formerNames(of: store)
    if let own = ownTarget?.luns.first(where: {
      UInt64($0.number) == lun && names.contains($0.store)
    }) {
      return own.readOnly
    }
    let shown = formerTargets.flatMap(\.luns).filter { names.contains($0.store) }
    guard shown.contains(where: \.readOnly) else { return false }
    note(
      node,
      "LUN \(lun) stays read-only, as the store \(store.quoted) was shown under another number or "
        + "by another target")
    return true
  }

  /// The names that the store may have had.
  private func formerNames(of store: String) -> Set<String> {
    guard let present = draft.stores.first(where: { $0.name == store }) else { return [] }
    return Set(formers(of: present).map(\.name))
  }

  /// After all its LUNs.
  mutating func tellReadOnlyLUNs(_ target: TargetConfiguration.Target, _ node: DocumentNode) {
    let shown = target.luns.reduce(into: Set<String>()) { names, lun in
      names.formUnion(formerNames(of: lun.store))
    }
    let lost = (ownTarget?.luns ?? []).filter { $0.readOnly && !shown.contains($0.store) }
    guard !lost.isEmpty else { return }
    note(
      node,
      "LUNs of \(target.name.quoted) that were read-only and are here no more: "
        + lost.map { "\($0.number) (\($0.store.quoted))" }.joined(separator: ", "))
  }

  /// Users that stand with the target itself, whom its entries ask for that have none of their own.
  /// LIO knows them as those of initiators without an ACL.
  private mutating func takeTargetUsers(
    of own: TargetConfiguration.Target, _ group: DocumentNode,
    _ target: inout TargetConfiguration.Target
  ) {
    guard let first = own.chap.first else {
      // The mutual user counts for users of entries, too, and LIO has no place for it.
      target.mutualChap = own.mutualChap
      return
    }
    guard first.isMeant(by: group) else {
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

  // MARK: Users

  /// LIO knows one user, which is the first.
  mutating func takeFurther(
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
