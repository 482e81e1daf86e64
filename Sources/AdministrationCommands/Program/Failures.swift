internal import AdministrationModel
internal import ArgumentParser
internal import CommandSupport

/// The numbers of sysexits.h that commands end with, as swift-tgtd does. 1 is a no: the daemon
/// refused, configurations differ, something is wrong.
extension ExitCode {
  /// Wrong arguments.
  static let usage = ExitCode(64)
  /// Input is not what it should be.
  static let data = ExitCode(65)
  /// A file cannot be read.
  static let noInput = ExitCode(66)
  /// The daemon cannot be reached, or gave no certain answer.
  static let unavailable = ExitCode(69)
  /// The daemon made a mistake.
  static let software = ExitCode(70)
  /// The output cannot be created.
  static let cannotCreate = ExitCode(73)
  /// The socket is for others.
  static let noPermission = ExitCode(77)
  /// A configuration is wrong.
  static let configurationError = ExitCode(78)

  init(_ code: AdministrationError.Code) {
    self =
      switch code {
      case .unavailable, .unanswered: .unavailable
      case .forbidden, .unauthorized: .noPermission
      case .internal: .software
      default: .failure
      }
  }

  /// For the help of commands that change something through the daemon.
  static let help = codes()
  /// The same of those that only look.
  static let lookingHelp = codes(isChange: false)

  /// The same with those of a command's own, all by their numbers.
  static func codes(
    isChange: Bool = true, also own: (code: ExitCode, words: String)...
  ) -> String {
    let common: [(code: ExitCode, words: String)] = [
      (.success, "done"),
      (.failure, isChange ? "the daemon refused; nothing was changed" : "the daemon refused"),
      (.usage, "wrong arguments"),
      (
        .unavailable,
        isChange
          ? "the daemon cannot be reached, or gave no certain answer: then it may\n      be done"
          : "the daemon cannot be reached, or did not answer"
      ),
      (.software, "the daemon made a mistake"),
      (.noPermission, "no permission to use the socket"),
    ]
    let lines = (common + own).sorted { $0.code.rawValue < $1.code.rawValue }.map { code, words in
      let number = "\(code.rawValue)"
      return "  " + number + String(repeating: " ", count: 4 - number.count) + words
    }
    return (["EXIT CODES"] + lines).joined(separator: "\n")
  }
}

/// What the daemon answers about its file. What has to be mended in the file is told by 78, whether
/// it cannot be read, is not valid, or says what cannot be: 1 is a no of the daemon to what it
/// says, as to what is in use, or a difference.
func aboutFile<Answer: Sendable>(
  _ console: any Console, asJSON: Bool,
  _ body: () async throws(AdministrationError) -> Answer
) async throws -> Answer {
  do throws(AdministrationError) {
    return try await body()
  } catch {
    guard [AdministrationError.Code.invalid, .conflict].contains(error.code) else { throw error }
    console.complain(error, asJSON: asJSON)
    throw ExitCode.configurationError
  }
}

/// Why a command did nothing, found here and not by the daemon.
struct Refusal: Error, Equatable {
  /// One line each; they show no secret.
  var sentences: [String]
  var code: ExitCode

  init(_ code: ExitCode = .failure, _ sentences: String...) {
    self.init(sentences: sentences, code: code)
  }

  init(sentences: [String], code: ExitCode = .failure) {
    self.sentences = sentences
    self.code = code
  }
}

extension Console {
  /// One line each, with the name of the program.
  func complain(_ sentences: [String]) {
    complain(sentences.map { "\(Program.name): \($0.printable)\n" }.joined())
  }

  func complain(_ error: AdministrationError, asJSON: Bool) {
    if asJSON, let text = JSONText.of(ErrorDocument(error)) {
      complain(text + "\n")
      return
    }
    var lines = ["\(Program.name): " + error.headline.printable]
    lines += (error.users ?? []).map { "  " + $0.printable }
    lines += LossText.reservations(error.reservations ?? []).map { "  " + $0 }
    if let remedy = error.remedy { lines.append("  what to do: " + remedy.printable) }
    complain(lines.joined(separator: "\n") + "\n")
  }
}

extension AdministrationError {
  /// The sentence with its place. Of a place in a request the key alone means something to who
  /// wrote a command.
  fileprivate var headline: String {
    guard let path, !path.isEmpty else { return message }
    // Of which collection something is missing, the sentence says.
    if code == .notFound, !path.contains(where: { $0 == "[" || $0 == "." }) { return message }
    let isOfRequest = path.hasPrefix("changes[")
    let place = isOfRequest ? path.split(separator: ".").last.map(String.init) ?? path : path
    return "\(place): \(message)"
  }
}
