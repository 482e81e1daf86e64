internal import ArgumentParser

struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "The configuration: what runs, what the file says, and files of others.",
    discussion: """
      check, diff with two files, and import need no daemon.

      EXAMPLES
        swift-tgtadm config import /etc/tgt/targets.conf --output targets.json
        swift-tgtadm config check targets.json
        swift-tgtadm config diff
        swift-tgtadm config reload
      """,
    subcommands: [
      Show.self, Diff.self, Reload.self, Save.self, Check.self, Import.self, Export.self,
    ])
}
