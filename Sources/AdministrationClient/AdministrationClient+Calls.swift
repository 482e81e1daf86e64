// The calls of the API: those of `Administrator`, and those for one thing by its name.

public import AdministrationModel
internal import FoundationEssentials
internal import NIOHTTP1

extension AdministrationClient: Administrator {
  public func version() async throws(AdministrationError) -> VersionResource {
    try await get("version")
  }

  public func status() async throws(AdministrationError) -> StatusResource {
    try await get("status")
  }

  public func targets(
    named name: String? = nil
  ) async throws(AdministrationError) -> [TargetResource] {
    guard let name else { return try await get("targets") }
    return [try await get("targets", name)]
  }

  public func stores(
    named name: String? = nil
  ) async throws(AdministrationError) -> [StoreResource] {
    guard let name else { return try await get("stores") }
    return [try await get("stores", name)]
  }

  public func portals() async throws(AdministrationError) -> [PortalResource] {
    try await get("portals")
  }

  public func discovery() async throws(AdministrationError) -> DiscoveryResource {
    let resource: CHAPResource = try await get("discovery", "chap")
    return DiscoveryResource(chapUsers: resource.users, mutualCHAPUser: resource.mutualUser)
  }

  public func sessions(
    id: UInt64? = nil
  ) async throws(AdministrationError) -> [SessionResource] {
    guard let id else { return try await get("sessions") }
    return [try await get("sessions", "\(id)")]
  }

  public func endSession(
    _ id: UInt64, by ending: SessionEnding
  ) async throws(AdministrationError) {
    let request =
      switch ending {
      case .logout: APIRequest(.POST, ["sessions", "\(id)", "logout"])
      case .kill: APIRequest(.DELETE, ["sessions", "\(id)"])
      }
    _ = try await answer(to: request)
  }

  public func reservations(
    store: String? = nil
  ) async throws(AdministrationError) -> [ReservationResource] {
    guard let store else { return try await get("reservations") }
    return [try await get("reservations", store)]
  }

  public func clearReservations(store: String) async throws(AdministrationError) {
    _ = try await answer(to: APIRequest(.DELETE, ["reservations", store]))
  }

  public func statistics() async throws(AdministrationError) -> StatisticsResource {
    try await get("stats")
  }

  public func metrics() async throws(AdministrationError) -> String {
    String(decoding: try await answer(to: APIRequest(.GET, ["metrics"])), as: UTF8.self)
  }

  public func notes(
    withSecrets: Bool = false
  ) async throws(AdministrationError) -> [NoteResource] {
    try await decoded(APIRequest(.GET, ["notes"], query: Self.secretsQuery(withSecrets)))
  }

  // MARK: Changes

  public func change(
    _ request: ChangeRequest
  ) async throws(AdministrationError) -> ChangeResult {
    try await post(["changes"], request.options, ChangeList(request.changes))
  }

  public func configuration(
    withSecrets: Bool = false
  ) async throws(AdministrationError) -> ConfigurationResource {
    try await decoded(APIRequest(.GET, ["config"], query: Self.secretsQuery(withSecrets)))
  }

  public func difference() async throws(AdministrationError) -> DifferenceList {
    try await get("config", "diff")
  }

  public func reload(
    _ options: ChangeOptions = ChangeOptions()
  ) async throws(AdministrationError) -> ChangeResult {
    try await decoded(APIRequest(.POST, ["config", "reload"], query: options.query))
  }

  public func save(
    _ options: ChangeOptions = ChangeOptions()
  ) async throws(AdministrationError) -> ChangeResult {
    try await decoded(APIRequest(.POST, ["config", "save"], query: options.query))
  }

  public func apply(
    _ text: String, _ options: ChangeOptions = ChangeOptions()
  ) async throws(AdministrationError) -> ChangeResult {
    try await post(["config", "apply"], options, ConfigurationSpecification(text: text))
  }

  // MARK: How

  private static func secretsQuery(_ withSecrets: Bool) -> [(String, String)] {
    withSecrets ? [("secrets", "true")] : []
  }

  private func get<Resource: Decodable>(
    _ segments: String...
  ) async throws(AdministrationError) -> Resource {
    try await decoded(APIRequest(.GET, segments))
  }

  private func post<Body: Encodable>(
    _ segments: [String], _ options: ChangeOptions, _ body: Body
  ) async throws(AdministrationError) -> ChangeResult {
    let data: Data
    do {
      data = try JSONEncoder().encode(body)
    } catch {
      throw AdministrationError(.invalid, "the request cannot be written as JSON")
    }
    return try await decoded(APIRequest(.POST, segments, query: options.query, body: data))
  }
}

extension ChangeOptions {
  fileprivate var query: [(String, String)] {
    let flags = [
      ("force", force), ("runtimeOnly", runtimeOnly), ("now", now), ("dryRun", dryRun),
    ]
    return flags.filter(\.1).map { ($0.0, "true") }
  }
}
