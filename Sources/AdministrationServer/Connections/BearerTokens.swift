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
  }

  private let tokens: [Token]

  /// One a line, alone or after `metrics`; blank lines and lines with `#` in front do not count.
  /// nil: a line is not so.
  init?(text: some StringProtocol) {
    var tokens: [Token] = []
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let token = words.last, words.first?.hasPrefix("#") == false else { continue }
      guard let right = words.count == 1 ? .all : Right(rawValue: String(words[0])),
        words.count <= 2
      else { return nil }
      tokens.append(Token(right: right, bytes: Array(token.utf8)))
    }
    self.tokens = tokens
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
