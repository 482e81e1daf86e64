import AdministrationModel
import Foundation
import HTTPTypes
import Testing

@testable import AdministrationServer

@Suite("OpenAPI document")
struct OpenAPITests {
  static let table = RouteTable(hub: EventHub(), limits: APILimits())
  static let document = OpenAPIDocument(table.routes).json

  @Test("Has each route, and nothing else")
  func routes() {
    let described = Self.document["paths"]?.members.flatMap { path, item in
      item.members.keys.map { "\($0.uppercased()) \(path)" }
    }
    let routed = Self.table.routes.map { "\($0.method.rawValue) \($0.path)" }
    #expect(Set(described ?? []) == Set(routed))
    #expect(Set(routed).count == routed.count)
    #expect(routed.contains("GET /v1/openapi.json"))
  }

  @Test("Names the tokens of the network, and that there are none on the socket")
  func security() {
    let scheme = Self.document["components"]?["securitySchemes"]?["bearer"]
    #expect(scheme?["type"] == "http" && scheme?["scheme"] == "bearer")
    #expect(Self.document["security"] == [[:], ["bearer": []]])
  }

  @Test("Has a definition for each of its references")
  func references() {
    let references = Self.references(in: Self.document)
    #expect(references.count > 50)
    for reference in Set(references) {
      var value: JSONValue? = Self.document
      for key in reference.split(separator: "/").dropFirst() { value = value?[String(key)] }
      #expect(value?.members.isEmpty == false, "\(reference)")
    }
  }

  @Test("Says of each operation who it is, what may be asked and what comes")
  func operations() throws {
    var identifiers: [String] = []
    for (path, item) in Self.document["paths"]?.members ?? [:] {
      for operation in item.members.values {
        identifiers.append(try #require(operation["operationId"]?.text))
        #expect(operation["summary"]?.text?.isEmpty == false)
        let named = (operation["parameters"]?.elements ?? []).filter { $0["in"] == "path" }
          .compactMap { $0["name"]?.text }
        let inPath = path.split(separator: "/").filter { $0.hasPrefix("{") }
          .map { String($0.dropFirst().dropLast()) }
        #expect(named == inPath)
        #expect(operation["responses"]?.members.count == 2)
      }
    }
    #expect(Set(identifiers).count == identifiers.count)
  }

  @Test("Describes types as they are: what must be there, what may")
  func schemas() throws {
    let schemas = try #require(Self.document["components"]?["schemas"])
    let lun = try #require(schemas["LUNSpecification"])
    #expect(lun["required"] == ["store"])
    #expect(lun["properties"]?["lun"] == ["type": "integer", "minimum": 0])
    #expect(lun["properties"]?["readOnly"] == ["type": "boolean"])
    let target = try #require(schemas["TargetResource"]?["properties"])
    #expect(
      target["luns"] == ["type": "array", "items": ["$ref": "#/components/schemas/LUNResource"]])
    #expect(schemas["StoreKind"]?["enum"] == ["file", "block", "memory", "null"])
    #expect(
      schemas["SessionResource"]?["properties"]?["since"]
        == ["type": "string", "format": "date-time"])
    #expect(schemas["Change"]?["properties"]?.members.count == Change.Name.allCases.count)
    #expect(
      schemas["StatisticsResource"]?["properties"]?["loginFailures"]
        == ["type": "object", "additionalProperties": ["type": "integer", "minimum": 0]])
  }

  @Test("Is served as it is made")
  func served() async throws {
    try await Bench.run { bench in
      let answer = try await bench.ask("GET", "/v1/openapi.json")
      #expect(answer.status == 200)
      let served = try JSONDecoder().decode(JSONValue.self, from: Data(answer.body.utf8))
      #expect(served == Self.document)
      #expect(served["openapi"] == "3.1.0")
    }
  }

  private static func references(in value: JSONValue) -> [String] {
    (value["$ref"]?.text).map { [$0] } ?? []
      + value.members.values.flatMap { references(in: $0) }
      + value.elements.flatMap { references(in: $0) }
  }
}
