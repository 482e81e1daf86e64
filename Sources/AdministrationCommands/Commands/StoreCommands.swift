internal import AdministrationModel
internal import ArgumentParser
internal import CommandSupport
internal import TargetConfig

struct StoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store", abstract: "Stores: files and devices that LUNs present.",
    subcommands: [Add.self, Remove.self, List.self, Show.self, Resize.self])
}

/// Where the blocks of a store are, and how it behaves.
struct Medium: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A file; made, sparse, if missing and --size is given.", valueName: "path"),
    completion: .file())
  var file: String?

  @Option(help: ArgumentHelp("A block device.", valueName: "path"), completion: .file())
  var block: String?

  @Flag(help: "Memory: lost when the daemon ends.")
  var memory = false

  @Option(help: ArgumentHelp("The size, like 100GiB.", valueName: "size"))
  var size: SizeText?

  @Option(help: ArgumentHelp("Bytes of a logical block.", valueName: "bytes"))
  var blockSize: BlockSize?

  @Option(help: ArgumentHelp("How it is opened, in QEMU's words.", valueName: "mode"))
  var cache: TargetConfiguration.CacheMode?

  @Option(help: ArgumentHelp("What UNMAP does.", valueName: "mode"))
  var discard: TargetConfiguration.DiscardMode?

  @Option(help: ArgumentHelp("The NAA identifier, 32 hexadecimal digits.", valueName: "digits"))
  var naa: String?

  @Option(help: ArgumentHelp("The serial number.", valueName: "text"))
  var serial: String?

  var isGiven: Bool { count > 0 }
  private var count: Int { (file == nil ? 0 : 1) + (block == nil ? 0 : 1) + (memory ? 1 : 0) }

  func validate() throws {
    guard count <= 1 else { throw ValidationError("give one of --file, --block and --memory") }
    _ = try size?.bytes()
  }

  /// Absolute: the daemon has another working directory.
  var path: String? {
    (file ?? block).map { FilePath.resolve($0, against: FilePath.currentDirectory()) }
  }

  /// Of the file or device, without what follows a point: `a` of `/srv/a.img`.
  var suggestedName: String {
    guard let path, let last = path.split(separator: "/").last else { return "memory" }
    let name = file == nil ? last : last.split(separator: ".").first ?? last
    return String(name)
  }

  func specification(name: String, readOnly: Bool = false) throws -> StoreSpecification {
    let kind: StoreKind = file != nil ? .file : block != nil ? .block : .memory
    var store = StoreSpecification(
      name: name, kind: kind, path: path, sizeBytes: try size?.bytes())
    store.blockSize = blockSize?.bytes
    store.cache = cache?.rawValue
    store.discard = discard?.rawValue
    store.naa = naa
    store.serial = serial
    store.readOnly = readOnly ? true : nil
    return store
  }
}

extension StoreCommand {
  struct Add: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Adds a store; swift-tgtadm lun add does it, too.",
      discussion: """
        EXAMPLES
          swift-tgtadm store add quorum --file /srv/quorum.img --size 64MiB
          swift-tgtadm store add md0 --block /dev/md0 --block-size 4096

        \(ExitCode.help)
        """)

    @Argument(help: "A name for it.")
    var name: String

    @OptionGroup var medium: Medium

    @Flag(help: "Refuse writes.")
    var readOnly = false

    @OptionGroup var flags: ChangeFlags
    @OptionGroup var global: GlobalOptions

    func validate() throws {
      guard medium.isGiven else { throw ValidationError("give --file, --block or --memory") }
      guard !medium.memory || medium.size != nil else {
        throw ValidationError("--memory needs --size, like --size 64MiB")
      }
    }

    var options: ChangeOptions { flags.options }
    var changes: [Change] {
      get throws { [.addStore(try medium.specification(name: name, readOnly: readOnly))] }
    }

    func report(_ result: ChangeResult) -> String {
      guard let store = result.outcomes.first?.store else {
        return "store \(name.printable) added\n"
      }
      return Descriptions.store(store)
    }
  }

  struct Remove: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Removes a store; its file or device stays as it is.",
      discussion: """
        While a LUN presents it, it is refused; --force removes these LUNs, too, in the same step. \
        What is registered and reserved stays on record, and counts again when the store comes back.

        EXAMPLES
          swift-tgtadm store remove quorum
          swift-tgtadm store remove quorum --force --dry-run

        \(ExitCode.help)
        """)

    @Argument(help: "Its name.")
    var name: String

    @OptionGroup var flags: RemovalFlags
    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let places = try await flags.force ? daemon.store(name).presentedBy : []
      let changes = places.map { Change.removeLUN($0.lunName) } + [removal]
      let result = try await daemon.change(
        ChangeRequest(changes, flags.options),
        remedyOfConflict: flags.force
          ? nil : "swift-tgtadm lun remove each, or --force removes them, too")
      let luns = places.map { "  \($0.words)\n" }.joined()
      try console.show(
        result, dryRun: flags.options.dryRun, asJSON: global.json,
        "store \(name.printable) removed" + (luns.isEmpty ? "\n" : ", and with it\n" + luns))
    }

    private var removal: Change { .removeStore(Change.StoreName(name)) }
  }

  struct List: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists all stores.",
      discussion: """
        STATE is online, offline, full, or endangered: it serves by a file or device that is not at \
        its path any more, or was cut. store show tells why, and what to do.

        EXAMPLES
          swift-tgtadm store list

        \(ExitCode.lookingHelp)
        """)

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let stores = try await daemon.stores(named: nil)
      if global.json {
        try console.writeJSON(stores)
      } else {
        console.write(Lists.stores(stores).text(orElse: "no stores", on: console))
      }
    }
  }

  struct Show: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows a store, its identity and where it is presented.",
      discussion: """
        EXAMPLES
          swift-tgtadm store show quorum

        \(ExitCode.lookingHelp)
        """)

    @Argument(help: "Its name.")
    var name: String

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let store = try await daemon.store(name)
      if global.json {
        try console.writeJSON(store)
      } else {
        console.write(Descriptions.store(store))
      }
    }
  }

  struct Resize: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Gives a store another size; initiators are told.",
      discussion: """
        A smaller size cuts off the data past it: it needs --force.

        EXAMPLES
          swift-tgtadm store resize quorum --size 128MiB

        \(ExitCode.help)
        """)

    @Argument(help: "Its name.")
    var name: String

    @Option(help: ArgumentHelp("The new size, like 200GiB.", valueName: "size"))
    var size: SizeText

    @OptionGroup var flags: ResizeFlags
    @OptionGroup var global: GlobalOptions

    func validate() throws { _ = try size.bytes() }

    var options: ChangeOptions { flags.options }
    var changes: [Change] {
      get throws { [.resizeStore(Change.StoreSize(name, sizeBytes: try size.bytes()))] }
    }
    func report(_ result: ChangeResult) -> String {
      let size = Quantity.size(result.outcomes.first?.store?.sizeBytes)
      return "store \(name.printable) has \(size ?? "its new size")\n"
    }
  }
}

extension PresentationResource {
  fileprivate var lunName: Change.LUNName {
    Change.LUNName(
      target: target, entry: initiator.map { EntryKey(initiator: $0) }, lun: lun)
  }

  fileprivate var words: String {
    "LUN \(lun) of \(target.printable)" + (initiator.map { " for \($0.printable)" } ?? "")
  }
}
