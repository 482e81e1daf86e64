internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

/// A configuration as the changes that make it out of none.
struct Restoration {
  private(set) var changes: [Change] = []

  /// Portals that are there already are kept, in their groups.
  init(_ configuration: TargetConfiguration, portals: [PortalResource]) {
    changes += configuration.stores.map { .addStore(StoreSpecification($0)) }
    var groups: [UInt16: UInt16] = [:]
    var next = (portals.map(\.group).max() ?? 0) &+ 1
    for portal in configuration.portals where !configuration.targets.isEmpty {
      let address = portal.endpoint.description
      if let present = portals.first(where: { $0.key == PortalKey(path: address) }) {
        groups[portal.group] = groups[portal.group] ?? present.group
        continue
      }
      let group = groups[portal.group] ?? next
      if groups[portal.group] == nil { next &+= 1 }
      groups[portal.group] = group
      changes.append(.addPortal(PortalSpecification(address: address, group: group)))
    }
    for target in configuration.targets { add(target, groups, configuration.iscsi) }
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
    _ target: TargetConfiguration.Target, _ groups: [UInt16: UInt16],
    _ general: TargetConfiguration.Negotiation
  ) {
    var new = TargetSpecification(name: target.name)
    new.alias = target.alias
    new.portalGroups = target.portalGroups?.compactMap { groups[$0] }
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
