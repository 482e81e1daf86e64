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
  }

  /// A portal that listens.
  struct ListeningPortal: Sendable {
    let portal: PortalDefinition
    let listener: ReactorBound<PortalListener>
  }

  private struct Contents: Sendable {
    /// In the order of their coming.
    var units: [Served] = []
    var portals: [ListeningPortal] = []
    /// Units that are going: their last operations have not ended, so their media are not free.
    var leaving: Set<String> = []
  }

  private let contents = Mutex(Contents())

  var served: [Served] { contents.withLock { $0.units } }
  var units: [LogicalUnit] { served.map(\.unit) }
  var portals: [ListeningPortal] { contents.withLock { $0.portals } }
  var leaving: Set<String> { contents.withLock { $0.leaving } }

  func served(named name: String) -> Served? {
    served.first { $0.unit.identity.name == name }
  }

  func add(_ served: Served) { contents.withLock { $0.units.append(served) } }

  func add(_ portal: ListeningPortal) { contents.withLock { $0.portals.append(portal) } }

  /// Takes a unit out; it counts as leaving until `hasLeft`.
  func take(unitNamed name: String) -> Served? {
    contents.withLock { contents in
      guard let index = contents.units.firstIndex(where: { $0.unit.identity.name == name }) else {
        return nil
      }
      contents.leaving.insert(name)
      return contents.units.remove(at: index)
    }
  }

  func hasLeft(_ name: String) { contents.withLock { _ = $0.leaving.remove(name) } }

  func take(portalAt address: SocketAddress) -> ListeningPortal? {
    contents.withLock { contents in
      let index = contents.portals.firstIndex { $0.portal.address == address }
      return index.map { contents.portals.remove(at: $0) }
    }
  }
}
