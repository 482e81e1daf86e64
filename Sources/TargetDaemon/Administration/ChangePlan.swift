internal import SCSITarget
internal import TargetConfig

/// What another configuration does to the parts that are made at the start: which stores and
/// portals come and go. All else that may differ (targets, LUNs, access lists, users) is in the
/// directory that is published.
struct ChangePlan {
  /// A store that stays and gets another size.
  struct Resize: Equatable {
    let store: String
    let bytes: UInt64
  }

  /// To be closed, with their units; those that are opened again as something else are among them.
  private(set) var closedStores: [String] = []
  private(set) var openedStores: [TargetConfiguration.Store] = []
  private(set) var resizes: [Resize] = []
  /// Units whose paths are in other states.
  private(set) var accessChanges: [String] = []
  private(set) var closedPortals: [Endpoint] = []
  private(set) var openedPortals: [TargetConfiguration.Portal] = []

  /// `identified`: a store with the identity that initiators know it by.
  init(
    from old: TargetConfiguration, to new: TargetConfiguration,
    identified: (TargetConfiguration.Store) -> TargetConfiguration.Store = { $0 }
  ) {
    compareStores(old, new, identified)
    comparePortals(old, new)
  }

  private mutating func compareStores(
    _ old: TargetConfiguration, _ new: TargetConfiguration,
    _ identified: (TargetConfiguration.Store) -> TargetConfiguration.Store
  ) {
    let after = Set(new.stores.map(\.name))
    for store in old.stores where !after.contains(store.name) { closedStores.append(store.name) }
    let before = Self.places(of: old.stores)
    let (oldAccess, newAccess) = (GroupAccessIndex(old), GroupAccessIndex(new))
    for index in new.stores.indices {
      let name = new.stores[index].name
      guard let place = before[name] else {
        openedStores.append(new.stores[index])
        continue
      }
      let access = (before: oldAccess[name], after: newAccess[name])
      // Of thousands, a change leaves nearly all as they are.
      if old.stores[place] == new.stores[index], access.before == access.after { continue }
      let isReopened = compare(
        old.stores[place], new.stores[index],
        isSameKind: access.before.isExplicit == access.after.isExplicit, identified)
      if !isReopened, access.before.groups != access.after.groups { accessChanges.append(name) }
    }
  }

  /// By name: the first of each.
  private static func places(of stores: [TargetConfiguration.Store]) -> [String: Int] {
    var places = [String: Int](minimumCapacity: stores.count)
    for index in stores.indices.reversed() { places[stores[index].name] = index }
    return places
  }

  /// Initiators take a unit by its identity and keep what they know of its blocks: with anything
  /// but another size it is another unit to them.
  private mutating func compare(
    _ old: TargetConfiguration.Store, _ new: TargetConfiguration.Store, isSameKind: Bool,
    _ identified: (TargetConfiguration.Store) -> TargetConfiguration.Store
  ) -> Bool {
    var resized = old
    resized.sizeBytes = new.sizeBytes
    guard resized == new || identified(resized) == identified(new), isSameKind else {
      closedStores.append(old.name)
      openedStores.append(new)
      return true
    }
    if old.sizeBytes != new.sizeBytes, let bytes = new.sizeBytes {
      resizes.append(Resize(store: new.name, bytes: bytes))
    }
    return false
  }

  /// Sessions carry the tag of their portal group in their names (RFC 7143 §4.4.2): they cannot
  /// take another.
  private mutating func comparePortals(_ old: TargetConfiguration, _ new: TargetConfiguration) {
    for portal in old.portals {
      let isKept = new.portals.contains {
        $0.endpoint == portal.endpoint && $0.group == portal.group
      }
      if !isKept { closedPortals.append(portal.endpoint) }
    }
    for portal in new.portals {
      let isThere = old.portals.contains {
        $0.endpoint == portal.endpoint && $0.group == portal.group
      }
      if !isThere { openedPortals.append(portal) }
    }
  }
}
