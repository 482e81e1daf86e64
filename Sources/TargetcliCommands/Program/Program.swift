internal import AdministrationClient
internal import AdministrationModel
internal import CommandSupport

/// The program `targetcli`.
public enum Program {
  public static let name = "targetcli"

  static let usage = """
    Usage: targetcli [--version|--help|CMD]
      --version  Print version
      --help     Print this information
      CMD        Run a command and exit: [PATH] COMMAND [PARAMETER]...
      <nothing>  Enter the configuration shell

    The daemon is found through SWIFT_TGTD_SOCKET, else at /run/swift-tgtd/admin.sock.
    Changes hold until the daemon ends; saveconfig keeps them.

    """

  /// Runs what `arguments` (without the program's own name) ask for: 0, or 1 where it was not done.
  public static func main(
    _ arguments: [String], environment: [String: String]
  ) async -> Int32 {
    let socket = AdministrationClient.socketPath(option: nil, environment: environment)
    let home = home(environment)
    let surroundings = SystemSurroundings(environment: environment)
    var session = Session(
      AdministrationClient(socketPath: socket), surroundings,
      preferencesPath: home + "/prefs.json")
    guard arguments.isEmpty, surroundings.isInteractive else {
      return await run(arguments, &session)
    }
    LineEditor.start(name: name, historyPath: home + "/history.txt")
    let code = await Shell.run(&session) { LineEditor.complete($0) }
    LineEditor.keepHistory(at: home + "/history.txt")
    return code
  }

  private static func home(_ environment: [String: String]) -> String {
    let own = environment["HOME"] ?? "/root"
    guard let given = environment["TARGETCLI_HOME"], !given.isEmpty else {
      return own + "/.targetcli"
    }
    return given.hasPrefix("~/") ? own + given.dropFirst() : given
  }

  static func run(_ arguments: [String], _ session: inout Session) async -> Int32 {
    guard let first = arguments.first else { return await Shell.run(&session) { _ in } }
    do {
      switch first {
      case "--help", "-h": session.surroundings.write(usage)
      // Its own, whether there is a daemon or not; the command "version" asks that.
      case "--version", "-v":
        session.surroundings.write("\(name) version \(Version.text) (swift-tgtd)\n")
      case "--disable-daemon", "disable-daemon":
        try await session.run("set global auto_use_daemon=false")
      default: try await session.run(arguments.joined(separator: " "))
      }
      return 0
    } catch {
      session.surroundings.complain(message(error) + "\n")
      return 1
    }
  }

  /// One text for people. It shows no secret.
  static func message(_ error: any Error) -> String {
    guard let error = error as? AdministrationError else { return "\(error)".lines }
    var lines = [error.message] + (error.users ?? []).map { "  \($0)" }
    if let remedy = error.remedy { lines.append("  what to do: \(remedy)") }
    return lines.map(\.printable).joined(separator: "\n")
  }
}

extension String {
  /// Printable, line by line.
  fileprivate var lines: String {
    split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printable }
      .joined(separator: "\n")
  }
}
