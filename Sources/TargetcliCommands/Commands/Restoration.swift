internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

/// A configuration as the changes that make it out of none.
struct Restoration {
  private(set) var changes: [Change] = []
  /// For people: where targets are reached that the file does not say.
  private(set) var remarks: [String] = []
  /// Those that each group of the configuration is here.
  private var groups: [UInt16: Set<UInt16>] = [:]

  /// Portals that are there already are kept, in their groups.
  /// `general`: what is negotiated here with targets that say nothing else. `isOwn`: the groups are
  /// those of a configuration of ours, and not made of another target's words.
  init(
    _ configuration: TargetConfiguration, besides general: TargetConfiguration.Negotiation,
    portals: [PortalResource], isOwn: Bool
  ) throws(ExecutionError) {
    for store in configuration.stores { add(store) }
    if !configuration.targets.isEmpty { try add(configuration.portals, besides: portals) }
    for target in configuration.targets {
      try check(target, configuration.portals, besides: portals, isOwn: isOwn)
      add(target, general)
    }
    for user in configuration.discovery.chap {
      changes.append(
        .addCHAPUser(Change.UserAddition(CredentialSpecification(user), at: .discovery)))
    }
    if let user = configuration.discovery.mutualChap {
      changes.append(
        .setMutualCHAP(Change.UserAddition(CredentialSpecification(user), at: .discovery)))
    }
  }

  private mutating func add(_ store: TargetConfiguration.Store) {
    changes.append(.addStore(StoreSpecification(store)))
    var more: [String: JSONValue] = [:]
    if store.queueDepth != TargetConfiguration.Store.standardQueueDepth {
      more["queueDepth"] = .integer(Int64(store.queueDepth))
    }
    if store.removable { more["removable"] = true }
    if store.servesLongCommands { more["longCommands"] = true }
    if store.servesReferrals { more["referrals"] = true }
    more["rotationRate"] = store.rotationRate.map { $0 == 1 ? "none" : .integer(Int64($0)) }
    more["thinThreshold"] = store.thinThresholdPercent.map { .text("\($0)%") }
    more["thinAvailableThreshold"] = store.thinAvailableThresholdPercent.map { .text("\($0)%") }
    if !more.isEmpty { changes.append(.setStore(Change.StoreKeys(store.name, more))) }
  }

  private mutating func add(
    _ portals: [TargetConfiguration.Portal], besides present: [PortalResource]
  ) throws(ExecutionError) {
    var new: [TargetConfiguration.Portal] = []
    for portal in portals {
      let key = PortalKey(path: portal.endpoint.description)
      let there = present.filter { $0.key == key }
      groups[portal.group, default: []].formUnion(there.map(\.group))
      if there.isEmpty { new.append(portal) }
    }
    var taken = Set(present.map(\.group)).union(portals.map(\.group))
    var numbers: [UInt16: UInt16] = [:]
    for group in Set(new.map(\.group)).sorted() {
      let number = try number(of: group, portals, besides: present, &taken)
      numbers[group] = number
      groups[group, default: []].insert(number)
    }
    for portal in new {
      let address = portal.endpoint.description
      changes.append(
        .addPortal(
          PortalSpecification(
            address: address, group: numbers[portal.group],
            advertise: portal.advertise?.description)))
    }
  }

  /// Its own, unless other portals would be reached by it.
  private func number(
    of group: UInt16, _ portals: [TargetConfiguration.Portal],
    besides present: [PortalResource], _ taken: inout Set<UInt16>
  ) throws(ExecutionError) -> UInt16 {
    let own = Set(
      portals.filter { $0.group == group }.map { PortalKey(path: $0.endpoint.description) })
    if present.allSatisfy({ $0.group != group || own.contains($0.key) }) { return group }
    guard let free = (1...UInt16.max).first(where: { !taken.contains($0) }) else {
      throw ExecutionError("No number of a portal group is free")
    }
    taken.insert(free)
    return free
  }

  /// The groups of a target may have more portals here than the configuration names for it, and it
  /// would be reached there. Only who gave a group of the same number another portal here can have
  /// meant that; groups of another target's file have numbers by chance.
  private mutating func check(
    _ target: TargetConfiguration.Target, _ portals: [TargetConfiguration.Portal],
    besides present: [PortalResource], isOwn: Bool
  ) throws(ExecutionError) {
    guard let wanted = target.portalGroups else { return }
    let served = Set(wanted.flatMap { groups[$0] ?? [] })
    let named = Set(
      portals.filter { wanted.contains($0.group) }.map { PortalKey(path: $0.endpoint.description) })
    let others = present.filter { served.contains($0.group) && !named.contains($0.key) }
    guard !others.isEmpty else { return }
    let list = others.map(\.address).joined(separator: ", ")
    guard isOwn, others.allSatisfy({ wanted.contains($0.group) }) else {
      throw ExecutionError(
        "\(target.name) would be reached at \(list), too, which the file does not name for it: "
          + "here that is in one portal group with portals that it names. Nothing was changed: "
          + "give it another group first, with swift-tgtadm portal remove ADDRESS and "
          + "swift-tgtadm portal add ADDRESS --group NUMBER, or name it in the file.")
    }
    remarks.append(
      "Note: \(target.name) is reached at \(list), too: its portal group has more portals here than "
        + "in the file.")
  }

  private mutating func add(
    _ target: TargetConfiguration.Target, _ general: TargetConfiguration.Negotiation
  ) {
    var new = TargetSpecification(name: target.name)
    new.alias = target.alias
    new.portalGroups = target.portalGroups.map { wanted in
      Set(wanted.flatMap { groups[$0] ?? [] }).sorted()
    }
    new.luns = target.luns.map(LUNSpecification.init)
    new.chap = target.chap.isEmpty ? nil : target.chap.map(CredentialSpecification.init)
    new.mutualCHAP = target.mutualChap.map(CredentialSpecification.init)
    new.acl = target.acl.map { entry in
      var new = AccessEntrySpecification(entry)
      // Where nothing is said, the target's own LUN says it.
      new.luns = entry.luns?.map {
        LUNSpecification(lun: $0.number, store: $0.store, readOnly: $0.readOnly)
      }
      return new
    }
    new.isOpenToAny = target.isOpenToAny ? true : nil
    changes.append(.addTarget(new))
    var more: [String: JSONValue] = [:]
    let own = SessionParameters.difference(target.iscsi, general)
    if !own.isEmpty { more["iscsi"] = .object(own) }
    if target.explicitAlua { more["explicitAlua"] = true }
    if !target.groupAccess.isEmpty { more["portalGroups"] = .list(access(to: target)) }
    if !more.isEmpty { changes.append(.setTarget(Change.TargetKeys(target.name, more))) }
  }

  /// The groups of here, each in the state of the one that it stands for.
  private func access(to target: TargetConfiguration.Target) -> [JSONValue] {
    var seen: Set<UInt16> = []
    return (target.portalGroups ?? []).flatMap { wanted in
      let access = target.groupAccess.first { $0.group == wanted }
      return (groups[wanted] ?? []).sorted().filter { seen.insert($0).inserted }.map {
        PortalPlan.json($0, access)
      }
    }
  }
}
