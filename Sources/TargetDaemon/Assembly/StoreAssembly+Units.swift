internal import AdministrationModel
internal import BackingStore
internal import SCSITarget
internal import TargetConfig

extension StoreAssembly {
  /// The logical units, their homes spread over the reactors.
  func units(
    of opened: [Opened], _ identities: [String: GeneratedIdentity], _ groups: [String: UInt16],
    home: (Int) -> Int
  ) -> [LogicalUnit] {
    let access = GroupAccessIndex(loaded.configuration)
    return opened.enumerated().map { index, opened in
      let configured = opened.configured
      let identity = identity(
        of: configured, identities[configured.name], groups[configured.name])
      return LogicalUnit(
        identity: identity, store: opened.presented,
        startsWithWriteCache: CacheMode(configured.cache).startsWithWriteCache,
        homeReactorIndex: home(index), options: options(of: configured, identity, access))
    }
  }

  private func identity(
    of store: TargetConfiguration.Store, _ generated: GeneratedIdentity?, _ group: UInt16?
  ) -> LogicalUnitIdentity {
    guard let naa = store.naa?.bytes ?? generated?.naa,
      let serial = store.serial ?? generated?.serial
    else { preconditionFailure("the registry knows every store that the configuration does not") }
    return LogicalUnitIdentity(
      name: store.name, naa: naa, serial: serial, vendor: store.vendor, product: store.product,
      revision: Version.productRevision, group: group)
  }

  private func options(
    of store: TargetConfiguration.Store, _ identity: LogicalUnitIdentity,
    _ access: GroupAccessIndex
  ) -> LogicalUnitOptions {
    var options = LogicalUnitOptions()
    options.queueDepth = store.queueDepth
    options.isRemovable = store.removable
    options.servesLongCommands = store.servesLongCommands
    options.servesReferrals = store.servesReferrals
    options.mediumRotationRate = store.rotationRate
    options.thinThresholdPercent = store.thinThresholdPercent.map { UInt8(clamping: $0) }
    options.thinAvailableThresholdPercent =
      store.thinAvailableThresholdPercent.map { UInt8(clamping: $0) }
    options.access = access[store.name].unitAccess
    options.reservations = savedReservations(of: identity)
    options.reservationPersistence = files.observedReservations
    options.savedParameters = files.parameters.load(of: identity)
    options.parameterPersistence = files.parameters
    // A disk in memory ends with the process, and what was left to wipe with it.
    if store.medium.path != nil {
      options.wipe = files.wipes.load(of: identity)
      options.wipePersistence = files.wipes
    }
    return options
  }
}
