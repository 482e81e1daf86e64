internal import AdministrationModel
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

/// Answers requests by the table of routes. It knows of no socket.
struct RequestService: Sendable {
  let limits: APILimits
  let bodyRoom: BodyRoom
  private let standBack: @Sendable () -> Void
  private let table: RouteTable
  private let responder: RouterResponder<CallContext>

  init(
    administrator: any Administrator, hub: EventHub, limits: APILimits,
    standBack: @escaping @Sendable () -> Void = {}
  ) {
    self.limits = limits
    self.standBack = standBack
    bodyRoom = BodyRoom(bytesMax: limits.bodyBytesMax + limits.furtherBodyBytesMax)
    table = RouteTable(hub: hub, limits: limits)
    let router = Router(context: CallContext.self)
    for route in table.routes {
      router.on(RouterPath(route.path), method: route.method) { request, context in
        await Self.perform(route, administrator, request, context)
      }
    }
    responder = router.buildResponder()
  }

  /// The least right of a token that opens what is asked for.
  func right(for head: HTTPRequest) -> BearerTokens.Right {
    table.right(for: head.method, at: Self.path(of: head))
  }

  /// Where there is nothing, nothing is taken.
  func bodyBytesMax(of head: HTTPRequest) -> Int {
    switch table.bodySize(of: head.method, at: Self.path(of: head)) {
    case .small: min(limits.smallBodyBytesMax, limits.bodyBytesMax)
    case .batch: min(limits.batchBytesMax, limits.bodyBytesMax)
    case .configuration: limits.bodyBytesMax
    }
  }

  private static func path(of head: HTTPRequest) -> String {
    String((head.path ?? "").prefix { $0 != "?" })
  }

  /// Every outcome is an answer.
  func respond(to request: Request, in context: CallContext) async -> Response {
    standBack()
    guard let methods = table.methods(at: request.uri.path) else {
      return Response(
        AdministrationError(
          .notFound, "there is nothing at \(request.uri.path.shown)",
          remedy: "GET /v1/openapi.json tells what there is"))
    }
    guard methods.contains(request.method) else {
      let allowed = methods.map(\.rawValue).joined(separator: ", ")
      var response = Response(
        AdministrationError(
          .methodNotAllowed, "\(request.method.rawValue.shown) does not work here, but \(allowed)"))
      response.headers[.allow] = allowed
      return response
    }
    do {
      return try await responder.respond(to: request, context: context)
    } catch {
      return Self.failure(error, context)
    }
  }

  private static func perform(
    _ route: Route, _ administrator: any Administrator, _ request: Request, _ context: CallContext
  ) async -> Response {
    do {
      let body = try await request.body.collect(upTo: .max)
      let call = Call(
        administrator: administrator, parameters: try parameters(context),
        query: try query(request, of: route), body: Data(body.readableBytesView),
        context: context)
      let response = try await route.perform(call)
      if route.method != .get {
        context.logger.info("\(route.method.rawValue) \(request.uri.path.shown)")
      }
      return response
    } catch {
      return failure(error, context)
    }
  }

  private static func failure(_ error: any Error, _ context: CallContext) -> Response {
    if let error = error as? AdministrationError { return Response(error) }
    context.logger.error("a request failed: \(type(of: error))")
    return Response(AdministrationError(.internal, "the daemon made a mistake: see its log"))
  }

  // MARK: Parts of the request

  private static func parameters(
    _ context: CallContext
  ) throws(AdministrationError) -> [String: String] {
    var decoded: [String: String] = [:]
    for (name, text) in context.parameters {
      guard let value = PercentEncoding.decode(text), !value.isEmpty else {
        throw AdministrationError(
          .invalid, "is not percent-encoded UTF-8 text", path: String(name))
      }
      decoded[String(name)] = value
    }
    return decoded
  }

  /// A parameter that the route does not know is an error: `?runtimeonly` would otherwise write the
  /// file.
  private static func query(
    _ request: Request, of route: Route
  ) throws(AdministrationError) -> [String: String] {
    var known: [String: String] = [:]
    for part in (request.uri.query ?? "").split(separator: "&") {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let text = pair.count > 1 ? pair[1] : ""
      guard let key = pair.first.flatMap({ PercentEncoding.decode($0) }),
        let value = PercentEncoding.decode(text)
      else { throw AdministrationError(.invalid, "the query is not percent-encoded UTF-8 text") }
      guard route.query.contains(where: { $0.name == key }) else {
        let names = route.query.map(\.name).joined(separator: ", ")
        throw AdministrationError(
          .invalid, "unknown query parameter", path: key,
          remedy: names.isEmpty ? "there are none here" : "there are \(names)")
      }
      guard known.updateValue(value, forKey: key) == nil else {
        throw AdministrationError(.invalid, "the query parameter is given twice", path: key)
      }
    }
    return known
  }
}
