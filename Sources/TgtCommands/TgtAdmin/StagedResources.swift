internal import AdministrationModel
internal import TargetConfig

// What stands in a configuration, as the daemon would show it when it served that.

extension TargetResource {
  init(_ target: TargetConfiguration.Target, id: UInt32) {
    self.init(name: target.name, id: id)
    alias = target.alias
    portalGroups = target.portalGroups
    luns = target.luns.map { LUNResource($0) }
    acl = target.acl.map { AccessEntryResource($0) }
    chapUsers = target.chap.map(\.user)
    mutualCHAPUser = target.mutualChap?.user
    isOpenToAny = target.isOpenToAny
  }
}

extension LUNResource {
  fileprivate init(_ lun: TargetConfiguration.LUN) {
    self.init(lun: lun.number, store: lun.store, readOnly: lun.readOnly)
  }
}

extension AccessEntryResource {
  fileprivate init(_ entry: TargetConfiguration.AccessEntry) {
    self.init(initiator: entry.initiator ?? "any", addresses: entry.addresses.map(\.description))
    chapUsers = entry.chap.map(\.user)
    mutualCHAPUser = entry.mutualChap?.user
    luns = entry.luns.map { $0.map { LUNResource($0) } }
    readOnly = entry.readOnly
  }
}

extension StoreResource {
  /// `served`: as the daemon shows it now, which knows what its medium says.
  init(
    _ store: TargetConfiguration.Store, in configuration: TargetConfiguration,
    as served: StoreResource?
  ) {
    let kind = StoreKind(rawValue: store.medium.keyword) ?? .file
    self.init(name: store.name, kind: kind, path: store.medium.path)
    if let served, served.kind == kind, served.path == path { self = served }
    sizeBytes = store.sizeBytes ?? sizeBytes
    blockSize = store.blockSize ?? blockSize
    cache = store.cache.rawValue
    discard = store.discard.rawValue
    readOnly = store.readOnly
    wwn = store.naa?.description ?? wwn
    serial = store.serial ?? serial
    vendor = store.vendor
    product = store.product
    presentedBy = configuration.targets.flatMap { $0.presentations(of: store.name) }
  }
}

extension TargetConfiguration.Target {
  fileprivate func presentations(of store: String) -> [PresentationResource] {
    let own = luns.filter { $0.store == store }.map {
      PresentationResource(target: name, lun: $0.number)
    }
    return own
      + acl.flatMap { entry in
        (entry.luns ?? []).filter { $0.store == store }.map {
          PresentationResource(target: name, initiator: entry.initiator ?? "any", lun: $0.number)
        }
      }
  }
}
