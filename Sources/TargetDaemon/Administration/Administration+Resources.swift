internal import AdministrationModel
internal import ConfigurationChanges
internal import Glibc
internal import ISCSITarget
internal import Reactor
internal import TargetConfig

// What administrators can look at.
extension Administration: Administrator {
  /// Of stores that are offline, of those that are full, and of those that are endangered, so many
  /// are named; where a whole volume is gone, a list of its stores helps nobody.
  private static let storesShownMax = 8

  /// How long whoever looks waits for the reactors.
  static let patience = Duration.seconds(5)

  func summaries() async throws(AdministrationError) -> [SessionSummary] {
    let sessions: TimelyAnswer<[SessionSummary]> = await daemon.worker.answer(
      within: Self.patience
    ) { worker, answer in worker.sessions { answer($0) } }
    guard let sessions = sessions.value else { throw .tooBusy }
    return sessions
  }

  func version() async throws(AdministrationError) -> VersionResource {
    VersionResource(name: "swift-tgtd", version: Version.text)
  }

  func targets(named name: String?) async throws(AdministrationError) -> [TargetResource] {
    let chosen = try configuration.targets(named: name)
    let reading = Reading(self, try await summaries())
    return chosen.map { reading.target($0) }
  }

  func stores(named name: String?) async throws(AdministrationError) -> [StoreResource] {
    let chosen = try configuration.stores(named: name)
    var reading = Reading(self, [], presentations: name.map { .stores([$0]) } ?? .all)
    reading.allocatedBytes = await allocatedBytes(of: chosen)
    return chosen.map { reading.store($0) }
  }

  /// Asked of each directory on a thread that may hang with it; one that hangs says nothing.
  private func allocatedBytes(
    of stores: [TargetConfiguration.Store]
  ) async -> [String: UInt64] {
    let media = daemon.workshop.media
    let files = stores.compactMap { store -> (name: String, path: String, place: String)? in
      guard case .file(let path) = store.medium, let place = store.medium.place,
        !media.isHeldUp(at: place)
      else { return nil }
      return (store.name, path, place)
    }
    return await withTaskGroup(of: [String: UInt64].self) { group in
      for (place, files) in Dictionary(grouping: files, by: \.place) {
        group.addTask {
          let found = await media.answer(at: place, within: .seconds(1)) {
            var found: [String: UInt64] = [:]
            for file in files { found[file.name] = StoreMedia.space(of: file.path)?.usedBytes }
            return found
          }
          return found ?? [:]
        }
      }
      return await group.reduce(into: [:]) { all, some in all.merge(some) { one, _ in one } }
    }
  }

  func portals() async throws(AdministrationError) -> [PortalResource] {
    let reading = Reading(self, try await summaries())
    return configuration.portals.map { reading.portal($0) }
  }

  func discovery() async throws(AdministrationError) -> DiscoveryResource {
    let discovery = configuration.discovery
    return DiscoveryResource(
      chapUsers: discovery.chap.map(\.user), mutualCHAPUser: discovery.mutualChap?.user)
  }

  // MARK: Status

  func status() async throws(AdministrationError) -> StatusResource {
    let running = running
    let configuration = running.current.configuration
    let workers = try await workerStatistics()
    var status = StatusResource(
      version: Version.text, phase: isStopping ? .stopping : .running, processID: getpid(),
      startedAt: startedAt)
    status.hasUnsavedChanges = hasUnsavedChanges(running)
    status.stateDirectory = configuration.stateDirectory
    status.engine = daemon.reactors.engine.rawValue
    status.reactorCount = daemon.reactors.workers.count
    status.bufferBytes = workers.reduce(0) { $0 + UInt64(clamping: $1.memoryMax) }
    status.bufferBytesInUse = workers.reduce(0) { $0 + UInt64(clamping: $1.memoryLent) }
    status.targetCount = configuration.targets.count
    status.lunCount = configuration.targets.reduce(0) { $0 + $1.allLUNs.count }
    status.storeCount = configuration.stores.count
    status.sessionCount = workers.reduce(0) { $0 + $1.sessions }
    status.loginFailures = workers.loginFailures
    status.refusedLogins = daemon.refusedLogins.recent()
    status.connectionCount = workers.reduce(0) { $0 + $1.connections }
    let served = daemon.inventory.served
    let conditions = served.map { (name: $0.name, condition: StoreCondition($0)) }
    status.offlineStoreCount = conditions.count { !$0.condition.serves }
    status.endangeredStoreCount = conditions.count { $0.condition.danger != nil }
    let reading = Reading(self, try await summaries(), presentations: .none)
    status.portals = configuration.portals.map { reading.portal($0) }
    status.problems =
      Self.problems(conditions, .offline) + Self.problems(conditions, .endangered)
      + Self.problems(
        served.filter { watch.fullSince($0.unit) != nil }
          .map { ($0.name, StoreCondition.full) }, .full)
      + otherProblems(status)
    await examineFile(&status)
    return status
  }

  private func examineFile(_ status: inout StatusResource) async {
    let finding = await lookAtFile()
    status.configurationFile = fileWatch.path
    guard let file, let finding else { return }
    status.configurationFileState = finding.state
    if let problem = finding.problem(with: file, at: status.configurationFile) {
      status.problems.insert(problem, at: 0)
    }
  }

  /// For a moment; nil: there is none, or nobody has seen it yet.
  @discardableResult
  func lookAtFile() async -> ConfigurationFileWatch.Finding? {
    guard let file else { return nil }
    return await fileWatch.finding(
      of: file, since: running.file.text, on: fileMedia)
  }

  func hasUnsavedChanges(_ running: RunningConfiguration) -> Bool {
    guard running.current.text != running.file.text else { return false }
    let difference = daemon.workshop.difference(
      from: running.current.configuration, to: running.file.configuration)
    return !difference.isEmpty
  }

  private func otherProblems(_ status: StatusResource) -> [StatusProblem] {
    status.portals.filter { !$0.isListening }.map { portal in
      StatusProblem(
        "portal \(portal.address) does not listen: \(portal.reason ?? "")",
        portal: portal.address)
    }
      + daemon.inventory.leaving.sorted().map { name in
        StatusProblem("operations of the former store \(name) have not ended", store: name)
      }
  }

  /// Of those in that state.
  private static func problems(
    _ stores: [(name: String, condition: StoreCondition)], _ state: StoreState
  ) -> [StatusProblem] {
    let concerned = stores.filter { $0.condition.state == state }
    var problems = concerned.prefix(storesShownMax).map { name, condition in
      StatusProblem(
        "store \(name) is \(state.rawValue): \(condition.reason ?? "")", store: name,
        remedy: condition.danger?.remedy)
    }
    if concerned.count > storesShownMax {
      problems.append(
        StatusProblem("\(concerned.count - storesShownMax) more stores are \(state.rawValue)"))
    }
    return problems
  }

  func workerStatistics() async throws(AdministrationError) -> [WorkerStatistics] {
    let statistics: TimelyAnswer<[WorkerStatistics]> = await daemon.worker.answer(
      within: Self.patience
    ) { worker, answer in worker.statistics { answer($0) } }
    guard let statistics = statistics.value else { throw .tooBusy }
    return statistics
  }

  // MARK: Outcomes

  /// What changes were about, as it is now.
  func outcomes(of subjects: [ChangeSubject]) async -> [ChangeOutcome] {
    let configuration = configuration
    let stores = Set(subjects.compactMap(\.store))
    var reading = Reading(self, (try? await summaries()) ?? [], presentations: .stores(stores))
    reading.allocatedBytes = await allocatedBytes(
      of: stores.compactMap { configuration.store(named: $0) })
    func target(_ name: String) -> TargetConfiguration.Target? {
      configuration.target(named: ISCSIName.normalized(name))
    }
    return subjects.map { subject in
      switch subject {
      case .nothing: ChangeOutcome()
      case .store(let name):
        ChangeOutcome(store: configuration.store(named: name).map { reading.store($0) })
      case .target(let name): ChangeOutcome(target: target(name).map { reading.target($0) })
      case .lun(let number, let name, let entry):
        ChangeOutcome(
          lun: target(name)?.luns(of: entry)?.first { $0.number == number }.map { reading.lun($0) })
      case .entry(let entry, let name):
        ChangeOutcome(entry: target(name)?.entry(entry).map { reading.entry($0) })
      case .portal(let address):
        ChangeOutcome(
          portal: configuration.portals.first { $0.endpoint.isWritten(address) }
            .map { reading.portal($0) })
      }
    }
  }
}

extension TargetConfiguration.Target {
  fileprivate func luns(of entry: AccessEntryName?) -> [TargetConfiguration.LUN]? {
    guard let entry else { return luns }
    return self.entry(entry)?.luns
  }
}

extension Endpoint {
  /// With or without the port that is the standard.
  fileprivate func isWritten(_ text: String) -> Bool {
    text == "\(self)" || (port == Endpoint.defaultPort && "\(text):\(port)" == "\(self)")
  }
}
