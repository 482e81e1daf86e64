/// One thing that is wrong or unusual in a configuration file, with its place.
public struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
  public enum Kind: String, Sendable {
    /// A value that cannot be.
    case invalid
    /// Two things want to be the same one.
    case conflict
    /// The file, or one that it names, cannot be read: what it says is not known.
    case unreadable
  }

  public var kind: Kind
  /// As the user named it.
  public var file: String
  /// nil when the file could not be read at all.
  public var line: Int?
  /// Only for syntax errors.
  public var column: Int?
  /// `targets[0].luns[2].store`; empty when the file as a whole is meant.
  public var path: String
  /// What is wrong, the value, and what to do. Never shows a secret.
  public var sentence: String

  public init(
    _ kind: Kind = .invalid, file: String, line: Int? = nil, column: Int? = nil,
    path: String = "", sentence: String
  ) {
    self.kind = kind
    self.file = file
    self.line = line
    self.column = column
    self.path = path
    self.sentence = sentence
  }

  /// `targets.json:14: targets[0].luns[2].store: no store named …`, as compilers write it.
  public var description: String {
    var place = file
    if let line { place += ":\(line)" }
    if let column { place += ":\(column)" }
    return path.isEmpty ? "\(place): \(sentence)" : "\(place): \(path): \(sentence)"
  }
}

/// Everything that is wrong with a configuration, in the order of the file.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  public var problems: [ConfigurationProblem]

  public init(_ problems: [ConfigurationProblem]) { self.problems = problems }

  /// One line for each problem.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}
