// Elsewhere each target has portals of its own; here portals stand in groups, which targets name.

extension ImportDraft {
  /// Each pair is compared, here and when the file is loaded.
  private static let endpointCountMax = 256

  /// What several targets decide together. Nothing is added after it.
  mutating func finish() {
    guard !isOwn else { return }
    settlePortals()
    settleSecrets()
    settleBursts()
    for draft in targets where draft.target.acl.isEmpty && !draft.target.isOpenToAny {
      note(
        draft.place,
        "nobody may log in to \(draft.target.name.quoted): no initiator of it could be kept, or it "
          + "had none")
    }
  }

  mutating func limitEndpoints(_ draft: inout DraftTarget) {
    guard let endpoints = draft.endpoints, endpoints.count > Self.endpointCountMax else { return }
    draft.endpoints = Array(endpoints.prefix(Self.endpointCountMax))
    note(
      draft.place,
      "\(endpoints.count) portals of \(draft.target.name.quoted): only the first "
        + "\(Self.endpointCountMax) are kept")
  }

  /// RFC 7143 §13.14: FirstBurstLength must not exceed MaxBurstLength.
  private mutating func settleBursts() {
    for index in targets.indices {
      let iscsi = targets[index].target.iscsi
      guard iscsi.firstBurstLength > iscsi.maxBurstLength else { continue }
      targets[index].target.iscsi.firstBurstLength = iscsi.maxBurstLength
    }
  }

  /// Portals with the same targets, and the same number if that is known.
  private struct GroupKey: Hashable {
    let targets: [Int]
    let known: UInt16?
  }

  /// Portals with the same targets make a group. With one group for all, targets name none.
  private mutating func settlePortals() {
    guard targets.contains(where: { $0.endpoints != nil }) else { return }
    uniteWithWildcards()
    var order: [Endpoint] = []
    var users: [Endpoint: [Int]] = [:]
    for (index, draft) in targets.enumerated() {
      for endpoint in draft.endpoints ?? [] {
        if users[endpoint] == nil { order.append(endpoint) }
        if users[endpoint]?.last != index { users[endpoint, default: []].append(index) }
      }
    }
    for endpoint in order.dropFirst(Self.endpointCountMax) { users[endpoint] = nil }
    if order.count > Self.endpointCountMax {
      note(
        "\(order.count) different portals: only the first \(Self.endpointCountMax) are kept")
      order.removeSubrange(Self.endpointCountMax...)
    }
    var groups: [GroupKey: UInt16] = [:]
    let known = Set(order.compactMap { knownGroups[$0] })
    for endpoint in order {
      let key = GroupKey(targets: users[endpoint] ?? [], known: knownGroups[endpoint])
      // Targets that differ in one group cannot be: its number is that of the first.
      let group = groups[key] ?? number(of: key, taken: known, Set(groups.values))
      if groups[key] == nil, let known = key.known, known != group {
        note(
          "the portals of group \(known) serve different targets here: \(endpoint) is in group "
            + "\(group) now")
      }
      groups[key] = group
      portals.append(TargetConfiguration.Portal(endpoint: endpoint, group: group))
    }
    assignGroups(groups)
  }

  /// There are more numbers than groups: as many as portals at most.
  private func number(of key: GroupKey, taken: Set<UInt16>, _ given: Set<UInt16>) -> UInt16 {
    if let known = key.known, !given.contains(known) { return known }
    guard let free = (1...UInt16.max).first(where: { !taken.contains($0) && !given.contains($0) })
    else { preconditionFailure("there are at most \(Self.endpointCountMax) portals") }
    return free
  }

  private mutating func assignGroups(_ groups: [GroupKey: UInt16]) {
    var groupsOfTarget: [Int: [UInt16]] = [:]
    for (key, group) in groups {
      for index in key.targets { groupsOfTarget[index, default: []].append(group) }
    }
    var kept: [DraftTarget] = []
    for (index, draft) in targets.enumerated() {
      var draft = draft
      let own = (groupsOfTarget[index] ?? []).sorted()
      if own.isEmpty, draft.endpoints != nil {
        note(
          draft.place,
          "no portal of \(draft.target.name.quoted) could be kept: the target is left out")
        continue
      }
      carryAccess(of: index, &draft, groups)
      let isOfSome = own.count < groups.count || !draft.target.groupAccess.isEmpty
      if draft.endpoints != nil, isOfSome { draft.target.portalGroups = own }
      kept.append(draft)
    }
    targets = kept
  }

  /// Access states follow their portals into all the groups that these are in now.
  private mutating func carryAccess(
    of index: Int, _ draft: inout DraftTarget, _ groups: [GroupKey: UInt16]
  ) {
    var kept: [TargetConfiguration.GroupAccess] = []
    for access in draft.target.groupAccess {
      let numbers = groups.filter { key, _ in
        key.known == access.group && key.targets.contains(index)
      }.map(\.value).sorted()
      for number in numbers {
        kept.append(
          TargetConfiguration.GroupAccess(
            group: number, state: access.state, isPreferred: access.isPreferred))
      }
      guard numbers.isEmpty else { continue }
      note(
        draft.place,
        "an access state of \(draft.target.name.quoted) that is not kept, as its portals are in "
          + "other groups: group \(access.group) \(access.state.rawValue)")
    }
    draft.target.groupAccess = kept
  }

  /// One socket cannot listen on every address and another on one of them: where some target has
  /// the wildcard, it stands for the single addresses too.
  private mutating func uniteWithWildcards() {
    var wildcards: Set<Endpoint> = []
    for draft in targets {
      for endpoint in draft.endpoints ?? [] where endpoint.address.isUnspecified {
        wildcards.insert(endpoint)
      }
    }
    for index in targets.indices {
      guard let endpoints = targets[index].endpoints else { continue }
      var united: [Endpoint] = []
      for endpoint in endpoints {
        let wildcard = Endpoint(
          address: endpoint.address.family == .v4 ? InternetAddress(v4: 0) : InternetAddress(v6: 0),
          port: endpoint.port)
        let isSwallowed = endpoint != wildcard && wildcards.contains(wildcard)
        if isSwallowed {
          note(
            targets[index].place,
            "the portal \(endpoint) of \(targets[index].target.name.quoted) cannot stand beside "
              + "\(wildcard) of the same file: the target is reached at every address there")
        }
        let kept = isSwallowed ? wildcard : endpoint
        if !united.contains(kept) { united.append(kept) }
      }
      targets[index].endpoints = united
    }
  }
}
