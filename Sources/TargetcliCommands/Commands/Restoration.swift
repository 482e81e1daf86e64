internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

/// A configuration as the changes that make it out of none.
struct Restoration {
  private(set) var changes: [Change] = []
  /// Those that each group of the configuration is here.
  private var groups: [UInt16: Set<UInt16>] = [:]

  /// Portals that are there already are kept, in their groups.
  init(_ configuration: TargetConfiguration, portals: [PortalResource]) {
    changes += configuration.stores.map { .addStore(StoreSpecification($0)) }
    if !configuration.targets.isEmpty { add(configuration.portals, besides: portals) }
    for target in configuration.targets { add(target, configuration.iscsi) }
    for user in configuration.discovery.chap {
      changes.append(
        .addCHAPUser(Change.UserAddition(CredentialSpecification(user), at: .discovery)))
    }
    if let user = configuration.discovery.mutualChap {
      changes.append(
        .setMutualCHAP(Change.UserAddition(CredentialSpecification(user), at: .discovery)))
    }
  }

  private mutating func add(
    _ portals: [TargetConfiguration.Portal], besides present: [PortalResource]
  ) {
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
      let number = number(of: group, portals, besides: present, &taken)
      numbers[group] = number
      groups[group, default: []].insert(number)
    }
    for portal in new {
      let address = portal.endpoint.description
      changes.append(
        .addPortal(PortalSpecification(address: address, group: numbers[portal.group])))
    }
  }

  /// Its own, unless other portals would be reached by it.
  private func number(
    of group: UInt16, _ portals: [TargetConfiguration.Portal],
    besides present: [PortalResource], _ taken: inout Set<UInt16>
  ) -> UInt16 {
    let own = Set(
      portals.filter { $0.group == group }.map { PortalKey(path: $0.endpoint.description) })
    if present.allSatisfy({ $0.group != group || own.contains($0.key) }) { return group }
    let free = (1...UInt16.max).first { !taken.contains($0) } ?? .max
    taken.insert(free)
    return free
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
    new.acl = target.acl.map(AccessEntrySpecification.init)
    new.isOpenToAny = target.isOpenToAny ? true : nil
    changes.append(.addTarget(new))
    let own = SessionParameters.difference(target.iscsi, general)
    if !own.isEmpty {
      changes.append(.setTarget(Change.TargetKeys(target.name, ["iscsi": .object(own)])))
    }
  }
}
