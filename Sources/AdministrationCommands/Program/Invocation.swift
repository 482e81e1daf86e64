internal import AdministrationClient
internal import AdministrationModel

/// What a command works with besides its arguments.
struct Invocation: Sendable {
  var console: any Console
  var environment: [String: String] = [:]
  /// The daemon behind a socket. Nothing is connected before a call is made.
  var connect: @Sendable (_ socketPath: String, _ origin: SocketOrigin) -> any Daemon = {
    AdministrationClient(socketPath: $0, origin: $1)
  }
  /// What doctor examines.
  var machine: any Machine = LocalMachine()
  var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

  /// ArgumentParser makes commands out of arguments alone; the rest reaches them this way.
  @TaskLocal static var current = Invocation(console: SystemConsole(environment: [:]))

  func daemon(_ options: GlobalOptions) -> any Daemon {
    let socket = AdministrationClient.socket(option: options.socket, environment: environment)
    return connect(socket.path, socket.origin)
  }
}
