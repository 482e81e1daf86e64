internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

/// One run of tgt-admin.
struct TgtAdminRun {
  /// The program ends.
  struct End: Error {
    var code: Int32
  }

  /// What is there, of which tgtadm would have told.
  struct Present {
    var state = TgtState(targets: [], notes: [])
    var sessions: [SessionResource] = []
    var accounts: Set<String> = []
    /// Of accounts that are not known to the configuration alone.
    var passwords: [String: String] = [:]
    var discovery = DiscoveryResource()

    func sessions(of target: String) -> [SessionResource] {
      sessions.filter { $0.target == target }
    }
  }

  let options: TgtAdminOptions
  var surroundings: Surroundings
  var ignoresErrors: Bool
  var controlPort: String
  var present = Present()
  /// The number of the target that was made last.
  var tid = 0
  /// Disks that the file names and that cannot be served: told already.
  var leftOutCount = 0
  /// Targets that stay closed, and users that discovery does not have as the file says: told
  /// already.
  var refusedCount = 0
  /// Accounts that got another password.
  var replacedUsers: Set<String> = []
  /// Targets, in lowercase letters.
  var namesMadeAnew: Set<String> = []

  var isUpdate: Bool { if case .update = options.action { true } else { false } }

  init(options: TgtAdminOptions, surroundings: Surroundings) {
    self.options = options
    self.surroundings = surroundings
    ignoresErrors = options.ignoresErrors
    controlPort = options.controlPort
  }

  mutating func perform() async throws(End) {
    switch options.action {
    case .help: write(TgtAdmin.help)
    case .nothing: write("No action specified.\n")
    case .contradiction: throw refusal("Invalid value (you can't use both ready and offline)!\n")
    case .show: try await execute(TgtadmCommand(controlPort, "--op show --mode target"))
    case .execute:
      let configuration = try await readConfiguration()
      try await addTargets(of: configuration)
      try await removeTargets(besides: configuration)
      let isIncomplete = leftOutCount > 0 && !ignoresErrors && !options.isPretended
      if isIncomplete || refusedCount > 0 { throw End(code: 1) }
    case .delete("help"), .update("help"), .setState(_, of: "help"): write(TgtAdmin.help)
    case .delete(let which): try await deleteTargets(which)
    case .update(let which): try await updateTargets(which)
    case .dump: try await dump()
    case .setState(let state, of: let which): try await setState(state, of: which)
    }
  }

  // MARK: Commands

  /// Prints what is asked to be shown, and does it unless only pretending. False: it failed, and
  /// errors are ignored.
  @discardableResult
  mutating func execute(_ command: TgtadmCommand) async throws(End) -> Bool {
    if options.isPretended || options.isVerbose { write(command.text + "\n") }
    guard !options.isPretended else { return true }
    let code = await Tgtadm.run(command.arguments, in: surroundings)
    guard code != 0 else { return true }
    guard !ignoresErrors else { return false }
    throw refusal("Command:\n\t\(command.text)\nexited with code: \(code).\n", code)
  }

  /// A remark among the commands.
  func comment(_ text: String) {
    if options.isPretended || options.isVerbose {
      write(text.isEmpty ? "\n" : "# \(text.printable)\n")
    }
  }

  /// What somebody has to know who sees no remarks.
  func complain(_ sentence: String) {
    if !options.isPretended {
      surroundings.terminal.complain("tgt-admin: \(sentence.printable)\n")
    }
  }

  func write(_ text: String) { surroundings.terminal.write(text) }

  func refusal(_ text: String, _ code: Int32 = 1) -> End {
    write(text)
    return End(code: code)
  }

  // MARK: Reading

  mutating func readConfiguration() async throws(End) -> TgtAdminConfiguration {
    let path = options.configurationPath ?? TgtAdmin.standardConfiguration
    guard surroundings.files.kind(of: path) != .missing else {
      surroundings.terminal.complain("Config file \(path) not found. Exiting...\n")
      throw End(code: 2)
    }
    if options.configurationPath != nil { comment("Using \(path) as configuration file") }
    if options.configurationPath != nil { comment("") }
    let configuration: TgtAdminConfiguration
    do throws(ConfigurationError) {
      let source = try ImportSource.open(surroundings.files.absolute(path))
      configuration = TgtAdminConfiguration(try source.targetsConf())
    } catch {
      surroundings.terminal.complain("\(error.description.printable)\n")
      throw End(code: 255)
    }
    try checkNumbers(configuration)
    if controlPort == "0", let port = configuration["control-port"] { controlPort = port }
    if configuration["ignore-errors"] == "yes" { ignoresErrors = true }
    try await look()
    return configuration
  }

  /// Before anything is done: tgtadm takes numbers of 32 bits alone.
  private func checkNumbers(_ configuration: TgtAdminConfiguration) throws(End) {
    for target in configuration.targets {
      for value in target.values("controller_tid") where (Int32(value) ?? 0) <= 0 {
        throw refusal(
          "\nOption controller_tid is no number from 1 to \(Int32.max): \(value.printable)\n"
            + "Check your config file for errors (target: \(target.name.printable))\n")
      }
    }
  }

  var daemon: any Administrator {
    surroundings.daemon(controlPort: Int(numeral: controlPort) ?? 0)
  }

  mutating func look() async throws(End) {
    do throws(AdministrationError) {
      present.state = try await TgtState.read(daemon)
      present.sessions = try await daemon.sessions(id: nil)
      present.discovery = try await daemon.discovery()
      var accounts = Set(present.state.notes.accounts + present.discovery.chapUsers)
      for target in present.state.targets {
        accounts.formUnion(target.chapUsers)
        if let user = target.mutualCHAPUser { accounts.insert(user) }
      }
      present.accounts = accounts
      present.passwords = [:]
      // Who may not see secrets is told empty ones.
      for user in present.state.notes.accounts {
        let password = present.state.notes.password(of: user) ?? ""
        if !password.isEmpty { present.passwords[user] = password }
      }
    } catch {
      let failure = TgtFailure(error)
      surroundings.terminal.complain(failure.text)
      throw End(code: failure.code)
    }
    tid = present.state.targets.map { present.state.tid($0.name) }.max() ?? 0
  }
}

/// A command of tgtadm: what is printed, as a shell would take it, and what is done.
struct TgtadmCommand: Equatable {
  var text: String
  var arguments: [String]

  /// Words that a shell would leave as they are.
  init(_ controlPort: String, _ words: String) {
    text = "tgtadm -C \(controlPort) \(words)"
    arguments = ["-C", controlPort] + words.split(separator: " ").map(String.init)
  }

  /// Behind plain words, some that are printed in other ways than they are meant.
  init(_ controlPort: String, _ words: String, _ rest: (text: String, arguments: [String])) {
    self.init(controlPort, words)
    text += " " + rest.text
    arguments += rest.arguments
  }
}
