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

  func problem(with head: HTTPRequest) -> AdministrationError? {
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
      case .metrics where head.isForMetrics: return nil
      case .metrics:
        return AdministrationError(
          .forbidden, "the bearer token is for GET \(HTTPRequest.metricsPath) alone")
      case nil: return AdministrationError(.unauthorized, "the bearer token is wrong")
      }
    }
  }
}

extension HTTPRequest {
  fileprivate static let metricsPath = "/v1/metrics"

  fileprivate var isForMetrics: Bool {
    method == .get && (path ?? "").prefix { $0 != "?" } == Self.metricsPath
  }
}
