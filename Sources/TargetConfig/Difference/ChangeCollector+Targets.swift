extension ChangeCollector {
  mutating func compareTargets(_ pair: Pair<TargetConfiguration.Target>) {
    switch pair {
    case .added(let target): added(.target(target.name), Words.target(target))
    case .removed(let target): removed(.target(target.name), Words.target(target), .reopen)
    case .both(let before, let after):
      let subject = Subject.target(after.name)
      changed(
        subject, "alias", before.alias?.quoted ?? "none", after.alias?.quoted ?? "none")
      changed(
        subject, "portalGroups", Words.portalGroups(before.portalGroups),
        Words.portalGroups(after.portalGroups))
      changed(
        subject, "portalGroups.state", Words.groupAccess(before), Words.groupAccess(after))
      changed(
        subject, "explicitAlua", "\(before.explicitAlua)", "\(after.explicitAlua)", .reopen)
      compareLUNs(before.luns, after.luns) { .lun($0, target: after.name) }
      compareUsers(before.chap, after.chap, .target(after.name))
      compareMutual(before.mutualChap, after.mutualChap, .target(after.name))
      compareAccessLists(before, after)
      changed(
        subject, "initiators", Words.openness(before), Words.openness(after),
        after.isOpenToAny ? .live : .reopen)
      compareNegotiation(before, after)
    }
  }

  /// What a target only inherits is reported once, with the general "iscsi".
  private mutating func compareNegotiation(
    _ before: TargetConfiguration.Target, _ after: TargetConfiguration.Target
  ) {
    let general = Set(old.iscsi.differences(to: new.iscsi).map { [$0.key, $0.old, $0.new] })
    for (key, old, new) in before.iscsi.differences(to: after.iscsi)
    where !general.contains([key, old, new]) {
      changed(.target(after.name), "iscsi.\(key)", old, new)
    }
  }

  private mutating func compareLUNs(
    _ before: [TargetConfiguration.LUN], _ after: [TargetConfiguration.LUN],
    _ subject: (UInt16) -> Subject
  ) {
    for pair in Pair.matching(before, after, by: { $0.number }) {
      switch pair {
      case .added(let lun): added(subject(lun.number), Words.lun(lun))
      case .removed(let lun): removed(subject(lun.number), Words.lun(lun), .reopen)
      case .both(let old, let new):
        // Another disk under the number that initiators have mounted.
        changed(subject(new.number), "store", old.store, new.store, .reopen)
        changed(subject(new.number), "readOnly", "\(old.readOnly)", "\(new.readOnly)")
      }
    }
  }

  // MARK: CHAP

  /// Users are asked for at login; sessions that are there go on.
  mutating func compareUsers(
    _ before: [TargetConfiguration.Credential], _ after: [TargetConfiguration.Credential],
    _ place: CredentialPlace
  ) {
    for pair in Pair.matching(before, after, by: { $0.user }) {
      switch pair {
      case .added(let credential): added(.user(credential.user, place))
      case .removed(let credential): removed(.user(credential.user, place), nil, .live)
      case .both(let old, let new):
        if old.secret != new.secret { changedSecret(.user(new.user, place)) }
      }
    }
  }

  mutating func compareMutual(
    _ before: TargetConfiguration.Credential?, _ after: TargetConfiguration.Credential?,
    _ place: CredentialPlace
  ) {
    switch (before, after) {
    case (nil, nil): break
    case (nil, let new?): added(.mutualUser(place), "user \(new.user.quoted)")
    case (let old?, nil): removed(.mutualUser(place), "user \(old.user.quoted)", .live)
    case (let old?, let new?):
      changed(.mutualUser(place), "user", old.user.quoted, new.user.quoted)
      if old.secret != new.secret { changedSecret(.mutualUser(place)) }
    }
  }

  // MARK: Access lists

  private mutating func compareAccessLists(
    _ before: TargetConfiguration.Target, _ after: TargetConfiguration.Target
  ) {
    let pairs = Pair.matching(before.acl, after.acl, by: { $0.name })
    for pair in pairs {
      switch pair {
      case .added(let entry): added(.entry(entry.name, target: after.name), Words.entry(entry))
      case .removed(let entry):
        // Whoever came in by it is admitted no longer.
        removed(.entry(entry.name, target: after.name), Words.entry(entry), .reopen)
      case .both(let old, let new): compareEntries(old, new, target: after.name)
      }
    }
    compareOrder(before, after)
  }

  private mutating func compareEntries(
    _ before: TargetConfiguration.AccessEntry, _ after: TargetConfiguration.AccessEntry,
    target: String
  ) {
    let name = after.name
    let subject = Subject.entry(name, target: target)
    compareUsers(before.chap, after.chap, .entry(name, target: target))
    compareMutual(before.mutualChap, after.mutualChap, .entry(name, target: target))
    if let old = before.luns, let new = after.luns {
      compareLUNs(old, new) { .entryLUN($0, name, target: target) }
    } else {
      changed(subject, "luns", Words.luns(of: before), Words.luns(of: after), .reopen)
    }
    changed(subject, "readOnly", "\(before.readOnly)", "\(after.readOnly)")
  }

  /// The first two entries that changed places while somebody matches both.
  private mutating func compareOrder(
    _ before: TargetConfiguration.Target, _ after: TargetConfiguration.Target
  ) {
    var positions: [AccessEntryName: Int] = [:]
    for (index, entry) in before.acl.enumerated() { positions[entry.name] = index }
    let kept = after.acl.compactMap { entry in positions[entry.name].map { (entry, $0) } }
    for (index, (first, firstOld)) in kept.enumerated() {
      let passed = kept.dropFirst(index + 1).first { second, secondOld in
        secondOld < firstOld && first.overlaps(second)
      }
      guard let (second, _) = passed else { continue }
      changed(
        .target(after.name), "acl", "\(second.name) before \(first.name)",
        "\(first.name) before \(second.name)")
      return
    }
  }
}

extension TargetConfiguration.AccessEntry {
  /// What tells the entries of a list apart: the loader refuses two alike.
  var name: AccessEntryName {
    AccessEntryName(initiator: initiator ?? "any", addresses: addresses.map(\.description).sorted())
  }

  /// Whether somebody may match both.
  fileprivate func overlaps(_ other: TargetConfiguration.AccessEntry) -> Bool {
    guard initiator == nil || other.initiator == nil || initiator == other.initiator else {
      return false
    }
    guard !addresses.isEmpty, !other.addresses.isEmpty else { return true }
    return addresses.contains { range in
      other.addresses.contains { $0.contains(range) || range.contains($0) }
    }
  }
}

extension TargetConfiguration.Negotiation {
  /// The keys whose values differ, with both values.
  func differences(to other: Self) -> [(key: String, old: String, new: String)] {
    zip(values, other.values).compactMap { mine, theirs in
      mine.value == theirs.value ? nil : (mine.key, mine.value, theirs.value)
    }
  }

  private var values: KeyValuePairs<String, String> {
    [
      "headerDigest": headerDigest.rawValue, "dataDigest": dataDigest.rawValue,
      "maxRecvDataSegmentLength": Words.length(maxRecvDataSegmentLength),
      "maxBurstLength": Words.length(maxBurstLength),
      "firstBurstLength": Words.length(firstBurstLength),
      "initialR2T": "\(initialR2T)", "immediateData": "\(immediateData)",
      "maxOutstandingR2T": "\(maxOutstandingR2T)", "maxConnections": "\(maxConnections)",
      "defaultTime2Wait": "\(defaultTime2WaitSeconds)s",
      "defaultTime2Retain": "\(defaultTime2RetainSeconds)s", "queueDepth": "\(queueDepth)",
      "nopInterval": "\(nopIntervalSeconds)s", "nopTimeout": "\(nopTimeoutSeconds)s",
    ]
  }
}
