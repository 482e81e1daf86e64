internal import AdministrationModel
internal import HTTPTypes

/// What a request must bring besides the connection that it came on.
enum Authorization: Sendable {
  /// Nothing: the kernel told who it is.
  case none
  /// Nothing helps.
  case refused(AdministrationError)
  /// One of these tokens (RFC 6750 §2.1).
  case bearer(BearerTokens)

  /// Whether a request may be served on the connection.
  var isOpen: Bool { if case .refused = self { false } else { true } }

  func problem(with head: HTTPRequest) -> AdministrationError? {
    switch self {
    case .none: return nil
    case .refused(let error): return error
    case .bearer(let tokens):
      let words = (head.headerFields[.authorization] ?? "").split(separator: " ")
      guard words.count == 2, words[0].lowercased() == "bearer" else {
        return AdministrationError(
          .unauthorized, "a bearer token is missing", remedy: "Authorization: Bearer TOKEN")
      }
      guard tokens.contains(words[1].utf8) else {
        return AdministrationError(.unauthorized, "the bearer token is wrong")
      }
      return nil
    }
  }
}

/// Tokens that open the API.
struct BearerTokens: Sendable {
  private let tokens: [[UInt8]]

  /// One a line; blank lines and lines with `#` in front do not count.
  init(text: some StringProtocol) {
    tokens = text.split(whereSeparator: \.isNewline)
      .map { line in String(line.filter { !$0.isWhitespace }) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
      .map { Array($0.utf8) }
  }

  var count: Int { tokens.count }
  var byteCountMin: Int { tokens.map(\.count).min() ?? 0 }

  /// Takes as long wherever a wrong token differs, and whichever token is right.
  func contains(_ candidate: some Collection<UInt8>) -> Bool {
    let candidate = Array(candidate)
    var isFound: UInt8 = 0
    for token in tokens {
      var difference: UInt8 = token.count == candidate.count ? 0 : 1
      for (index, byte) in token.enumerated() {
        difference |= byte ^ (index < candidate.count ? candidate[index] : 0)
      }
      isFound |= difference == 0 ? 1 : 0
    }
    return isFound != 0
  }
}
