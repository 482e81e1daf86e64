internal import AdministrationModel
internal import ArgumentParser
internal import CommandSupport
internal import TargetConfig

extension ConfigCommand {
  struct Show: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows the configuration that runs, without secrets.",
      discussion: """
        EXAMPLES
          swift-tgtadm config show

        \(ExitCode.lookingHelp)
        """)

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let resource = try await daemon.configuration(withSecrets: false)
      if global.json {
        try console.writeJSON(resource)
      } else {
        console.writeText(resource.text)
      }
    }
  }

  struct Export: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes the configuration that runs, with its secrets, to keep or to move it.",
      discussion: """
        To standard output, or with --output to a new file with mode 0600, and never over one that \
        exists. What secrets are in files of their own stays there.

        EXAMPLES
          swift-tgtadm config export --output /root/targets-backup.json

        \(exitCodes)
        """)

    private static let exitCodes = ExitCode.codes(
      isChange: false, also: (.cannotCreate, "the output exists, or cannot be written"))

    @Option(
      name: .shortAndLong,
      help: ArgumentHelp("A new file for the configuration.", valueName: "path"),
      completion: .file())
    var output: String?

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let resource = try await daemon.configuration(withSecrets: true)
      if let output {
        try Report.orExit(.cannotCreate) { () throws(ConfigurationError) in
          try NewFile.create(output, text: resource.text)
        }
        if !global.json { console.writeLine("written to \(output.printable)") }
      } else if global.json {
        try console.writeJSON(resource)
      } else {
        console.writeText(resource.text)
      }
    }
  }

  struct Reload: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Brings what runs to what the file says.",
      discussion: """
        Only differences are applied: sessions that they do not concern notice nothing. What is in \
        use is named and stays, unless --force; what needs a restart is refused by name.

        EXAMPLES
          swift-tgtadm config reload --dry-run
          swift-tgtadm config reload

        \(exitCodes)
        """)

    private static let exitCodes = ExitCode.codes(
      also: (.configurationError, "the file is not valid, cannot be read, or says what cannot be"))

    @Flag(help: "Take away what is in use, too; I/O that runs ends first.")
    var force = false

    @Flag(help: "End sessions that may no longer be, at once.")
    var now = false

    @Flag(help: "Say what would happen, and do nothing.")
    var dryRun = false

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let options = ChangeOptions(force: force, now: now, dryRun: dryRun)
      let result = try await aboutFile(console, asJSON: global.json) {
        () async throws(AdministrationError) in try await daemon.reload(options)
      }
      try console.show(
        result, dryRun: dryRun, asJSON: global.json,
        result.differences.isEmpty
          ? "nothing to apply: it runs as the file says\n"
          : "applied:\n" + DifferenceText.lines(result))
    }
  }

  struct Save: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes what runs to the configuration file.",
      discussion: """
        For changes that were made with --runtime-only or with tgtadm. The file's comments stay, and \
        the previous file is kept as FILE~. A file that was edited by hand meanwhile is left alone, \
        unless --force, which also writes over one that is not valid, whose text it keeps as \
        FILE.rejected-TIME, and makes one that is gone, for its former owner.

        EXAMPLES
          swift-tgtadm config save
          swift-tgtadm config save --force

        \(ExitCode.help)
        """)

    @Flag(help: "Also over a file that was edited by hand, or where it is gone.")
    var force = false

    @Flag(help: "Say what would be written, and write nothing.")
    var dryRun = false

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let result = try await daemon.save(ChangeOptions(force: force, dryRun: dryRun))
      try console.show(
        result, dryRun: dryRun, asJSON: global.json,
        result.savedTo.map { "written to \($0.printable)\n" }
          ?? "nothing to write: the file says what runs\n")
    }
  }
}

extension Console {
  /// A text of several lines, as it is but for what steers a terminal.
  func writeText(_ text: String) {
    let isPlain = !isTerminal
    let shown =
      isPlain
      ? text
      : text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { line in
          line.split(separator: "\t", omittingEmptySubsequences: false)
            .map { String($0).printable }.joined(separator: "\t")
        }
        .joined(separator: "\n")
    write(shown.hasSuffix("\n") ? shown : shown + "\n")
  }
}
