internal import AdministrationModel
internal import ArgumentParser
internal import CommandSupport

struct ACLCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "acl", abstract: "Access lists: which initiators may log in to a target.",
    subcommands: [Add.self, Remove.self, List.self])
}

/// An entry of a target's access list.
struct EntryArguments: ParsableArguments {
  @Option(help: ArgumentHelp("The target's name.", valueName: "iqn"))
  var target: String

  @Argument(
    help: ArgumentHelp("The node's name, or \"any\" for any name.", valueName: "initiator"))
  var initiator: String

  @Option(
    name: .customLong("address"),
    help: ArgumentHelp(
      "Only from this address or network, like 192.0.2.0/24; may be given again.",
      valueName: "cidr"))
  var addresses: [String] = []

  var key: EntryKey {
    EntryKey(initiator: initiator, addresses: addresses.isEmpty ? nil : addresses)
  }

  var words: String {
    let place = addresses.isEmpty ? "" : " from " + addresses.joined(separator: ", ")
    return (initiator + place).printable
  }
}

extension ACLCommand {
  struct Add: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lets an initiator log in.",
      discussion: """
        It counts from the next login on. The first entry that matches decides; a new one comes \
        last, unless --index.

        EXAMPLES
          swift-tgtadm acl add --target iqn.2026-11.com.example:disk1 \\
            iqn.2026-11.com.example:node1
          swift-tgtadm acl add --target iqn.2026-11.com.example:disk1 any \\
            --address 192.0.2.0/24

        \(ExitCode.help)
        """)

    @OptionGroup var entry: EntryArguments

    @Flag(help: "Refuse its writes.")
    var readOnly = false

    @Option(help: ArgumentHelp("Before the entry at this place, from 0 on.", valueName: "number"))
    var index: Int?

    @OptionGroup var flags: AccessFlags
    @OptionGroup var global: GlobalOptions

    func validate() throws {
      try InitiatorName.check(entry.initiator)
      guard index.map({ $0 >= 0 }) ?? true else { throw ValidationError("--index is at least 0") }
    }

    var options: ChangeOptions { flags.options }
    var changes: [Change] {
      var specification = AccessEntrySpecification(
        initiator: entry.initiator, addresses: entry.key.addresses)
      specification.readOnly = readOnly ? true : nil
      specification.index = index
      return [.addACLEntry(Change.EntryAddition(target: entry.target, specification))]
    }
    func report(_ result: ChangeResult) -> String {
      "\(entry.words) may log in to \(entry.target.printable)\n"
    }
  }

  struct Remove: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Takes the right to log in from an initiator.",
      discussion: """
        Sessions go on until they log out, unless --now.

        EXAMPLES
          swift-tgtadm acl remove --target iqn.2026-11.com.example:disk1 --now \\
            iqn.2026-11.com.example:node1

        \(ExitCode.help)
        """)

    @OptionGroup var entry: EntryArguments
    @OptionGroup var flags: AccessFlags

    @Flag(help: "Also where LUNs of its own are in use.")
    var force = false

    @OptionGroup var global: GlobalOptions

    var options: ChangeOptions {
      var options = flags.options
      options.force = force
      return options
    }
    var changes: [Change] { [.removeACLEntry(Change.EntryName(target: entry.target, entry.key))] }
    func report(_ result: ChangeResult) -> String {
      "\(entry.words) may no longer log in to \(entry.target.printable)\n"
    }

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let result = try await daemon.change(ChangeRequest(changes, options))
      var text = report(result)
      if !options.dryRun, !options.now, !global.json, await hasSessions(daemon) {
        text += Self.staying
      }
      try console.show(result, dryRun: options.dryRun, asJSON: global.json, text)
    }

    private static let staying =
      "its sessions stay until they end: swift-tgtadm session kill ends one, "
      + "--now would have ended them all\n"

    /// What cannot be found out is no failure: the right is taken away already.
    private func hasSessions(_ daemon: any Daemon) async -> Bool {
      let sessions = (try? await daemon.sessions(id: nil)) ?? []
      let (target, node) = (entry.target.lowercased(), entry.initiator.lowercased())
      return sessions.contains { session in
        session.target?.lowercased() == target
          && (node == "any" || session.initiator.lowercased() == node)
      }
    }
  }

  struct List: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists who may log in.",
      discussion: """
        EXAMPLES
          swift-tgtadm acl list
          swift-tgtadm acl list --target iqn.2026-11.com.example:disk1

        \(ExitCode.lookingHelp)
        """)

    @Option(help: ArgumentHelp("To this target; else to all.", valueName: "iqn"))
    var target: String?

    @OptionGroup var global: GlobalOptions

    private struct Access: Encodable {
      var target: String
      var isOpenToAny: Bool
      var acl: [AccessEntryResource]
    }

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let targets = try await daemon.targets(named: target)
      if global.json {
        try console.writeJSON(
          targets.map { Access(target: $0.name, isOpenToAny: $0.isOpenToAny, acl: $0.acl) })
      } else {
        console.write(
          Lists.entries(targets, showsClosed: true).text(orElse: "no targets", on: console))
      }
    }
  }
}
