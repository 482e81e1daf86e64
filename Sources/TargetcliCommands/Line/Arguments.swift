/// A command could not be carried out. It shows no secret.
struct ExecutionError: Error, Equatable, CustomStringConvertible {
  var message: String

  init(_ message: String) { self.message = message }

  var description: String { message }
}

/// What a command takes, in the order of places.
struct CommandSignature: Equatable {
  var name: String
  var required: [String]
  var optional: [String]
  /// Any number of further places, or names, as `get` and `set` take.
  var isOpen: Bool
  var summary: String
  /// Other names, as scripts have them, for those of parameters.
  var aliases: [String: String] = [:]

  init(
    _ name: String, taking required: [String] = [], optional: [String] = [], isOpen: Bool = false,
    _ summary: String
  ) {
    self.name = name
    self.required = required
    self.optional = optional
    self.isOpen = isOpen
    self.summary = summary
  }

  var parameters: [String] { required + optional }

  var syntax: String {
    let words = [name] + required + optional.map { "[\($0)]" } + (isOpen ? ["[...]"] : [])
    return words.joined(separator: " ")
  }
}

/// The parameters of a line, by their names.
struct Arguments: Equatable {
  private var values: [String: String] = [:]

  init(_ line: CommandLine, for signature: CommandSignature) throws(ExecutionError) {
    for (given, value) in line.named {
      let name = signature.aliases[given] ?? given
      guard signature.parameters.contains(name) else {
        throw ExecutionError("Unexpected keyword parameter '\(given)'.")
      }
      values[name] = value
    }
    var places = signature.parameters.filter { values[$0] == nil }[...]
    for value in line.positional {
      guard let name = places.popFirst() else {
        throw ExecutionError("Unexpected positional parameter '\(value)'.")
      }
      values[name] = value
    }
    if let missing = signature.required.first(where: { values[$0] == nil }) {
      throw ExecutionError("Missing required parameter \(missing)")
    }
  }

  /// nil: not given, or given empty.
  subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// For parameters that the signature requires.
  func required(_ name: String) throws(ExecutionError) -> String {
    guard let value = self[name] else {
      throw ExecutionError("Missing required parameter \(name)")
    }
    return value
  }

  func boolean(_ name: String) throws(ExecutionError) -> Bool? {
    try self[name].map { value throws(ExecutionError) in try Truth.parse(value) }
  }
}

/// Truth values as targetcli reads them.
enum Truth {
  static func parse(_ text: String) throws(ExecutionError) -> Bool {
    switch text.lowercased() {
    case "true", "1", "yes": return true
    case "false", "0", "no": return false
    default: throw ExecutionError("Syntax error, '\(text)' is not true|false.")
    }
  }

  /// For attributes: 0 and 1, and what else means the same.
  static func number(_ value: Bool) -> String { value ? "1" : "0" }
  static func yesNo(_ value: Bool) -> String { value ? "Yes" : "No" }
}
