/// Where and why a file is not JSON5.
struct DocumentSyntaxError: Error {
  var line: Int
  /// Counted in characters from 1.
  var column: Int
  var sentence: String
}

/// A reader of JSON5 (json5.org) that remembers lines: JSON with comments, trailing commas,
/// unquoted keys and single quotes. Depth and length are bounded, so no file can exhaust the stack.
struct DocumentReader {
  /// Our deepest value, `targets[0].acl[0].chap[0].secret.file`, is at depth 8.
  static let depthMax = 32

  let bytes: [UInt8]
  var position = 0
  var line = 1
  var lineStart = 0
  /// Whether a comma stood behind the last member or element of anything so far.
  private var hasTrailingCommas = false

  static func read(_ bytes: [UInt8]) throws(DocumentSyntaxError) -> DocumentValue {
    try readWithStyle(bytes).value
  }

  /// Tells, too, whether there is a trailing comma.
  static func readWithStyle(
    _ bytes: [UInt8]
  ) throws(DocumentSyntaxError) -> (value: DocumentValue, hasTrailingCommas: Bool) {
    var reader = DocumentReader(bytes: bytes)
    try reader.checkEncoding()
    try reader.skipBlanks()
    if reader.current == nil {
      throw reader.error("the file is empty: write {} for a configuration without targets")
    }
    let value = try reader.value(depth: 0)
    try reader.skipBlanks()
    if reader.current != nil {
      throw reader.error("found \(reader.found) after the end of the configuration")
    }
    return (value, reader.hasTrailingCommas)
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  // MARK: Values

  private mutating func value(depth: Int) throws(DocumentSyntaxError) -> DocumentValue {
    guard depth < Self.depthMax else {
      throw error("nested deeper than \(Self.depthMax) levels")
    }
    let start = line
    let begin = position
    let content: DocumentValue.Content
    switch current {
    case UInt8(ascii: "{"):
      content = .object(try members(depth: depth + 1))
    case UInt8(ascii: "["):
      content = .list(try elements(depth: depth + 1))
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      content = .text(try text())
    case .some(let byte) where Self.isNumberStart(byte):
      content = .number(try number())
    case .some(let byte) where Self.isNameStart(byte):
      content = try word()
    default:
      throw error("expected a value, found \(found)")
    }
    return DocumentValue(content: content, line: start, extent: begin..<position)
  }

  private mutating func members(depth: Int) throws(DocumentSyntaxError) -> [DocumentMember] {
    let opened = line
    advance()
    var members: [DocumentMember] = []
    while true {
      try skipBlanks()
      if current == UInt8(ascii: "}") {
        noteEnd(behind: members.count)
        break
      }
      let keyLine = line
      let keyStart = position
      let key = try key(opened: opened)
      let keyExtent = keyStart..<position
      try skipBlanks()
      guard current == UInt8(ascii: ":") else {
        throw error("expected \":\" after the key \(key.quoted), found \(found)")
      }
      advance()
      try skipBlanks()
      let value = try value(depth: depth)
      // Few have more: they are made at once.
      if members.isEmpty { members.reserveCapacity(4) }
      members.append(
        DocumentMember(key: key, line: keyLine, value: value, keyExtent: keyExtent))
      try skipBlanks()
      if current == UInt8(ascii: "}") { break }
      guard current == UInt8(ascii: ",") else {
        throw error(
          "expected \",\" or \"}\" after the value of \(key.quoted), found \(found)"
            + unclosed("{", opened))
      }
      advance()
    }
    advance()
    return members
  }

  private mutating func elements(depth: Int) throws(DocumentSyntaxError) -> [DocumentValue] {
    let opened = line
    advance()
    var elements: [DocumentValue] = []
    while true {
      try skipBlanks()
      if current == UInt8(ascii: "]") {
        noteEnd(behind: elements.count)
        break
      }
      if current == nil { throw error("expected \"]\", found \(found)" + unclosed("[", opened)) }
      elements.append(try value(depth: depth))
      try skipBlanks()
      if current == UInt8(ascii: "]") { break }
      guard current == UInt8(ascii: ",") else {
        throw error(
          "expected \",\" or \"]\" in the list, found \(found)" + unclosed("[", opened))
      }
      advance()
    }
    advance()
    return elements
  }

  /// Where an item might have stood, a bracket closes: behind any, there was a comma.
  private mutating func noteEnd(behind items: Int) { if items > 0 { hasTrailingCommas = true } }

  private mutating func key(opened: Int) throws(DocumentSyntaxError) -> String {
    switch current {
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      return try text()
    case .some(let byte) where Self.isNameStart(byte):
      return name()
    default:
      throw error("expected a key or \"}\", found \(found)" + unclosed("{", opened))
    }
  }

  /// At the end of the file the useful place is where the open bracket stands.
  private func unclosed(_ bracket: String, _ opened: Int) -> String {
    current == nil ? " (the \"\(bracket)\" of line \(opened) is not closed)" : ""
  }

  private mutating func name() -> String {
    let start = position
    while let byte = current, Self.isNameStart(byte) || Self.isDigit(byte) { advance() }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func word() throws(DocumentSyntaxError) -> DocumentValue.Content {
    let begin = self
    switch name() {
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    case "null": return .null
    case "Infinity", "NaN": throw begin.error("a number must be finite")
    case let other: throw begin.error("\(other) is not a value: put text into quotes")
    }
  }

  private mutating func number() throws(DocumentSyntaxError) -> DocumentNumber {
    let begin = self
    while let byte = current,
      Self.isNumberStart(byte) || (Self.isNameStart(byte) && byte < 0x80)
    {
      advance()
    }
    let spelling = String(decoding: bytes[begin.position..<position], as: UTF8.self)
    let digits = spelling.drop { $0 == "-" || $0 == "+" }
    let hasLeadingZero =
      digits.count > 1 && digits.first == "0" && digits.dropFirst().first?.isNumber == true
    guard !hasLeadingZero, let value = Double(spelling), value.isFinite else {
      throw begin.error(
        "\(spelling.shortened) is not a number: put text, and sizes with a unit, into quotes")
    }
    return DocumentNumber(spelling: spelling)
  }
}

// MARK: Characters

extension DocumentReader {
  static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  static func isNumberStart(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
      || byte == UInt8(ascii: ".")
  }

  static func isNameStart(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte >= 0x80
      || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
  }

  var current: UInt8? { byte(at: position) }

  func byte(at index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

  mutating func advance() {
    guard let byte = current else { return }
    position += 1
    let endsLine =
      byte == UInt8(ascii: "\n") || (byte == UInt8(ascii: "\r") && current != UInt8(ascii: "\n"))
    if endsLine {
      line += 1
      lineStart = position
    }
  }

  mutating func advance(by count: Int) {
    for _ in 0..<count { advance() }
  }

  /// The character at the position, for a message; never a whole text, which could be a secret.
  var found: String {
    guard current != nil else { return "the end of the file" }
    let rest = bytes[position..<min(position + 4, bytes.count)]
    guard let character = String(decoding: rest, as: UTF8.self).first else { return "nothing" }
    return String(character).quoted
  }

  func error(_ sentence: String) -> DocumentSyntaxError {
    // UTF-8 continuation bytes (10xxxxxx) do not start a character.
    let column = bytes[min(lineStart, position)..<position].count { $0 & 0xC0 != 0x80 } + 1
    return DocumentSyntaxError(line: line, column: column, sentence: sentence)
  }

  /// Checked once for the whole file; afterwards every slice between ASCII characters is valid.
  func checkEncoding() throws(DocumentSyntaxError) {
    guard String(validating: bytes, as: UTF8.self) == nil else { return }
    var number = 1
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      if String(validating: line, as: UTF8.self) == nil { break }
      number += 1
    }
    throw DocumentSyntaxError(line: number, column: 1, sentence: "the file is not UTF-8 text")
  }

  /// Skips white space (json5.org §8) and comments (§7).
  mutating func skipBlanks() throws(DocumentSyntaxError) {
    while let byte = current {
      switch byte {
      case 0x20: position += 1  // most of all
      case 0x09...0x0D: advance()
      case 0xC2 where self.byte(at: position + 1) == 0xA0: advance(by: 2)  // no-break space
      case 0xEF where self.byte(at: position + 1) == 0xBB && self.byte(at: position + 2) == 0xBF:
        advance(by: 3)  // byte order mark
      case UInt8(ascii: "/"): try skipComment()
      default: return
      }
    }
  }

  private mutating func skipComment() throws(DocumentSyntaxError) {
    let begin = self
    switch byte(at: position + 1) {
    case UInt8(ascii: "/"):
      let startLine = line
      while current != nil, line == startLine { advance() }
    case UInt8(ascii: "*"):
      advance(by: 2)
      while current != UInt8(ascii: "*") || byte(at: position + 1) != UInt8(ascii: "/") {
        guard current != nil else { throw begin.error("the comment is not closed with */") }
        advance()
      }
      advance(by: 2)
    default:
      throw error("expected // or /* to begin a comment")
    }
  }
}
