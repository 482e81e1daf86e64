internal import AdministrationModel
internal import NIOPosix

/// A client of the daemon's API on its Unix socket. Each call has a connection of its own, so that
/// calls may be made from many tasks at once.
public struct AdministrationClient: Sendable {
  public var socketPath: String
  /// From the connection to the end of the answer: removing what is in use waits for its I/O.
  public var timeout = Duration.seconds(120)

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
