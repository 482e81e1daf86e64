internal import AdministrationModel
internal import AdministrationServer
internal import ConfigurationChanges
internal import Logging
internal import Reactor
internal import TargetConfig

// The changes that administrators ask for.
extension Administration {
  func change(_ request: ChangeRequest) async throws(AdministrationError) -> ChangeResult {
    let (result, subjects) = try await inTurn { () throws(AdministrationError) in
      try self.make(request)
    }
    guard !request.options.dryRun else { return result }
    var full = result
    full.outcomes = await outcomes(of: subjects)
    return full
  }

  private func make(
    _ request: ChangeRequest
  ) throws(AdministrationError) -> (ChangeResult, [ChangeSubject]) {
    let writes = writesFile(request.options)
    let running = try writes ? adoptingHandEdits(request.options) : self.running
    let (change, subjects) = try understanding { [self] () throws(AdministrationError) in
      try workOut(request, from: running, writes ? .runningAndFile : .running)
    }
    let notes = try notes.making(request.changes)
    let result = try carryOut(change, from: running, request.options)
    // They cost nothing to keep, and so nothing fails any more.
    if !request.options.dryRun { commit(notes) }
    return (result, subjects)
  }

  /// What `work` makes of a text, for which all secrets are read: from files, perhaps, whose disks
  /// hang. In turn.
  private func understanding<Found: Sendable>(
    _ work: @escaping @Sendable () throws(AdministrationError) -> Found
  ) throws(AdministrationError) -> Found {
    let found = fileMedia.askOfText(at: MediaThreads.secretsPlace) {
      Result { () throws(AdministrationError) in try work() }
    }
    guard let found else { throw .silentSecret }
    return try found.get()
  }

  private func workOut(
    _ request: ChangeRequest, from running: RunningConfiguration,
    _ scope: RunningConfiguration.Scope
  ) throws(AdministrationError) -> (RunningConfiguration.Change, [ChangeSubject]) {
    var subjects: [ChangeSubject] = []
    // As far as the changes came: what a refusal names is found in it.
    var edited = running.current.text
    do throws(ConfigurationRefusal) {
      let change = try running.change(scope) { text throws(ConfigurationEditError) in
        subjects = []
        defer { edited = text }
        try text.make(request.changes) { subjects.append($0) }
      }
      return (change, subjects)
    } catch {
      var refusal = AdministrationError(error).naming(placesIn: edited)
      if error.isOfEdit {
        // Each change that was made has a subject.
        if request.changes.count > 1 { refusal.change = subjects.count }
        refusal.reservations = reservations(toKnowBefore: request.changes.dropFirst(subjects.count))
      }
      throw refusal
    }
  }

  /// What is reserved on a store that was not removed, as LUNs present it: who then removes these,
  /// too, is told before.
  private func reservations(
    toKnowBefore changes: ArraySlice<Change>
  ) -> [ReservationResource]? {
    guard case .removeStore(let store)? = changes.first,
      let unit = daemon.inventory.served(named: store.name)?.unit
    else { return nil }
    return Interruption.reservations(of: [unit]).orNil
  }

  func notes(withSecrets: Bool) async throws(AdministrationError) -> [NoteResource] {
    notes.resources(withSecrets: withSecrets)
  }

  func reload(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult {
    try await inTurn { () throws(AdministrationError) in try self.reloadNow(options) }
  }

  /// In turn. Certificate, key and tokens count whatever becomes of the rest: a token that was
  /// withdrawn must not go on for a mistake elsewhere.
  func reloadNow(_ options: ChangeOptions) throws(AdministrationError) -> ChangeResult {
    let found = findCredentials()
    guard !options.dryRun else { return try reloadConfiguration(options, found.problem) }
    let renewal = credentials.adopt(found)
    if renewal.changesTokens { tellOfTokens(renewal) }
    do throws(AdministrationError) {
      return try reloadConfiguration(options, found.problem)
    } catch {
      guard renewal.changesTokens else { throw error }
      var refusal = error
      refusal.message += "; the tokens that open the API on the network are others all the same"
      throw refusal
    }
  }

  /// On a thread that may hang with the disk of the tokens.
  private func findCredentials() -> RenewableCredentials.Found {
    guard let listener = configuration.admin.listener else { return RenewableCredentials.Found() }
    let place = FilePath.directory(of: listener.tokens)
    let found = fileMedia.askOfText(at: place) { [credentials] in credentials.find() }
    return found ?? RenewableCredentials.Found(problem: .silentCredentials)
  }

  private func tellOfTokens(_ renewal: RenewableCredentials.Outcome) {
    if renewal.leavesNone {
      logger.warning("no token opens the API on the network from now on")
    } else {
      logger.notice("other tokens open the API on the network from now on")
    }
  }

  /// `problem`: of certificate, key or tokens.
  private func reloadConfiguration(
    _ options: ChangeOptions, _ problem: AdministrationError?
  ) throws(AdministrationError) -> ChangeResult {
    let loaded = try loadFileInTurn()
    var running = running
    // What is read now is what the file says, whatever it said before.
    running.note(file: loaded)
    if let problem { throw problem }
    return try carryOut(running.reload(loaded), from: running, options, awaitsMedia: true)
  }

  func save(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult {
    try await inTurn { () throws(AdministrationError) in
      guard let file = self.file else { throw .noFile }
      var running = self.running
      if options.force {
        let understood = try file.inTime(on: self.fileMedia) {
          () throws(AdministrationError) in try self.understood(file)
        }
        guard let loaded = understood else { return try self.rewrite(file, options) }
        running.note(file: loaded)
      }
      let difference = self.daemon.workshop.difference(
        from: running.file.configuration, to: running.current.configuration)
      var result = try self.carryOut(running.save(), from: running, options)
      result.differences = difference.changes.map { Difference($0) }
      return result
    }
  }

  /// nil: the file is gone, or says what nobody understands. One that could not be read, or names
  /// a secret's that could not, may be as good as ever.
  private func understood(
    _ file: ConfigurationFile
  ) throws(AdministrationError) -> LoadedConfiguration? {
    do throws(ConfigurationError) { return try ConfigurationLoader.load(file.name) } catch {
      guard !file.isMissing, error.problems.contains(where: { $0.kind == .unreadable }) else {
        return nil
      }
      throw AdministrationError(
        .fileFailed, error.problems.map(\.description).joined(separator: "; "),
        remedy: "see to what cannot be read; what it says is not written over unread")
    }
  }

  /// Writes what runs where the file is gone, or says what nobody understands. In turn.
  private func rewrite(
    _ file: ConfigurationFile, _ options: ChangeOptions
  ) throws(AdministrationError) -> ChangeResult {
    let running = running
    let text = running.current.text
    let hasSecrets = text.hasSecrets
    let isNew = file.isMissing
    let difference = ConfigurationDifference(
      from: TargetConfiguration(), to: running.current.configuration)
    var result = ChangeResult(
      differences: difference.changes.map { Difference($0) },
      savedTo: options.dryRun ? nil : file.path)
    guard !options.dryRun else {
      let place = FilePath.directory(of: file.path)
      if !isNew { result.warnings = ["\(file.name) is not valid: it would be kept in \(place)"] }
      return result
    }
    do throws(ConfigurationFile.WriteError) {
      if isNew {
        try file.create(text.bytes, hasSecrets: hasSecrets)
      } else {
        let kept = try file.replaceRejected(by: text.bytes, hasSecrets: hasSecrets, at: .current)
        result.warnings = ["\(file.name) is not valid: what it said is kept as \(kept)"]
      }
    } catch {
      throw AdministrationError(error, file)
    }
    commit(running.save(), from: running)
    return result
  }

  func apply(
    _ text: String, _ options: ChangeOptions
  ) async throws(AdministrationError) -> ChangeResult {
    try await inTurn { () throws(AdministrationError) in
      let writes = self.writesFile(options)
      var running = self.running
      if writes, options.force { running.note(file: try self.loadFileInTurn()) }
      let change = try self.understanding {
        [running] () throws(AdministrationError) -> RunningConfiguration.Change in
        do throws(ConfigurationRefusal) {
          return try running.replacement(
            writes ? .runningAndFile : .running, by: try Self.read(text))
        } catch {
          throw AdministrationError(error)
        }
      }
      return try self.carryOut(change, from: running, options)
    }
  }

  private static func read(_ text: String) throws(ConfigurationRefusal) -> ConfigurationText {
    do throws(ConfigurationEditError) { return try ConfigurationText(text) } catch {
      throw .edit(error)
    }
  }

  // MARK: File

  private func writesFile(_ options: ChangeOptions) -> Bool { !options.runtimeOnly && file != nil }

  /// With `force` the changes go into what somebody has made of the file, which stays out of what
  /// runs. That counts as what the file says only when the change is made.
  private func adoptingHandEdits(
    _ options: ChangeOptions
  ) throws(AdministrationError) -> RunningConfiguration {
    var running = running
    guard options.force, let file else { return running }
    let known = running.file.text.bytes
    let edited = try file.inTime(on: fileMedia) {
      [self] () throws(AdministrationError) -> LoadedConfiguration? in
      guard (try? file.isChanged(since: known)) != false else { return nil }
      return try loadFile()
    }
    if let edited { running.note(file: edited) }
    return running
  }

  /// May hang with the file's disk, or with that of a secret.
  private func loadFile() throws(AdministrationError) -> LoadedConfiguration {
    guard let file else { throw .noFile }
    do throws(ConfigurationError) { return try ConfigurationLoader.load(file.name) } catch {
      throw AdministrationError(error, in: file)
    }
  }

  private func loadFileInTurn() throws(AdministrationError) -> LoadedConfiguration {
    guard let file else { throw .noFile }
    return try file.inTime(on: fileMedia) {
      [self] () throws(AdministrationError) in try loadFile()
    }
  }

  /// As `ConfigurationFile.inTime`, for tasks, whose threads must not sleep.
  private func loadFileInTime() async throws(AdministrationError) -> LoadedConfiguration {
    guard let file else { throw .noFile }
    let media = fileMedia
    let place = file.place
    let bound = Duration.milliseconds(Int64(media.textPatience.rawValue))
    // Others may only be at it as well.
    let end = ContinuousClock.now + bound
    while media.isHeldUp(at: place) {
      guard ContinuousClock.now < end, !Task.isCancelled else { throw .silent(file) }
      try? await Task.sleep(for: .milliseconds(20))
    }
    let loaded = await media.answer(at: place, within: bound) { [self] in
      Result { () throws(AdministrationError) in try loadFile() }
    }
    guard let loaded else { throw .silent(file) }
    return try loaded.get()
  }

  func difference() async throws(AdministrationError) -> DifferenceList {
    let file = try await loadFileInTime().configuration
    let difference = daemon.workshop.difference(from: configuration, to: file)
    let media = MediumComparison(
      from: configuration, to: file, served: daemon.inventory.served,
      found: await foundMedia(of: file.stores), identified: daemon.workshop.identified)
    return DifferenceList(difference.changes.map { Difference($0) }, remarks: media.remarks)
  }

  func configuration(
    withSecrets: Bool
  ) async throws(AdministrationError) -> ConfigurationResource {
    await lookAtFile()
    let running = running
    let text = running.current.text
    return ConfigurationResource(
      text: withSecrets ? text.text : text.redacted, isRedacted: !withSecrets,
      file: fileWatch.path, hasUnsavedChanges: hasUnsavedChanges(running))
  }

  // MARK: Signals

  /// What SIGHUP asks for; the log tells what has become of it.
  func reloadBySignal() {
    let isAccepted = daemon.changes.perform { [self] in
      do throws(AdministrationError) {
        let result = try reloadNow(ChangeOptions())
        let count = result.differences.count
        logger.notice(
          "configuration read anew",
          metadata: ["changes": "\(count == 0 ? "none" : "\(count)")"])
      } catch {
        var metadata: Logger.Metadata = ["error": "\(error)"]
        if let users = error.users { metadata["users"] = "\(users.joined(separator: "; "))" }
        logger.error("the configuration was not read anew: what runs goes on", metadata: metadata)
      }
    }
    if !isAccepted { logger.error("SIGHUP ignored: too many changes wait") }
  }
}

extension AdministrationError {
  fileprivate static let noFile = AdministrationError(
    .fileFailed, "the daemon was started without a configuration file",
    remedy: "config export writes what runs")
}

extension ConfigurationRefusal {
  /// Whether one edit fails, and not what all of them come to.
  fileprivate var isOfEdit: Bool {
    switch self {
    case .edit: true
    case .invalid: false
    case .onlyRunning(let refusal): refusal.isOfEdit
    }
  }
}
