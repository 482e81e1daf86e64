internal import AdministrationServer
internal import BackingStore
internal import Logging
internal import Reactor
internal import SCSITarget
internal import Synchronization
internal import TargetConfig

/// What stores are opened and logical units are made with, as long as the daemon runs.
final class UnitWorkshop: Sendable {
  /// For all that makes units and takes them away.
  let changes: JobThread
  let jobThreads: [JobThread]
  /// For all that touches the media of stores and may hang.
  let media: MediaThreads
  /// For the daemon's own files, wherever they are.
  private let ownMedia: MediaThreads
  private let marks: LatchMarks
  private let latchThread: JobThread
  private let files: UnitFiles
  let logger: Logger
  private let reactorCount: Int
  let registry: Mutex<IdentityRegistry>
  /// Whether `registry` knows of media what is not saved yet.
  let hasNewMedia = Atomic<Bool>(false)
  private let claims = Mutex(UnitClaims())
  /// Paths of files that were made for changes which were refused then, and are gone again.
  private let unserved = Mutex<Set<String>>([])
  /// How many units were made: their homes go round the reactors.
  private let unitCount = Mutex(0)

  init(
    _ state: StateDirectory, reactorCount: Int, events: EventHub, media: MediaThreads,
    logger: Logger
  ) throws(DaemonError) {
    self.media = media
    ownMedia = media.others()
    registry = Mutex(try IdentityRegistry.load(state))
    latchThread = try JobThread(name: "latch marks")
    files = try UnitFiles(in: state, bootedAs: .current(), events: events, logger: logger)
    changes = try JobThread(name: "changes")
    // A change takes some milliseconds of a CPU, which running I/O does not wait for.
    changes.follow { PlatformThread.standBack() }
    jobThreads = [changes, latchThread, files.reservationThread, files.parameterThread]
    marks = LatchMarks(state)
    self.reactorCount = reactorCount
    self.logger = logger
  }

  func assembly(of loaded: LoadedConfiguration) -> StoreAssembly {
    StoreAssembly(
      loaded: loaded, own: OwnMedia(of: loaded, ownMedia), marks: marks, latchThread: latchThread,
      files: files, media: media, logger: logger,
      // Stores keep what opened them, and must not keep the state directory's lock with it.
      wasServed: { [weak self] name in
        guard let self else { return true }
        return registry.withLock { $0.hasServed(name) }
      })
  }

  /// Whether a file that is missing may be made for the store: none was served there before, as far
  /// as that is known.
  func mayMakeFile(of store: TargetConfiguration.Store) -> Bool {
    guard let path = store.medium.path else { return true }
    return unserved.withLock { $0.contains(path) }
      || !registry.withLock { $0.hasServed(store.name, at: path) }
  }

  /// These files were made, and nobody was ever served them.
  func noteUnserved(_ paths: [String]) { unserved.withLock { $0.formUnion(paths) } }

  func noteServed(_ paths: [String]) { unserved.withLock { $0.subtract(paths) } }

  /// No unit has that name any more.
  func forget(unitNamed name: String) { files.observedReservations.end(unitNamed: name) }

  /// Of units whose reservations are watched: for tests, which see that nothing is kept of one that
  /// is gone.
  var observedUnitCount: Int { files.observedReservations.unitCount }

  /// The identifier of each store; those that are missing are made and saved, so that `units`
  /// cannot fail for lack of one. `isTrial`: they are made up, and not kept.
  func identifiers(
    of opened: [StoreAssembly.Opened], isTrial: Bool = false
  ) throws(DaemonError) -> [String: [UInt8]] {
    let generated = try identities(of: opened, alive: nil, isTrial: isTrial)
    return Dictionary(
      opened.map(\.configured).compactMap { store in
        (store.naa?.bytes ?? generated[store.name]?.naa).map { (store.name, $0) }
      }, uniquingKeysWith: { first, _ in first })
  }

  private func identities(
    of opened: [StoreAssembly.Opened], alive: Set<String>?, isTrial: Bool = false
  ) throws(DaemonError) -> [String: GeneratedIdentity] {
    let stores = opened.map(\.configured)
    let anonymous = stores.filter { $0.naa == nil || $0.serial == nil }
    // Those that need no identity are in the registry as having been served.
    let others = stores.filter { $0.naa != nil && $0.serial != nil && $0.medium.path != nil }
    return try registry.withLock { registry throws(DaemonError) in
      try registry.identities(
        of: anonymous.map(\.name), noting: others.map(\.name), alive: alive, isTrial: isTrial)
    }
  }

  /// Ends what units had to themselves that are gone, or never came.
  func release(_ claims: [UnitClaim]) {
    self.claims.withLock {
      for claim in claims { $0.release(claim.naa) }
    }
  }

  /// The groups of the units, by the names of their stores: of all, or of none.
  private func claim(
    _ identifiers: [(name: String, naa: [UInt8])]
  ) throws(DaemonError) -> [String: UInt16] {
    try claims.withLock { claims throws(DaemonError) in
      var claimed = claims
      var groups: [String: UInt16] = [:]
      for (name, naa) in identifiers { groups[name] = try claimed.claim(naa, for: name) }
      claims = claimed
      return groups
    }
  }

  /// Calls `body` on a thread of its own when all is saved, or refused, that was handed over for it
  /// before: reservations, parameters, marks.
  func afterSaves(_ body: @escaping @Sendable () -> Void) {
    let (parameters, latches) = (files.parameterThread, latchThread)
    files.reservationThread.follow { parameters.follow { latches.follow(body) } }
  }

  /// A failed sync counts for the medium, under whatever name it is served, and was perhaps not
  /// known yet when the store was opened. Sleeps.
  func passLatch(of former: Departure, to opened: StoreAssembly.Opened) {
    let (old, new) = (former.claim.name, opened.configured.name)
    guard former.wasLatched || marks.finding(for: old) != nil, let store = opened.onDisk else {
      return
    }
    store.inheritLatch()
    guard marks.finding(for: new) == nil else { return }
    let metadata: Logger.Metadata = ["store": "\(new)", "mark": "\(marks.path(of: new))"]
    do throws(SystemError) {
      try marks.mark(new, .inputOutput)
      logger.error(
        "a sync of the medium failed under another name, so writes to the store are refused",
        metadata: metadata.merging(["former": "\(old)"]) { $1 })
    } catch {
      logger.critical(
        """
        the mark of the failed sync cannot be saved: writes are refused until this process ends; \
        check the data, or create the file named here as mark
        """, metadata: metadata.merging(["error": "\(error)"]) { $1 })
    }
  }

  /// What is on record of a unit and would not count for another one on its medium; nil: nothing.
  func recordInForce(of unit: LogicalUnit) -> String? {
    if unit.isOffline { return "reservations that cannot be read" }
    if files.observedReservations.hasRegistrations(unitNamed: unit.identity.name) {
      return "reservations"
    }
    return files.wipes.isMarked(unit.identity) ? "an unfinished FORMAT UNIT or SANITIZE" : nil
  }

  /// The logical units of open stores, one for each identifier as long as it is there. Identities
  /// that are new are saved before. `alive`: the names of all stores that are configured, now or
  /// after a change, of which none is forgotten; nil: nothing is.
  func units(
    of opened: [StoreAssembly.Opened], by assembly: StoreAssembly, alive: Set<String>? = nil
  ) throws(DaemonError) -> [Inventory.Served] {
    let identities = try identities(of: opened, alive: alive)
    let identifiers = try identifiers(of: opened)
    let groups = try claim(
      opened.compactMap { opened in
        identifiers[opened.configured.name].map { (opened.configured.name, $0) }
      })
    let first = unitCount.withLock { count in
      defer { count += opened.count }
      return count
    }
    let units = assembly.units(of: opened, identities, groups) { (first + $0) % reactorCount }
    return zip(opened, units).map { Inventory.Served(opened: $0, unit: $1) }
  }
}
