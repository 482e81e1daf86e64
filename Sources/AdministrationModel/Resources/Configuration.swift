/// The running configuration.
public struct ConfigurationResource: Codable, Sendable, Equatable {
  /// JSON5, with its comments.
  public var text: String
  /// Secrets are replaced by a mark.
  public var isRedacted: Bool
  /// The file it came from; nil: none.
  public var file: String?
  public var hasUnsavedChanges: Bool

  public init(
    text: String, isRedacted: Bool, file: String? = nil, hasUnsavedChanges: Bool = false
  ) {
    self.text = text
    self.isRedacted = isRedacted
    self.file = file
    self.hasUnsavedChanges = hasUnsavedChanges
  }
}

/// A whole configuration to apply.
public struct ConfigurationSpecification: Codable, Sendable, Equatable {
  /// JSON5. It may hold secrets.
  public var text: SecretText

  public init(text: String) { self.text = SecretText(text) }
}

/// One difference between two configurations. It shows no secret.
public struct Difference: Codable, Sendable, Equatable {
  public enum Kind: String, Codable, Sendable, CaseIterable {
    case added, removed, changed
  }

  /// What it takes to bring a running daemon there.
  public enum Application: String, Codable, Sendable, CaseIterable {
    /// Nothing that runs is disturbed.
    case live
    /// What changed is closed and opened again: its users notice.
    case reopen
    /// Only a new start brings it about.
    case restart
  }

  /// `stores.quorum1.size`, with lists by name in place of numbers: `targets[iqn.…].luns[3].store`.
  public var path: String
  public var change: Kind
  /// nil for what was added, and where it is a secret.
  public var old: String?
  /// nil for what was removed, and where it is a secret.
  public var new: String?
  public var application: Application

  public init(
    _ change: Kind, _ path: String, old: String? = nil, new: String? = nil,
    application: Application
  ) {
    self.path = path
    self.change = change
    self.old = old
    self.new = new
    self.application = application
  }
}

/// Differences, in the order of the configuration.
public struct DifferenceList: Codable, Sendable, Equatable {
  public var changes: [Difference]
  /// About media, wherever they are and whatever they are called; nil: there is nothing to say.
  public var remarks: [MediumRemark]?

  public init(_ changes: [Difference], remarks: [MediumRemark] = []) {
    self.changes = changes
    self.remarks = remarks.isEmpty ? nil : remarks
  }
}

/// What the paths of stores lead to, where that is not what it seems.
public struct MediumRemark: Codable, Sendable, Equatable {
  /// The store in the configuration: `stores.quorum1`.
  public var path: String
  /// One sentence, without the point.
  public var message: String
  /// What to do; nil: nothing has to be done.
  public var remedy: String?

  public init(_ path: String, _ message: String, remedy: String? = nil) {
    self.path = path
    self.message = message
    self.remedy = remedy
  }
}
