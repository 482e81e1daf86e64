internal import AdministrationModel
internal import ArgumentParser
internal import CommandSupport

struct EventsCommand: DaemonCommand {
  static let configuration = CommandConfiguration(
    commandName: "events",
    abstract: "Shows what happens, as it happens, until ^C.",
    discussion: """
      Logins and their end, refused logins with the reason, stores that come and go, or whose files \
      were deleted, renamed, replaced or cut, changes of the configuration and of reservations. With \
      --json one event is one line.

      EXAMPLES
        swift-tgtadm events
        swift-tgtadm events --json --after 0 | jq -r .message

      \(ExitCode.lookingHelp)
      """)

  @Option(
    help: ArgumentHelp("First what came after this event and is remembered.", valueName: "id"))
  var after: UInt64?

  @Option(help: ArgumentHelp("End after so many.", valueName: "number"))
  var count: Int?

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard count.map({ $0 > 0 }) ?? true else { throw ValidationError("--count is at least 1") }
  }

  func run(_ daemon: any Daemon, _ console: any Console) async throws {
    var left = count ?? Int.max
    try await daemon.events(after: after) { (event) throws(AdministrationError) -> Bool in
      guard event.kind != .alive else { return true }
      left -= 1
      return try show(event, console) && left > 0
    }
  }

  private func show(
    _ event: Event, _ console: any Console
  ) throws(AdministrationError) -> Bool {
    guard global.json else { return console.write(Self.line(event)) }
    guard let text = JSONText.of(event, onOneLine: true) else {
      throw AdministrationError(.internal, "an event cannot be written as JSON")
    }
    return console.write(text + "\n")
  }

  static func line(_ event: Event) -> String {
    let time = event.kind == .missed ? "-" : Quantity.time(event.at) ?? "-"
    let kind = event.kind.rawValue.printable
    let padding = String(repeating: " ", count: max(0, 20 - kind.count))
    return "\(time)  \(kind)\(padding)  \(event.message.printable)\n"
  }
}
