/// Why a request was not done; with `unanswered`, why that is not certain. With every other code
/// nothing was changed. Nothing here shows a secret.
///
/// On the wire: `{"error": {"code": "inUse", "message": "…", "path": "…", "remedy": "…"}}`.
public struct AdministrationError: Error, Codable, Sendable, Equatable {
  public enum Code: String, Codable, Sendable, CaseIterable {
    /// The request says something that cannot be.
    case invalid
    /// A bearer token is missing or wrong.
    case unauthorized
    /// Whoever asks may not.
    case forbidden
    case notFound
    /// The path is there, but not for this method.
    case methodNotAllowed
    /// Something else has that name, number or use already.
    case conflict
    /// Initiators use what would go; `force` takes it from them.
    case inUse
    /// The configuration file was edited since it was loaded.
    case fileChanged
    /// The change takes a new start of the daemon.
    case needsRestart
    case tooLarge
    /// The medium of a store cannot be opened, made or resized.
    case storeFailed
    /// The configuration file is gone, or cannot be read or written.
    case fileFailed
    /// The daemon starts, ends, or has too much to do.
    case unavailable
    /// What was asked for may have been done, or be done yet: it was sent and no answer came; or
    /// the daemon itself cannot tell, or does it when operations have ended.
    case unanswered
    /// A mistake of the daemon.
    case `internal`
  }

  public var code: Code
  /// One sentence, for people.
  public var message: String
  /// The value that it is about: `changes[0].addLUN.store` of a request, else
  /// `targets[iqn.…].luns[3].store` of the configuration.
  public var path: String?
  /// Of several changes, the place of the one that it is about, from 0 on; nil: of one change, or
  /// of what all of them come to.
  public var change: Int?
  /// What to do about it.
  public var remedy: String?
  /// Who uses what would go.
  public var users: [String]?
  /// What is registered and reserved on the stores that would go, or would not be presented there
  /// any more.
  public var reservations: [ReservationResource]?

  public init(
    _ code: Code, _ message: String, path: String? = nil, remedy: String? = nil,
    users: [String]? = nil, reservations: [ReservationResource]? = nil
  ) {
    self.code = code
    self.message = message
    self.path = path
    self.remedy = remedy
    self.users = users
    self.reservations = reservations
  }
}

extension AdministrationError: CustomStringConvertible {
  public var description: String {
    let place = path.map { "\($0): " } ?? ""
    return place + message + (remedy.map { " (\($0))" } ?? "")
  }
}

extension AdministrationError.Code {
  /// The status code of HTTP (RFC 9110 §15) that an answer with this error has.
  public var status: Int {
    switch self {
    case .invalid: 400
    case .unauthorized: 401
    case .forbidden: 403
    case .notFound: 404
    case .methodNotAllowed: 405
    case .conflict, .inUse, .fileChanged, .needsRestart: 409
    case .tooLarge: 413
    case .storeFailed, .fileFailed: 422
    case .internal: 500
    case .unavailable: 503
    case .unanswered: 504
    }
  }
}

/// The body of an answer with an error.
public struct ErrorDocument: Codable, Sendable, Equatable {
  public var error: AdministrationError

  public init(_ error: AdministrationError) { self.error = error }
}
