internal import AdministrationServer
internal import BackingStore
internal import ISCSITarget
public import Logging
internal import Reactor
internal import SCSITarget
internal import Synchronization
public import TargetConfig

/// A running target server: everything a configuration asks for, assembled.
///
/// Starts whole or not at all, but for stores whose media are missing: these come when they come.
/// What it serves is in its `inventory`, and changes while it runs (`Administration`). Everything
/// here is slow path: it makes things, hands them to the reactors, and later asks the reactors to
/// end.
public final class Daemon: Sendable {
  let logger: Logger
  let inventory: Inventory
  let locks: LockWait
  let reactors: ReactorGroup
  let workshop: UnitWorkshop
  /// For what sleeps: changes and which media serve, marks of failed syncs and of wipes,
  /// reservations, saved parameters.
  let jobThreads: [JobThread]
  let spaceMonitor = SpaceMonitor()
  /// Of everything that administrators want to hear of.
  let events: EventHub
  /// What administrators may wonder about.
  let refusedLogins: RefusedLogins
  /// For the sentence about what is served.
  let targetCount = Atomic<Int>(0)
  private let onStatus: @Sendable (String) -> Void
  /// Its lock ends with us.
  private let state: StateDirectory

  /// How long a change waits for the reactors, whose answers take as long as the operations in
  /// flight.
  static let patience = Milliseconds.seconds(10)

  /// How long a watcher waits for its turn among the changes and for the end of its own: one that
  /// hangs shows in the log, and the watcher looks again.
  static let turnPatience = Milliseconds.seconds(60)

  /// How long reactors that have nothing to do yet may take to answer, on the busiest of machines.
  private static let startPatience = Milliseconds.seconds(60)

  /// Between two attempts, for who waits by trying again.
  static let retryMicroseconds: UInt32 = 1000

  /// The one that is asked for all of them.
  var worker: ReactorBound<Worker> { reactors.workers[0] }
  /// Where what is served is changed, one change after the other.
  var changes: JobThread { workshop.changes }
  var units: [LogicalUnit] { inventory.units }

  /// Where the daemon listens, as text: "192.0.2.1:3260".
  public var addresses: [String] { inventory.portals.map(\.portal.address.description) }

  /// Blocks until everything is up. `onStatus` hears, from any thread, a sentence about the state
  /// whenever it changes later on.
  public convenience init(
    _ loaded: LoadedConfiguration, logger: Logger,
    onStatus: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(DaemonError) {
    try self.init(loaded, logger: logger, media: MediaThreads(), onStatus: onStatus)
  }

  convenience init(
    _ loaded: LoadedConfiguration, logger: Logger, media: MediaThreads,
    onStatus: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(DaemonError) {
    let configuration = loaded.configuration
    let directory = try TargetDirectory(loaded)
    let plan = try ReactorGroup.Plan(loaded, logger)
    let state = try StateDirectory.open(configuration.stateDirectory)
    let events = EventHub()
    let refusedLogins = RefusedLogins()
    let workshop = try UnitWorkshop(
      state, reactorCount: plan.count, events: events, media: media, logger: logger)
    let assembly = workshop.assembly(of: loaded)
    let opened = try assembly.openAll()
    for sentence in workshop.renamings(of: opened, in: configuration) {
      logger.warning("\(sentence)")
    }
    let served = try workshop.units(
      of: opened, by: assembly, alive: Set(configuration.stores.map(\.name)))
    workshop.noteMedia(of: opened)
    workshop.saveMedia()
    let sockets = try PortalSockets.open(directory.portals, in: loaded, logger)
    let context = ServerContext(
      reactorCount: plan.count, limits: ServerLimits(configuration.limits), logger: logger,
      observer: SessionEvents(events: events, refusedLogins: refusedLogins))
    let reactors: ReactorGroup
    do throws(DaemonError) {
      reactors = try ReactorGroup.start(plan) { reactor in
        let worker = Worker(reactor: reactor, context: context, directory: directory)
        for served in served { worker.add(served.unit) }
        return worker
      }
    } catch {
      sockets.closeAll()
      throw error
    }
    self.init(
      logger, served, reactors, workshop, events, state, refusedLogins, onStatus: onStatus)
    targetCount.store(configuration.targets.count, ordering: .relaxed)
    warn(of: configuration)
    for portal in sockets.missing { inventory.note(silent: portal.address, because: portal.reason) }
    do throws(DaemonError) {
      try connectWorkers()
      try listenAtStart(on: sockets.sockets)
      try spaceMonitor.follow(inventory, logger)
      try awaitLocks(of: served.map(\.opened))
    } catch {
      _ = stop()
      throw error
    }
  }

  /// Of parts that run already.
  init(
    _ logger: Logger, _ served: [Inventory.Served], _ reactors: ReactorGroup,
    _ workshop: UnitWorkshop, _ events: EventHub, _ state: StateDirectory,
    _ refusedLogins: RefusedLogins = RefusedLogins(),
    onStatus: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.logger = logger
    self.reactors = reactors
    self.workshop = workshop
    self.events = events
    self.refusedLogins = refusedLogins
    self.state = state
    self.onStatus = onStatus
    jobThreads = workshop.jobThreads
    let inventory = Inventory()
    self.inventory = inventory
    locks = LockWait(for: inventory, workshop.media, logger)
    for served in served {
      guard inventory.add(served) else { preconditionFailure("a configuration names a store once") }
    }
  }

  func warn(of configuration: TargetConfiguration) {
    for target in configuration.targets where target.isOpenDoor {
      logger.notice(
        "a target is open to any initiator without authentication",
        metadata: ["target": "\(target.name)"])
    }
    if let excess = configuration.memoryExcess() { logger.warning("stores: \(excess)") }
  }

  /// Before the first connection, on every reactor.
  private func connectWorkers() throws(DaemonError) {
    let workers = reactors.workers
    guard reactors.onAll(by: .current + Self.startPatience, { $0.connect(to: workers) }) else {
      let seconds = Self.startPatience.rawValue / 1000
      throw DaemonError(
        .systemError, "a reactor does not answer within \(seconds) s: restart the daemon")
    }
  }

  private func listenAtStart(on sockets: [PortalSockets.Socket]) throws(DaemonError) {
    let silent = listen(on: sockets)
    guard silent.isEmpty else {
      throw DaemonError(
        .systemError,
        silent.map { "nobody accepts connections on \($0.address): restart the daemon" })
    }
  }

  /// Spreads the portals over the reactors; each hands its connections to whoever has the fewest.
  /// Answers those whose reactor has not begun in time, whose sockets close.
  func listen(on sockets: [PortalSockets.Socket]) -> [PortalDefinition] {
    var silent: [PortalDefinition] = []
    for socket in sockets {
      let index = inventory.portals.count % reactors.workers.count
      let started = Rendezvous()
      let decision = OneTime()
      reactors.workers[index].order { [inventory] worker in
        guard decision.take() else { return socket.close() }
        let listener = PortalListener(portal: socket.portal, socket: socket.handle, worker: worker)
        inventory.add(
          Inventory.ListeningPortal(
            portal: socket.portal, listener: ReactorBound(listener, on: worker.reactor)))
        listener.start()
        started.done()
      }
      guard started.wait(atMost: Self.patience) || !decision.take() else {
        silent.append(socket.portal)
        continue
      }
      logger.notice(
        "listening on \(socket.portal.address)",
        metadata: ["group": "\(socket.portal.groupTag)"])
    }
    return silent
  }

  /// All others serve meanwhile. That a store serves, its initiators are told from here, and
  /// administrators by `StoreWatch`.
  func awaitLocks(of opened: [StoreAssembly.Opened]) throws(DaemonError) {
    try locks.begin(opened) { [weak self] unit, isGranted in
      if isGranted { self?.worker.order { $0.lockGranted(of: unit) } }
      self?.statusChanged()
    }
  }

  func statusChanged() { onStatus(status) }

  /// One sentence about what is served.
  public var status: String {
    let units = inventory.units
    var unready: [StoreReadiness: [String]] = [:]
    for unit in units where unit.store.readiness != .ready {
      unready[unit.store.readiness, default: []].append(unit.identity.name)
    }
    func names(_ readiness: StoreReadiness) -> String {
      (unready[readiness] ?? []).joined(separator: ", ")
    }
    let offline = units.filter(\.isOffline).map(\.identity.name).joined(separator: ", ")
    let endangered = inventory.served.filter { $0.opened.danger.danger != nil }.map(\.name)
      .joined(separator: ", ")
    let targets = counted(targetCount.load(ordering: .relaxed), "target")
    var text = "\(targets), \(counted(units.count, "store")) on "
    text += addresses.joined(separator: ", ")
    for (what, who) in [
      ("waiting for the lock of", names(.waitingForLock)), ("refusing writes to", names(.latched)),
      ("missing", names(.absent)), ("gone", names(.gone)),
      ("unusable", names(.unusable)),
      ("offline until their reservations are repaired:", offline),
      ("endangered, see swift-tgtadm status:", endangered),
    ] where !who.isEmpty {
      text += "; \(what) \(who)"
    }
    return text
  }

  private func counted(_ count: Int, _ noun: String) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
  }
}

extension ReactorGroup.Plan {
  /// More buffers than this help nobody who has not asked for them.
  private static let memoryBytesMax: UInt64 = 1 << 30

  init(_ loaded: LoadedConfiguration, _ logger: Logger) throws(DaemonError) {
    let (count, memoryBytes) = try Self.size(of: loaded)
    self.init(
      count: count, preference: EngineSelection.Preference(loaded.configuration.engine),
      memoryBytes: Int(clamping: memoryBytes), logger: logger)
  }

  /// How many reactors, with how much memory for buffers in all; refuses memory that is too little
  /// for the reactors of this machine.
  static func size(
    of loaded: LoadedConfiguration, usableCPUs: Int = ProcessSetup.usableCPUs,
    physicalMemoryBytes: UInt64 = ProcessSetup.physicalMemoryBytes
  ) throws(DaemonError) -> (count: Int, memoryBytes: UInt64) {
    let configuration = loaded.configuration
    let count = configuration.reactorCount ?? min(usableCPUs, TargetConfiguration.reactorCountMax)
    let bytes = configuration.memoryBytes ?? min(physicalMemoryBytes / 4, memoryBytesMax)
    if let problem = configuration.memoryProblem(bytes: bytes, reactorCount: count) {
      let sentence = "\(bytes >> 20)MiB \(problem); give more, or set \"reactors\" to fewer"
      throw DaemonError(.configuration, loaded.problem(at: "memory", sentence).description)
    }
    return (count, bytes)
  }
}

extension EngineSelection.Preference {
  init(_ engine: TargetConfiguration.Engine) {
    switch engine {
    case .automatic: self = .auto
    case .uring: self = .uring
    case .aio: self = .aio
    }
  }
}
