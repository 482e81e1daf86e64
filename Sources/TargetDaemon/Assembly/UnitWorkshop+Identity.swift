internal import Logging
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

  /// The names that no identity is on record of.
  func unidentified(among names: [String]) -> [String] {
    registry.withLock { $0.unknown(among: names) }
  }

  /// Takes back the identities that a change has made for these names, and is not made itself: a
  /// later start would take their stores for lost ones. Sleeps.
  func withdrawIdentities(of names: [String]) {
    guard !names.isEmpty else { return }
    do throws(DaemonError) {
      try registry.withLock { registry throws(DaemonError) in try registry.withdraw(names) }
    } catch {
      hasNewMedia.store(true, ordering: .releasing)
      logger.warning(
        """
        stores of a change that was not made may be on record as having been served, so a later \
        start would not make their files; the next store that is added puts that right
        """,
        metadata: ["stores": "\(names.joined(separator: ", "))", "error": "\(error)"])
    }
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
