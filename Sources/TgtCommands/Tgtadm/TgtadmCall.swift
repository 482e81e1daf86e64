internal import AdministrationModel
internal import CommandSupport

/// One request to the daemon. Its parts for each mode are in extensions.
struct TgtadmCall: Sendable {
  let request: TgtadmRequest
  let daemon: any Administrator
  let terminal: any Terminal
  let files: any FileProbe

  func perform(
    _ operation: TgtadmRequest.Operation, _ mode: TgtadmRequest.Mode
  ) async throws(TgtFailure) {
    switch mode {
    case .system: try await performSystem(operation)
    case .lld: try await performDriver(operation)
    case .portal: try await performPortal(operation)
    case .account: try await performAccount(operation)
    case .session: try await performSession(operation)
    case .connection: try await performConnection(operation)
    case .target:
      try checkDriver()
      try await performTarget(operation)
    case .logicalunit:
      try checkDriver()
      try await performLogicalUnit(operation)
    }
  }

  /// There is one, and where it is not named it is meant.
  func checkDriver() throws(TgtFailure) {
    guard request.lld == nil || request.lld == "iscsi" else { throw .noDriver }
  }

  // MARK: The daemon

  func state() async throws(TgtFailure) -> TgtState {
    try await asking { daemon throws(AdministrationError) in try await TgtState.read(daemon) }
  }

  func sessions() async throws(TgtFailure) -> [SessionResource] {
    try await asking { daemon throws(AdministrationError) in try await daemon.sessions(id: nil) }
  }

  func asking<Answer: Sendable>(
    _ body: (any Administrator) async throws(AdministrationError) -> Answer
  ) async throws(TgtFailure) -> Answer {
    do throws(AdministrationError) {
      return try await body(daemon)
    } catch {
      throw TgtFailure(error)
    }
  }

  /// All of them or none; for as long as the daemon runs. `conflict` is only about what has
  /// `conflictPlace` in its path, where that is given.
  func change(
    _ changes: [Change], force: Bool = false, conflict: TgtFailure? = nil,
    conflictPlace: String? = nil, inUse: TgtFailure? = nil
  ) async throws(TgtFailure) {
    guard !changes.isEmpty else { return }
    do throws(AdministrationError) {
      let options = ChangeOptions(force: force, runtimeOnly: true)
      _ = try await daemon.change(ChangeRequest(changes, options))
    } catch {
      let isThere = conflictPlace.map { error.path?.contains($0) ?? false } ?? true
      throw TgtFailure(error, conflict: isThere ? conflict : nil, inUse: inUse)
    }
  }

  /// Something was taken that has no meaning here.
  func remark(_ sentence: String) {
    terminal.complain("tgtadm: note: \(sentence.printable)\n")
  }
}
