internal import AdministrationModel
internal import ArgumentParser

/// Options of every command that speaks with the daemon, before the command's name or behind it:
/// the program itself has them, and ArgumentParser hands on what it has read.
struct GlobalOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The daemon's socket; else SWIFT_TGTD_SOCKET, else /run/swift-tgtd/admin.sock.",
      valueName: "path"))
  var socket: String?

  @OptionGroup var output: OutputOptions

  /// All of the above as they are written, for who looks for the command's name behind them.
  static let optionWithValue = "--socket"
  static let flag = "--json"

  func validate() throws {
    guard socket != "" else {
      throw ValidationError("--socket is empty: give a path, or leave it out")
    }
  }

  var json: Bool { output.json }
}

/// Options of every command that has something to say.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Write JSON.")
  var json = false
}

/// How a change is made.
struct ChangeFlags: ParsableArguments {
  @Flag(help: "Leave the configuration file as it is: the next start forgets the change.")
  var runtimeOnly = false

  @Flag(help: "Say what would happen, and do nothing.")
  var dryRun = false

  var options: ChangeOptions { ChangeOptions(runtimeOnly: runtimeOnly, dryRun: dryRun) }
}

/// How something is taken away.
struct RemovalFlags: ParsableArguments {
  @OptionGroup var change: ChangeFlags

  @Flag(help: "Take it from whoever uses it; I/O that runs ends first.")
  var force = false

  var options: ChangeOptions {
    var options = change.options
    options.force = force
    return options
  }
}

/// How a size is changed: what is taken away is data.
struct ResizeFlags: ParsableArguments {
  @OptionGroup var change: ChangeFlags

  @Flag(help: "Also to a smaller size, which cuts off the data past it, in use or not.")
  var force = false

  var options: ChangeOptions {
    var options = change.options
    options.force = force
    return options
  }
}

/// How access is changed: it counts from the next login on.
struct AccessFlags: ParsableArguments {
  @OptionGroup var change: ChangeFlags

  @Flag(help: "End sessions that may no longer be, at once.")
  var now = false

  var options: ChangeOptions {
    var options = change.options
    options.now = now
    return options
  }
}

/// A command that speaks with the daemon.
protocol DaemonCommand: AsyncParsableCommand, WritesJSON {
  var global: GlobalOptions { get }
  func run(_ daemon: any Daemon, _ console: any Console) async throws
}

extension DaemonCommand {
  var writesJSON: Bool { global.json }

  mutating func run() async throws {
    let invocation = Invocation.current
    try await run(invocation.daemon(global), invocation.console)
  }
}

/// A command that makes changes and tells what came of them.
protocol ChangeCommand: DaemonCommand {
  var changes: [Change] { get throws }
  var options: ChangeOptions { get }
  /// What else the command could do where something stands in the way and the daemon says no more.
  var remedyOfConflict: String? { get }
  /// What was done, for people.
  func report(_ result: ChangeResult) -> String
}

extension ChangeCommand {
  var remedyOfConflict: String? { nil }

  func run(_ daemon: any Daemon, _ console: any Console) async throws {
    let request = ChangeRequest(try changes, options)
    let result = try await daemon.change(request, remedyOfConflict: remedyOfConflict)
    try console.show(result, dryRun: options.dryRun, asJSON: global.json, report(result))
  }
}

extension Administrator {
  func change(
    _ request: ChangeRequest, remedyOfConflict: String?
  ) async throws(AdministrationError) -> ChangeResult {
    do throws(AdministrationError) { return try await change(request) } catch {
      var error = error
      if error.code == .conflict, error.remedy == nil { error.remedy = remedyOfConflict }
      throw error
    }
  }
}

extension Console {
  func show(
    _ result: ChangeResult, dryRun: Bool, asJSON: Bool, _ report: @autoclosure () -> String
  ) throws {
    if asJSON {
      try writeJSON(result)
      return
    }
    let text = dryRun ? "" : report()
    complain(result.warnings.filter { !Hints.isTold($0, in: text) }.map { "warning: \($0)" })
    let losses = LossText.lines(result, isDone: !dryRun)
    guard dryRun else {
      write(text + losses)
      return
    }
    write(
      result.differences.isEmpty
        ? "Nothing would change.\n"
        : "Nothing was done; it would change:\n" + DifferenceText.lines(result) + losses)
  }
}
