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
    let after = Dictionary(new.stores.map { ($0.name, $0) }, uniquingKeysWith: { one, _ in one })
    for store in old.stores where after[store.name] == nil { closedStores.append(store.name) }
    let before = Dictionary(old.stores.map { ($0.name, $0) }, uniquingKeysWith: { one, _ in one })
    let (oldAccess, newAccess) = (GroupAccessIndex(old), GroupAccessIndex(new))
    for store in new.stores {
      guard let former = before[store.name] else {
        openedStores.append(store)
        continue
      }
      let access = (before: oldAccess[store.name], after: newAccess[store.name])
      let isReopened = compare(
        former, store, isSameKind: access.before.isExplicit == access.after.isExplicit,
        identified)
      if !isReopened, access.before.groups != access.after.groups {
        accessChanges.append(store.name)
      }
    }
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
