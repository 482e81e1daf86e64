/// Writes values as the file around them is written: its quotes, its line ends, its indentation.
struct ValueWriter {
  enum KeyQuotes { case double, single, none }

  var keyQuotes = KeyQuotes.double
  var textQuote: Unicode.Scalar = "\""
  var lineBreak = "\n"
  /// What one level adds to the indentation.
  var unit = "  "
  /// Whether the last of several lines of items ends with a comma.
  var hasTrailingCommas = false

  /// A short object or list stands on one line up to here.
  static let columnMax = 100

  /// A member, which has a key, or an element, which has none. It starts at `column` of a line with
  /// that indentation.
  func item(
    _ key: String?, _ value: ConfigurationValue, column: Int, indentation: String
  ) -> String {
    let head = key.map { self.key($0) + ": " } ?? ""
    let start = column + head.unicodeScalars.count
    return head + self.value(value, column: start, indentation: indentation)
  }

  func value(_ value: ConfigurationValue, column: Int, indentation: String) -> String {
    let plain = inline(value)
    let fits = column + plain.unicodeScalars.count < Self.columnMax
    if value.height == 0 || (fits && isShort(value)) { return plain }
    let inner = indentation + unit
    switch value {
    case .list(let values):
      let items = values.map { item(nil, $0, column: inner.count, indentation: inner) }
      return bracketed("[", items, "]", indentation: indentation)
    case .object(let members):
      let items = members.map { item($0.key, $0.value, column: inner.count, indentation: inner) }
      return bracketed("{", items, "}", indentation: indentation)
    case .null, .boolean, .integer, .text: return plain
    }
  }

  /// Items on lines of their own.
  func bracketed(_ open: String, _ items: [String], _ close: String, indentation: String) -> String
  {
    guard !items.isEmpty else { return open + close }
    let start = lineBreak + indentation + unit
    return open + items.map { start + $0 }.joined(separator: ",")
      + (hasTrailingCommas ? "," : "") + lineBreak + indentation + close
  }

  /// Whether a value reads well on one line: objects of plain values do, and lists of such; what
  /// names several objects or holds lists in lists does not.
  func isShort(_ value: ConfigurationValue) -> Bool {
    guard case .list(let values) = value else { return value.height <= 2 && !value.isMap }
    return values.allSatisfy { $0.height <= 2 && !$0.holdsList }
  }

  func inlineItem(_ key: String?, _ value: ConfigurationValue) -> String {
    (key.map { self.key($0) + ": " } ?? "") + inline(value)
  }

  private func inline(_ value: ConfigurationValue) -> String {
    switch value {
    case .null: return "null"
    case .boolean(let value): return value ? "true" : "false"
    case .integer(let value): return String(value)
    case .text(let text): return quoted(text, textQuote)
    case .list(let values): return "[" + values.map { inline($0) }.joined(separator: ", ") + "]"
    case .object(let members):
      return "{" + members.map { inlineItem($0.key, $0.value) }.joined(separator: ", ") + "}"
    }
  }

  private func key(_ key: String) -> String {
    switch keyQuotes {
    case .double: quoted(key, "\"")
    case .single: quoted(key, "'")
    case .none: Self.isIdentifier(key) ? key : quoted(key, textQuote)
    }
  }

  private static func isIdentifier(_ key: String) -> Bool {
    let isStart = key.utf8.first.map { DocumentReader.isNameStart($0) && $0 < 0x80 } ?? false
    return isStart
      && key.utf8.allSatisfy {
        $0 < 0x80 && (DocumentReader.isNameStart($0) || DocumentReader.isDigit($0))
      }
  }

  /// RFC 8259 §7: quotes, backslashes and control characters are escaped; so are the separators
  /// that JavaScript takes for line ends (json5.org §5.2).
  private func quoted(_ text: String, _ quote: Unicode.Scalar) -> String {
    var out = String.UnicodeScalarView()
    out.append(quote)
    for scalar in text.unicodeScalars {
      switch scalar {
      case quote, "\\": out += ["\\", scalar]
      case "\n": out += "\\n".unicodeScalars
      case "\r": out += "\\r".unicodeScalars
      case "\t": out += "\\t".unicodeScalars
      case "\0"..."\u{1F}", "\u{7F}", "\u{2028}", "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        out += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).unicodeScalars
      default: out.append(scalar)
      }
    }
    out.append(quote)
    return String(out)
  }
}

// MARK: The file's own style

extension ValueWriter {
  /// The style around the innermost of `ancestors`, which begin with the whole file.
  init(_ bytes: [UInt8], ancestors: [DocumentValue], hasTrailingCommas: Bool) {
    let nearest = ancestors.reversed()
    if let quotes = nearest.lazy.compactMap({ Self.keyQuotes(bytes, in: $0) }).first {
      keyQuotes = quotes
    }
    if let quote = nearest.lazy.compactMap({ Self.textQuote(bytes, in: $0) }).first {
      textQuote = quote
    } else if keyQuotes == .single {
      textQuote = "'"
    }
    let layouts = nearest.lazy.compactMap { ContainerLayout(bytes, $0) }
    if let found = layouts.compactMap(\.lineBreak).first ?? Self.lineBreak(of: bytes) {
      lineBreak = found
    }
    unit = layouts.compactMap(\.indentationUnit).first ?? unit
    self.hasTrailingCommas = hasTrailingCommas
  }

  // The reader bounds the depth, hence the recursions.

  private static func keyQuotes(_ bytes: [UInt8], in value: DocumentValue) -> KeyQuotes? {
    if case .object(let members) = value.content, let key = members.first?.keyExtent {
      switch bytes[key.lowerBound] {
      case UInt8(ascii: "\""): return .double
      case UInt8(ascii: "'"): return .single
      default: return KeyQuotes.none
      }
    }
    return value.children.lazy.compactMap { keyQuotes(bytes, in: $0) }.first
  }

  private static func textQuote(_ bytes: [UInt8], in value: DocumentValue) -> Unicode.Scalar? {
    if case .text = value.content {
      return bytes[value.extent.lowerBound] == UInt8(ascii: "'") ? "'" : "\""
    }
    return value.children.lazy.compactMap { textQuote(bytes, in: $0) }.first
  }

  private static func lineBreak(of bytes: [UInt8]) -> String? {
    guard let first = bytes.firstIndex(where: Trivia.isLineBreak) else { return nil }
    let text = bytes[first..<bytes.skippingLineBreak(from: first)]
    return String(decoding: text, as: UTF8.self)
  }
}
