internal import AdministrationModel
internal import ArgumentParser

struct StatusCommand: DaemonCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Shows how the daemon is.",
    discussion: """
      What somebody ought to look at is told as "problem:" lines; swift-tgtadm doctor says more.

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
