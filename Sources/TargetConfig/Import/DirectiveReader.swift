/// A line `name value`, or a block `<name value> … </name>` with what stands in it.
struct Directive: Sendable {
  var name: String
  var value: String
  var place: ImportPlace
  /// nil for a line.
  var children: [Directive]?

  /// The words of the value.
  var words: [String] { value.split(whereSeparator: \.isWhitespace).map(String.init) }
}

/// A reader of the syntax of targets.conf: that of Apache, as Perl's Config::General understands
/// it, with `#` and `/* */` comments, continued lines, quotes and includes.
struct DirectiveReader {
  /// Targets hold LUNs, and nothing is deeper; blocks that we do not know may be.
  private static let depthMax = 32
  private static let includeDepthMax = 8

  private struct OpenBlock {
    var directive: Directive
    var children: [Directive] = []
  }

  private(set) var notes: [ImportNote] = []
  private var byteCount = 0
  /// Config::General reads each file once.
  private var filesRead: Set<String> = []

  mutating func read(
    _ bytes: [UInt8], fileName: String, includes: ConfigurationImport.Includes
  ) throws(ImportError) -> [Directive] {
    let top = Directive(name: "", value: "", place: ImportPlace(file: fileName, line: 1))
    var stack = [OpenBlock(directive: top)]
    filesRead.insert(fileName)
    try read(bytes, fileName, depth: 0, &stack, includes)
    return stack[0].children
  }

  private mutating func read(
    _ bytes: [UInt8], _ fileName: String, depth: Int, _ stack: inout [OpenBlock],
    _ includes: ConfigurationImport.Includes
  ) throws(ImportError) {
    let level = stack.count
    byteCount += bytes.count
    let start = ImportPlace(file: fileName, line: 1)
    guard byteCount <= ConfigurationImport.byteCountMax else {
      throw ImportError(start, "with its includes there is more than 16MiB")
    }
    for (line, text) in try Self.logicalLines(bytes, fileName) {
      let place = ImportPlace(file: fileName, line: line)
      if let pattern = Self.included(text) {
        try include(pattern, place, depth: depth, &stack, includes)
      } else if text.hasPrefix("<") {
        try tag(text, place, level, &stack)
      } else {
        let directive = try Self.directive(text, place)
        stack[stack.count - 1].children.append(directive)
      }
    }
    if stack.count > level, let open = stack.last?.directive {
      throw ImportError(open.place, "<\(open.name.shortened)> is not closed")
    }
  }

  // MARK: Lines

  /// Lines without comments and blanks around them, continued ones joined.
  private static func logicalLines(
    _ bytes: [UInt8], _ fileName: String
  ) throws(ImportError) -> [(Int, String)] {
    var result: [(Int, String)] = []
    var pending: (line: Int, text: String)?
    var commentLine: Int?
    for (number, line) in try ImportText.lines(bytes, fileName: fileName) {
      var text = withoutComment(line)
      if commentLine != nil {
        if text.contains("*/") { commentLine = nil }
        continue
      }
      if pending == nil, text.hasPrefix("/*") {
        if !text.contains("*/") { commentLine = number }
        continue
      }
      let isContinued = text.hasSuffix("\\")
      if isContinued { text.removeLast() }
      if pending == nil { pending = (number, "") }
      pending?.text.append(text)
      guard !isContinued, let whole = pending else { continue }
      pending = nil
      if !whole.text.isEmpty { result.append(whole) }
    }
    if let line = commentLine {
      throw ImportError(
        ImportPlace(file: fileName, line: line), "the comment is not closed with */")
    }
    if let pending, !pending.text.isEmpty { result.append(pending) }
    return result
  }

  private static func withoutComment(_ line: String) -> String {
    var out = String.UnicodeScalarView()
    var isEscaped = false
    for scalar in line.unicodeScalars {
      if scalar == "#" {
        guard isEscaped else { break }
        out.removeLast()  // the backslash
      }
      out.append(scalar)
      isEscaped = scalar == "\\" && !isEscaped
    }
    return trimmed(String(out))
  }

  static func trimmed(_ text: String) -> String {
    let start = text.drop(while: \.isWhitespace)
    guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(start[...end])
  }

  private static func unquoted(_ text: String) -> String {
    for quote in ["\"", "'"]
    where text.utf8.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
      return String(text.dropFirst().dropLast())
    }
    return text
  }

  private static func directive(
    _ text: String, _ place: ImportPlace
  ) throws(ImportError) -> Directive {
    let name = text.prefix { !$0.isWhitespace && $0 != "=" }
    var rest = text.dropFirst(name.count).drop(while: \.isWhitespace)
    if rest.first == "=" { rest = rest.dropFirst().drop(while: \.isWhitespace) }
    guard !name.isEmpty else { throw ImportError(place, "expected a name before \"=\"") }
    guard !rest.hasPrefix("<<") else {
      throw ImportError(place, "a value over several lines (<<) cannot be read: write it on one")
    }
    return Directive(name: String(name), value: unquoted(String(rest)), place: place)
  }

  // MARK: Blocks

  private func tag(
    _ text: String, _ place: ImportPlace, _ level: Int, _ stack: inout [OpenBlock]
  ) throws(ImportError) {
    guard text.hasSuffix(">") else { throw ImportError(place, "the tag is not closed with \">\"") }
    var inner = Self.trimmed(String(text.dropFirst().dropLast()))
    if inner.hasPrefix("/") {
      try close(Self.trimmed(String(inner.dropFirst())), place, level, &stack)
      return
    }
    let isEmpty = inner.hasSuffix("/") && !inner.contains(where: \.isWhitespace)
    if isEmpty { inner = Self.trimmed(String(inner.dropLast())) }
    let name = inner.prefix { !$0.isWhitespace }
    guard !name.isEmpty else { throw ImportError(place, "the tag has no name") }
    let value = Self.unquoted(Self.trimmed(String(inner.dropFirst(name.count))))
    var directive = Directive(name: String(name), value: value, place: place)
    if isEmpty {
      directive.children = []
      stack[stack.count - 1].children.append(directive)
      return
    }
    guard stack.count < Self.depthMax else {
      throw ImportError(place, "blocks are nested deeper than \(Self.depthMax) levels")
    }
    stack.append(OpenBlock(directive: directive))
  }

  private func close(
    _ name: String, _ place: ImportPlace, _ level: Int, _ stack: inout [OpenBlock]
  ) throws(ImportError) {
    guard stack.count > level, let block = stack.popLast() else {
      throw ImportError(place, "</\(name.shortened)> closes a block that is not open")
    }
    var directive = block.directive
    guard directive.name.lowercased() == name.lowercased() else {
      throw ImportError(
        place,
        "</\(name.shortened)> stands where <\(directive.name.shortened)> of line "
          + "\(directive.place.line ?? 0) should be closed")
    }
    directive.children = block.children
    stack[stack.count - 1].children.append(directive)
  }

  // MARK: Includes

  /// The pattern of an include in one of its spellings; nil for any other line.
  private static func included(_ text: String) -> String? {
    var text = text
    if text.hasPrefix("<<"), text.hasSuffix(">>") {
      text = trimmed(String(text.dropFirst(2).dropLast(2)))
    }
    let word = text.prefix { !$0.isWhitespace }
    guard ["include", "includeoptional"].contains(word.lowercased()) else { return nil }
    let pattern = unquoted(trimmed(String(text.dropFirst(word.count))))
    return pattern.isEmpty ? nil : pattern
  }

  private mutating func include(
    _ pattern: String, _ place: ImportPlace, depth: Int, _ stack: inout [OpenBlock],
    _ includes: ConfigurationImport.Includes
  ) throws(ImportError) {
    guard depth < Self.includeDepthMax else {
      throw ImportError(place, "includes are nested deeper than \(Self.includeDepthMax) levels")
    }
    let files = includes(pattern)
    if files.isEmpty {
      notes.append(
        ImportNote(
          file: place.file, line: place.line,
          sentence: "include \(pattern.quoted) gave no file: nothing comes from there"))
    }
    for (path, text) in files where filesRead.insert(path).inserted {
      try read(Array(text.utf8), path, depth: depth + 1, &stack, includes)
    }
  }
}
