internal import AdministrationModel
internal import TargetConfig

/// What the daemon has, and what it keeps for targetcli: the answers of some requests, between
/// which another's change may come.
struct State {
  var targets: [TargetResource] = []
  var stores: [StoreResource] = []
  var portals: [PortalResource] = []
  var discovery = DiscoveryResource()
  /// How stores are accessible, where that is not active and optimized everywhere.
  var accessStates: [String: [TargetConfiguration.GroupAccess]] = [:]
  var notes = Notes()
  /// The notes as the daemon has them, those of targets that are gone among them.
  var kept: [LongNote] = []

  static func read(_ daemon: any Administrator) async throws -> State {
    var state = State()
    state.targets = try await daemon.targets(named: nil)
    state.stores = try await daemon.stores(named: nil)
    state.portals = try await daemon.portals()
    state.discovery = try await daemon.discovery()
    let configuration = try await Vault.open(daemon, withSecrets: false).configuration
    for target in configuration.targets where !target.groupAccess.isEmpty {
      let groups = (target.portalGroups ?? []).map { group in
        target.groupAccess.first { $0.group == group }
          ?? TargetConfiguration.GroupAccess(group: group, state: .activeOptimized)
      }
      for store in Set((target.luns + target.acl.flatMap { $0.luns ?? [] }).map(\.store)) {
        state.accessStates[store, default: []] += groups
      }
    }
    let notes = try await daemon.notes(withSecrets: true)
    state.kept = LongNote.all(in: notes, below: Notes.prefix)
    state.notes = try Notes(state.kept).pruned(to: Set(state.targets.map(\.name)))
      .keeping(stores: Set(state.stores.map(\.name)))
    return state
  }

  func target(_ name: String) -> TargetResource? { targets.first { $0.name == name } }
  func store(_ name: String) -> StoreResource? { stores.first { $0.name == name } }

  func group(_ target: TargetResource) -> PortalGroup {
    PortalGroup(target, notes.targets[target.name] ?? Notes.OfTarget())
  }

  /// Of `/backstores/fileio/sdb`; nil: no store is meant.
  func storageObject(at path: NodePath) -> StoreResource? {
    guard path.names.count == 3, path.names[0] == "backstores",
      Plugin(rawValue: path.names[1]) != nil
    else { return nil }
    return store(path.names[2])
  }

  var discoveryAuth: Credentials {
    Credentials(
      daemon: discovery.chapUsers, discovery.mutualCHAPUser, waiting: notes.discovery.auth)
  }

  var asksAtDiscovery: Bool { !discovery.chapUsers.isEmpty || notes.discovery.isEnabled }
}
