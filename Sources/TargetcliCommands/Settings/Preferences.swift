internal import FoundationEssentials

/// The `global` group and the bookmarks: one person's, kept in a directory of that person.
struct Preferences: Codable, Equatable {
  /// What was set; the rest has its default.
  var values: [String: String] = [:]
  var bookmarks: [String: String] = [:]

  enum Kind { case boolean, number, text }

  static let known: [String: (standard: String, kind: Kind, meaning: String)] = [
    "auto_add_default_portal": (
      "true", .boolean, "If true, adds a portal listening on all IPs to new targets."
    ),
    "auto_add_mapped_luns": (
      "true", .boolean, "If true, new LUNs and new ACLs are mapped to each other."
    ),
    "auto_cd_after_create": ("false", .boolean, "If true, goes to what was created."),
    "auto_enable_tpgt": ("true", .boolean, "If true, enables new portal groups."),
    "auto_save_on_exit": ("true", .boolean, "If true, saves the configuration on exit."),
    "auto_use_daemon": ("false", .boolean, "Kept, and without effect: a daemon serves always."),
    "color_mode": ("true", .boolean, "If false, nothing has a color."),
    "daemon_use_batch_mode": ("false", .boolean, "Kept, and without effect."),
    "export_backstore_name_as_model": (
      "true", .boolean, "If true, the backstore name is the product name that initiators see."
    ),
    "max_backup_files": ("10", .number, "Kept, and without effect: one previous file is kept."),
    "prompt_length": ("30", .number, "The length of the path in the prompt."),
    "tree_max_depth": ("0", .number, "How deep ls shows the tree; 0: all of it."),
  ]

  subscript(name: String) -> String { values[name] ?? Self.known[name]?.standard ?? "" }

  func isSet(_ name: String) -> Bool { (try? Truth.parse(self[name])) ?? false }

  func number(_ name: String) -> Int { Int(self[name]) ?? 0 }

  mutating func set(_ name: String, _ value: String) throws(ExecutionError) {
    switch Self.known[name]?.kind {
    case .boolean: values[name] = try Truth.parse(value) ? "true" : "false"
    case .number:
      guard let number = Int(value), number >= 0 else {
        throw ExecutionError("Not setting \(name)! Syntax error, '\(value)' is not a number.")
      }
      values[name] = "\(number)"
    case .text, nil: values[name] = value
    }
  }
}

/// A value of JSON in a file of its own.
struct KeptFile<Value: Codable & Equatable> {
  var path: String
  /// Where there is no file.
  var standard: Value

  func read(_ surroundings: any Surroundings) throws(ExecutionError) -> Value {
    guard let text = try surroundings.text(of: path) else { return standard }
    guard let value = try? JSONDecoder().decode(Value.self, from: Data(text.utf8)) else {
      throw ExecutionError("\(path) cannot be understood: remove it")
    }
    return value
  }

  /// What is as where there is no file takes none.
  func write(_ value: Value, _ surroundings: any Surroundings) throws(ExecutionError) {
    guard value != standard else {
      surroundings.remove(path)
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else {
      throw ExecutionError("\(path) cannot be written as JSON")
    }
    try surroundings.replace(path, by: String(decoding: data, as: UTF8.self) + "\n")
  }
}
