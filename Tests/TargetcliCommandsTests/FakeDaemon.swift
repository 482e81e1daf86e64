import AdministrationModel
import ConfigurationChanges
import Synchronization
import TargetConfig

/// A daemon that is nothing but its configuration: changes are edits of a text, judged by the
/// loader that judges the real file. It serves nothing, and has nobody logged in unless it is told.
final class FakeDaemon: Administrator {
  struct State {
    var text: ConfigurationText
    var requests: [ChangeRequest] = []
    var sessions: [SessionResource] = []
    var saves = 0
    var failure: AdministrationError?
    var notes = Notebook()
    var configurationFile: String? = "/etc/swift-tgtd/targets.json"
  }

  let state: Mutex<State>

  init(_ text: String = #"{"portals": ["0.0.0.0:3260", "[::]:3260"]}"#) throws {
    state = Mutex(State(text: try ConfigurationText(text)))
  }

  var requests: [ChangeRequest] { state.withLock { $0.requests } }
  var saves: Int { state.withLock { $0.saves } }
  var configuration: TargetConfiguration {
    get throws { try Self.load(state.withLock { $0.text }) }
  }

  /// Of every store that has none of its own.
  static let generatedWWID = "6000c29a1b2c3d4e5f60718293a4b5c6"

  /// Every change from now on ends with it.
  func fail(_ failure: AdministrationError) { state.withLock { $0.failure = failure } }

  private static func load(_ text: ConfigurationText) throws -> TargetConfiguration {
    // No test has files of secrets.
    try ConfigurationLoader.look(at: text.text, file: "/etc/swift-tgtd/targets.json")
  }

  private func loaded() throws(AdministrationError) -> TargetConfiguration {
    do { return try configuration } catch { throw AdministrationError(.internal, "\(error)") }
  }

  // MARK: Resources

  func version() async throws(AdministrationError) -> VersionResource {
    VersionResource(name: "swift-tgtd", version: "1.2.3")
  }

  func targets(named name: String?) async throws(AdministrationError) -> [TargetResource] {
    let configuration = try loaded()
    return configuration.targets.enumerated().map { index, target in
      TargetResource(target, id: UInt32(index + 1))
    }
  }

  func stores(named name: String?) async throws(AdministrationError) -> [StoreResource] {
    let configuration = try loaded()
    return configuration.stores.map { store in
      var resource = StoreResource(store)
      resource.sizeBytes = store.sizeBytes ?? 64 << 20
      resource.serial = store.serial ?? "serial-of-\(store.name)"
      resource.wwn = store.naa?.description ?? Self.generatedWWID
      resource.presentedBy = configuration.targets.flatMap { target in
        target.presentations { $0 == store.name }.map(\.presentation)
      }
      return resource
    }
  }

  func portals() async throws(AdministrationError) -> [PortalResource] {
    try loaded().portals.map {
      PortalResource(address: $0.endpoint.description, group: $0.group)
    }
  }

  func discovery() async throws(AdministrationError) -> DiscoveryResource {
    let discovery = try loaded().discovery
    return DiscoveryResource(
      chapUsers: discovery.chap.map(\.user), mutualCHAPUser: discovery.mutualChap?.user)
  }

  func sessions(id: UInt64?) async throws(AdministrationError) -> [SessionResource] {
    state.withLock { $0.sessions }
  }

  func configuration(
    withSecrets: Bool
  ) async throws(AdministrationError) -> ConfigurationResource {
    state.withLock {
      ConfigurationResource(
        text: $0.text.text, isRedacted: !withSecrets, file: $0.configurationFile)
    }
  }

  func save(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult {
    state.withLock { state in
      state.saves += 1
      // What is saved already is not written again.
      return ChangeResult(savedTo: state.saves == 1 ? state.configurationFile : nil)
    }
  }

  // MARK: Changes

  func notes(withSecrets: Bool) async throws(AdministrationError) -> [NoteResource] {
    state.withLock { $0.notes.resources(withSecrets: withSecrets) }
  }

  func change(_ request: ChangeRequest) async throws(AdministrationError) -> ChangeResult {
    try state.withLock { state throws(AdministrationError) in
      if let failure = state.failure { throw failure }
      state.requests.append(request)
      let notes = try state.notes.making(request.changes)
      var text = state.text
      let names: Set<String>
      do {
        try text.make(request.changes)
        names = Set(try Self.load(text).targets.map(\.name))
      } catch {
        throw AdministrationError(.invalid, "\(error)")
      }
      state.text = text
      state.notes = notes
      state.notes.keep(targets: names)
      return ChangeResult()
    }
  }

  // MARK: What nobody asks for here

  private var unused: AdministrationError { AdministrationError(.internal, "not asked for here") }

  func status() async throws(AdministrationError) -> StatusResource { throw unused }
  func endSession(_ id: UInt64, by ending: SessionEnding) async throws(AdministrationError) {
    throw unused
  }
  func reservations(store: String?) async throws(AdministrationError) -> [ReservationResource] {
    throw unused
  }
  func clearReservations(store: String) async throws(AdministrationError) { throw unused }
  func statistics() async throws(AdministrationError) -> StatisticsResource { throw unused }
  func metrics() async throws(AdministrationError) -> String { throw unused }
  func difference() async throws(AdministrationError) -> DifferenceList { throw unused }
  func reload(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult {
    throw unused
  }
  func apply(
    _ text: String, _ options: ChangeOptions
  ) async throws(AdministrationError) -> ChangeResult { throw unused }
}
