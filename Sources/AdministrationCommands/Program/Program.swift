internal import AdministrationModel
internal import ArgumentParser
internal import CommandSupport
internal import TargetConfig

/// The program `swift-tgtadm`.
public enum Program {
  public static let name = "swift-tgtadm"

  /// Runs the command that `arguments` (without the program's own name) ask for.
  public static func main(
    _ arguments: [String], environment: [String: String]
  ) async -> Int32 {
    let console = SystemConsole(environment: environment)
    return await run(
      arguments, in: Invocation(console: console, environment: environment))
  }

  static func run(_ arguments: [String], in invocation: Invocation) async -> Int32 {
    var writesJSON = false
    do {
      try await Invocation.$current.withValue(invocation) {
        var command = try SwiftTgtadm.parseAsRoot(arguments)
        writesJSON = (command as? any WritesJSON)?.writesJSON ?? false
        if var command = command as? any AsyncParsableCommand {
          try await command.run()
        } else {
          try command.run()
        }
      }
      return ExitCode.success.rawValue
    } catch {
      return end(
        with: error, writesJSON: writesJSON, invocation.console,
        unknownCommand: unknownCommand(in: arguments))
    }
  }

  private static func end(
    with error: any Error, writesJSON: Bool, _ console: any Console, unknownCommand: String?
  ) -> Int32 {
    switch error {
    case let error as AdministrationError:
      console.complain(error, asJSON: writesJSON)
      return ExitCode(error.code).rawValue
    case let error as Refusal:
      console.complain(error.sentences)
      return error.code.rawValue
    default:
      let code = SwiftTgtadm.exitCode(for: error)
      let message = SwiftTgtadm.fullMessage(for: error)
      if code.isSuccess, !message.isEmpty {
        console.writeLine(message)
      } else if !message.isEmpty {
        console.complain(usage(message, unknownCommand) + "\n")
      }
      return code.rawValue
    }
  }

  /// ArgumentParser's text, under the name that all complaints have, and safe to look at.
  private static func usage(_ message: String, _ unknownCommand: String?) -> String {
    let start = "Error: "
    let text = message.hasPrefix(start) ? "\(name): " + message.dropFirst(start.count) : message
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { String($0).printable }
    if let unknownCommand { lines[0] = "\(name): " + unknownCommand.printable }
    return lines.joined(separator: "\n")
  }

  /// ArgumentParser calls a word that is no command an unexpected argument, and names no other.
  private static func unknownCommand(in arguments: [String]) -> String? {
    var command: any ParsableCommand.Type = SwiftTgtadm.self
    var words = arguments[...]
    while let word = words.popFirst() {
      if word.hasPrefix("-") {
        let option = GlobalOptions.optionWithValue
        if word == option {
          _ = words.popFirst()
        } else if word != GlobalOptions.flag, !word.hasPrefix(option + "=") {
          return nil
        }
        continue
      }
      let commands = command.configuration.subcommands
      guard !commands.isEmpty, word != "help" else { return nil }
      guard let next = commands.first(where: { $0._commandName == word }) else {
        let shown = commands.filter { $0.configuration.shouldDisplay }
        return Absence.sentence("command", word, of: shown.map { $0._commandName })
      }
      command = next
    }
    return nil
  }
}

/// A command that can be told to write JSON.
protocol WritesJSON {
  var writesJSON: Bool { get }
}
