internal import AdministrationModel
internal import ArgumentParser
internal import CommandSupport

struct LUNCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lun", abstract: "LUNs: stores under the numbers that initiators see.",
    subcommands: [Add.self, Remove.self, List.self, Show.self, Resize.self])
}

/// A LUN of a target, or of an entry of its access list.
struct LUNPlace: ParsableArguments {
  @Option(help: ArgumentHelp("The target's name.", valueName: "iqn"))
  var target: String

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp(
      "The initiator of an entry that shows LUNs of its own (acl list).", valueName: "iqn"))
  var initiator: String?

  @Option(
    name: .customLong("address"),
    help: ArgumentHelp(
      "The entry's addresses, where several have that initiator.", valueName: "cidr"))
  var addresses: [String] = []

  func validate() throws {
    guard addresses.isEmpty || initiator != nil else {
      throw ValidationError("--address needs --for")
    }
  }

  var entry: EntryKey? {
    initiator.map { EntryKey(initiator: $0, addresses: addresses.isEmpty ? nil : addresses) }
  }

  func luns(of target: TargetResource) throws -> [LUNResource] {
    guard let entry else { return target.luns }
    return try target.entry(entry).luns ?? target.luns
  }

  func lun(_ number: UInt16, of target: TargetResource) throws -> LUNResource {
    guard let lun = try luns(of: target).first(where: { $0.lun == number }) else {
      throw AdministrationError(
        .notFound, "\(target.name) has no LUN \(number)", remedy: "swift-tgtadm lun list")
    }
    return lun
  }
}

extension LUNCommand {
  struct Remove: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Removes a LUN; its store and the data stay.",
      discussion: """
        While initiators use it, it is refused and they are named; --force removes it, after the \
        I/O that runs. Linux keeps a device that answers nothing any more until it is deleted on \
        the node: echo 1 > /sys/block/sdX/device/delete, best before. What is registered and \
        reserved stays on record with the store; --dry-run says what that is.

        EXAMPLES
          swift-tgtadm lun remove --target iqn.2026-11.com.example:disk1 1

        \(ExitCode.help)
        """)

    @OptionGroup var place: LUNPlace

    @Argument(help: "Its number.")
    var lun: UInt16

    @OptionGroup var flags: RemovalFlags
    @OptionGroup var global: GlobalOptions

    var options: ChangeOptions { flags.options }
    var changes: [Change] {
      [.removeLUN(Change.LUNName(target: place.target, entry: place.entry, lun: lun))]
    }
    func report(_ result: ChangeResult) -> String {
      "LUN \(lun) of \(place.target.printable) removed\n"
    }
  }

  struct List: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists LUNs.",
      discussion: """
        EXAMPLES
          swift-tgtadm lun list
          swift-tgtadm lun list --target iqn.2026-11.com.example:disk1

        \(ExitCode.lookingHelp)
        """)

    @Option(help: ArgumentHelp("Those of this target; else of all.", valueName: "iqn"))
    var target: String?

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let targets = try await daemon.targets(named: target)
      if global.json {
        try console.writeJSON(targets.flatMap { target in target.allLUNs })
      } else {
        console.write(Lists.luns(targets).text(orElse: "no LUNs", on: console))
      }
    }
  }

  struct Show: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows a LUN and the commands for the node.",
      discussion: """
        EXAMPLES
          swift-tgtadm lun show --target iqn.2026-11.com.example:disk1 1
          swift-tgtadm lun show --target iqn.2026-11.com.example:disk1 0 \\
            --for iqn.2026-11.com.example:node1

        \(ExitCode.lookingHelp)
        """)

    @OptionGroup var place: LUNPlace

    @Argument(help: "Its number.")
    var lun: UInt16

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let target = try await daemon.target(place.target)
      let lun = try place.lun(lun, of: target)
      if global.json {
        try console.writeJSON(lun)
        return
      }
      let store = try await daemon.store(lun.store)
      let hints = Hints(
        target, portals: try await daemon.portals(), machine: Invocation.current.machine)
      console.write(
        Descriptions.lun(lun, of: target.name, store: store) + "\n" + hints.node(wwid: lun.wwn))
    }
  }

  struct Resize: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Gives a LUN another size; initiators are told.",
      discussion: """
        It is the store that gets the size: every LUN that presents it has it. A smaller size cuts \
        off the data past it: it needs --force. Linux takes the size when it is told to: on the \
        node, iscsiadm -m session --rescan.

        EXAMPLES
          swift-tgtadm lun resize --target iqn.2026-11.com.example:disk1 1 \\
            --size 200GiB

        \(ExitCode.help)
        """)

    @OptionGroup var place: LUNPlace

    @Argument(help: "Its number.")
    var lun: UInt16

    @Option(help: ArgumentHelp("The new size, like 200GiB.", valueName: "size"))
    var size: SizeText

    @OptionGroup var flags: ResizeFlags
    @OptionGroup var global: GlobalOptions

    func validate() throws { _ = try size.bytes() }

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let target = try await daemon.target(place.target)
      let found = try place.lun(lun, of: target)
      let change = Change.resizeStore(
        Change.StoreSize(found.store, sizeBytes: try size.bytes()))
      let result = try await daemon.change(ChangeRequest([change], flags.options))
      let bytes = result.outcomes.first?.store?.sizeBytes
      try console.show(
        result, dryRun: flags.options.dryRun, asJSON: global.json,
        "LUN \(lun) of \(place.target.printable) (store \(found.store.printable)) has "
          + "\(Quantity.size(bytes) ?? "its new size")\n"
          + (target.sessionCount > 0 ? Hints.rescan : ""))
    }
  }
}

/// A LUN with its place, as `lun list --json` has it.
struct PlacedLUN: Encodable {
  var target: String
  /// Of the entry that shows it; nil: the target's own.
  var initiator: String?
  var lun: LUNResource
}

extension TargetResource {
  fileprivate var allLUNs: [PlacedLUN] {
    luns.map { PlacedLUN(target: name, lun: $0) }
      + acl.flatMap { entry in
        (entry.luns ?? []).map {
          PlacedLUN(target: name, initiator: entry.initiator, lun: $0)
        }
      }
  }
}
