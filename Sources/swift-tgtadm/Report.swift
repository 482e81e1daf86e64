internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import TargetConfig

/// The numbers of sysexits.h that commands end with, as swift-tgtd does.
extension ExitCode {
  /// A file to import is not what it should be.
  static let data = ExitCode(65)
  /// A file to import cannot be read.
  static let noInput = ExitCode(66)
  /// The output cannot be created.
  static let cannotCreate = ExitCode(73)
  /// A configuration is wrong.
  static let configurationError = ExitCode(78)
}

/// A problem or note in JSON; what is not known is left out.
struct Finding: Encodable {
  var file: String
  var line: Int?
  var path: String?
  var message: String

  init(_ problem: ConfigurationProblem) {
    file = problem.file
    line = problem.line
    path = problem.path.isEmpty ? nil : problem.path
    message = problem.sentence
  }

  init(_ note: ImportNote) {
    file = note.file
    line = note.line
    message = note.sentence
  }
}

enum Report {
  /// Sorted and indented, so that it reads and compares well.
  static func json(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  /// One line each on standard error.
  static func complain(_ lines: [String]) {
    for line in lines {
      let bytes = Array("swift-tgtadm: \(printable(line))\n".utf8)
      unsafe _ = write(STDERR_FILENO, bytes, bytes.count)
    }
  }

  /// Runs `body`; its problems are told and end the command with `code`.
  static func orExit<Value>(
    _ code: ExitCode, _ body: () throws(ConfigurationError) -> Value
  ) throws -> Value {
    do throws(ConfigurationError) { return try body() } catch {
      complain(error.problems.map(\.description))
      throw code
    }
  }

  /// Names come from files: what steers a terminal is shown, not sent.
  private static func printable(_ line: String) -> String {
    var out = String.UnicodeScalarView()
    for scalar in line.unicodeScalars {
      if scalar.properties.generalCategory == .control {
        out.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      } else {
        out.append(scalar)
      }
    }
    return String(out)
  }
}
