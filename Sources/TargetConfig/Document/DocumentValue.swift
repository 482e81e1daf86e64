/// A value of the configuration file together with the line it was read from.
struct DocumentValue: Sendable {
  enum Content: Sendable {
    case null
    case boolean(Bool)
    case number(DocumentNumber)
    case text(String)
    case list([DocumentValue])
    case object([DocumentMember])
  }

  var content: Content
  var line: Int
  /// The bytes of the file it stands in, brackets and quotes included; empty when it is in no file.
  var extent = 0..<0
}

/// One `key: value` of an object. Duplicates are kept, so that they can be reported.
struct DocumentMember: Sendable {
  var key: String
  /// The line of the key: what an editor should jump to.
  var line: Int
  var value: DocumentValue
  /// The bytes of the file that the key stands in, quotes included.
  var keyExtent = 0..<0
}

/// A number as it was written. Nothing is rounded: 0.1 and 2^70 are "not a whole number we can
/// hold".
struct DocumentNumber: Sendable {
  var spelling: String

  /// The exact value when it is whole and fits 64 bits.
  var integer: Int64? {
    var digits = Substring(spelling)
    let isNegative = digits.first == "-"
    if isNegative || digits.first == "+" { digits = digits.dropFirst() }
    let sign = isNegative ? "-" : ""
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
      return Int64(sign + digits.dropFirst(2), radix: 16)
    }
    if let value = Int64(sign + digits) { return value }
    return Double(spelling).flatMap { Int64(exactly: $0) }
  }
}

extension DocumentValue {
  /// What the value is, for "found …" in a message.
  var kindName: String {
    switch content {
    case .null: "null"
    case .boolean: "true or false"
    case .number: "a number"
    case .text: "text"
    case .list: "a list"
    case .object: "an object"
    }
  }

  /// The value itself for a message: short, on one line. Containers are named, not shown, because
  /// they may hold secrets.
  var shown: String {
    switch content {
    case .null: "null"
    case .boolean(let value): value ? "true" : "false"
    case .number(let number): number.spelling.shortened
    case .text(let text): text.quoted
    case .list, .object: kindName
    }
  }
}

/// A value and the path that leads to it, as messages print it: `targets[0].luns[2].store`. Text is
/// made of the path only where it is asked for: few of thousands of values have a message.
struct DocumentNode: Sendable {
  private indirect enum Place: Sendable {
    case text(String)
    case member(String, of: Place)
    case element(Int, of: Place)

    var path: String {
      switch self {
      case .text(let path): path
      case .member(let key, let parent): DocumentNode.path(parent.path, appending: key)
      case .element(let index, let parent): "\(parent.path)[\(index)]"
      }
    }
  }

  private let place: Place
  let line: Int
  let value: DocumentValue

  var path: String { place.path }

  init(root: DocumentValue) { self.init(path: "", line: root.line, value: root) }

  init(path: String, line: Int, value: DocumentValue) {
    self.init(.text(path), line, value)
  }

  private init(_ place: Place, _ line: Int, _ value: DocumentValue) {
    self.place = place
    self.line = line
    self.value = value
  }

  /// The first member of that name; nil when this is no object or has none.
  subscript(_ key: String) -> DocumentNode? {
    guard case .object(let members) = value.content else { return nil }
    guard let member = members.first(where: { $0.key == key }) else { return nil }
    return node(of: member)
  }

  /// The members in the order of the file; none when this is no object.
  var members: [(key: String, node: DocumentNode)] {
    guard case .object(let members) = value.content else { return [] }
    return members.map { ($0.key, node(of: $0)) }
  }

  /// The elements of a list; none when this is no list.
  var elements: [DocumentNode] {
    guard case .list(let values) = value.content else { return [] }
    return values.enumerated().map { index, element in
      DocumentNode(.element(index, of: place), element.line, element)
    }
  }

  /// The member or element at that position; nil: there is none.
  func child(at position: Int) -> DocumentNode? {
    switch value.content {
    case .list(let values) where values.indices.contains(position):
      DocumentNode(.element(position, of: place), values[position].line, values[position])
    case .object(let members) where members.indices.contains(position):
      node(of: members[position])
    default: nil
    }
  }

  var text: String? {
    if case .text(let text) = value.content { text } else { nil }
  }

  var boolean: Bool? {
    if case .boolean(let boolean) = value.content { boolean } else { nil }
  }

  var integer: Int64? {
    if case .number(let number) = value.content { number.integer } else { nil }
  }

  /// The line of the value at `path`, or of the nearest around it that there is.
  func line(of path: String) -> Int {
    for child in members.map(\.node) + elements where child.encloses(path) {
      return child.line(of: path)
    }
    return line
  }

  /// Whether the value at `other` is this one, or in it.
  private func encloses(_ other: String) -> Bool {
    let path = path
    guard other.hasPrefix(path) else { return false }
    let next = other.utf8.dropFirst(path.utf8.count).first
    return next == nil || next == UInt8(ascii: ".") || next == UInt8(ascii: "[")
  }

  private func node(of member: DocumentMember) -> DocumentNode {
    DocumentNode(.member(member.key, of: place), member.line, member.value)
  }

  func pathAppending(_ key: String) -> String { Self.path(path, appending: key) }

  /// Keys that are not plain names are quoted, so that the path stays readable: `stores["a b"]`.
  static func path(_ path: String, appending key: String) -> String {
    let isPlain =
      !key.isEmpty
      && key.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
          UInt8(ascii: "$"):
          true
        default: false
        }
      }
    guard isPlain else { return "\(path)[\(key.quoted)]" }
    return path.isEmpty ? key : "\(path).\(key)"
  }
}

extension Unicode.Scalar {
  /// Of the general category Cc, which these two blocks are. The table of all categories is slow to
  /// ask.
  var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}

extension String {
  /// At most 60 characters, so that one bad value cannot fill the screen.
  var shortened: String { count > 60 ? prefix(57) + "..." : self }

  /// In quotes, with control characters made visible: what a file holds must not steer a terminal.
  var quoted: String {
    var out = "\""
    for scalar in shortened.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case "\r": out += "\\r"
      default:
        if scalar.isControl {
          out += "\\u{" + String(scalar.value, radix: 16) + "}"
        } else {
          out.unicodeScalars.append(scalar)
        }
      }
    }
    return out + "\""
  }
}
