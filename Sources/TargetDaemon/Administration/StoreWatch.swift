internal import AdministrationModel
internal import AdministrationServer
internal import BackingStore
internal import ISCSITarget
internal import Logging
internal import Reactor
internal import SCSITarget
internal import Synchronization
internal import TargetConfig

/// Looks every second, on a thread of its own, at which stores serve, tells of changes, and opens
/// media that were missing when they are there: no notification of the kernel covers all of links,
/// mounts and device nodes, and a look costs a system call for each store that is missing.
final class StoreWatch: Sendable {
  private static let interval = Milliseconds.seconds(1)

  private struct Known: Sendable {
    var condition: StoreCondition
    var since: Timestamp
  }

  private let known = Mutex<[String: Known]>([:])
  private let wakeUp = Semaphore()
  private let ended = Semaphore()
  private let isRunning = Atomic<Bool>(false)

  /// Since when the store is in its state.
  func since(_ store: String) -> Timestamp? { known.withLock { $0[store]?.since } }

  func start(_ administration: Administration) throws(DaemonError) {
    note(administration.daemon.inventory.served)
    try PlatformThread.startDetached(name: "store watch") { [self, administration] in
      while !wakeUp.wait(until: .current + Self.interval) { look(administration) }
      ended.signal()
    }
    isRunning.store(true, ordering: .relaxed)
  }

  /// False: a medium did not answer by `deadline`.
  func stop(by deadline: MonotonicTime) -> Bool {
    guard isRunning.load(ordering: .relaxed) else { return true }
    wakeUp.signal()
    return ended.wait(until: deadline)
  }

  private func look(_ administration: Administration) {
    for served in administration.daemon.inventory.served {
      if let awaited = served.opened.awaited {
        StoreArrivalAttempt(administration, served, awaited, self).make()
      } else {
        StoreGrowth(administration, served).follow()
      }
    }
    followSpace(administration.daemon)
    let changes = note(administration.daemon.inventory.served)
    guard !changes.isEmpty else { return }
    for event in changes { administration.daemon.events.publish(event) }
    administration.daemon.statusChanged()
  }

  private func followSpace(_ daemon: Daemon) {
    do throws(DaemonError) { try daemon.spaceMonitor.follow(daemon.inventory, daemon.logger) } catch
    {
      daemon.logger.warning("nobody looks at the room of files", metadata: ["error": "\(error)"])
    }
  }

  /// What has changed since the last look.
  @discardableResult
  private func note(_ served: [Inventory.Served]) -> [Event] {
    let now = Timestamp.current
    let conditions = served.map { ($0.name, StoreCondition($0)) }
    return known.withLock { known in
      var fresh: [String: Known] = [:]
      var events: [Event] = []
      for (name, condition) in conditions {
        let before = known[name]
        let isSame = before?.condition.state == condition.state
        let since = isSame ? before?.since ?? now : now
        fresh[name] = Known(condition: condition, since: since)
        guard let before, !isSame else { continue }
        _ = before
        events.append(Self.event(name, condition))
      }
      known = fresh
      return events
    }
  }

  private static func event(_ name: String, _ condition: StoreCondition) -> Event {
    guard condition.state == .online else {
      return Event(
        .storeOffline, "store \(name) does not serve: \(condition.reason ?? "")", store: name)
    }
    return Event(.storeOnline, "store \(name) serves", store: name)
  }

  // MARK: What keeps a medium from being opened

  private let complaints = Mutex<[String: String]>([:])

  /// Whether it is another than the last.
  func complain(of store: String, _ reason: String?) -> Bool {
    complaints.withLock { complaints in
      defer { complaints[store] = reason }
      return complaints[store] != reason
    }
  }
}

/// One attempt to open a medium that was missing.
private struct StoreArrivalAttempt {
  let administration: Administration
  let served: Inventory.Served
  let awaited: AwaitedStore
  let watch: StoreWatch
  var daemon: Daemon { administration.daemon }

  init(
    _ administration: Administration, _ served: Inventory.Served, _ awaited: AwaitedStore,
    _ watch: StoreWatch
  ) {
    self.administration = administration
    self.served = served
    self.awaited = awaited
    self.watch = watch
  }

  func make() {
    let loaded = administration.running.current
    // Never made anew here, whatever the configuration says of its size: it is what was to come
    // back.
    guard let configured = loaded.configuration.store(named: served.name),
      let path = configured.medium.path, StoreMedia.exists(path)
    else { return }
    let store: any Store
    do throws(StoreError) {
      store = try daemon.workshop.assembly(of: loaded).open(configured)
    } catch {
      return complain("\(error)")
    }
    if let other = double(of: store) {
      return complain("\(path) is the medium of the store \"\(other)\"")
    }
    let isDone = Rendezvous()
    let isAccepted = daemon.changes.perform {
      install(store, configured, loaded)
      isDone.done()
    }
    if isAccepted { _ = isDone.wait(atMost: .seconds(60)) }
  }

  private func complain(_ reason: String) {
    guard watch.complain(of: served.name, reason) else { return }
    daemon.logger.error(
      "the store's medium cannot be used: its logical unit stays offline",
      metadata: ["store": "\(served.name)", "error": "\(reason)"])
  }

  private func double(of store: any Store) -> String? {
    guard let identity = (store as? DescriptorStore)?.identity else { return nil }
    return daemon.inventory.served.first { $0.opened.onDisk?.identity == identity }?.name
  }

  /// In turn.
  private func install(
    _ store: any Store, _ configured: TargetConfiguration.Store, _ loaded: LoadedConfiguration
  ) {
    // It may have been removed or opened anew since.
    guard daemon.inventory.served(named: served.name)?.opened.awaited === awaited else { return }
    let arrival: StoreArrival? = daemon.worker.wait(atMost: Daemon.patience) {
      [name = served.name] worker, answer in
      worker.storeArrived(forUnitNamed: name, store) { answer($0) }
    }
    var opened = served.opened
    if arrival != .installed {
      // With blocks of another size it is another unit to its initiators.
      opened = StoreAssembly.Opened(configured: configured, store: store)
      replace(by: opened, loaded)
    }
    _ = watch.complain(of: served.name, nil)
    daemon.logger.notice("the store's medium is there", metadata: ["store": "\(served.name)"])
    do throws(DaemonError) { try daemon.awaitLocks(of: [opened]) } catch { complain("\(error)") }
  }

  private func replace(by opened: StoreAssembly.Opened, _ loaded: LoadedConfiguration) {
    let exchange = UnitExchange(daemon: daemon)
    guard let former = exchange.remove(served.name) else { return }
    let successor = UnitExchange.Successor(
      opened: opened, claim: UnitClaim(of: opened, naa: former.claim.naa),
      formers: [former.claim.name])
    let deadline = MonotonicTime.current + Daemon.patience
    if let sentence = exchange.bring(successor, after: [former], loaded, by: deadline) {
      complain(sentence)
    }
  }
}
