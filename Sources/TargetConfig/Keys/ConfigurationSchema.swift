/// The table of keys in the form that editors read. For the tests, which write and compare the file
/// in `conf`: nothing that runs needs it.
enum ConfigurationSchema {
  /// The JSON Schema (draft 2020-12) of the file, which `conf/targets.schema.json` holds.
  static func json() -> String {
    var definitions: [(String, JSONText)] = []
    collect(.object(.configuration), into: &definitions)
    let root = definitions.removeFirst()
    guard case .object(let members) = root.1 else { preconditionFailure("a shape is an object") }
    let head: [(String, JSONText)] = [
      ("$schema", .text("https://json-schema.org/draft/2020-12/schema")),
      ("title", .text("swift-tgtd targets.json")),
    ]
    definitions.sort { $0.0 < $1.0 }
    return JSONText.object(head + members + [("$defs", .object(definitions))]).rendered() + "\n"
  }

  /// Adds the definition of every object that `kind` leads to, each once, the outermost first.
  private static func collect(_ kind: ValueKind, into definitions: inout [(String, JSONText)]) {
    switch kind {
    case .object(let shape):
      guard !definitions.contains(where: { $0.0 == shape.name }) else { return }
      definitions.append((shape.name, shape.schema))
      for key in shape.keys { collect(key.kind, into: &definitions) }
    case .list(let element), .map(_, let element): collect(element, into: &definitions)
    case .either(let kinds): for kind in kinds { collect(kind, into: &definitions) }
    default: break
    }
  }
}

extension ObjectShape {
  /// The definition of this object: its keys and no others.
  fileprivate var schema: JSONText {
    var members: [(String, JSONText)] = [
      ("description", .text(meaning)), ("type", .text("object")),
      ("additionalProperties", .boolean(false)),
    ]
    let required = keys.filter(\.isRequired).map { JSONText.text($0.name) }
    if !required.isEmpty { members.append(("required", .list(required))) }
    for group in exactlyOne {
      let choices = group.map { JSONText.object([("required", .list([.text($0)]))]) }
      members.append(("oneOf", .list(choices)))
    }
    members.append(("properties", .object(keys.map { ($0.name, $0.schema) })))
    return .object(members)
  }
}

extension KeyDescription {
  fileprivate var schema: JSONText {
    var members: [(String, JSONText)] = [("description", .text(schemaDescription))]
    switch standard {
    case .boolean(let value): members.append(("default", .boolean(value)))
    case .integer(let value): members.append(("default", .integer(Int64(value))))
    case .text(let value): members.append(("default", .text(value)))
    case .none, .described: break
    }
    return .object(members + kind.schema)
  }

  private var schemaDescription: String {
    var text = meaning
    if !unit.isEmpty { text += " Unit: \(unit)." }
    if case .described(let words) = standard { text += " Default: \(words)." }
    return text
  }
}

extension ValueKind {
  fileprivate var schema: [(String, JSONText)] {
    switch self {
    case .boolean: [("type", .text("boolean"))]
    case .marker: [("const", .boolean(true))]
    case .integer(let range):
      [
        ("type", .text("integer")), ("minimum", .integer(range.lowerBound)),
        ("maximum", .integer(range.upperBound)),
      ]
    case .integerChoice(let values): [("enum", .list(values.map { .integer($0) }))]
    case .size(let range):
      [
        ("type", .list([.text("integer"), .text("string")])),
        ("minimum", .integer(Int64(clamping: range.lowerBound))),
        ("maximum", .integer(Int64(clamping: range.upperBound))),
        ("pattern", .text("^[0-9]+(\\.[0-9]+)? *([KkMmGgTtPpEe][Ii]?[Bb]|[Bb])?$")),
      ]
    case .text(let format):
      [("type", .text("string"))] + (format.pattern.map { [("pattern", .text($0))] } ?? [])
    case .choice(let values): [("enum", .list(values.map { .text($0) }))]
    case .list(let element):
      [("type", .text("array")), ("items", .object(element.schema))]
    case .map(let names, let element):
      [("type", .text("object"))]
        + (names.pattern.map { [("propertyNames", .object([("pattern", .text($0))]))] } ?? [])
        + [("additionalProperties", .object(element.schema))]
    case .object(let shape): [("$ref", .text("#/$defs/\(shape.name)"))]
    case .either(let kinds): [("anyOf", .list(kinds.map { .object($0.schema) }))]
    }
  }
}
