/// Tokens that open the API, each for all of it or for the metrics alone.
struct BearerTokens: Sendable, Equatable {
  /// What a token opens, as it stands before it on its line.
  enum Right: String, Sendable {
    case all
    case metrics
  }

  private struct Token: Equatable {
    var right: Right
    var bytes: [UInt8]

    init(right: Right, bytes: [UInt8]) {
      self.right = right
      self.bytes = bytes
    }

    /// Nil: the line is not so.
    init?(_ words: [Substring]) {
      guard let token = words.last, words.count <= 2,
        let right = words.count == 1 ? .all : Right(rawValue: String(words[0]))
      else { return nil }
      self.init(right: right, bytes: Array(token.utf8))
    }
  }

  private let tokens: [Token]

  private init(_ tokens: [Token]) { self.tokens = tokens }

  /// One a line, alone or after `metrics`; blank lines and lines with `#` in front do not count.
  /// nil: a line is not so.
  init?(text: some StringProtocol) {
    var tokens: [Token] = []
    for line in Self.lines(of: String(text)) {
      guard let token = Token(line) else { return nil }
      tokens.append(token)
    }
    self.tokens = tokens
  }

  /// The words of the lines that count.
  private static func lines(of text: String) -> [[Substring]] {
    text.split(whereSeparator: \.isNewline).map { $0.split(whereSeparator: \.isWhitespace) }
      .filter { $0.first?.hasPrefix("#") == false }
  }

  /// Those that `text` names, too, each with the lesser of its rights; lines that are not so name
  /// none.
  func remaining(in text: some StringProtocol) -> BearerTokens {
    let named = BearerTokens(Self.lines(of: String(text)).compactMap { Token($0) })
    return BearerTokens(
      tokens.compactMap { token in
        named.right(of: token.bytes).map { right in
          Token(right: right == .all ? token.right : right, bytes: token.bytes)
        }
      })
  }

  var count: Int { tokens.count }
  var byteCountMin: Int { tokens.map(\.bytes.count).min() ?? 0 }

  /// What a token opens; nil: nothing. Takes as long wherever a wrong token differs, and whichever
  /// token is right.
  func right(of candidate: some Collection<UInt8>) -> Right? {
    let candidate = Array(candidate)
    var found: Right?
    for token in tokens {
      var difference: UInt8 = token.bytes.count == candidate.count ? 0 : 1
      for (index, byte) in token.bytes.enumerated() {
        difference |= byte ^ (index < candidate.count ? candidate[index] : 0)
      }
      // The greater right of two.
      if difference == 0, found != .all { found = token.right }
    }
    return found
  }
}
