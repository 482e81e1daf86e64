internal import ArgumentParser
internal import TargetConfig

/// A problem or note in JSON; what is not known is left out.
struct FileFinding: Encodable {
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
  /// Runs `body`; its problems end the command with `code`.
  static func orExit<Value>(
    _ code: ExitCode, _ body: () throws(ConfigurationError) -> Value
  ) throws -> Value {
    do throws(ConfigurationError) { return try body() } catch {
      var refusal = Refusal(code)
      refusal.sentences = error.problems.map(\.description)
      throw refusal
    }
  }
}
