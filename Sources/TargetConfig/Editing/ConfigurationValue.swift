/// A value to write into a configuration file. It may hold secrets, so it describes itself by its
/// kind alone.
public enum ConfigurationValue: Sendable, Equatable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case text(String)
  case list([ConfigurationValue])
  /// In the order in which the members are written.
  case object([Member])

  /// One `key: value`.
  public struct Member: Sendable, Equatable {
    public var key: String
    public var value: ConfigurationValue

    public init(_ key: String, _ value: ConfigurationValue) {
      self.key = key
      self.value = value
    }
  }
}

extension ConfigurationValue: CustomStringConvertible, CustomReflectable {
  public var description: String { document.kindName }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension ConfigurationValue.Member: CustomStringConvertible, CustomReflectable {
  public var description: String { "\(key.quoted): \(value)" }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension ConfigurationValue {
  /// An object without the members that have no value.
  static func object(_ members: [(String, ConfigurationValue?)]) -> ConfigurationValue {
    .object(members.compactMap { key, value in value.map { Member(key, $0) } })
  }

  /// Whether no more than `levels` values enclose each other.
  func isWithin(levels: Int) -> Bool {
    guard levels > 0 else { return false }
    switch self {
    case .null, .boolean, .integer, .text: return true
    case .list(let values): return values.allSatisfy { $0.isWithin(levels: levels - 1) }
    case .object(let members):
      return members.allSatisfy { $0.value.isWithin(levels: levels - 1) }
    }
  }

  /// How many brackets are open around its deepest plain value.
  var height: Int {
    switch self {
    case .null, .boolean, .integer, .text: 0
    case .list(let values): 1 + (values.map(\.height).max() ?? 0)
    case .object(let members): 1 + (members.map(\.value.height).max() ?? 0)
    }
  }

  /// Whether it is a list, or has one as a member.
  var holdsList: Bool {
    switch self {
    case .null, .boolean, .integer, .text: false
    case .list: true
    case .object(let members): members.contains { $0.value.holdsList }
    }
  }

  /// Objects by name, as `stores` is.
  var isMap: Bool {
    guard case .object(let members) = self, !members.isEmpty else { return false }
    return members.allSatisfy { if case .object = $0.value { true } else { false } }
  }

  /// What reading it back from a file gives.
  var document: DocumentValue {
    let content: DocumentValue.Content =
      switch self {
      case .null: .null
      case .boolean(let value): .boolean(value)
      case .integer(let value): .number(DocumentNumber(spelling: String(value)))
      case .text(let text): .text(text)
      case .list(let values): .list(values.map(\.document))
      case .object(let members):
        .object(members.map { DocumentMember(key: $0.key, line: 0, value: $0.value.document) })
      }
    return DocumentValue(content: content, line: 0)
  }
}
