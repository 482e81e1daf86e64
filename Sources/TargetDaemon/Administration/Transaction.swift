internal import AdministrationModel
internal import BackingStore
internal import ISCSITarget
internal import Reactor
internal import TargetConfig

/// One change of what runs: all of it, or nothing. On the thread for changes, one at a time.
///
/// Worked out and judged first; then all that can fail is prepared; then the file is written; from
/// then on nothing fails any more, and the reactors are told.
struct Transaction {
  let daemon: Daemon
  /// nil: the file stays as it is.
  let file: ConfigurationFile?
  let fileMedia: MediaThreads
  let running: RunningConfiguration
  let change: RunningConfiguration.Change
  let options: ChangeOptions
  /// Whether stores whose media are not there are waited for, as at the start.
  let awaitsMedia: Bool

  /// What has been done, or with `dryRun` would be.
  struct Outcome {
    var warnings: [String] = []
    var isSaved = false
    var interruption = Interruption.none
  }

  func carryOut() throws(AdministrationError) -> Outcome {
    try refuseRestart()
    let plan = ChangePlan(
      from: running.current.configuration, to: change.running.configuration,
      identified: daemon.workshop.identified)
    let directory = try makeDirectory()
    try refuseLoss(by: plan)
    let interruption = interruption(by: plan, directory)
    try refuseUse(interruption)
    try refuseForgottenSize(plan)
    try refuseStrangeFile()
    var outcome = Outcome(
      warnings: news + dangers + memoryWarnings(plan), interruption: interruption)
    guard !options.dryRun else {
      outcome.warnings += try Preparation.tryOut(
        plan, change.running, directory, daemon, allowsShrinking: options.force,
        awaitsMedia: awaitsMedia)
      return outcome
    }
    let preparation = try Preparation.make(
      plan, change.running, directory, daemon, allowsShrinking: options.force,
      awaitsMedia: awaitsMedia)
    do throws(AdministrationError) {
      outcome.isSaved = try save()
    } catch {
      preparation.undo()
      throw error
    }
    preparation.noteServed()
    let application = Application(
      daemon: daemon, plan: plan, preparation: preparation, directory: directory,
      loaded: change.running)
    outcome.warnings += application.carryOut(endingUnqualified: options.now)
    return outcome
  }

  /// What the new configuration gives reason to say, and the old one did not. Compared by names:
  /// what stands behind something that is removed has another place in its list from then on.
  private var news: [String] {
    let known = Set(Self.warnings(of: running.current))
    return Self.warnings(of: change.running).filter { !known.contains($0) }
  }

  private static func warnings(of loaded: LoadedConfiguration) -> [String] {
    loaded.warnings.map { loaded.text.naming(placesIn: "\($0.path): \($0.sentence)") }
  }

  /// Of stores that are presented once more: it may well be to copy them, so it is not refused.
  private var dangers: [String] {
    let (before, after) = (running.current.configuration, change.running.configuration)
    return daemon.inventory.served.compactMap { served in
      guard let danger = served.opened.danger.danger,
        after.lunCount(of: served.name) > before.lunCount(of: served.name)
      else { return nil }
      return "stores.\(served.name) is endangered: \(danger); what to do: \(danger.remedy)"
    }
  }

  /// Of a change that makes stores in memory.
  private func memoryWarnings(_ plan: ChangePlan) -> [String] {
    guard plan.openedStores.contains(where: { $0.medium == .memory }),
      let excess = change.running.configuration.memoryExcess()
    else { return [] }
    return ["stores: \(excess)"]
  }

  // MARK: Refusals

  private func refuseRestart() throws(AdministrationError) {
    let changes = change.difference.changes(needing: .restart)
    guard let first = changes.first else { return }
    let names = changes.map(\.path).joined(separator: ", ")
    throw AdministrationError(
      .needsRestart, "\(names) can only be changed by a new start of the daemon",
      path: first.path,
      remedy: "change the file, then restart the daemon; or leave that as it is")
  }

  private func makeDirectory() throws(AdministrationError) -> TargetDirectory {
    do throws(DaemonError) { return try TargetDirectory(change.running) } catch {
      throw AdministrationError(error)
    }
  }

  private func interruption(by plan: ChangePlan, _ directory: TargetDirectory) -> Interruption {
    guard !change.difference.isEmpty else { return .none }
    return Interruption(
      of: plan, from: running.current.configuration, to: change.running.configuration, directory,
      daemon, isDecisive: !options.force)
  }

  private func refuseUse(_ interruption: Interruption) throws(AdministrationError) {
    guard !options.force else { return }
    guard let users = interruption.users else { throw .tooBusy }
    guard !users.isEmpty else { return }
    let logout = Logout.command(users.map(\.logout))
    let who = users.count == 1 ? "a session uses" : "\(users.count) sessions use"
    throw AdministrationError(
      .inUse, "\(who) it: nothing was changed",
      path: change.difference.changes.first { $0.application == .reopen }?.path,
      remedy:
        "log out on the node (\(logout)), or --force takes it away when I/O in flight has ended",
      users: users.map(\.sentence), reservations: interruption.reservations.orNil)
  }

  /// The next start would present the former size: of a store that has grown, less than its
  /// initiators have written to.
  private func refuseForgottenSize(_ plan: ChangePlan) throws(AdministrationError) {
    guard options.runtimeOnly, let resize = plan.resizes.first else { return }
    throw AdministrationError(
      .invalid,
      "a size is never changed in what runs alone: the next start would present the former",
      path: "stores.\(resize.store).size",
      remedy: "change the file with it: leave out --runtime-only")
  }

  /// Of a store whose file was deleted nothing is left when it is closed. Not even --force does
  /// that: it is there to end I/O, and the commands of tgt and LIO always force. Told before who
  /// uses the store, for which --force would be the remedy. Whoever deletes a file and then removes
  /// its store is quicker than the looks from second to second.
  private func refuseLoss(by plan: ChangePlan) throws(AdministrationError) {
    let closed = plan.closedStores.compactMap { daemon.inventory.served(named: $0) }
    let dangers = DangerWatch.dangers(of: closed, on: daemon.workshop.media)
    if let (name, danger) = dangers.first(where: \.danger.isLastOfData) {
      throw AdministrationError(
        .conflict, "\(danger); nothing was changed",
        path: "stores.\(name)", remedy: "\(danger.remedy); only a restart of the daemon lets it go")
    }
  }

  private func refuseStrangeFile() throws(AdministrationError) {
    guard let file, change.file != nil else { return }
    let known = running.file.text.bytes
    try file.inTime(on: fileMedia) { () throws(AdministrationError) -> Void in
      do throws(ConfigurationFile.WriteError) {
        guard try file.isChanged(since: known) else { return }
      } catch {
        throw AdministrationError(error, file)
      }
      // What is not valid cannot be reloaded.
      do throws(ConfigurationError) { _ = try ConfigurationLoader.load(file.name) } catch {
        throw AdministrationError.fileChanged(file, problem: error.problems.first)
      }
      throw AdministrationError.fileChanged(file)
    }
  }

  // MARK: File

  /// Whether there was one to write. Where its disk hangs from now on, so do all changes: what
  /// runs must not change before it is known what the file says.
  private func save() throws(AdministrationError) -> Bool {
    guard let file, let text = change.file?.text, text != running.file.text else { return false }
    do throws(ConfigurationFile.WriteError) {
      try file.replace(
        running.file.text.bytes, by: text.bytes, hasSecrets: text.hasSecrets)
    } catch {
      throw AdministrationError(error, file)
    }
    return true
  }
}

extension TargetConfiguration {
  /// How often a store is presented.
  fileprivate func lunCount(of store: String) -> Int {
    targets.reduce(0) { $0 + $1.allLUNs.count { $0.store == store } }
  }
}
