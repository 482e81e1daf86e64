/// Why the server of the API does not start.
public enum AdministrationServerError: Error, Sendable, Equatable {
  case socket(path: String, String)
  /// Another server listens there.
  case socketTaken(path: String)
  case noSuchGroup(String)
  case listener(address: String, String)
  case alreadyStarted
}

extension AdministrationServerError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .socket(let path, let reason): "admin.socket \(path): \(reason)"
    case .socketTaken(let path): "admin.socket \(path): another server listens there already"
    case .noSuchGroup(let name): "admin.group: there is no group \"\(name)\""
    case .listener(let address, let reason): "admin.listener \(address): \(reason)"
    case .alreadyStarted: "the server was started already"
    }
  }
}
