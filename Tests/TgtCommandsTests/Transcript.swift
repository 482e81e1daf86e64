import Foundation

/// Commands and what tgt answered to them: see Golden/README.
struct Transcript {
  struct Exchange: Equatable {
    var command: String
    var output: [String] = []
    var errors: [String] = []
    var code: Int32 = 0
  }

  enum Step {
    case exchange(Exchange)
    case session
    case down
  }

  static let names = [
    "targets", "access", "units", "accounts", "parameters", "offline", "portals", "sessions",
    "arguments",
  ]

  var steps: [Step] = []

  init(_ name: String) throws {
    let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let text = try String(
      contentsOf: directory.appending(path: "Golden/\(name).txt"), encoding: .utf8)
    var exchange: Exchange?
    for line in text.split(separator: "\n").map(String.init) {
      let rest = String(line.dropFirst(2))
      switch line.prefix(2) {
      case "$ ": exchange = Exchange(command: rest)
      case "1|": exchange?.output.append(String(rest.dropLast()))
      case "2|": exchange?.errors.append(String(rest.dropLast()))
      case "! ": steps.append(rest == "session" ? .session : .down)
      default:
        guard line.hasPrefix("? "), var done = exchange else { continue }
        done.code = Int32(rest) ?? -1
        steps.append(.exchange(done))
      }
    }
  }
}

extension String {
  /// Without the last, empty one.
  var lines: [String] {
    isEmpty
      ? []
      : (hasSuffix("\n") ? String(dropLast()) : self)
        .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }
}
