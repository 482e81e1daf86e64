internal import AdministrationModel
internal import BackingStore
internal import Reactor
internal import TargetConfig

// What other layers refuse, as the API says it.

extension AdministrationError {
  /// Of the file, which somebody has open in an editor: each problem begins with its line. It is
  /// not valid, whichever way.
  init(_ error: ConfigurationError, in file: ConfigurationFile) {
    guard !file.isMissing else {
      self = .missing(file, code: .invalid)
      return
    }
    self.init(
      .invalid, error.problems.map(\.description).joined(separator: "; "),
      remedy: "mend it; swift-tgtadm config check \(FilePath.shellQuoted(file.path)) tells when it"
        + " is good")
  }

  init(_ error: StoreError, of store: TargetConfiguration.Store) {
    self.init(.storeFailed, "\(error)", path: store.mediumPath)
    if case .endangered(let danger) = error.reason { remedy = danger.remedy }
  }

  init(_ error: SocketError, at path: String) {
    let code: Code = error.error == .addressInUse ? .conflict : .invalid
    self.init(code, "\(error)", path: path)
  }

  /// Of making units or sockets.
  init(_ error: DaemonError) {
    let code: Code =
      switch error.status {
      case .configuration: .conflict
      case .unavailable: .invalid
      case .systemError, .inputOutput, .temporaryFailure: .unavailable
      case .orderly, .failure: .internal
      }
    self.init(code, error.sentences.joined(separator: "; "))
  }

  init(_ error: ConfigurationFile.WriteError, _ file: ConfigurationFile) {
    switch error {
    case .changed: self = .fileChanged(file)
    case .missing: self = .missing(file)
    case .unreadable(let reason):
      self.init(
        .fileFailed, "the configuration file \(file.name) cannot be read: \(reason)",
        remedy: "see to it, or change what runs alone: --runtime-only")
    case .unchanged(let cause):
      self.init(
        .fileFailed, "the configuration file \(file.name) cannot be written: \(cause)",
        remedy: cause == .noSpace || cause == .quotaExceeded
          ? "make room there, or change what runs alone: --runtime-only"
          : "see to its directory, or change what runs alone: --runtime-only")
    case .uncertain(let cause):
      self.init(
        .unanswered,
        "whether the configuration file \(file.name) was written is not certain: \(cause)",
        remedy: "see to the file system it is on, then swift-tgtadm config diff")
    }
  }

  static func missing(
    _ file: ConfigurationFile, code: Code = .fileFailed
  ) -> AdministrationError {
    AdministrationError(
      code, "the configuration file \(file.name) is gone",
      remedy: "put it back, or swift-tgtadm config save --force writes what runs; --runtime-only "
        + "does without")
  }

  static func silent(_ file: ConfigurationFile) -> AdministrationError {
    AdministrationError(
      .fileFailed, "the configuration file \(file.name), or a secret's, does not answer",
      remedy: "see what the kernel says of its disk: dmesg -T | tail; changes with --runtime-only"
        + " do without the file")
  }

  static let silentSecret = AdministrationError(
    .fileFailed, "a file with a secret does not answer, and no change can be judged without it",
    remedy: "see what the kernel says of its disk: dmesg -T | tail")

  static let silentCredentials = AdministrationError(
    .fileFailed, "the certificate, key or tokens of the API do not answer", path: "admin.listener",
    remedy: "see what the kernel says of their disk: dmesg -T | tail")

  static func fileChanged(_ file: ConfigurationFile) -> AdministrationError {
    AdministrationError(
      .fileChanged, "\(file.name) was changed by hand since it was read",
      remedy:
        "swift-tgtadm config reload brings what runs to what it says; --runtime-only leaves the "
        + "file alone, and swift-tgtadm config save --force writes what runs over it")
  }

  /// Into what is not valid.
  static func fileChanged(
    _ file: ConfigurationFile, problem: ConfigurationProblem?
  ) -> AdministrationError {
    AdministrationError(
      .fileChanged,
      "\(file.name) was changed by hand since it was read, and is not valid"
        + (problem.map { ": \($0)" } ?? ""),
      remedy:
        "mend it; swift-tgtadm config check \(FilePath.shellQuoted(file.path)) tells when it is "
        + "good, then swift-tgtadm config reload; --runtime-only leaves the file alone, and "
        + "swift-tgtadm config save --force keeps that text as FILE.rejected-TIME and writes what "
        + "runs")
  }

  /// The reactors have more to do than to answer.
  static let tooBusy: AdministrationError = tooBusy(at: nil)

  static func tooBusy(at path: String?) -> AdministrationError {
    AdministrationError(
      .unavailable, "the daemon has too much to do to answer in time", path: path,
      remedy: "try again")
  }
}

extension Difference {
  init(_ change: ConfigurationChange) {
    let kind: Kind =
      switch change.kind {
      case .added: .added
      case .removed: .removed
      case .changed: .changed
      }
    let application: Application =
      switch change.application {
      case .live: .live
      case .reopen: .reopen
      case .restart: .restart
      }
    self.init(kind, change.path, old: change.old, new: change.new, application: application)
  }
}
