internal import AdministrationModel

/// Finds out what a type looks like in JSON by letting it decode itself from a decoder that has
/// nothing, and writes down what is asked for. So the description cannot say other than the code.
final class SchemaCollector {
  /// Schemas that others refer to, by name.
  private(set) var components: [String: JSONValue] = [:]

  func schema(of type: any Any.Type) -> JSONValue {
    if let schema = Self.plain(type) { return schema }
    if let list = type as? any SchemaList.Type {
      return ["type": "array", "items": schema(of: list.elementType)]
    }
    if let map = type as? any SchemaMap.Type {
      return ["type": "object", "additionalProperties": schema(of: map.valueType)]
    }
    let name = Self.name(type)
    if components[name] == nil {
      components[name] = .null
      components[name] = component(type)
    }
    return ["$ref": .text("#/components/schemas/\(name)")]
  }

  private func component(_ type: any Any.Type) -> JSONValue {
    if type is Change.Type { return change }
    if let names = (type as? any StringEnumeration.Type)?.names {
      return ["type": "string", "enum": .list(names.map { .text($0) })]
    }
    guard let type = type as? any Decodable.Type else {
      preconditionFailure("\(type) cannot be decoded, and so not described")
    }
    let record = SchemaRecord(self)
    do {
      _ = try type.init(from: SchemaProbe(record: record))
    } catch {
      preconditionFailure("\(type) cannot be described: \(error)")
    }
    var schema: [String: JSONValue] = [
      "type": "object", "properties": .object(record.properties),
    ]
    let required = record.properties.keys.filter { !record.optional.contains($0) }.sorted()
    if !required.isEmpty { schema["required"] = .list(required.map { .text($0) }) }
    return .object(schema)
  }

  /// An object with exactly one member.
  private var change: JSONValue {
    let properties = Change.Name.allCases.map { ($0.rawValue, schema(of: $0.payload)) }
    return [
      "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
      "properties": .object(Dictionary(properties) { first, _ in first }),
    ]
  }

  private static func plain(_ type: any Any.Type) -> JSONValue? {
    switch type {
    case is Bool.Type: ["type": "boolean"]
    case is String.Type, is Event.Kind.Type: ["type": "string"]
    case is Timestamp.Type: ["type": "string", "format": "date-time"]
    case is SecretText.Type: ["type": "string", "format": "password"]
    case is JSONValue.Type: [:]
    case is Double.Type, is Float.Type: ["type": "number"]
    case is any (FixedWidthInteger & UnsignedInteger).Type: ["type": "integer", "minimum": 0]
    case is any FixedWidthInteger.Type: ["type": "integer"]
    default: nil
    }
  }

  /// `Difference.Kind`: without the module.
  static func name(_ type: any Any.Type) -> String {
    String(reflecting: type).split(separator: ".").dropFirst().joined(separator: ".")
  }
}

/// What one type asked for.
final class SchemaRecord {
  let collector: SchemaCollector
  var properties: [String: JSONValue] = [:]
  /// Keys that were asked whether they are there.
  var optional: Set<String> = []

  init(_ collector: SchemaCollector) { self.collector = collector }
}

/// A type that is one of several texts.
protocol StringEnumeration {
  static var names: [String] { get }
  static var first: Self? { get }
}

extension StringEnumeration where Self: CaseIterable & RawRepresentable<String> {
  static var names: [String] { allCases.map(\.rawValue) }
  static var first: Self? { allCases.first }
}

extension AdministrationError.Code: StringEnumeration {}
extension StoreKind: StringEnumeration {}
extension StoreState: StringEnumeration {}
extension StoreReason: StringEnumeration {}
extension StatusResource.Phase: StringEnumeration {}
extension ConfigurationFileState: StringEnumeration {}
extension Difference.Kind: StringEnumeration {}
extension Difference.Application: StringEnumeration {}

protocol SchemaList {
  static var elementType: any Any.Type { get }
  static var empty: Self { get }
}

extension Array: SchemaList {
  static var elementType: any Any.Type { Element.self }
  static var empty: [Element] { [] }
}

protocol SchemaMap {
  static var valueType: any Any.Type { get }
  static var empty: Self { get }
}

extension Dictionary: SchemaMap where Key == String {
  static var valueType: any Any.Type { Value.self }
  static var empty: [String: Value] { [:] }
}
