internal import AdministrationModel
internal import ArgumentParser

struct ReservationCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reservation",
    abstract: "Reservations: who keeps others from writing (SPC-4 §5.13).",
    subcommands: [List.self, Show.self, Clear.self])
}

extension ReservationCommand {
  struct List: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists stores where somebody is registered or holds a reservation.",
      discussion: """
        Also stores that are offline because what is on record of their reservations is damaged.

        EXAMPLES
          swift-tgtadm reservation list

        \(ExitCode.lookingHelp)
        """)

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let reservations = try await daemon.reservations(store: nil)
      if global.json {
        try console.writeJSON(reservations)
      } else {
        console.write(
          Lists.reservations(reservations).text(orElse: "no registrations", on: console))
      }
      try reservations.requireKnown()
    }
  }

  struct Show: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows who is registered with a store, and who holds it.",
      discussion: """
        EXAMPLES
          swift-tgtadm reservation show quorum

        \(ExitCode.lookingHelp)
        """)

    @Argument(help: "The store.")
    var store: String

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let resource = try await daemon.reservation(of: store)
      if global.json {
        try console.writeJSON(resource)
      } else {
        console.write(Descriptions.reservation(resource, on: console))
      }
      try [resource].requireKnown()
    }
  }

  struct Clear: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Clears all registrations and the reservation of a store.",
      discussion: """
        It opens the disk to nodes that were fenced. It asks, unless --yes, and without a terminal \
        it needs --yes.

        EXAMPLES
          swift-tgtadm reservation clear quorum
          swift-tgtadm reservation clear quorum --yes

        \(ExitCode.help)
        """)

    @Argument(help: "The store.")
    var store: String

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @OptionGroup var global: GlobalOptions

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      let resource = try await daemon.reservation(of: store)
      guard !resource.isEmpty else {
        try console.confirm(
          "nothing to clear: nobody is registered with \(store)", isDone: false,
          asJSON: global.json)
        return
      }
      guard yes || console.canAsk else {
        throw Refusal(.usage, "clearing asks first, and there is no terminal: give --yes")
      }
      if !yes { try ask(about: resource, console) }
      try await daemon.clearReservations(store: store)
      try console.confirm("reservations of \(store) cleared", asJSON: global.json)
    }

    private func ask(about resource: ReservationResource, _ console: any Console) throws {
      console.complain(Descriptions.reservation(resource, on: console))
      console.complain(["this opens \(store) to nodes that were fenced"])
      guard console.confirms("Clear all of it?") else {
        throw Refusal(.failure, "given up: nothing was changed")
      }
    }
  }
}

extension [ReservationResource] {
  /// Nobody shall take for free what is merely not known.
  fileprivate func requireKnown() throws(Refusal) {
    let problems = compactMap(\.problem)
    guard problems.isEmpty else { throw Refusal(sentences: problems) }
  }
}
