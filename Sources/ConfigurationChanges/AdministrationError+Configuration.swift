public import AdministrationModel
public import TargetConfig

// What the configuration refuses, as the API says it.

extension AdministrationError {
  public init(_ refusal: ConfigurationRefusal) {
    switch refusal {
    case .edit(let error): self.init(error)
    case .invalid(let error): self.init(error)
    case .onlyRunning(let inner):
      self.init(inner)
      code = .conflict
      message = "the file differs from what runs, and cannot be changed in the same way: \(message)"
      remedy =
        "swift-tgtadm config diff shows it; then swift-tgtadm config save --force or swift-tgtadm "
        + "config reload, or --runtime-only"
    }
  }

  public init(_ error: ConfigurationEditError) {
    let code: Code =
      switch error.kind {
      case .notFound: .notFound
      case .conflict: .conflict
      case .unreadable, .invalid: .invalid
      case .inconsistent: .internal
      }
    self.init(
      code, error.sentence, path: error.path.isEmpty ? nil : error.path, remedy: error.remedy)
  }

  /// Of a text that was edited here, where nobody counts lines: all that is wrong, of which the
  /// first thing decides what kind of error it is.
  public init(_ error: ConfigurationError) {
    let first = error.problems.first
    self.init(first?.code ?? .invalid, "", path: first.flatMap { $0.path.isEmpty ? nil : $0.path })
    let others = error.problems.dropFirst().map { problem in
      problem.path.isEmpty ? problem.sentence : "\(problem.path): \(problem.sentence)"
    }
    message = ([first?.sentence ?? "the configuration is not valid"] + others)
      .joined(separator: "; ")
  }

  public init(_ problems: [ConfigurationProblem]) { self.init(ConfigurationError(problems)) }

  /// With targets, LUNs, entries and users by name: who wrote a command does not count lists.
  public func naming(placesIn text: ConfigurationText) -> AdministrationError {
    var named = self
    named.message = text.naming(placesIn: message)
    named.path = path.map { text.naming(placesIn: $0) }
    return named
  }
}

extension ConfigurationProblem {
  /// What kind of error of a request it is.
  public var code: AdministrationError.Code {
    switch kind {
    case .invalid, .unreadable: .invalid
    case .conflict: .conflict
    }
  }
}
