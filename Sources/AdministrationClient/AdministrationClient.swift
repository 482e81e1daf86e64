internal import AdministrationModel
internal import NIOPosix

/// A client of the daemon's API on its Unix socket. Each call has a connection of its own, so that
/// calls may be made from many tasks at once.
public struct AdministrationClient: Sendable {
  public var socketPath: String
  /// How long whoever looks waits, from the connection to the end of the answer, of events to its
  /// beginning. The daemon itself waits at most 5 s for its threads and its disks each.
  public var timeout = Duration.seconds(30)
  /// The same of changes, which wait for those before them, for media (30 s for those that hang)
  /// and for I/O of what is taken away (10 s).
  public var changeTimeout = Duration.seconds(300)

  public init(socketPath: String) {
    self.socketPath = socketPath
  }

  /// The socket that a program was told of, else that of the environment, else the standard one.
  public static func socketPath(option: String?, environment: [String: String]) -> String {
    let named = environment[AdministrationSocket.environmentVariable]
    return option ?? (named?.isEmpty == false ? named : nil) ?? AdministrationSocket.standardPath
  }

  /// One thread for all clients of the process; it is never ended.
  static let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
}
