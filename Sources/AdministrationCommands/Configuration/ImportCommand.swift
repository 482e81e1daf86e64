public import ArgumentParser
public import TargetConfig

extension ImportFormat: ExpressibleByArgument {}

extension ConfigCommand {
  struct Import: ParsableCommand, WritesJSON {
    static let configuration = CommandConfiguration(
      abstract: "Turns the configuration of tgt, LIO, SCST or FreeBSD's ctld into ours.",
      discussion: """
        Prints the configuration, with the secrets that are in the file; --output writes it to a \
        new file with mode 0600 instead, and never over one that exists. What cannot stay as it \
        was, or means something else here, is a note on standard error, one in a line, with file \
        and line. Includes are followed. --json has format, notes and, without --output, the \
        configuration.

        EXAMPLES
          swift-tgtadm config import /etc/tgt/targets.conf --output targets.json
          swift-tgtadm config import /etc/target/saveconfig.json | less

        EXIT CODES
          0   imported, also with notes
          1   imported, with notes and --strict
          64  wrong arguments
          65  the file, or one that it includes, cannot be imported, or holds
              nothing to serve
          66  the file cannot be read
          73  the output exists, or cannot be written
        """)

    @Argument(
      help: ArgumentHelp("The configuration of the other target.", valueName: "file"),
      completion: .file())
    var file: String

    @Option(help: "What the file is; otherwise told by its content.")
    var format: ImportFormat?

    @Option(
      name: .shortAndLong,
      help: ArgumentHelp("A new file for the configuration.", valueName: "path"),
      completion: .file())
    var output: String?

    @Flag(help: "Exit with 1 where there are notes.")
    var strict = false

    @OptionGroup var shape: OutputOptions

    var writesJSON: Bool { shape.json }

    private struct Outcome: Encodable {
      var format: String
      var configuration: String?
      var output: String?
      var notes: [FileFinding]
    }

    func run() throws {
      let console = Invocation.current.console
      let source = try Report.orExit(.noInput) { () throws(ConfigurationError) in
        try ImportSource.open(file)
      }
      let imported = try Report.orExit(.data) { () throws(ConfigurationError) in
        try source.imported(as: format)
      }
      guard !imported.isEmpty else { throw emptiness(imported) }
      if let output {
        try Report.orExit(.cannotCreate) { () throws(ConfigurationError) in
          try NewFile.create(output, text: imported.text)
        }
      }
      try show(imported, console)
      if strict, !imported.notes.isEmpty { throw ExitCode.failure }
    }

    /// An empty configuration would pass for a good one. Of a text that is none at all each line
    /// has a note: the first ones are enough.
    private func emptiness(_ imported: ImportedConfiguration) -> Refusal {
      var refusal = Refusal(.data)
      refusal.sentences = imported.notes.prefix(5).map(\.description)
      refusal.sentences.append(
        "\(file): read as \(imported.format.rawValue), it holds no store and no target; "
          + "--format says what else it is")
      return refusal
    }

    private func show(_ imported: ImportedConfiguration, _ console: any Console) throws {
      let text = output == nil ? imported.text : nil
      guard writesJSON else {
        if let text { console.writeText(text) }
        console.complain(imported.notes.map(\.description))
        return
      }
      try console.writeJSON(
        Outcome(
          format: imported.format.rawValue, configuration: text, output: output,
          notes: imported.notes.map { FileFinding($0) }))
    }
  }
}
