internal import Synchronization
internal import TargetConfig

// Stores by the identities that initiators know, whether or not the configuration says them: one
// that is written down for a store that has it already changes nothing.
extension UnitWorkshop {
  /// With the identity that was made for the name, where the configuration has none.
  func identified(_ store: TargetConfiguration.Store) -> TargetConfiguration.Store {
    guard store.naa == nil || store.serial == nil,
      let identity = registry.withLock({ $0.identity(of: store.name) })
    else { return store }
    var store = store
    store.naa = store.naa ?? NAAIdentifier(identity.hexadecimal)
    store.serial = store.serial ?? identity.serial
    return store
  }

  func identified(_ configuration: TargetConfiguration) -> TargetConfiguration {
    var configuration = configuration
    configuration.stores = configuration.stores.map { identified($0) }
    return configuration
  }

  func difference(
    from old: TargetConfiguration, to new: TargetConfiguration
  ) -> ConfigurationDifference {
    ConfigurationDifference(from: identified(old), to: identified(new))
  }
}
