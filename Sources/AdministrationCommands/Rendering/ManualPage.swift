internal import FoundationEssentials

/// The manual page, in man(7), out of what ArgumentParser knows of the commands: both say the same.
/// ArgumentParser's own plugin makes one, too, but on the machine that builds; this program brings
/// its page along. The dump may change with a release of ArgumentParser: what is missing of it then
/// is missing of the page, and a test wants every command in it.
struct ManualPage {
  /// What `--experimental-dump-help` writes, as far as it matters here.
  private struct Dump: Decodable {
    var command: Command
  }

  private struct Command: Decodable {
    var commandName: String
    var abstract: String?
    var discussion: String?
    var shouldDisplay: Bool?
    var subcommands: [Command]?
    var arguments: [Argument]?

    /// Without ArgumentParser's own command.
    var children: [Command] {
      (subcommands ?? []).filter { $0.commandName != "help" && $0.shouldDisplay != false }
    }
  }

  private struct Argument: Decodable {
    struct Name: Decodable {
      var kind: String
      var name: String

      var text: String { (kind == "long" ? "--" : "-") + name }
    }

    var kind: String
    var shouldDisplay: Bool
    var isOptional: Bool
    var isRepeating: Bool
    var names: [Name]?
    var valueName: String?
    var abstract: String?
    var defaultValue: String?
    var allValues: [String]?
  }

  private var lines: [String] = []

  /// nil where the dump is none.
  static func text(dump: String) -> String? {
    guard let root = try? JSONDecoder().decode(Dump.self, from: Data(dump.utf8)).command else {
      return nil
    }
    var page = ManualPage()
    page.write(root)
    return page.lines.joined(separator: "\n") + "\n"
  }

  private mutating func write(_ root: Command) {
    let name = root.commandName
    lines.append(".TH \(name.uppercased()) 8 \"\" swift-tgtd \"System administration\"")
    lines.append(".SH NAME")
    lines.append(Self.escaped("\(name) - \(root.abstract ?? "")"))
    lines.append(".SH SYNOPSIS")
    lines.append(".B \(Self.escaped(name))")
    lines.append("\\fIcommand\\fR [\\fIoptions\\fR]")
    lines.append(".SH DESCRIPTION")
    discuss(root.discussion ?? "", heading: ".SH")
    lines.append(".SH OPTIONS")
    lines.append("Of every command, before its name or behind it:")
    for argument in Self.shown(root) { write(argument) }
    lines.append(".SH COMMANDS")
    for child in root.children { write(child, name) }
    lines.append(".SH SEE ALSO")
    lines.append(".BR iscsiadm (8)")
  }

  private mutating func write(_ command: Command, _ above: String) {
    let name = "\(above) \(command.commandName)"
    guard command.children.isEmpty else {
      for child in command.children { write(child, name) }
      return
    }
    let arguments = Self.shown(command)
    let synopsis =
      [name]
      + arguments.filter { !$0.isOptional || $0.kind == "positional" }
      .map(Self.usage)
    lines.append(".SS \"\(Self.escaped(synopsis.joined(separator: " ")))\"")
    lines.append(Self.escaped(command.abstract ?? ""))
    lines.append(".PP")
    discuss(command.discussion ?? "", heading: nil)
    for argument in arguments { write(argument) }
  }

  private static func shown(_ command: Command) -> [Argument] {
    (command.arguments ?? []).filter {
      $0.shouldDisplay && $0.names?.contains { ["help", "version"].contains($0.name) } != true
    }
  }

  private mutating func write(_ argument: Argument) {
    let names = (argument.names ?? []).map(\.text).joined(separator: ", ")
    let value = argument.kind == "flag" ? "" : "<\(argument.valueName ?? "value")>"
    let term = [names, value].filter { !$0.isEmpty }.joined(separator: " ")
    lines.append(".TP")
    lines.append(".B \(Self.escaped(term))")
    var words = argument.abstract ?? ""
    if let values = argument.allValues, !values.isEmpty {
      words += " One of \(values.joined(separator: ", "))."
    }
    if let standard = argument.defaultValue, argument.kind != "flag" {
      words += " Otherwise \(standard)."
    }
    lines.append(Self.escaped(words))
  }

  private static func usage(_ argument: Argument) -> String {
    let value = "<\(argument.valueName ?? "value")>" + (argument.isRepeating ? " ..." : "")
    let text = (argument.names ?? []).first.map { "\($0.text) \(value)" } ?? value
    return argument.isOptional ? "[\(text)]" : text
  }

  // MARK: Text

  /// Paragraphs are filled; what is indented stays as it is; a line in capitals is a heading.
  private mutating func discuss(_ text: String, heading: String?) {
    var isVerbatim = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let isIndented = line.hasPrefix(" ")
      if isIndented != isVerbatim, !line.isEmpty {
        lines.append(isIndented ? ".nf" : ".fi")
        isVerbatim = isIndented
      }
      let isHeading = !line.isEmpty && line.allSatisfy { $0.isUppercase || $0 == " " }
      if isHeading, !isIndented {
        lines.append(heading.map { "\($0) \(line)" } ?? ".PP\n.B \(line)")
      } else {
        lines.append(line.isEmpty ? ".PP" : Self.escaped(String(line)))
      }
    }
    if isVerbatim { lines.append(".fi") }
    lines.append(".PP")
  }

  /// Nothing of it is a request of roff; a hyphen stays one that can be copied into a shell.
  private static func escaped(_ text: String) -> String {
    var out = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": out += "\\e"
      case "-": out += "\\-"
      case "\"": out += "\\(dq"
      case _ where !character.isASCII:
        let digits = String(character.value, radix: 16, uppercase: true)
        out += "\\[u\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)]"
      default: out.unicodeScalars.append(character)
      }
    }
    return out.hasPrefix(".") || out.hasPrefix("'") ? "\\&" + out : out
  }
}
