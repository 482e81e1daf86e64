/// A short text that a program keeps with the daemon for as long as that runs: what its users know
/// and the configuration has no word for. The daemon only keeps it. A note whose key begins with
/// `PROGRAM/target/NAME/` goes with the target of that name.
public struct NoteResource: Codable, Sendable, Equatable {
  /// Begins with the name of the program: `tgt/tid/1`.
  public var key: String
  /// nil where it is secret, and secrets were not asked for.
  public var value: String?
  public var isSecret: Bool

  public init(key: String, value: String?, isSecret: Bool = false) {
    self.key = key
    self.value = value
    self.isSecret = isSecret
  }
}

/// A note to write or to erase.
public struct NoteSpecification: Codable, Sendable, Equatable {
  public var key: String
  /// nil erases the note, whether it is there or not.
  public var value: SecretText?
  public var isSecret: Bool?
  /// A note of that key is a conflict: who writes first has it.
  public var mustBeNew: Bool?

  public init(key: String, value: String?, isSecret: Bool? = nil, mustBeNew: Bool? = nil) {
    self.key = key
    self.value = value.map { SecretText($0) }
    self.isSecret = isSecret
    self.mustBeNew = mustBeNew
  }
}
