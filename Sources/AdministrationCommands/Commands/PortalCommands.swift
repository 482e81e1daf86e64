internal import AdministrationModel
internal import ArgumentParser
internal import CommandSupport

struct PortalCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "portal", abstract: "Portals: addresses that initiators connect to.",
    subcommands: [Add.self, Remove.self, List.self])
}

extension PortalCommand {
  struct Add: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Listens on an address.",
      discussion: """
        EXAMPLES
          swift-tgtadm portal add 192.0.2.7:3260
          swift-tgtadm portal add '[2001:db8::7]:3260' --group 2

        \(ExitCode.help)
        """)

    @Argument(
      help: ArgumentHelp(
        "The address, and the port unless it is 3260.", valueName: "address:port"))
    var address: String

    @Option(help: ArgumentHelp("Its portal group; else 1.", valueName: "number"))
    var group: UInt16?

    @Option(
      help: ArgumentHelp(
        "What discovery says in its place, behind address translation.", valueName: "address:port"))
    var advertise: String?

    @OptionGroup var flags: ChangeFlags
    @OptionGroup var global: GlobalOptions

    var options: ChangeOptions { flags.options }
    var changes: [Change] {
      [.addPortal(PortalSpecification(address: address, group: group, advertise: advertise))]
    }
    func report(_ result: ChangeResult) -> String {
      let portal = result.outcomes.first?.portal?.address ?? address
      return "portal \(portal.printable) listens\n"
    }
  }

  struct Remove: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Listens on an address no longer.",
      discussion: """
        While initiators are connected it is refused and they are named; --force asks them to log \
        out first.

        EXAMPLES
          swift-tgtadm portal remove 192.0.2.7:3260

        \(ExitCode.help)
        """)

    @Argument(help: ArgumentHelp("The address and port.", valueName: "address:port"))
    var address: String

    @OptionGroup var flags: RemovalFlags
    @OptionGroup var global: GlobalOptions

    var options: ChangeOptions { flags.options }
    var changes: [Change] { [.removePortal(Change.PortalName(address))] }
    func report(_ result: ChangeResult) -> String { "portal \(address.printable) removed\n" }
  }

  struct List: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists all portals.",
      discussion: """
        EXAMPLES
          swift-tgtadm portal list

        \(ExitCode.lookingHelp)
        """)

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let portals = try await daemon.portals()
      if global.json {
        try console.writeJSON(portals)
      } else {
        console.write(Lists.portals(portals).text(orElse: "no portals", on: console))
      }
    }
  }
}
