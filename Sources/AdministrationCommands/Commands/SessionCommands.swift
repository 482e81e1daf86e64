internal import AdministrationModel
internal import ArgumentParser
internal import CommandSupport

struct SessionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "session", abstract: "Sessions: initiators that are logged in.",
    subcommands: [List.self, Show.self, Logout.self, Kill.self])
}

extension SessionCommand {
  struct List: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists sessions.",
      discussion: """
        EXAMPLES
          swift-tgtadm session list
          swift-tgtadm session list --target iqn.2026-11.com.example:disk1

        \(ExitCode.lookingHelp)
        """)

    @Option(help: ArgumentHelp("With this target; else with all.", valueName: "iqn"))
    var target: String?

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      var sessions = try await daemon.sessions(id: nil)
      if let target {
        // By the daemon's rules for names, and an error where there is none of that name.
        let name = try await daemon.target(target).name
        sessions.removeAll { $0.target != name }
      }
      if global.json {
        try console.writeJSON(sessions)
      } else {
        console.write(Lists.sessions(sessions).text(orElse: "no sessions", on: console))
      }
    }
  }

  struct Show: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows a session and its connections.",
      discussion: """
        EXAMPLES
          swift-tgtadm session show 3

        \(ExitCode.lookingHelp)
        """)

    @Argument(help: "Its number, as session list has it.")
    var id: UInt64

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let session = try await daemon.session(id)
      if global.json {
        try console.writeJSON(session)
      } else {
        console.write(Descriptions.session(session))
      }
    }
  }

  struct Logout: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Asks the initiator to log out (RFC 7143 asynchronous event 1).",
      discussion: """
        open-iscsi does, and logs in again. It may be somewhere else then, or refused by the access \
        list.

        EXAMPLES
          swift-tgtadm session logout 3

        \(ExitCode.help)
        """)

    @Argument(help: "Its number, as session list has it.")
    var id: UInt64

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      try await daemon.endSession(id, by: .logout)
      try console.confirm("session \(id) was asked to log out", asJSON: global.json)
    }
  }

  struct Kill: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Closes the connections of a session.",
      discussion: """
        The initiator may log in again at once: swift-tgtadm acl remove --now keeps it out.

        EXAMPLES
          swift-tgtadm session kill 3

        \(ExitCode.help)
        """)

    @Argument(help: "Its number, as session list has it.")
    var id: UInt64

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      try await daemon.endSession(id, by: .kill)
      try console.confirm(
        "session \(id) ended; the node may log in again: "
          + "swift-tgtadm acl remove --now keeps it out",
        asJSON: global.json)
    }
  }
}

extension Console {
  /// What was done, or why there was nothing to do, where the daemon has nothing to say of it.
  func confirm(_ sentence: String, isDone: Bool = true, asJSON: Bool) throws {
    guard asJSON else {
      writeLine(sentence.printable)
      return
    }
    try writeJSON(ChangeResult(warnings: isDone ? [] : [sentence]))
  }
}
