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

      EXAMPLES
        swift-tgtadm status
        swift-tgtadm status --json

      \(ExitCode.lookingHelp)
      """)

  @OptionGroup var global: GlobalOptions

  func run(_ daemon: any Daemon, _ console: any Console) async throws {
    let status = try await daemon.status()
    if global.json {
      try console.writeJSON(status)
    } else {
      let (targets, unread) = await self.targets(of: status.refusedLogins, daemon)
      console.write(Descriptions.status(status, targets, unread: unread, on: console))
    }
  }

  /// Of the logins that are told: what keeps them out stands there. Those that cannot be read
  /// cost their remedies, not the status.
  private func targets(
    of logins: [RefusedLoginResource], _ daemon: any Daemon
  ) async -> (read: [TargetResource], unread: Set<String>) {
    var targets: [TargetResource] = []
    var unread: Set<String> = []
    for name in Set(logins.prefix(Descriptions.refusalsMax).compactMap(\.target)) {
      do {
        if let target = try await daemon.targetIfAny(name) { targets.append(target) }
      } catch {
        unread.insert(name)
      }
    }
    return (targets, unread)
  }
}
