/// The keys of one kind of object.
struct ObjectShape: Sendable {
  /// Names the definition in the schema.
  var name: String
  var meaning: String
  var keys: [KeyDescription]
  /// Of each group, exactly one key must be there.
  var exactlyOne: [[String]] = []

  func key(named name: String) -> KeyDescription? { keys.first { $0.name == name } }
}

/// One row of the table that makes the checker, the messages and the schema.
struct KeyDescription: Sendable {
  enum Default: Sendable {
    case none
    case boolean(Bool)
    case integer(Int)
    case text(String)
    /// Depends on something else; told in words.
    case described(String)
  }

  var name: String
  var kind: ValueKind
  var unit = ""
  var standard = Default.none
  var isRequired = false
  var meaning: String
  /// What to do instead, when the value has the wrong type.
  var hint = ""
}
