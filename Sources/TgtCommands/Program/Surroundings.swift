internal import AdministrationClient
internal import AdministrationModel

/// What a program works with besides its arguments.
struct Surroundings: Sendable {
  var terminal: any Terminal
  var environment: [String: String] = [:]
  /// The daemon behind a socket. Nothing is connected before a call is made.
  var connect: @Sendable (_ socketPath: String) -> any Administrator = {
    AdministrationClient(socketPath: $0)
  }
  var files: any FileProbe = LocalFiles()

  /// tgt has a daemon for each control port. Port 0 is the daemon of the standard socket, or of the
  /// one that SWIFT_TGTD_SOCKET names; port N is the daemon whose socket has ".N" behind that name.
  func daemon(controlPort: Int) -> any Administrator {
    let path = AdministrationClient.socketPath(option: nil, environment: environment)
    return connect(controlPort == 0 ? path : "\(path).\(controlPort)")
  }
}
