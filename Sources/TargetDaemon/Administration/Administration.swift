internal import AdministrationModel
internal import AdministrationServer
internal import ConfigurationChanges
internal import Logging
internal import Synchronization
internal import TargetConfig

/// What runs, and everything that administrators can see and change of it, whoever asks.
///
/// Changes are made one after another on the daemon's thread for them. Whoever reads gets what was
/// committed last, and waits for no change.
final class Administration: Sendable {
  struct State: Sendable {
    var running: RunningConfiguration
    /// Small numbers of targets, which are never given again.
    var targetNumbers: [String: UInt32] = [:]
    var notes = Notebook()
    var isStopping = false

    mutating func dropNotesOfGoneTargets() {
      guard notes.count > 0 else { return }
      notes.keep(targets: Set(running.current.configuration.targets.map(\.name)))
    }
  }

  let daemon: Daemon
  /// nil: there is none.
  let file: ConfigurationFile?
  let startedAt = Timestamp.current
  let logger: Logger
  /// For the configuration file and the secrets that it names: where the media of stores hang,
  /// however many, changes are made all the same.
  let fileMedia: MediaThreads
  let watch: StoreWatch
  let fileWatch: ConfigurationFileWatch
  /// What is read anew with the configuration besides it.
  let credentials = RenewableCredentials()
  private let state: Mutex<State>
  private let onLevel: @Sendable (TargetConfiguration.LogLevel) -> Void

  /// `onLevel` hears of each other `logLevel`.
  init(
    _ daemon: Daemon, _ loaded: LoadedConfiguration, file: ConfigurationFile?, logger: Logger,
    onLevel: @escaping @Sendable (TargetConfiguration.LogLevel) -> Void = { _ in }
  ) {
    self.daemon = daemon
    fileMedia = daemon.workshop.media.others()
    watch = StoreWatch(daemon.workshop.media)
    self.file = file
    fileWatch = ConfigurationFileWatch(of: file)
    self.logger = logger
    self.onLevel = onLevel
    state = Mutex(State(running: RunningConfiguration(loaded)))
    numberTargets()
  }

  var running: RunningConfiguration { state.withLock { $0.running } }
  var configuration: TargetConfiguration { running.current.configuration }
  var isStopping: Bool { state.withLock { $0.isStopping } }

  func noteStop() { state.withLock { $0.isStopping = true } }

  /// The number of each target, by name.
  var targetNumbers: [String: UInt32] { state.withLock { $0.targetNumbers } }

  /// What programs noted.
  var notes: Notebook { state.withLock { $0.notes } }

  /// In turn.
  func commit(_ notes: Notebook) {
    state.withLock { state in
      state.notes = notes
      state.dropNotesOfGoneTargets()
    }
  }

  // MARK: Changes

  /// Runs `body` when all changes before it are made, on the thread for changes.
  func inTurn<Result: Sendable>(
    _ body: @escaping @Sendable () throws(AdministrationError) -> Result
  ) async throws(AdministrationError) -> Result {
    let result: Swift.Result<Result, AdministrationError> = await withCheckedContinuation {
      continuation in
      let isAccepted =
        !isStopping
        && daemon.changes.perform {
          continuation.resume(returning: Swift.Result(catching: body))
        }
      guard !isAccepted else { return }
      continuation.resume(
        returning: .failure(
          AdministrationError(
            .unavailable, isStopping ? "the daemon stops" : "too many changes wait")))
    }
    return try result.get()
  }

  /// Makes a change that is worked out. In turn.
  func carryOut(
    _ change: RunningConfiguration.Change, from running: RunningConfiguration,
    _ options: ChangeOptions, awaitsMedia: Bool = false
  ) throws(AdministrationError) -> ChangeResult {
    var change = change
    // An identity that is written down for a store that has it already is no difference.
    if change.difference.changes.contains(where: \.isOfIdentity) {
      change.difference = daemon.workshop.difference(
        from: running.current.configuration, to: change.running.configuration)
    }
    let transaction = Transaction(
      daemon: daemon, file: options.runtimeOnly ? nil : file, fileMedia: fileMedia,
      running: running, change: change, options: options, awaitsMedia: awaitsMedia)
    fileWatch.expect(options.runtimeOnly ? nil : change.file?.text)
    defer { fileWatch.expect(nil) }
    let outcome = try transaction.carryOut()
    var result = ChangeResult(
      differences: change.difference.changes.map { Difference($0) }, warnings: outcome.warnings,
      savedTo: outcome.isSaved ? file?.path : nil)
    result.users = outcome.interruption.users?.map(\.sentence)
    result.reservations = outcome.interruption.reservations.orNil
    guard !options.dryRun else { return result }
    commit(change, from: running)
    tell(of: change.difference)
    for warning in outcome.warnings { logger.warning("\(warning)") }
    return result
  }

  func commit(_ change: RunningConfiguration.Change, from running: RunningConfiguration) {
    var running = running
    running.commit(change)
    let committed = running
    state.withLock { state in
      state.running = committed
      state.dropNotesOfGoneTargets()
    }
    numberTargets()
    onLevel(committed.current.configuration.logLevel)
  }

  private func numberTargets() {
    state.withLock { state in
      for target in state.running.current.configuration.targets
      where state.targetNumbers[target.name] == nil {
        state.targetNumbers[target.name] = UInt32(state.targetNumbers.count + 1)
      }
    }
  }

  private func tell(of difference: ConfigurationDifference) {
    guard let first = difference.changes.first else { return }
    let shown = difference.changes.prefix(3).map { "\($0.kind.rawValue) \($0.path)" }
    let rest = difference.changes.count - shown.count
    let sentence = shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    logger.notice("the configuration changed", metadata: ["changes": "\(sentence)"])
    daemon.events.publish(
      Event(
        .configurationChanged, sentence, target: first.subject.target, store: first.subject.store))
  }
}

extension ConfigurationChange.Subject {
  fileprivate var store: String? { if case .store(let name) = self { name } else { nil } }

  fileprivate var target: String? {
    switch self {
    case .target(let name), .lun(_, let name), .entry(_, let name), .entryLUN(_, _, let name): name
    case .user(_, let place), .mutualUser(let place):
      switch place {
      case .target(let name), .entry(_, let name): name
      case .discovery: nil
      }
    case .daemon, .limits, .negotiation, .portal, .store: nil
    }
  }
}

extension ConfigurationChange {
  fileprivate var isOfIdentity: Bool { path.hasSuffix(".naa") || path.hasSuffix(".serial") }
}
