import AdministrationModel
import ConfigurationChanges
import Synchronization
import TargetConfig

/// An administrator without a data plane: changes are made to the text of a configuration, which
/// has to load afterwards, as the daemon does it.
final class ConfiguredAdministrator: Administrator {
  struct State {
    var loaded: LoadedConfiguration
    var notes = Notebook()
    var sessions: [SessionResource] = []
    /// Of files, by path.
    var sizes: [String: UInt64] = [:]
    var numbers: [String: UInt32] = [:]
    var numberNext: UInt32 = 1
    var requests: [ChangeRequest] = []
    var statistics = StatisticsResource(at: ConfiguredAdministrator.now)
    /// Every call ends with it.
    var failure: AdministrationError?
    /// Every change ends with it.
    var refusal: AdministrationError?
    /// Sessions that cannot be ended.
    var lasting: Set<UInt64> = []
  }

  static let now = Timestamp(secondsSinceEpoch: 1_795_243_454)
  let state: Mutex<State>

  init(
    _ text: String = "{ portals: [\"127.0.0.1:13267\"] }", directory: String = "/"
  ) throws {
    let loaded = try ConfigurationLoader.load(
      text: text, directory: directory, permissions: .unchecked)
    state = Mutex(State(loaded: loaded))
  }

  var configurationText: String { state.withLock { $0.loaded.text.text } }
  var requests: [ChangeRequest] { state.withLock { $0.requests } }

  private func reading<Answer: Sendable>(
    _ body: (inout State) throws(AdministrationError) -> Answer
  ) throws(AdministrationError) -> Answer {
    try state.withLock { state throws(AdministrationError) in
      if let failure = state.failure { throw failure }
      return try body(&state)
    }
  }

  // MARK: Resources

  func version() async throws(AdministrationError) -> VersionResource {
    VersionResource(name: "swift-tgtd", version: "0")
  }

  func status() async throws(AdministrationError) -> StatusResource {
    try reading { _ in
      StatusResource(version: "0", phase: .running, processID: 1, startedAt: Self.now)
    }
  }

  func targets(named name: String?) async throws(AdministrationError) -> [TargetResource] {
    try reading { state in
      state.loaded.configuration.targets.map { Self.resource($0, &state) }
    }
  }

  private static func resource(
    _ target: TargetConfiguration.Target, _ state: inout State
  ) -> TargetResource {
    if state.numbers[target.name] == nil {
      state.numbers[target.name] = state.numberNext
      state.numberNext += 1
    }
    var resource = TargetResource(name: target.name, id: state.numbers[target.name] ?? 0)
    resource.luns = target.luns.map { lun in
      var resource = LUNResource(lun: lun.number, store: lun.store, readOnly: lun.readOnly)
      let store = state.loaded.configuration.store(named: lun.store)
      resource.sizeBytes = store.flatMap { $0.sizeBytes ?? state.sizes[$0.medium.path ?? ""] }
      resource.blockSize = store?.blockSize
      return resource
    }
    resource.acl = target.acl.map { entry in
      AccessEntryResource(
        initiator: entry.initiator ?? "any", addresses: entry.addresses.map(\.description))
    }
    resource.chapUsers = target.chap.map(\.user)
    resource.mutualCHAPUser = target.mutualChap?.user
    resource.isOpenToAny = target.isOpenToAny
    resource.sessionCount = state.sessions.count { $0.target == target.name }
    return resource
  }

  func stores(named name: String?) async throws(AdministrationError) -> [StoreResource] {
    try reading { state in
      state.loaded.configuration.stores.map { Self.resource($0, state) }
    }
  }

  private static func resource(
    _ store: TargetConfiguration.Store, _ state: State
  ) -> StoreResource {
    let kind = StoreKind(rawValue: store.medium.keyword) ?? .file
    var resource = StoreResource(name: store.name, kind: kind, path: store.medium.path)
    resource.sizeBytes = store.sizeBytes ?? state.sizes[store.medium.path ?? ""]
    resource.blockSize = store.blockSize
    resource.cache = store.cache.rawValue
    resource.discard = store.discard.rawValue
    resource.readOnly = store.readOnly
    resource.wwn = store.naa?.description
    resource.serial = store.serial
    resource.vendor = store.vendor
    resource.product = store.product
    resource.presentedBy = state.loaded.configuration.targets.flatMap { target in
      target.luns.filter { $0.store == store.name }
        .map { PresentationResource(target: target.name, lun: $0.number) }
    }
    return resource
  }

  func portals() async throws(AdministrationError) -> [PortalResource] {
    try reading { state in
      state.loaded.configuration.portals.map {
        PortalResource(address: $0.endpoint.description, group: $0.group)
      }
    }
  }

  func discovery() async throws(AdministrationError) -> DiscoveryResource {
    try reading { state in
      let discovery = state.loaded.configuration.discovery
      return DiscoveryResource(
        chapUsers: discovery.chap.map(\.user), mutualCHAPUser: discovery.mutualChap?.user)
    }
  }

  func sessions(id: UInt64?) async throws(AdministrationError) -> [SessionResource] {
    try reading { state in state.sessions.filter { id == nil || $0.id == id } }
  }

  func endSession(_ id: UInt64, by ending: SessionEnding) async throws(AdministrationError) {
    try reading { state throws(AdministrationError) in
      if state.lasting.contains(id) { throw AdministrationError(.unavailable, "too busy") }
      state.sessions.removeAll { $0.id == id }
    }
  }

  func reservations(store: String?) async throws(AdministrationError) -> [ReservationResource] {
    []
  }
  func clearReservations(store: String) async throws(AdministrationError) {}

  func statistics() async throws(AdministrationError) -> StatisticsResource {
    try reading { $0.statistics }
  }
  func metrics() async throws(AdministrationError) -> String { "" }

  func notes(withSecrets: Bool) async throws(AdministrationError) -> [NoteResource] {
    try reading { $0.notes.resources(withSecrets: withSecrets) }
  }

  // MARK: Changes

  func change(_ request: ChangeRequest) async throws(AdministrationError) -> ChangeResult {
    try reading { state throws(AdministrationError) in
      if let refusal = state.refusal { throw refusal }
      state.requests.append(request)
      var notes = state.notes
      for case .setNote(let note) in request.changes { try notes.set(note) }
      let loaded: LoadedConfiguration
      do throws(ConfigurationRefusal) {
        loaded = try state.loaded.edited { text throws(ConfigurationEditError) in
          try text.make(request.changes)
        }
      } catch {
        throw AdministrationError(error)
      }
      let gone = Set(state.loaded.configuration.targets.map(\.name))
        .subtracting(loaded.configuration.targets.map(\.name))
      let users = state.sessions.filter { gone.contains($0.target ?? "") }
      if !users.isEmpty, !request.options.force {
        throw AdministrationError(.inUse, "is in use", users: users.map(\.initiator))
      }
      state.sessions.removeAll { gone.contains($0.target ?? "") }
      for name in gone { state.numbers[name] = nil }
      state.loaded = loaded
      state.notes = notes
      state.notes.keep(targets: Set(loaded.configuration.targets.map(\.name)))
      return ChangeResult()
    }
  }

  func configuration(
    withSecrets: Bool
  ) async throws(AdministrationError) -> ConfigurationResource {
    try reading { ConfigurationResource(text: $0.loaded.text.text, isRedacted: !withSecrets) }
  }

  func difference() async throws(AdministrationError) -> DifferenceList { DifferenceList([]) }
  func reload(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult {
    ChangeResult()
  }
  func save(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult {
    ChangeResult()
  }
  func apply(
    _ text: String, _ options: ChangeOptions
  ) async throws(AdministrationError) -> ChangeResult { ChangeResult() }
}

extension AdministrationError {
  fileprivate init(_ refusal: ConfigurationRefusal) {
    switch refusal {
    case .edit(let error):
      self.init(error.kind == .conflict ? .conflict : .invalid, "\(error)", path: error.path)
    default: self.init(.invalid, "\(refusal)")
    }
  }
}
