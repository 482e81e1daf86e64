internal import AdministrationModel
internal import HTTPTypes
internal import Hummingbird

/// All of the API.
struct RouteTable: Sendable {
  var routes: [Route]

  init(hub: EventHub, limits: APILimits) {
    routes =
      Self.daemon(hub: hub, limits: limits) + Self.targets + Self.credentials(Self.users)
      + Self.stores + Self.sessions + Self.configuration
    let document = OpenAPIDocument(routes + [Self.document(nil)]).json
    routes.append(Self.document(document))
  }

  /// The methods of a path; nil where there is no such path.
  func methods(at path: String) -> [HTTPRequest.Method]? {
    let found = routes(at: path)
    return found.isEmpty ? nil : found.map(\.method)
  }

  func bodySize(of method: HTTPRequest.Method, at path: String) -> Route.BodySize {
    routes(at: path).first { $0.method == method }?.bodySize ?? .small
  }

  /// The least right that opens a path, written just as the table has it; of all else, `.all`.
  func right(for method: HTTPRequest.Method, at path: String) -> BearerTokens.Right {
    routes.first { $0.method == method && $0.path == path }?.right ?? .all
  }

  private func routes(at path: String) -> [Route] {
    let segments = path.split(separator: "/")
    return routes.filter { route in
      let template = route.path.split(separator: "/")
      return template.count == segments.count
        && zip(template, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
  }

  private static func document(_ document: JSONValue?) -> Route {
    Route(
      method: .get, path: "/v1/openapi.json", summary: "This description", content: .document
    ) { _ in try Response(json: document ?? .null) }
  }
}

extension RouteTable {
  private static func daemon(hub: EventHub, limits: APILimits) -> [Route] {
    [
      .get("/v1/version", "The version of the daemon and of the API") {
        try await $0.administrator.version()
      },
      .get("/v1/status", "How the daemon is") { try await $0.administrator.status() },
      .get("/v1/stats", "Counters and latencies") { try await $0.administrator.statistics() },
      Route(
        method: .get, path: "/v1/metrics", summary: "Prometheus text", right: .metrics,
        content: .text
      ) { call in
        let text = try await call.administrator.metrics()
        return Response(
          status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
          body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
      },
      Route(
        method: .get, path: "/v1/events", summary: "What happens, one JSON event a line, for ever",
        query: [.after], content: .events
      ) { call in
        let id = try call.query["after"].map { text in
          guard let id = UInt64(text) else {
            throw AdministrationError(.invalid, "\(text.shown) is not a number", path: "after")
          }
          return id
        }
        return EventStream.response(hub: hub, after: id, limits: limits, to: call.context)
      },
      .get("/v1/notes", "What programs noted", query: [.secrets]) {
        try await $0.administrator.notes(withSecrets: try $0.flag("secrets"))
      },
      .get("/v1/portals", "All portals") { try await $0.administrator.portals() },
      .change(.post, "/v1/portals", "Adds a portal", of: PortalSpecification.self) {
        [.addPortal($1)]
      },
      .change(.delete, "/v1/portals/{portal}", "Removes a portal") {
        .removePortal(Change.PortalName(try $0.name("portal")))
      },
    ]
  }

  private static var stores: [Route] {
    [
      .get("/v1/stores", "All stores") { try await $0.administrator.stores(named: nil) },
      .change(.post, "/v1/stores", "Adds a store", of: StoreSpecification.self) {
        [.addStore($1)]
      },
      .get("/v1/stores/{store}", "A store") { call in
        try await call.administrator.store(try call.name("store"))
      },
      .change(
        .patch, "/v1/stores/{store}", "Sets keys of a store as in the file; null removes one",
        of: [String: JSONValue].self
      ) { [.setStore(Change.StoreKeys(try $0.name("store"), $1))] },
      .change(.delete, "/v1/stores/{store}", "Removes a store; its medium stays") {
        .removeStore(Change.StoreName(try $0.name("store")))
      },
      .change(
        .post, "/v1/stores/{store}/resize", "Gives a store another size",
        of: SizeSpecification.self
      ) { [.resizeStore(Change.StoreSize(try $0.name("store"), sizeBytes: $1.sizeBytes))] },
    ]
  }

  private static var sessions: [Route] {
    [
      .get("/v1/sessions", "All sessions") { try await $0.administrator.sessions(id: nil) },
      .get("/v1/sessions/{session}", "A session") { call in
        try await call.administrator.session(try call.number("session"))
      },
      .act(.post, "/v1/sessions/{session}/logout", "Asks the initiator to log out") {
        try await $0.administrator.endSession(try $0.number("session"), by: .logout)
      },
      .act(.delete, "/v1/sessions/{session}", "Closes the connections of a session") {
        try await $0.administrator.endSession(try $0.number("session"), by: .kill)
      },
      .get("/v1/reservations", "Stores with registrations or reservations") {
        try await $0.administrator.reservations(store: nil)
      },
      .get("/v1/reservations/{store}", "Registrations and reservation of a store") { call in
        try await call.administrator.reservation(of: try call.name("store"))
      },
      .act(
        .delete, "/v1/reservations/{store}", "Clears all registrations and the reservation"
      ) { try await $0.administrator.clearReservations(store: try $0.name("store")) },
    ]
  }

  private static var configuration: [Route] {
    [
      .get("/v1/config", "The running configuration", query: [.secrets]) {
        try await $0.administrator.configuration(withSecrets: try $0.flag("secrets"))
      },
      .get("/v1/config/diff", "The file against what runs") {
        try await $0.administrator.difference()
      },
      configure("/v1/config/reload", "Brings what runs to what the file says") {
        try await $0.administrator.reload(try $0.options)
      },
      configure("/v1/config/save", "Writes what runs to the file") {
        try await $0.administrator.save(try $0.options)
      },
      configure(
        "/v1/config/apply", "Brings what runs to a whole configuration",
        of: ConfigurationSpecification.self
      ) { call in
        let specification: ConfigurationSpecification = try call.decoded()
        return try await call.administrator.apply(
          specification.text.reveal, try call.options)
      },
      .change(
        .post, "/v1/changes", "Makes several changes, in order, all of them or none",
        of: ChangeList.self, bodySize: .batch
      ) { _, list in
        guard !list.changes.isEmpty else {
          throw AdministrationError(.invalid, "there is no change in it", path: "changes")
        }
        return list.changes
      },
    ]
  }

  private static func configure(
    _ path: String, _ summary: String, of body: (any (Codable & Sendable).Type)? = nil,
    _ perform: @escaping @Sendable (Call) async throws -> ChangeResult
  ) -> Route {
    Route(
      method: .post, path: path, summary: summary, query: Route.QueryParameter.change, body: body,
      bodySize: body == nil ? .small : .configuration, content: .json(ChangeResult.self)
    ) { try Response(json: try await perform($0)) }
  }
}
