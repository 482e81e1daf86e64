internal import AdministrationModel
internal import ArgumentParser
internal import CommandSupport
internal import TargetConfig

struct CHAPCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chap", abstract: "CHAP users: who proves itself with which secret.",
    subcommands: [Add.self, Remove.self, List.self])
}

/// Where CHAP users stand.
struct CredentialArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Users of this target.", valueName: "iqn"))
  var target: String?

  @Option(
    help: ArgumentHelp("Users of this entry of the target's access list.", valueName: "iqn"))
  var initiator: String?

  @Option(
    name: .customLong("address"),
    help: ArgumentHelp(
      "The entry's addresses, where several have that initiator.", valueName: "cidr"))
  var addresses: [String] = []

  @Flag(help: "Users of discovery.")
  var discovery = false

  @Flag(help: "The user that the target proves to be, to the initiator.")
  var mutual = false

  func validate() throws {
    guard target != nil || discovery else {
      throw ValidationError("give --target or --discovery")
    }
    guard target == nil || !discovery else {
      throw ValidationError("give --target or --discovery, not both")
    }
    guard initiator == nil || target != nil else {
      throw ValidationError("--initiator needs --target")
    }
    guard addresses.isEmpty || initiator != nil else {
      throw ValidationError("--address needs --initiator")
    }
  }

  var place: AdministrationModel.CredentialPlace {
    guard let target else { return .discovery }
    let entry = initiator.map {
      EntryKey(initiator: $0, addresses: addresses.isEmpty ? nil : addresses)
    }
    return AdministrationModel.CredentialPlace(target: target, entry: entry)
  }

  var words: String {
    let name = target ?? "discovery"
    return (initiator.map { "\($0) at \(name)" } ?? name).printable
  }
}

extension CHAPCommand {
  struct Add: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Adds a user.",
      discussion: """
        The secret never stands on the command line, which others can see: it is the one line of \
        --secret-file, or is asked for without being shown, or is one line of standard input. \
        12 to 16 bytes work everywhere. With --mutual it replaces the user that there was; another \
        gets a new secret with --replace, and at no moment does anybody get in without. Sessions \
        of the old secret stay, unless --now.

        EXAMPLES
          swift-tgtadm chap add --target iqn.2026-11.com.example:disk1 node1
          swift-tgtadm chap add --target iqn.2026-11.com.example:disk1 node1 \\
            --replace --now
          swift-tgtadm chap add --discovery finder --secret-file /root/finder.secret
          openssl rand -hex 8 | tee /dev/stderr | \\
            swift-tgtadm chap add --target iqn.2026-11.com.example:disk1 --mutual disk1

        \(exitCodes)
        """)

    private static let exitCodes = ExitCode.codes(
      also: (.data, "the secret is none"), (.noInput, "the file with the secret cannot be read"))

    @OptionGroup var credentials: CredentialArguments

    @Argument(help: "Its name.")
    var user: String

    @Option(
      help: ArgumentHelp("A file that holds the secret alone.", valueName: "path"),
      completion: .file())
    var secretFile: String?

    @Flag(
      help: "Let the configuration name --secret-file, which the daemon reads, not the secret.")
    var byReference = false

    @Flag(help: "In place of the secret that the user has, where it is there already.")
    var replace = false

    @OptionGroup var flags: AccessFlags
    @OptionGroup var global: GlobalOptions

    func validate() throws {
      guard !byReference || secretFile != nil else {
        throw ValidationError("--by-reference needs --secret-file")
      }
    }

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let addition = Change.UserAddition(try credential(console), at: credentials.place)
      var changes = [Change.addCHAPUser(addition)]
      if credentials.mutual {
        changes = [.setMutualCHAP(addition)]
      } else if replace {
        changes = try await replacement(addition, daemon)
      }
      let result = try await daemon.change(ChangeRequest(changes, flags.options))
      let what = credentials.mutual ? "answers as" : "has the user"
      try console.show(
        result, dryRun: flags.options.dryRun, asJSON: global.json,
        "\(credentials.words) \(what) \(user.printable)\n")
    }

    /// All of it in one request: between two of them nobody would have to prove anything.
    private func replacement(
      _ addition: Change.UserAddition, _ daemon: any Daemon
    ) async throws -> [Change] {
      let users: [String]
      if let name = credentials.target {
        let target = try await daemon.target(name)
        users =
          try credentials.place.entry.map { try target.entry($0).chapUsers }
          ?? target.chapUsers
      } else {
        users = try await daemon.discovery().chapUsers
      }
      guard users.contains(user) else { return [.addCHAPUser(addition)] }
      // An entry's only user cannot be taken away by itself: the target's would count then.
      if let entry = credentials.place.entry, let target = credentials.target, users.count == 1 {
        let list = JSONValue.list([addition.credential.json])
        return [.setACLEntry(Change.EntryKeys(target: target, entry, ["chap": list]))]
      }
      let name = Change.UserName(user, at: credentials.place, allowingOpenAccess: true)
      return [.removeCHAPUser(name), .addCHAPUser(addition)]
    }

    private func credential(_ console: any Console) throws -> CredentialSpecification {
      guard let secretFile else {
        return CredentialSpecification(
          user: user, secret: try SecretSource.ask(for: user, console))
      }
      guard byReference else {
        return CredentialSpecification(
          user: user, secret: try SecretSource.read(secretFile, console))
      }
      let path = FilePath.resolve(secretFile, against: FilePath.currentDirectory())
      return CredentialSpecification(user: user, secretFile: path)
    }
  }

  struct Remove: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Removes a user.",
      discussion: """
        When the last one goes nobody has to prove anything any more: that needs --allow-open.

        EXAMPLES
          swift-tgtadm chap remove --target iqn.2026-11.com.example:disk1 node1
          swift-tgtadm chap remove --target iqn.2026-11.com.example:disk1 --mutual

        \(ExitCode.help)
        """)

    @OptionGroup var credentials: CredentialArguments

    @Argument(help: "Its name; not needed with --mutual.")
    var user: String?

    @Flag(help: "The last one may go.")
    var allowOpen = false

    @OptionGroup var flags: AccessFlags
    @OptionGroup var global: GlobalOptions

    func validate() throws {
      guard user != nil || credentials.mutual else { throw ValidationError("give a user") }
    }

    var options: ChangeOptions { flags.options }
    var changes: [Change] {
      guard !credentials.mutual else { return [.clearMutualCHAP(credentials.place)] }
      let name = Change.UserName(
        user ?? "", at: credentials.place, allowingOpenAccess: allowOpen ? true : nil)
      return [.removeCHAPUser(name)]
    }
    var remedyOfConflict: String? {
      credentials.target == nil || credentials.initiator == nil
        ? "add another user first, or --allow-open: then nobody has to prove anything" : nil
    }
    func report(_ result: ChangeResult) -> String {
      credentials.mutual
        ? "\(credentials.words) no longer proves itself\n"
        : "user \((user ?? "").printable) of \(credentials.words) removed\n"
    }
  }

  struct List: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists users; secrets are not shown.",
      discussion: """
        EXAMPLES
          swift-tgtadm chap list
          swift-tgtadm chap list --target iqn.2026-11.com.example:disk1

        \(ExitCode.lookingHelp)
        """)

    @Option(help: ArgumentHelp("Of this target; else of all and of discovery.", valueName: "iqn"))
    var target: String?

    @OptionGroup var global: GlobalOptions

    private struct Users: Encodable {
      /// nil: discovery.
      var target: String?
      var initiator: String?
      var users: [String]
      var mutualUser: String?
    }

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let targets = try await daemon.targets(named: target)
      let discovery = target == nil ? try await daemon.discovery() : nil
      guard global.json else {
        console.write(Lists.users(targets, discovery).text(orElse: "no users", on: console))
        return
      }
      var all: [Users] = []
      if let discovery {
        all.append(Users(users: discovery.chapUsers, mutualUser: discovery.mutualCHAPUser))
      }
      for target in targets {
        all.append(
          Users(target: target.name, users: target.chapUsers, mutualUser: target.mutualCHAPUser))
        all += target.acl.map {
          Users(
            target: target.name, initiator: $0.initiator, users: $0.chapUsers,
            mutualUser: $0.mutualCHAPUser)
        }
      }
      try console.writeJSON(
        all.filter { !$0.users.isEmpty || $0.mutualUser != nil })
    }
  }
}

extension CredentialSpecification {
  /// As in the configuration.
  fileprivate var json: JSONValue {
    let secret: JSONValue =
      secretFile.map { .object(["file": .text($0)]) } ?? .text(self.secret?.reveal ?? "")
    return ["user": .text(user), "secret": secret]
  }
}
