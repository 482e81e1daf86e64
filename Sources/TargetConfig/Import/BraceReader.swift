/// A line of words, with what stands in its braces.
struct Statement: Sendable {
  var words: [String]
  var place: ImportPlace
  /// nil without braces.
  var children: [Statement]?

  var name: String { words.first ?? "" }

  /// The word after the name, or another one behind it.
  func argument(_ index: Int = 0) -> String? {
    index + 1 < words.count ? words[index + 1] : nil
  }

  /// The words after the name, as one text.
  var rest: String { words.dropFirst().joined(separator: " ") }
}

/// A reader of `name arguments { … }`, the syntax of scst.conf and ctl.conf.
struct BraceReader {
  enum Dialect {
    /// `#` begins a comment unless a backslash stands before it, in quotes too.
    case scst
    /// `#` begins a comment outside quotes; `;` ends a statement.
    case ctl
  }

  private enum Token {
    case word(String)
    case open
    case close
    case end
  }

  /// Nothing in either format is deeper than five.
  private static let depthMax = 32

  private var stack: [Statement]
  private var current: Statement?
  /// The statement that ended at the last line break: a brace on the next line is its own.
  private var mayOpenLast = false

  private init(fileName: String) {
    stack = [
      Statement(words: [], place: ImportPlace(file: fileName, line: 1), children: [])
    ]
  }

  static func read(
    _ bytes: [UInt8], fileName: String, dialect: Dialect
  ) throws(ImportError) -> [Statement] {
    var reader = BraceReader(fileName: fileName)
    for (number, line) in try ImportText.lines(bytes, fileName: fileName) {
      let place = ImportPlace(file: fileName, line: number)
      for token in try tokens(line, dialect, place) { try reader.take(token, place) }
      reader.endStatement()
    }
    if reader.stack.count > 1, let open = reader.stack.last {
      throw ImportError(open.place, "the \"{\" of \(open.name.quoted) is not closed")
    }
    return reader.stack[0].children ?? []
  }

  private mutating func take(_ token: Token, _ place: ImportPlace) throws(ImportError) {
    switch token {
    case .word(let word):
      if current == nil { current = Statement(words: [], place: place) }
      current?.words.append(word)
    case .end: endStatement()
    case .open: try open(place)
    case .close:
      endStatement()
      guard stack.count > 1, let block = stack.popLast() else {
        throw ImportError(place, "a \"}\" closes nothing")
      }
      append(block)
      mayOpenLast = false
    }
  }

  private mutating func open(_ place: ImportPlace) throws(ImportError) {
    var opened: Statement
    if let statement = current {
      opened = statement
      current = nil
    } else if mayOpenLast, let last = stack[stack.count - 1].children?.popLast() {
      opened = last
    } else {
      throw ImportError(place, "a \"{\" without a name before it")
    }
    mayOpenLast = false
    guard stack.count < Self.depthMax else {
      throw ImportError(place, "blocks are nested deeper than \(Self.depthMax) levels")
    }
    opened.children = []
    stack.append(opened)
  }

  private mutating func endStatement() {
    guard let statement = current else { return }
    current = nil
    append(statement)
    mayOpenLast = true
  }

  private mutating func append(_ statement: Statement) {
    stack[stack.count - 1].children?.append(statement)
  }

  // MARK: Tokens

  private static func tokens(
    _ line: String, _ dialect: Dialect, _ place: ImportPlace
  ) throws(ImportError) -> [Token] {
    var tokens: [Token] = []
    var word = ""
    var hasWord = false
    var isQuoted = false
    var isEscaped = false
    func flush() {
      if hasWord { tokens.append(.word(word)) }
      word = ""
      hasWord = false
    }
    func append(_ character: Character) {
      word.append(character)
      hasWord = true
    }
    for character in line {
      if isEscaped {
        isEscaped = false
        if character == "#" {
          append("#")
          continue
        }
        append("\\")  // before anything but a hash sign a backslash is itself
      }
      if character == "\\", dialect == .scst {
        isEscaped = true
        continue
      }
      if character == "#", dialect == .scst || !isQuoted {
        isQuoted = false
        break
      }
      switch character {
      case "\"":
        isQuoted.toggle()
        hasWord = true
      case _ where isQuoted: append(character)
      case "{", "}":
        flush()
        tokens.append(character == "{" ? .open : .close)
      case ";" where dialect == .ctl:
        flush()
        tokens.append(.end)
      case _ where character.isWhitespace: flush()
      default: append(character)
      }
    }
    if isEscaped { append("\\") }
    guard !isQuoted else { throw ImportError(place, "the quotes are not closed") }
    flush()
    return tokens
  }
}
