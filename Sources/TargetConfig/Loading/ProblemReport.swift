/// Collects problems while a file is read, so that one run shows them all.
struct ProblemReport {
  /// More than anybody reads; the rest is counted.
  static let shownMax = 100

  let file: String
  private(set) var errors: [ConfigurationProblem] = []
  private(set) var warnings: [ConfigurationProblem] = []
  /// Paths whose own value is wrong: what else follows from such a value is noise.
  private var judgedPaths: Set<String> = []

  init(file: String) { self.file = file }

  mutating func error(
    _ node: DocumentNode, _ sentence: String, _ kind: ConfigurationProblem.Kind = .invalid
  ) {
    guard !judgedPaths.contains(node.path) else { return }
    errors.append(problem(kind, node, sentence))
  }

  /// From here on a path that has an error gets no second one.
  mutating func beginCrossChecks() { judgedPaths = Set(errors.map(\.path)) }

  mutating func warning(_ node: DocumentNode, _ sentence: String) {
    warnings.append(problem(.invalid, node, sentence))
  }

  private func problem(
    _ kind: ConfigurationProblem.Kind, _ node: DocumentNode, _ sentence: String
  ) -> ConfigurationProblem {
    ConfigurationProblem(kind, file: file, line: node.line, path: node.path, sentence: sentence)
  }

  /// By line; problems of one line stay in the order they were found.
  static func ordered(_ problems: [ConfigurationProblem]) -> [ConfigurationProblem] {
    let sorted = problems.enumerated().sorted {
      ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset)
    }.map(\.element)
    guard sorted.count > shownMax, let file = sorted.first?.file else { return sorted }
    let rest = ConfigurationProblem(
      file: file, sentence: "and \(sorted.count - shownMax) more problems")
    return Array(sorted.prefix(shownMax)) + [rest]
  }
}
