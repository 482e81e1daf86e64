internal import AdministrationModel
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// One row of the table from which both the router and the OpenAPI document come.
struct Route: Sendable {
  /// What a successful answer holds.
  enum Content: Sendable {
    case json(any (Encodable & Sendable).Type)
    case text
    /// JSON lines.
    case events
    /// The OpenAPI document.
    case document
    /// Nothing: 204.
    case none
  }

  /// How much a request may bring.
  enum BodySize: Sendable {
    case small
    /// Several changes.
    case batch
    /// A whole configuration.
    case configuration
  }

  struct QueryParameter: Sendable {
    enum Kind: String, Sendable { case boolean, integer, string }
    var name: String
    var kind: Kind
    var summary: String
  }

  var method: HTTPRequest.Method
  /// `/v1/targets/{target}`, as OpenAPI and hummingbird write it.
  var path: String
  var summary: String
  var query: [QueryParameter] = []
  var body: (any (Codable & Sendable).Type)?
  var bodySize = BodySize.small
  /// The least right of a token that opens it.
  var right = BearerTokens.Right.all
  var content: Content
  var perform: @Sendable (Call) async throws -> Response
}

extension Route.QueryParameter {
  static let force = Self(
    name: "force", kind: .boolean, summary: "take away what is in use, after its I/O has ended")
  static let runtimeOnly = Self(
    name: "runtimeOnly", kind: .boolean, summary: "leave the configuration file as it is")
  static let now = Self(
    name: "now", kind: .boolean, summary: "end sessions that no longer qualify")
  static let dryRun = Self(
    name: "dryRun", kind: .boolean, summary: "say what would happen, and do nothing")
  static let addresses = Self(
    name: "addresses", kind: .string,
    summary: "the addresses of the entry, separated by commas, where several have that initiator")
  static let secrets = Self(
    name: "secrets", kind: .boolean, summary: "show secrets instead of a mark")
  static let after = Self(
    name: "after", kind: .integer, summary: "begin with what came after the event of that number")
  static let allowingOpenAccess = Self(
    name: "allowingOpenAccess", kind: .boolean,
    summary: "remove even the last user, after which nobody has to prove anything")

  static let change: [Self] = [.force, .runtimeOnly, .now, .dryRun]
}

// MARK: - Rows

extension Route {
  /// Reads something.
  static func get<Answer: Encodable & Sendable>(
    _ path: String, _ summary: String, query: [QueryParameter] = [],
    _ read: @escaping @Sendable (Call) async throws -> Answer
  ) -> Route {
    Route(
      method: .get, path: path, summary: summary, query: query, content: .json(Answer.self)
    ) { try Response(json: try await read($0)) }
  }

  /// Changes the configuration in a way that the path says.
  static func change(
    _ method: HTTPRequest.Method, _ path: String, _ summary: String,
    query: [QueryParameter] = [], _ change: @escaping @Sendable (Call) throws -> Change
  ) -> Route {
    Route(
      method: method, path: path, summary: summary, query: query + QueryParameter.change,
      content: .json(ChangeResult.self)
    ) { call in
      let request = ChangeRequest([try change(call)], try call.options)
      return try Response(json: try await call.administrator.change(request))
    }
  }

  /// Changes the configuration in a way that the path and the body say.
  static func change<Body: Codable & Sendable>(
    _ method: HTTPRequest.Method, _ path: String, _ summary: String, of body: Body.Type,
    bodySize: BodySize = .small, query: [QueryParameter] = [],
    _ change: @escaping @Sendable (Call, Body) throws -> [Change]
  ) -> Route {
    Route(
      method: method, path: path, summary: summary, query: query + QueryParameter.change,
      body: body, bodySize: bodySize, content: .json(ChangeResult.self)
    ) { call in
      let changes = try change(call, try call.decoded())
      let request = ChangeRequest(changes, try call.options)
      return try Response(json: try await call.administrator.change(request))
    }
  }

  /// Does something that is no change of the configuration, or not only one.
  static func act(
    _ method: HTTPRequest.Method, _ path: String, _ summary: String,
    _ act: @escaping @Sendable (Call) async throws -> Void
  ) -> Route {
    Route(method: method, path: path, summary: summary, content: .none) {
      try await act($0)
      return Response(status: .noContent)
    }
  }
}

extension Response {
  init(json value: some Encodable) throws {
    let body = ByteBuffer(bytes: try JSON.compact(value))
    self.init(
      status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: body))
  }

  /// In the one shape that all errors have.
  init(_ error: AdministrationError) {
    let document = try? JSON.compact(ErrorDocument(error))
    self.init(
      status: HTTPResponse.Status(code: error.code.status),
      headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: document ?? Data())))
  }
}
