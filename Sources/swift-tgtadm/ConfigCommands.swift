internal import ArgumentParser
internal import TargetConfig

extension Config {
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Validates a configuration and prints what would be served.",
      discussion: """
        Problems come one in a line, with file and line. What only the machine that serves it can \
        tell (its interfaces, devices and memory) is asked by swift-tgtd --check.

        EXIT CODES
          0   the file is valid
          1   the file is not valid, or cannot be read
          64  wrong arguments
        """)

    @Argument(help: ArgumentHelp("The configuration.", valueName: "file"))
    var file: String

    @Flag(help: "Print validity, problems and warnings as JSON.")
    var json = false

    private struct Verdict: Encodable {
      var valid: Bool
      var problems: [Finding] = []
      var warnings: [Finding] = []
    }

    func run() throws {
      let loaded: LoadedConfiguration
      do throws(ConfigurationError) {
        loaded = try ConfigurationLoader.load(file)
      } catch {
        if json {
          try Report.json(Verdict(valid: false, problems: error.problems.map { Finding($0) }))
        } else {
          Report.complain(error.problems.map(\.description))
        }
        throw ExitCode(1)
      }
      if json {
        try Report.json(Verdict(valid: true, warnings: loaded.warnings.map { Finding($0) }))
      } else {
        print(ConfigurationSummary.text(loaded), terminator: "")
      }
    }
  }

  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows what a change of the configuration means.",
      discussion: """
        One line for each difference: + added, - removed, ~ changed. It says which of them \
        interrupt who uses what changed, and which need a restart; the order of names, comments \
        and layout make no difference. Secrets are not shown.

        OLD may be readable by others, as copies often are; NEW is read as swift-tgtd reads it.

        EXIT CODES
          0   both mean the same
          1   they differ
          64  wrong arguments
          78  one of the files is not valid, or cannot be read
        """)

    @Argument(help: ArgumentHelp("The configuration before.", valueName: "old"))
    var old: String

    @Argument(help: ArgumentHelp("The configuration afterwards.", valueName: "new"))
    var new: String

    @Flag(help: "Print the differences as JSON.")
    var json = false

    func run() throws {
      let old = try load(old, .unchecked)
      let new = try load(new, .checked)
      let difference = ConfigurationDifference(from: old, to: new)
      if json { try Report.json(difference) } else { print(difference, terminator: "") }
      throw ExitCode(difference.isEmpty ? 0 : 1)
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
