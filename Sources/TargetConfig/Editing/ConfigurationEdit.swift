/// One change of the values of a configuration file.
public enum ConfigurationEdit: Sendable, Equatable {
  /// Replaces the value at a path, or adds the member that its last key names.
  case set(ConfigurationPath, ConfigurationValue)
  /// Adds the member that the path's last key names; an error when it is there already.
  case add(ConfigurationPath, ConfigurationValue)
  /// Puts an element before the one at `index` of the list at a path; without index, behind all.
  case insert(ConfigurationPath, ConfigurationValue, index: Int? = nil)
  /// Removes the member or the element at a path, together with its own comments.
  case remove(ConfigurationPath)
}

/// Why a configuration file was not edited. It was left as it is, and nothing here shows a secret.
public struct ConfigurationEditError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Kind: String, Sendable {
    /// The file is not JSON5.
    case unreadable
    /// The path leads nowhere.
    case notFound
    /// Something else has that name, number or use already.
    case conflict
    /// What was asked for cannot be.
    case invalid
    /// The edited text does not say what it should: a mistake of this program.
    case inconsistent
  }

  public var kind: Kind
  /// `targets[0].luns`; empty when the file as a whole is meant.
  public var path: String
  public var sentence: String
  /// What to do about it; nil where the sentence says enough.
  public var remedy: String?

  public init(_ kind: Kind, _ path: String, _ sentence: String, remedy: String? = nil) {
    self.kind = kind
    self.path = path
    self.sentence = sentence
    self.remedy = remedy
  }

  public var description: String { path.isEmpty ? sentence : "\(path): \(sentence)" }
}
