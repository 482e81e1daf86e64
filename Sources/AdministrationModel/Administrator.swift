/// What carries out the requests of administrators: the daemon, to its server of the API.
///
/// Called from many tasks at once; changes come to pass one after another, each whole or not at
/// all. Lists with a name hold the one of that name, or the call throws `notFound`.
public protocol Administrator: Sendable {
  func version() async throws(AdministrationError) -> VersionResource
  func status() async throws(AdministrationError) -> StatusResource

  func targets(named name: String?) async throws(AdministrationError) -> [TargetResource]
  func stores(named name: String?) async throws(AdministrationError) -> [StoreResource]
  func portals() async throws(AdministrationError) -> [PortalResource]
  func discovery() async throws(AdministrationError) -> DiscoveryResource

  func sessions(id: UInt64?) async throws(AdministrationError) -> [SessionResource]
  func endSession(_ id: UInt64, by ending: SessionEnding) async throws(AdministrationError)

  /// Of stores where somebody is registered or holds a reservation; of the named store in any case.
  func reservations(store: String?) async throws(AdministrationError) -> [ReservationResource]
  func clearReservations(store: String) async throws(AdministrationError)

  func statistics() async throws(AdministrationError) -> StatisticsResource
  /// Prometheus text, exposition format 0.0.4.
  func metrics() async throws(AdministrationError) -> String

  /// What programs noted, in the order in which they did. Notes are written by `Change.setNote`, in
  /// one transaction with other changes.
  func notes(withSecrets: Bool) async throws(AdministrationError) -> [NoteResource]

  func change(_ request: ChangeRequest) async throws(AdministrationError) -> ChangeResult

  func configuration(
    withSecrets: Bool
  ) async throws(AdministrationError) -> ConfigurationResource
  /// The file against what runs.
  func difference() async throws(AdministrationError) -> DifferenceList
  /// Brings what runs to what the file says.
  func reload(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult
  /// Writes what runs to the file.
  func save(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult
  /// Brings what runs, and the file unless `runtimeOnly`, to a whole configuration text.
  func apply(
    _ text: String, _ options: ChangeOptions
  ) async throws(AdministrationError) -> ChangeResult
}

// One of a list, by its name.
extension Administrator {
  public func target(_ name: String) async throws(AdministrationError) -> TargetResource {
    try await targets(named: name).first.orMissing("target", name, at: "targets")
  }

  public func store(_ name: String) async throws(AdministrationError) -> StoreResource {
    try await stores(named: name).first.orMissing("store", name, at: "stores")
  }

  public func session(_ id: UInt64) async throws(AdministrationError) -> SessionResource {
    try await sessions(id: id).first.orMissing("session", "\(id)", at: "sessions")
  }

  public func reservation(
    of store: String
  ) async throws(AdministrationError) -> ReservationResource {
    try await reservations(store: store).first.orMissing("store", store, at: "stores")
  }
}

extension Optional {
  /// An administrator that keeps its promise has thrown before.
  fileprivate func orMissing(
    _ what: String, _ name: String, at path: String
  ) throws(AdministrationError) -> Wrapped {
    guard let self else {
      throw AdministrationError(.notFound, "there is no \(what) \"\(name)\"", path: path)
    }
    return self
  }
}

/// How a session ends.
public enum SessionEnding: String, Codable, Sendable, CaseIterable {
  /// The initiator is asked to log out (RFC 7143 §11.9.1, asynchronous event 1).
  case logout
  /// The connections are closed.
  case kill
}
