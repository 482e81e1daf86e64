public import AdministrationModel
public import TargetConfig

// What a configuration says, as resources: all of them that stands in it.

extension TargetResource {
  /// `lun`: of each LUN, of the target and of entries of its access list.
  public init(
    _ target: TargetConfiguration.Target, id: UInt32,
    lun: (TargetConfiguration.LUN) -> LUNResource = { LUNResource($0) }
  ) {
    self.init(name: target.name, id: id)
    alias = target.alias
    portalGroups = target.portalGroups
    luns = target.luns.map(lun)
    acl = target.acl.map { AccessEntryResource($0, lun: lun) }
    chapUsers = target.chap.map(\.user)
    mutualCHAPUser = target.mutualChap?.user
    isOpenToAny = target.isOpenToAny
  }
}

extension LUNResource {
  public init(_ lun: TargetConfiguration.LUN) {
    self.init(lun: lun.number, store: lun.store, readOnly: lun.readOnly)
  }
}

extension AccessEntryResource {
  public init(
    _ entry: TargetConfiguration.AccessEntry,
    lun: (TargetConfiguration.LUN) -> LUNResource = { LUNResource($0) }
  ) {
    self.init(initiator: entry.initiator ?? "any", addresses: entry.addresses.map(\.description))
    chapUsers = entry.chap.map(\.user)
    mutualCHAPUser = entry.mutualChap?.user
    luns = entry.luns.map { $0.map(lun) }
    readOnly = entry.readOnly
  }
}

extension StoreResource {
  public init(_ store: TargetConfiguration.Store) {
    self.init(name: store.name, kind: StoreKind(store.medium), path: store.medium.path)
    take(store)
  }

  /// What the configuration says of it; what it leaves to the medium stays. Its identity is left to
  /// whoever knows what was made for its name.
  public mutating func take(_ store: TargetConfiguration.Store) {
    sizeBytes = store.sizeBytes ?? sizeBytes
    blockSize = store.blockSize ?? blockSize
    physicalBlockSize = store.physicalBlockSize ?? physicalBlockSize
    cache = store.cache.rawValue
    discard = store.discard.rawValue
    readOnly = store.readOnly
    vendor = store.vendor
    product = store.product
  }
}

extension StoreKind {
  fileprivate init(_ medium: TargetConfiguration.Medium) {
    switch medium {
    case .file: self = .file
    case .block: self = .block
    case .memory: self = .memory
    case .null: self = .null
    }
  }
}

extension TargetConfiguration.Target {
  /// Of each LUN with such a store, the target's own first, then those of its access list.
  public func presentations(
    of isWanted: (String) -> Bool
  ) -> [(store: String, presentation: PresentationResource)] {
    var all: [(store: String, presentation: PresentationResource)] = []
    for lun in luns where isWanted(lun.store) {
      all.append((lun.store, PresentationResource(target: name, lun: lun.number)))
    }
    for entry in acl {
      for lun in entry.luns ?? [] where isWanted(lun.store) {
        let initiator = entry.initiator ?? "any"
        all.append(
          (lun.store, PresentationResource(target: name, initiator: initiator, lun: lun.number)))
      }
    }
    return all
  }
}
