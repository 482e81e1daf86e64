internal import AdministrationModel
internal import ConfigurationChanges
internal import Synchronization
internal import TargetConfig

/// What a daemon would serve after changes that wait, so that commands can be tried one by one, and
/// all of them be made as one, or none.
///
/// It judges as the daemon does, but for what shows in the doing alone, such as a file that cannot
/// be opened: for that the daemon refuses the whole.
final class StagedDaemon: Administrator {
  private struct State {
    var configuration: LoadedConfiguration
    var notes: Notebook
    var changes: [Change] = []
    var isForced = false
    /// Stores that are none of the daemon's own any more.
    var removedStores: Set<String> = []
    var endedSessions: [UInt64] = []
  }

  private let daemon: any Administrator
  /// What the daemon served when it was asked.
  private let targets: [String: TargetResource]
  private let stores: [String: StoreResource]
  private let sessions: [SessionResource]
  private let state: Mutex<State>

  init(of daemon: any Administrator) async throws(AdministrationError) {
    self.daemon = daemon
    targets = Dictionary(try await daemon.targets(named: nil).map { ($0.name, $0) }) { one, _ in
      one
    }
    stores = Dictionary(try await daemon.stores(named: nil).map { ($0.name, $0) }) { one, _ in one }
    sessions = try await daemon.sessions(id: nil)
    let notes = try Notebook(try await daemon.notes(withSecrets: true))
    let text = try await daemon.configuration(withSecrets: true)
    do throws(ConfigurationError) {
      let configuration = try ConfigurationLoader.draft(of: text.text, file: text.file)
      state = Mutex(State(configuration: configuration, notes: notes))
    } catch {
      throw AdministrationError(error)
    }
  }

  /// Makes all that waits, or nothing. `force` takes what is in use.
  func commit(force: Bool) async throws(AdministrationError) {
    let staged = state.withLock { $0 }
    guard !staged.changes.isEmpty else { return }
    let options = ChangeOptions(force: force || staged.isForced, runtimeOnly: true)
    _ = try await daemon.change(ChangeRequest(staged.changes, options))
  }

  /// A session that could not be ended.
  struct Survivor {
    var name: String
    var error: AdministrationError
  }

  /// Then ends the sessions that were to end: each is tried, and those that go on are returned. A
  /// target that is made anew under its name keeps them otherwise.
  func endSessions() async -> [Survivor] {
    var survivors: [Survivor] = []
    for id in state.withLock({ $0.endedSessions }) {
      do throws(AdministrationError) { try await daemon.endSession(id, by: .kill) } catch {
        // It may have gone by itself, or with its target.
        if error.code != .notFound { survivors.append(Survivor(name: name(of: id), error: error)) }
      }
    }
    return survivors
  }

  private func name(of id: UInt64) -> String {
    guard let session = sessions.first(where: { $0.id == id }) else { return "session \(id)" }
    return "session \(id) of \(session.initiator) with \(session.target ?? "no target")"
  }

  // MARK: What waits

  func change(_ request: ChangeRequest) async throws(AdministrationError) -> ChangeResult {
    try state.withLock { state throws(AdministrationError) in
      let notes = try state.notes.making(request.changes)
      // As far as the changes came: what a refusal names is found in it.
      var edited = state.configuration.text
      do throws(ConfigurationRefusal) {
        state.configuration = try state.configuration.edited {
          text throws(ConfigurationEditError) in
          defer { edited = text }
          try text.make(request.changes)
        }
      } catch {
        throw AdministrationError(error).naming(placesIn: edited)
      }
      state.notes = notes
      state.changes += request.changes
      for case .removeStore(let store) in request.changes { state.removedStores.insert(store.name) }
      // Force is for what the daemon has: what is made here nobody uses.
      let touched = Set(request.changes.compactMap(\.store)).subtracting(state.removedStores)
      if request.options.force, touched.contains(where: { stores[$0] != nil }) {
        state.isForced = true
      }
      return ChangeResult()
    }
  }

  func endSession(_ id: UInt64, by ending: SessionEnding) async throws(AdministrationError) {
    state.withLock { $0.endedSessions.append(id) }
  }

  private var configuration: TargetConfiguration {
    state.withLock { $0.configuration.configuration }
  }

  func targets(named name: String?) async throws(AdministrationError) -> [TargetResource] {
    try configuration.targets(named: name).map {
      TargetResource($0, id: targets[$0.name]?.id ?? 0)
    }
  }

  func stores(named name: String?) async throws(AdministrationError) -> [StoreResource] {
    let configuration = configuration
    return try configuration.stores(named: name).map {
      StoreResource($0, in: configuration, as: stores[$0.name])
    }
  }

  func discovery() async throws(AdministrationError) -> DiscoveryResource {
    let discovery = configuration.discovery
    return DiscoveryResource(
      chapUsers: discovery.chap.map(\.user), mutualCHAPUser: discovery.mutualChap?.user)
  }

  func sessions(id: UInt64?) async throws(AdministrationError) -> [SessionResource] {
    let ended = state.withLock { $0.endedSessions }
    return sessions.filter { (id == nil || $0.id == id) && !ended.contains($0.id) }
  }

  func notes(withSecrets: Bool) async throws(AdministrationError) -> [NoteResource] {
    state.withLock { $0.notes.resources(withSecrets: withSecrets) }
  }

  func configuration(
    withSecrets: Bool
  ) async throws(AdministrationError) -> ConfigurationResource {
    let configuration = state.withLock { $0.configuration }
    let text = configuration.text
    return ConfigurationResource(
      text: withSecrets ? text.text : text.redacted, isRedacted: !withSecrets,
      file: configuration.fileName)
  }
}

extension StoreResource {
  /// `served`: as the daemon shows it now, which knows what its medium says.
  fileprivate init(
    _ store: TargetConfiguration.Store, in configuration: TargetConfiguration,
    as served: StoreResource?
  ) {
    self.init(store)
    if let served, served.kind == kind, served.path == path {
      self = served
      take(store)
    }
    wwn = store.naa?.description ?? wwn
    serial = store.serial ?? serial
    presentedBy = configuration.targets.flatMap { target in
      target.presentations { $0 == store.name }.map(\.presentation)
    }
  }
}

extension Change {
  fileprivate var store: String? {
    switch self {
    case .setStore(let keys): keys.name
    case .resizeStore(let size): size.name
    default: nil
    }
  }
}

// MARK: - What nothing waits for

extension StagedDaemon {
  func version() async throws(AdministrationError) -> VersionResource { try await daemon.version() }
  func status() async throws(AdministrationError) -> StatusResource { try await daemon.status() }
  func portals() async throws(AdministrationError) -> [PortalResource] {
    try await daemon.portals()
  }
  func reservations(store: String?) async throws(AdministrationError) -> [ReservationResource] {
    try await daemon.reservations(store: store)
  }
  func statistics() async throws(AdministrationError) -> StatisticsResource {
    try await daemon.statistics()
  }
  func metrics() async throws(AdministrationError) -> String { try await daemon.metrics() }
  func difference() async throws(AdministrationError) -> DifferenceList {
    try await daemon.difference()
  }

  func clearReservations(store: String) async throws(AdministrationError) { throw .notStaged }
  func reload(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult {
    throw .notStaged
  }
  func save(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult {
    throw .notStaged
  }
  func apply(
    _ text: String, _ options: ChangeOptions
  ) async throws(AdministrationError) -> ChangeResult { throw .notStaged }
}

extension AdministrationError {
  fileprivate static let notStaged = AdministrationError(
    .invalid, "cannot be done together with other changes")
}
