/// A line as typed: where, what, and with which parameters.
///
/// `[PATH] [COMMAND] [PARAMETER…]`. A first word with a slash, and `.`, `..`, `*` and `@name`, is a
/// path.
struct CommandLine: Equatable {
  var path: String?
  var command: String?
  /// Parameters by their place.
  var positional: [String] = []
  /// `name=value`, in the order typed; the last of a name counts.
  var named: [(name: String, value: String)] = []

  /// nil for a blank line and for a comment. With `beginsWithPath` the first word is one without a
  /// slash, too.
  init?(_ text: String, beginsWithPath: Bool = false) {
    var words = Self.words(text)[...]
    guard let first = words.first, !first.hasPrefix("#") else { return nil }
    if beginsWithPath || Self.isPath(first) {
      path = first
      words.removeFirst()
    }
    if let word = words.first, !word.isEmpty, word.utf8.allSatisfy(Self.isOfCommand) {
      command = word
      words.removeFirst()
    }
    for word in words {
      if let (name, value) = Self.pair(word) {
        named.append((name, value))
      } else {
        positional.append(word)
      }
    }
  }

  static func == (a: CommandLine, b: CommandLine) -> Bool {
    a.path == b.path && a.command == b.command && a.positional == b.positional
      && a.named.elementsEqual(b.named) { $0 == $1 }
  }

  static func isPath(_ word: String) -> Bool {
    word.contains("/") && pair(word) == nil || [".", "..", "*"].contains(word)
      || word.hasPrefix("@")
  }

  /// nil where what stands before the equals sign is no name of a parameter.
  static func pair(_ word: String) -> (name: String, value: String)? {
    guard let equals = word.firstIndex(of: "=") else { return nil }
    let name = word[..<equals]
    guard !name.isEmpty, name.utf8.allSatisfy({ isOfCommand($0) || $0 == UInt8(ascii: "-") })
    else { return nil }
    return (String(name), String(word[word.index(after: equals)...]))
  }

  private static func isOfCommand(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x5F
  }

  /// Blanks separate words, except within quotation marks of either kind.
  static func words(_ text: String) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    for character in text {
      if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "\"" || character == "'" {
        quote = character
        word = word ?? ""
      } else if character.isWhitespace {
        if let done = word { words.append(done) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    if let word { words.append(word) }
    return words
  }
}
