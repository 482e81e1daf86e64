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

  func difference(
    from old: TargetConfiguration, to new: TargetConfiguration
  ) -> ConfigurationDifference {
    ConfigurationDifference(from: identified(old, beside: new), to: identified(new, beside: old))
  }

  /// Stores that both have alike stay as they are: thousands of them must not cost a change.
  private func identified(
    _ configuration: TargetConfiguration, beside other: TargetConfiguration
  ) -> TargetConfiguration {
    guard configuration.stores != other.stores else { return configuration }
    let others = Dictionary(other.stores.map { ($0.name, $0) }) { first, _ in first }
    var configuration = configuration
    for index in configuration.stores.indices {
      let store = configuration.stores[index]
      if others[store.name] != store { configuration.stores[index] = identified(store) }
    }
    return configuration
  }
}
