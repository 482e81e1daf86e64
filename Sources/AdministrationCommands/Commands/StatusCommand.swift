internal import AdministrationModel
internal import ArgumentParser

struct StatusCommand: DaemonCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Shows how the daemon is.",
    discussion: """
      What somebody ought to look at is told as "problem:" lines: stores and portals that do not \
      serve, a configuration file that was edited since it was read, is not valid or is gone. \
      Logins that were refused within the last hour are told as "refused:" lines. swift-tgtadm doctor says more.

      \(ExitCode.help)
      """)

  @OptionGroup var global: GlobalOptions

  func run(_ daemon: any Daemon, _ console: any Console) async throws {
    let status = try await daemon.status()
    if global.json {
      try console.writeJSON(status)
    } else {
      console.write(Descriptions.status(status, on: console))
    }
  }
}
