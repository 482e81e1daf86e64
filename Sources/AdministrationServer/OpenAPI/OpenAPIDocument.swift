internal import AdministrationModel
internal import HTTPTypes

/// The description of the API (OpenAPI 3.1), made of the table of routes.
struct OpenAPIDocument {
  private(set) var json: JSONValue = .null

  init(_ routes: [Route]) {
    let collector = SchemaCollector()
    let failure = collector.schema(of: ErrorDocument.self)
    var paths: [String: [String: JSONValue]] = [:]
    for route in routes {
      let method = route.method.rawValue.lowercased()
      paths[route.path, default: [:]][method] = Self.operation(route, collector)
    }
    json = [
      "openapi": "3.1.0",
      "info": [
        "title": "swift-tgtd", "version": "v1",
        "description": "Administration of the iSCSI target server.",
      ],
      "servers": [
        ["url": "http://localhost", "description": "through the Unix socket"],
        [
          "url": "https://{address}", "description": "over the network, with a bearer token",
          "variables": ["address": ["default": "localhost:3261"]],
        ],
      ],
      // Through the socket the kernel tells who asks.
      "security": [[:], ["bearer": []]],
      "paths": .object(paths.mapValues { .object($0) }),
      "components": [
        "schemas": .object(collector.components),
        "securitySchemes": [
          "bearer": [
            "type": "http", "scheme": "bearer",
            "description": "A token of the file that admin.listener.tokens names",
          ]
        ],
        "responses": [
          "Error": [
            "description": "Why it was not done; with `unanswered`, why that is not certain",
            "content": Self.content(failure),
          ]
        ],
      ],
    ]
  }

  private static func operation(_ route: Route, _ collector: SchemaCollector) -> JSONValue {
    var operation: [String: JSONValue] = [
      "operationId": .text(identifier(route)), "summary": .text(route.summary),
      "responses": [
        route.content.status: success(route.content, collector),
        "default": ["$ref": "#/components/responses/Error"],
      ],
    ]
    let parameters = pathParameters(route) + route.query.map(queryParameter)
    if !parameters.isEmpty { operation["parameters"] = .list(parameters) }
    if let body = route.body {
      operation["requestBody"] = [
        "required": true, "content": content(collector.schema(of: body)),
      ]
    }
    return .object(operation)
  }

  private static func success(
    _ content: Route.Content, _ collector: SchemaCollector
  ) -> JSONValue {
    switch content {
    case .json(let type):
      ["description": "Done", "content": self.content(collector.schema(of: type))]
    case .text:
      ["description": "Done", "content": ["text/plain": ["schema": ["type": "string"]]]]
    case .events:
      [
        "description": "One event a line",
        "content": ["application/x-ndjson": ["schema": collector.schema(of: Event.self)]],
      ]
    case .document:
      ["description": "Done", "content": self.content(["type": "object"])]
    case .none: ["description": "Done"]
    }
  }

  private static func content(_ schema: JSONValue) -> JSONValue {
    ["application/json": ["schema": schema]]
  }

  private static func pathParameters(_ route: Route) -> [JSONValue] {
    route.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { segment in
      [
        "name": .text(String(segment.dropFirst().dropLast())), "in": "path", "required": true,
        "schema": ["type": "string"],
      ]
    }
  }

  private static func queryParameter(_ parameter: Route.QueryParameter) -> JSONValue {
    [
      "name": .text(parameter.name), "in": "query", "description": .text(parameter.summary),
      "schema": ["type": .text(parameter.kind.rawValue)],
    ]
  }

  /// `getTargetsTargetLuns`: the method and every word of the path.
  private static func identifier(_ route: Route) -> String {
    let words = route.path.split { !$0.isLetter && !$0.isNumber }.dropFirst()
    return route.method.rawValue.lowercased()
      + words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }
}

extension Route.Content {
  var status: String { if case .none = self { "204" } else { "200" } }
}
