internal import AdministrationModel
internal import HTTPTypes

/// What a request must bring besides the connection that it came on.
enum Authorization: Sendable {
  /// Nothing: the kernel told who it is.
  case none
  /// Nothing helps.
  case refused(AdministrationError)
  /// One of the tokens that count now (RFC 6750 §2.1).
  case bearer(NetworkAccess)

  /// Whether a request may be served on the connection.
  var isOpen: Bool { if case .refused = self { false } else { true } }

  /// `right`: the least that opens what is asked for.
  func problem(
    with head: HTTPRequest, needing right: BearerTokens.Right
  ) -> AdministrationError? {
    switch self {
    case .none: return nil
    case .refused(let error): return error
    case .bearer(let access):
      let words = (head.headerFields[.authorization] ?? "").split(separator: " ")
      guard words.count == 2, words[0].lowercased() == "bearer" else {
        return AdministrationError(
          .unauthorized, "a bearer token is missing", remedy: "Authorization: Bearer TOKEN")
      }
      switch access.tokens.right(of: words[1].utf8) {
      case .all: return nil
      case .metrics where right == .metrics: return nil
      case .metrics:
        return AdministrationError(.forbidden, "the bearer token is for the metrics alone")
      case nil: return AdministrationError(.unauthorized, "the bearer token is wrong")
      }
    }
  }
}
