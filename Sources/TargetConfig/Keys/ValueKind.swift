/// What a key accepts: one description for the checker, the messages and the schema.
indirect enum ValueKind: Sendable {
  case boolean
  /// Only `true`: the key marks a choice.
  case marker
  case integer(ClosedRange<Int64>)
  case integerChoice([Int64])
  /// Bytes as a number or as text with a unit.
  case size(ClosedRange<UInt64>)
  case text(TextFormat)
  case choice([String])
  case list(ValueKind)
  /// Objects by name; the names have a format too.
  case map(TextFormat, ValueKind)
  case object(ObjectShape)
  /// Alternatives that differ in their JSON type, except that a choice may stand beside text.
  case either([ValueKind])

  /// What belongs here, after "expected".
  var expectation: String {
    switch self {
    case .boolean: "true or false"
    case .marker: "true"
    case .integer(let range):
      "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .integerChoice(let values): values.map { String($0) }.joined(orBefore: "or")
    case .size: "a size like \"64MiB\" or a number of bytes"
    case .text(let format): "text, \(format.example)"
    case .choice(let values): values.map(\.quoted).joined(orBefore: "or")
    case .list: "a list [...]"
    case .map, .object: "an object {...}"
    case .either(let kinds): kinds.map(\.expectation).joined(orBefore: "or")
    }
  }

  /// Whether a value has the JSON type of this kind, so that its content can be judged.
  func accepts(_ content: DocumentValue.Content) -> Bool {
    switch (self, content) {
    case (.boolean, .boolean), (.marker, .boolean): true
    case (.integer, .number), (.integerChoice, .number), (.size, .number): true
    case (.size, .text), (.text, .text), (.choice, .text): true
    case (.list, .list), (.map, .object), (.object, .object): true
    case (.either(let kinds), _): kinds.contains { $0.accepts(content) }
    default: false
    }
  }

  /// Whether a value of the wrong type may be shown in a message.
  var mayShow: Bool {
    switch self {
    case .boolean, .marker, .integer, .integerChoice, .size, .choice: true
    case .text(let format): format != .secret
    case .list, .map, .object: false
    case .either(let kinds): kinds.allSatisfy(\.mayShow)
    }
  }
}

extension [String] {
  /// `a, b or c`.
  func joined(orBefore word: String) -> String {
    guard count > 1, let last else { return first ?? "" }
    return dropLast().joined(separator: ", ") + " \(word) " + last
  }
}
