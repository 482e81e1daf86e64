internal import AdministrationModel
internal import AdministrationServer
internal import BackingStore
internal import ISCSITarget
internal import Logging
internal import Reactor
internal import SCSITarget
internal import Synchronization
internal import TargetConfig

/// Looks every second, on a thread of its own, at which stores serve, tells of changes, and has
/// media that were missing opened when they are there: no notification of the kernel covers all of
/// links, mounts and device nodes, and a look costs a system call for each store that is missing.
///
/// The thread touches no medium itself (`MediaThreads`), so one that hangs holds up no other.
final class StoreWatch: Sendable {
  private static let interval = Milliseconds.seconds(1)

  private struct Known: Sendable {
    var condition: StoreCondition
    var since: Timestamp
  }

  private let known = Mutex<[String: Known]>([:])
  private let fullStores = FullStores()
  let looks: UnaskedLooks
  private let dangers: DangerWatch
  private let wakeUp = Semaphore()
  private let ended = Semaphore()
  private let isRunning = Atomic<Bool>(false)
  private let isEnding = Atomic<Bool>(false)

  init(_ media: MediaThreads) {
    looks = UnaskedLooks(media)
    dangers = DangerWatch(looks)
  }

  /// Since when the store is in its state.
  func since(_ store: String) -> Timestamp? { known.withLock { $0[store]?.since } }

  /// Since when it has no room for what is written; nil: it has.
  func fullSince(_ unit: LogicalUnit) -> Timestamp? { fullStores.since(unit) }

  func start(_ administration: Administration) throws(DaemonError) {
    note(administration.daemon.inventory.served)
    try PlatformThread.startDetached(name: "store watch") { [self, administration] in
      while true {
        _ = wakeUp.wait(until: .current + Self.interval)
        if isEnding.load(ordering: .acquiring) { break }
        look(administration)
      }
      ended.signal()
    }
    isRunning.store(true, ordering: .relaxed)
  }

  /// Looks at once: a medium was found.
  func look() { wakeUp.signal() }

  /// False: it has not ended by `deadline`.
  func stop(by deadline: MonotonicTime) -> Bool {
    guard isRunning.load(ordering: .relaxed) else { return true }
    isEnding.store(true, ordering: .releasing)
    wakeUp.signal()
    return ended.wait(until: deadline)
  }

  private func look(_ administration: Administration) {
    let daemon = administration.daemon
    let stores = administration.configuration.stores
    let configured = Dictionary(stores.map { ($0.name, $0) }, uniquingKeysWith: { one, _ in one })
    for served in daemon.inventory.served {
      if served.opened.awaited != nil || served.opened.isLostDevice {
        StoreReturn(administration, served, self).advance()
      } else if let configured = configured[served.name] {
        StoreGrowth(administration, served).follow(configured)
      }
    }
    dangers.look(at: daemon.inventory.served) { [self] in look() }
    // That there is no thread for it, whoever began the wait was told.
    do throws(DaemonError) { try daemon.locks.resume() } catch {}
    followSpace(daemon)
    daemon.workshop.saveMediaLater()
    var events = note(daemon.inventory.served)
    if !events.isEmpty { daemon.statusChanged() }
    log(events, daemon.logger)
    events += fullStores.look(at: daemon.inventory.units, at: .current)
    for event in events { daemon.events.publish(event) }
  }

  /// What else there is to tell of stores, their owners have logged.
  private func log(_ events: [Event], _ logger: Logger) {
    for event in events {
      switch event.kind {
      case .storeEndangered: logger.error("\(event.message)")
      case .storeSafe: logger.notice("\(event.message)")
      default: break
      }
    }
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
        if let before { events += Self.events(name, from: before.condition, to: condition) }
      }
      known = fresh
      forgetComplaints(but: fresh.keys)
      return events
    }
  }

  private static func events(
    _ name: String, from before: StoreCondition, to now: StoreCondition
  ) -> [Event] {
    var events: [Event] = []
    if before.serves != now.serves {
      events.append(
        now.serves
          ? Event(.storeOnline, "store \(name) serves", store: name)
          : Event(
            .storeOffline, "store \(name) does not serve: \(now.reason ?? "")", store: name))
    }
    if before.danger?.reason != now.danger?.reason,
      let event = dangerEvent(name, from: before, to: now)
    {
      events.append(event)
    }
    return events
  }

  /// Nil: of a medium that is gone nobody knows whether it is safe.
  private static func dangerEvent(
    _ name: String, from before: StoreCondition, to now: StoreCondition
  ) -> Event? {
    if let danger = now.danger {
      let sentence = "store \(name) is endangered: \(danger); what to do: \(danger.remedy)"
      return Event(.storeEndangered, sentence, store: name)
    }
    guard now.serves || now.code == .writesRefused else { return nil }
    let loss =
      before.danger?.reason == .mediumCut
      ? "; what was cut off and not written since reads as zeros" : ""
    return Event(
      .storeSafe, "store \(name) is out of danger: its medium is what it serves again" + loss,
      store: name)
  }

  // MARK: What keeps a medium from being opened

  private let complaints = Mutex<[String: String]>([:])

  private func forgetComplaints(but stores: Dictionary<String, Known>.Keys) {
    complaints.withLock { complaints in
      if !complaints.isEmpty { complaints = complaints.filter { stores.contains($0.key) } }
    }
  }

  /// Whether it is another than the last.
  func complain(of store: String, _ reason: String?) -> Bool {
    complaints.withLock { complaints in
      defer { complaints[store] = reason }
      return complaints[store] != reason
    }
  }
}
