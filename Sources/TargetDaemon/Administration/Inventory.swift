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

  /// A store that is open, whose unit is made when others have gone.
  struct Expected: Sendable {
    let successor: UnitExchange.Successor
    /// The configuration in force.
    var loaded: LoadedConfiguration
    let number: UInt64
  }

  private struct Contents: Sendable {
    /// In the order of their coming.
    var served: [Served] = []
    var units: [String: Served] = [:]
    var portals: [ListeningPortal] = []
    /// Portals of the configuration that do not listen, and why.
    var silentPortals: [SocketAddress: String] = [:]
    /// Units that are going: their last operations have not ended, so neither their media nor their
    /// identities are free.
    var leaving: [String: UnitClaim] = [:]
    /// Stores whose units come when others have gone.
    var expected: [String: Expected] = [:]
    var lastNumber: UInt64 = 0
  }

  private let contents = Mutex(Contents())

  // MARK: Units

  var served: [Served] { contents.withLock { $0.served } }
  var units: [LogicalUnit] { served.map(\.unit) }
  /// The names of those that have not left.
  var leaving: Set<String> { contents.withLock { Set($0.leaving.keys) } }
  var leavingClaims: [UnitClaim] { contents.withLock { Array($0.leaving.values) } }

  func served(named name: String) -> Served? { contents.withLock { $0.units[name] } }

  /// False: a unit of that name is served, or has not left.
  func add(_ served: Served) -> Bool {
    contents.withLock { contents in
      guard contents.units[served.name] == nil, contents.leaving[served.name] == nil else {
        return false
      }
      contents.units[served.name] = served
      contents.served.append(served)
      return true
    }
  }

  /// Takes out a unit that could not be presented.
  func forget(unitNamed name: String) {
    contents.withLock { contents in
      contents.units[name] = nil
      contents.served.removeAll { $0.name == name }
    }
  }

  /// Takes a unit out; it counts as leaving until `hasLeft`.
  func take(unitNamed name: String) -> Served? {
    contents.withLock { contents in
      guard let served = contents.units.removeValue(forKey: name) else { return nil }
      contents.served.removeAll { $0.unit === served.unit }
      contents.leaving[name] = served.claim
      return served
    }
  }

  func hasLeft(_ name: String) { contents.withLock { $0.leaving[name] = nil } }

  // MARK: Expected units

  var expectedClaims: [UnitClaim] {
    contents.withLock { $0.expected.values.map(\.successor.claim) }
  }

  /// The number by which it is taken: a later one of that name is another.
  func expect(_ successor: UnitExchange.Successor, _ loaded: LoadedConfiguration) -> UInt64 {
    contents.withLock { contents in
      contents.lastNumber += 1
      let number = contents.lastNumber
      contents.expected[successor.claim.name] = Expected(
        successor: successor, loaded: loaded, number: number)
      return number
    }
  }

  /// nil: it is not wanted any more.
  func takeExpected(_ name: String, _ number: UInt64) -> Expected? {
    contents.withLock { contents in
      guard contents.expected[name]?.number == number else { return nil }
      return contents.expected.removeValue(forKey: name)
    }
  }

  /// Another configuration is in force, by which `names` are not what they were.
  func revise(_ loaded: LoadedConfiguration, without names: [String]) {
    contents.withLock { contents in
      for name in names { contents.expected[name] = nil }
      for name in contents.expected.keys { contents.expected[name]?.loaded = loaded }
    }
  }

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
