internal import AdministrationModel
internal import ArgumentParser
internal import CommandSupport

struct TargetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "target", abstract: "Targets: what initiators log in to.",
    subcommands: [Add.self, Remove.self, List.self, Show.self])
}

extension TargetCommand {
  struct Add: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Adds a target.",
      discussion: """
        It has no LUN yet (swift-tgtadm lun add makes target and LUN in one), and nobody may log \
        in who is not named by --initiator.

        EXAMPLES
          swift-tgtadm target add iqn.2026-11.com.example:disk1 \\
            --initiator iqn.2026-11.com.example:node1

        \(ExitCode.help)
        """)

    @Argument(help: ArgumentHelp("Its name, like iqn.2026-11.com.example:disk1.", valueName: "iqn"))
    var name: String

    @Option(help: "What people call it.")
    var alias: String?

    @Option(
      name: .customLong("portal-group"),
      help: ArgumentHelp("A portal group that serves it; else all do.", valueName: "number"))
    var portalGroups: [UInt16] = []

    @OptionGroup var admission: Admission
    @OptionGroup var flags: ChangeFlags
    @OptionGroup var global: GlobalOptions

    var options: ChangeOptions { flags.options }
    var changes: [Change] {
      var target = TargetSpecification(name: name)
      target.alias = alias
      target.portalGroups = portalGroups.isEmpty ? nil : portalGroups
      admission.admit(to: &target)
      return [.addTarget(target)]
    }

    func report(_ result: ChangeResult) -> String {
      let made = "target \(name.printable) added\n"
      return admission.isNobody ? made + Hints.nobodyYet(name) : made
    }
  }

  struct Remove: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Removes a target; its stores stay.",
      discussion: """
        While initiators are logged in it is refused and they are named; --force ends their \
        sessions, after the I/O that runs. What is registered and reserved stays on record with \
        the stores; --dry-run says what that is.

        EXAMPLES
          swift-tgtadm target remove iqn.2026-11.com.example:disk1 --dry-run
          swift-tgtadm target remove iqn.2026-11.com.example:disk1

        \(ExitCode.help)
        """)

    @Argument(help: ArgumentHelp("Its name.", valueName: "iqn"))
    var name: String

    @OptionGroup var flags: RemovalFlags
    @OptionGroup var global: GlobalOptions

    var options: ChangeOptions { flags.options }
    var changes: [Change] { [.removeTarget(Change.TargetName(name))] }
    func report(_ result: ChangeResult) -> String { "target \(name.printable) removed\n" }
  }

  struct List: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists all targets.",
      discussion: """
        EXAMPLES
          swift-tgtadm target list

        \(ExitCode.lookingHelp)
        """)

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let targets = try await daemon.targets(named: nil)
      if global.json {
        try console.writeJSON(targets)
      } else {
        console.write(Lists.targets(targets).text(orElse: "no targets", on: console))
      }
    }
  }

  struct Show: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows a target, its LUNs and who may log in.",
      discussion: """
        EXAMPLES
          swift-tgtadm target show iqn.2026-11.com.example:disk1

        \(ExitCode.lookingHelp)
        """)

    @Argument(help: ArgumentHelp("Its name.", valueName: "iqn"))
    var name: String

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let target = try await daemon.target(name)
      if global.json {
        try console.writeJSON(target)
      } else {
        console.write(Descriptions.target(target, on: console))
      }
    }
  }
}

/// Who may log in to a target that is made.
struct Admission: ParsableArguments {
  @Option(
    name: .customLong("initiator"),
    help: ArgumentHelp("The name of a node that may log in; may be given again.", valueName: "iqn"))
  var initiators: [String] = []

  @Flag(help: "Let everybody log in who reaches the portal.")
  var any = false

  func validate() throws {
    for name in initiators { try InitiatorName.check(name) }
  }

  var isNobody: Bool { initiators.isEmpty && !any }

  func admit(to target: inout TargetSpecification) {
    if !initiators.isEmpty {
      target.acl = initiators.map { AccessEntrySpecification(initiator: $0) }
    }
    if any { target.isOpenToAny = true }
  }
}
