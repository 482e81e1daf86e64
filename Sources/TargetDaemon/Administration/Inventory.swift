internal import ISCSITarget
internal import Reactor
internal import SCSITarget
internal import Synchronization
internal import TargetConfig

/// What the daemon serves, by name. Changed by one thread at a time, read by any.
final class Inventory: Sendable {
  struct Served: Sendable {
    let opened: StoreAssembly.Opened
    let unit: LogicalUnit
    var name: String { unit.identity.name }
  }

  /// A portal that listens.
  struct ListeningPortal: Sendable {
    let portal: PortalDefinition
    let listener: ReactorBound<PortalListener>
  }

  private struct Contents: Sendable {
    /// In the order of their coming.
    var served: [Served] = []
    var units: [String: Served] = [:]
    var portals: [ListeningPortal] = []
    /// Portals of the configuration that do not listen, and why.
    var silentPortals: [SocketAddress: String] = [:]
    /// Units that are going: their last operations have not ended, so their media are not free.
    var leaving: Set<String> = []
  }

  private let contents = Mutex(Contents())

  // MARK: Units

  var served: [Served] { contents.withLock { $0.served } }
  var units: [LogicalUnit] { served.map(\.unit) }
  var leaving: Set<String> { contents.withLock { $0.leaving } }

  func served(named name: String) -> Served? { contents.withLock { $0.units[name] } }

  func add(_ served: Served) {
    contents.withLock { contents in
      precondition(contents.units[served.name] == nil, "a name is served once")
      contents.units[served.name] = served
      contents.served.append(served)
    }
  }

  /// Takes a unit out; it counts as leaving until `hasLeft`.
  func take(unitNamed name: String) -> Served? {
    contents.withLock { contents in
      guard let served = contents.units.removeValue(forKey: name) else { return nil }
      contents.served.removeAll { $0.unit === served.unit }
      contents.leaving.insert(name)
      return served
    }
  }

  func hasLeft(_ name: String) { contents.withLock { _ = $0.leaving.remove(name) } }

  // MARK: Portals

  var portals: [ListeningPortal] { contents.withLock { $0.portals } }
  var silentPortals: [SocketAddress: String] { contents.withLock { $0.silentPortals } }

  func add(_ portal: ListeningPortal) {
    contents.withLock { contents in
      contents.silentPortals[portal.portal.address] = nil
      contents.portals.append(portal)
    }
  }

  func note(silent address: SocketAddress, because reason: String?) {
    contents.withLock { $0.silentPortals[address] = reason }
  }

  func take(portalAt address: SocketAddress) -> ListeningPortal? {
    contents.withLock { contents in
      let index = contents.portals.firstIndex { $0.portal.address == address }
      return index.map { contents.portals.remove(at: $0) }
    }
  }
}
