internal import ArgumentParser

@main
struct SwiftTgtadm: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "swift-tgtadm",
    abstract: "Administers swift-tgtd.",
    discussion: """
      EXAMPLES
        swift-tgtadm config import /etc/tgt/targets.conf --output targets.json
        swift-tgtadm config check targets.json
        swift-tgtadm config diff /etc/swift-tgtd/targets.json targets.json
      """,
    subcommands: [Config.self])
}

struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks, compares and imports configuration files. Needs no daemon.",
    subcommands: [Check.self, Diff.self, Import.self])
}
