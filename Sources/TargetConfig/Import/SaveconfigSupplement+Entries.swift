// What LIO has no words for, of the entries of a target: users of the target, LUNs of an initiator
// that the target itself does not show, and lists that are not to follow the target.

extension SaveconfigImporter {
  typealias Entry = TargetConfiguration.AccessEntry

  /// Whether the entry asks for the users of its target: it had none of its own.
  func asksForTargetUsers(_ entry: Entry, _ target: TargetConfiguration.Target) -> Bool {
    !target.chap.isEmpty && entry.chap.isEmpty && ownEntry(entry)?.chap.isEmpty ?? false
  }

  /// `isAsked`: its users are.
  mutating func supplementEntry(
    _ entry: inout Entry, _ target: TargetConfiguration.Target, isAsked: Bool,
    _ node: DocumentNode
  ) {
    guard let own = ownEntry(entry) else {
      if entry.luns == nil, target.luns.allSatisfy(\.readOnly), mayBeReadOnly(entry) {
        entry.readOnly = true
        note(
          node,
          "\((entry.initiator ?? "any").quoted) was not here under that name, and may have been one "
            + "that only reads: it does, also of LUNs that the target is given later")
      }
      // Of a target or initiator that may have another name now, and had a list of its own.
      if entry.luns == nil, hasLists {
        entry.luns = target.luns
        note(
          node,
          "\((entry.initiator ?? "any").quoted) was not here under that name: it keeps the LUNs "
            + "that it has here, and does not get those that the target is given later")
      }
      return
    }
    if isAsked { takeFurther(own.chap, &entry.chap, of: own.initiator ?? "any", node) }
    if let list = own.luns {
      supplementList(&entry, own, list, target, node)
      return
    }
    // Read-only as a whole, with the LUNs of its target: those to come, too.
    let luns = entry.luns ?? target.luns
    let areAllReadOnly = luns.allSatisfy { lun in
      lun.readOnly
        && target.luns.contains { $0.number == lun.number && $0.store == lun.store }
    }
    guard own.readOnly, areAllReadOnly, luns.count == target.luns.count else { return }
    entry.readOnly = true
    entry.luns = nil
  }

  /// A list of its own stays one, with those LUNs that LIO cannot show: of stores that the target
  /// does not show itself.
  private mutating func supplementList(
    _ entry: inout Entry, _ own: Entry, _ list: [TargetConfiguration.LUN],
    _ target: TargetConfiguration.Target, _ node: DocumentNode
  ) {
    var luns = entry.luns ?? target.luns
    var lost: [TargetConfiguration.LUN] = []
    for lun in list where !(ownTarget?.luns ?? []).contains(where: { $0.store == lun.store }) {
      // Where the target shows it now, LIO's list says whether the initiator sees it.
      let isHidden = !target.luns.contains { $0.store == lun.store }
      guard isHidden, isHere(lun.store), !luns.contains(where: { $0.number == lun.number }) else {
        lost.append(lun)
        continue
      }
      var kept = lun
      if own.readOnly { kept.readOnly = true }
      luns.append(kept)
    }
    if own.readOnly, luns.allSatisfy(\.readOnly) {
      entry.readOnly = true
      luns = luns.map { lun in
        list.first { $0.number == lun.number && $0.store == lun.store } ?? lun
      }
    }
    entry.luns = luns
    guard !lost.isEmpty else { return }
    note(
      node,
      "LUNs of \((own.initiator ?? "any").quoted) that are not kept, as LIO has no words for them: "
        + lost.map { "\($0.number) (\($0.store.quoted))" }.joined(separator: ", "))
  }

  /// Whoever has no entry of its own, who has no LUNs of its own in LIO. False: what it was given
  /// cannot be said any more, and it must not get in.
  mutating func supplementEverybody(
    _ entry: inout Entry, _ target: TargetConfiguration.Target, isAsked: Bool,
    _ node: DocumentNode
  ) -> Bool {
    guard let former = ownTarget else {
      // It may be any of them by another name.
      let isPlain = (ownConfiguration?.targets ?? []).allSatisfy { former in
        former.everybody.map { $0.luns == nil && !former.replacesUsers($0) } ?? true
      }
      if !isPlain { tellEverybodyLost(target, node) }
      return isPlain
    }
    guard let own = former.everybody else { return true }
    if isAsked, target.chap.isEmpty { takeFurther(own.chap, &entry.chap, of: "any", node) }
    let isWhole = (own.luns ?? []).allSatisfy { isShown($0, former, target) }
    guard isWhole, !former.replacesUsers(own) else {
      tellEverybodyLost(target, node)
      return false
    }
    entry.luns = own.luns
    return true
  }

  private mutating func tellEverybodyLost(
    _ target: TargetConfiguration.Target, _ node: DocumentNode
  ) {
    note(
      node,
      "everybody else had LUNs or users of their own at \(target.name.quoted), which this file "
        + "does not say any more: it is open only to the initiators of its list; add \"any\" "
        + "with them")
  }

  /// Whether the store is here and the target shows it where it did.
  private func isShown(
    _ lun: TargetConfiguration.LUN, _ former: TargetConfiguration.Target,
    _ target: TargetConfiguration.Target
  ) -> Bool {
    isHere(lun.store)
      && former.luns.filter { $0.store == lun.store }.allSatisfy { before in
        target.luns.contains { $0.number == before.number && $0.store == before.store }
      }
  }

  private func isHere(_ store: String) -> Bool {
    draft.stores.contains { $0.name == store }
  }

  /// Some entry does not follow its target.
  private var hasLists: Bool {
    (ownConfiguration?.targets ?? []).contains { $0.acl.contains { $0.luns != nil } }
  }

  /// Read-only as a whole, at a target or as an initiator that may have another name now.
  private func mayBeReadOnly(_ entry: Entry) -> Bool {
    let name = entry.initiator.map { ISCSIName.normalized($0) }
    let former = formerTargets.flatMap(\.acl)
    let own = former.filter { $0.initiator == name }
    return (own.isEmpty ? former : own).contains(where: \.readOnly)
  }

  /// nil: it was not there, or several could be meant.
  private func ownEntry(_ entry: Entry) -> Entry? {
    let name = entry.initiator.map { ISCSIName.normalized($0) }
    let found = (ownTarget?.acl ?? []).filter {
      $0.initiator == name && Set($0.addresses) == Set(entry.addresses)
    }
    return found.count == 1 ? found.first : nil
  }
}

extension TargetConfiguration.Target {
  fileprivate var everybody: TargetConfiguration.AccessEntry? {
    acl.first { $0.initiator == nil && $0.addresses.isEmpty }
  }

  /// LIO's portal group has one place for both, which those of the target have taken.
  fileprivate func replacesUsers(_ entry: TargetConfiguration.AccessEntry) -> Bool {
    !entry.chap.isEmpty && !chap.isEmpty
  }
}
