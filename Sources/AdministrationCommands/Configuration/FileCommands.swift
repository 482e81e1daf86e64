internal import AdministrationModel
internal import ArgumentParser
internal import TargetConfig

extension ConfigCommand {
  struct Check: ParsableCommand, WritesJSON {
    static let configuration = CommandConfiguration(
      abstract: "Validates a configuration and prints what would be served.",
      discussion: """
        Problems come one in a line, with file and line; --json has them, validity and warnings. \
        What only the machine that serves it can tell (its interfaces, files, devices and memory) \
        is asked by swift-tgtd --check; a file with a secret that is not found here is a warning. \
        One with secrets in it that others can read is refused, as swift-tgtd refuses it.

        EXAMPLES
          swift-tgtadm config check /etc/swift-tgtd/targets.json

        EXIT CODES
          0   the file is valid
          64  wrong arguments
          78  the file is not valid, or cannot be read
        """)

    @Argument(
      help: ArgumentHelp("The configuration.", valueName: "file"), completion: .file())
    var file: String

    @OptionGroup var output: OutputOptions

    var writesJSON: Bool { output.json }

    private struct Verdict: Encodable {
      var valid: Bool
      var problems: [FileFinding] = []
      var warnings: [FileFinding] = []
    }

    func run() throws {
      let console = Invocation.current.console
      let loaded: LoadedConfiguration
      do throws(ConfigurationError) {
        loaded = try ConfigurationLoader.load(file, elsewhere: true)
      } catch {
        if writesJSON {
          try console.writeJSON(
            Verdict(valid: false, problems: error.problems.map { FileFinding($0) }))
        } else {
          console.complain(error.problems.map(\.description))
        }
        throw ExitCode.configurationError
      }
      if writesJSON {
        try console.writeJSON(
          Verdict(valid: true, warnings: loaded.warnings.map { FileFinding($0) }))
      } else {
        console.writeText(ConfigurationSummary.text(loaded))
      }
    }
  }

  struct Diff: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows how the file differs from what runs, or a file from another.",
      discussion: """
        Without arguments the daemon compares its file with what runs: what config reload would \
        change. With two files they are compared, and no daemon is needed.

        One line for each difference: + added, - removed, ~ changed. It says which of them \
        interrupt who uses what changed, and which need a restart; the order of names, comments \
        and layout make no difference. Secrets are not shown. Without files it also tells of media \
        that were moved, or are under another name, by device and inode.

        OLD may be readable by others, as copies often are; NEW is read as swift-tgtd reads it.

        EXAMPLES
          swift-tgtadm config diff
          swift-tgtadm config diff /root/targets-backup.json \\
            /etc/swift-tgtd/targets.json

        EXIT CODES
          0   both mean the same
          1   they differ
          64  wrong arguments
          69  the daemon cannot be reached
          77  no permission to use the socket
          78  a file is not valid, or cannot be read
        """)

    @Argument(
      help: ArgumentHelp("The configurations before and afterwards.", valueName: "old> <new"),
      completion: .file())
    var files: [String] = []

    @OptionGroup var global: GlobalOptions

    func validate() throws {
      guard files.isEmpty || files.count == 2 else {
        throw ValidationError("give two files, or none")
      }
    }

    mutating func run() async throws {
      let invocation = Invocation.current
      guard let old = files.first, let new = files.last else {
        try await run(invocation.daemon(global), invocation.console)
        return
      }
      try compare(old, new, invocation.console)
    }

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let list = try await aboutFile(console, asJSON: global.json) {
        () async throws(AdministrationError) in try await daemon.difference()
      }
      if global.json {
        try console.writeJSON(list)
      } else {
        console.write(
          DifferenceText.lines(list.changes) + DifferenceText.lines(list.remarks ?? []))
      }
      guard list.changes.isEmpty else { throw ExitCode.failure }
    }

    private func compare(_ old: String, _ new: String, _ console: any Console) throws {
      let before = try load(old, .unchecked)
      let after = try load(new, .checked)
      let difference = ConfigurationDifference(from: before, to: after)
      if global.json {
        try console.writeJSON(difference)
      } else {
        console.writeText(difference.description)
      }
      guard difference.isEmpty else { throw ExitCode.failure }
    }

    private func load(
      _ path: String, _ permissions: ConfigurationLoader.Permissions
    ) throws -> TargetConfiguration {
      try Report.orExit(.configurationError) { () throws(ConfigurationError) in
        try ConfigurationLoader.load(path, permissions: permissions).configuration
      }
    }
  }
}
