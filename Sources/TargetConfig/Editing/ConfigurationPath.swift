/// The way to a value of a configuration file:
/// `targets[name=iqn.2026-11.com.example:a].luns[lun=3]`.
///
/// Keys are joined by dots, or stand quoted in brackets when they are not plain: `stores["a.b"]`.
/// An element of a list is named by its index, or by a member that it has; the first such element
/// counts.
public struct ConfigurationPath: Sendable, Hashable, CustomStringConvertible {
  public enum Step: Sendable, Hashable {
    case key(String)
    case index(Int)
    /// The first object of a list whose member `key` is that text or whole number.
    case match(key: String, value: String)
  }

  public var steps: [Step]

  public init(_ steps: [Step] = []) { self.steps = steps }

  public func appending(_ step: Step) -> ConfigurationPath { ConfigurationPath(steps + [step]) }

  public func appending(_ key: String) -> ConfigurationPath { appending(.key(key)) }

  /// As messages print it; keys that are longer than a line are shortened.
  public var description: String {
    steps.reduce(into: "") { text, step in
      switch step {
      case .key(let key):
        text = DocumentNode.path(text, appending: key)
      case .index(let index):
        text += "[\(index)]"
      case .match("secret", _):
        text += "[secret=<redacted>]"
      case .match(let key, let value):
        text += "[\(key)=\(Self.isPlain(value) ? value : Self.quoted(value))]"
      }
    }
  }

  private static func isPlain(_ value: String) -> Bool {
    !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x5B && $0 != 0x5D && $0 != 0x22 }
  }

  private static func quoted(_ value: String) -> String {
    var out = "\""
    for character in value.unicodeScalars {
      if character == "\"" || character == "\\" { out += "\\" }
      out.unicodeScalars.append(character)
    }
    return out + "\""
  }
}

// MARK: Reading

extension ConfigurationPath {
  public init(parsing text: String) throws(ConfigurationEditError) {
    var rest = text.unicodeScalars[...]
    steps = []
    while let first = rest.first {
      if first == "[" {
        rest.removeFirst()
        steps.append(try Self.bracketed(&rest, of: text))
      } else {
        if !steps.isEmpty {
          guard first == "." else { throw Self.malformed(text) }
          rest.removeFirst()
        }
        let key = rest.prefix { $0 != "." && $0 != "[" }
        guard !key.isEmpty else { throw Self.malformed(text) }
        rest = rest.dropFirst(key.count)
        steps.append(.key(String(key)))
      }
    }
  }

  /// What stands in brackets, with the closing one.
  private static func bracketed(
    _ rest: inout Substring.UnicodeScalarView, of text: String
  ) throws(ConfigurationEditError) -> Step {
    let step: Step
    if rest.first == "\"" {
      step = .key(try quoted(&rest, of: text))
    } else {
      let word = String(rest.prefix { $0 != "]" && $0 != "=" })
      rest = rest.dropFirst(word.unicodeScalars.count)
      if rest.first == "=" {
        rest.removeFirst()
        step = .match(key: word, value: try matched(&rest, of: text))
      } else {
        let isPlain = word.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isPlain, let index = Int(word) else { throw malformed(text) }
        step = .index(index)
      }
    }
    guard rest.first == "]" else { throw malformed(text) }
    rest.removeFirst()
    return step
  }

  private static func matched(
    _ rest: inout Substring.UnicodeScalarView, of text: String
  ) throws(ConfigurationEditError) -> String {
    if rest.first == "\"" { return try quoted(&rest, of: text) }
    let value = rest.prefix { $0 != "]" }
    rest = rest.dropFirst(value.count)
    return String(value)
  }

  private static func quoted(
    _ rest: inout Substring.UnicodeScalarView, of text: String
  ) throws(ConfigurationEditError) -> String {
    rest.removeFirst()
    var value = String.UnicodeScalarView()
    while let scalar = rest.popFirst() {
      switch scalar {
      case "\"": return String(value)
      case "\\":
        guard let escaped = rest.popFirst() else { throw malformed(text) }
        value.append(escaped)
      default: value.append(scalar)
      }
    }
    throw malformed(text)
  }

  private static func malformed(_ text: String) -> ConfigurationEditError {
    ConfigurationEditError(
      .invalid, "",
      "\(text.quoted) is not a path: write for example "
        + "targets[name=iqn.2026-11.com.example:a].luns[0]"
    )
  }
}
