internal import AdministrationModel
internal import NIOPosix

/// A client of the daemon's API on its Unix socket. Each call has a connection of its own, so that
/// calls may be made from many tasks at once.
public struct AdministrationClient: Sendable {
  public var socketPath: String
  /// Who is to look at the path when nobody is found there.
  public var origin: SocketOrigin
  /// How long whoever looks waits, from the connection to the end of the answer, of events to its
  /// beginning. The daemon itself waits at most 5 s for its threads and its disks each.
  public var timeout = Duration.seconds(30)
  /// The same of changes, which wait for those before them, for media (30 s for those that hang)
  /// and for I/O of what is taken away (10 s).
  public var changeTimeout = Duration.seconds(300)

  public init(socketPath: String, origin: SocketOrigin = .standard) {
    self.socketPath = socketPath
    self.origin = origin
  }

  /// The socket that a program was told of, else that of the environment, else the standard one.
  public static func socketPath(option: String?, environment: [String: String]) -> String {
    socket(option: option, environment: environment).path
  }

  /// The same, and where the path came from.
  public static func socket(
    option: String?, environment: [String: String]
  ) -> (path: String, origin: SocketOrigin) {
    if let option { return (option, .option) }
    if let named = environment[AdministrationSocket.environmentVariable], !named.isEmpty {
      return (named, .environment)
    }
    return (AdministrationSocket.standardPath, .standard)
  }

  /// One thread for all clients of the process; it is never ended.
  static let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
}

/// Who said where the daemon's socket is.
public enum SocketOrigin: Sendable {
  /// `--socket`.
  case option
  /// `AdministrationSocket.environmentVariable`.
  case environment
  /// Nobody, or a program without a choice.
  case standard
}
