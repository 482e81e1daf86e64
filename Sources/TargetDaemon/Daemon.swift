internal import BackingStore
internal import ISCSITarget
public import Logging
internal import Reactor
internal import SCSITarget
internal import Synchronization
public import TargetConfig

/// A running target server: everything a configuration asks for, assembled.
///
/// Starts whole or not at all. Everything here is slow path: it makes things, hands them to the
/// reactors, and later asks the reactors to end.
public final class Daemon: Sendable {
  let logger: Logger
  let units: [LogicalUnit]
  let reactors: ReactorGroup
  /// For what sleeps: marks of failed syncs and of wipes, reservations, saved parameters.
  let jobThreads: [JobThread]
  let spaceMonitor = SpaceMonitor()
  let listeners = Mutex<[ReactorBound<PortalListener>]>([])
  private let portals: [PortalDefinition]
  private let targetCount: Int
  /// Its lock ends with us.
  private let state: StateDirectory

  /// Where the daemon listens, as text: "192.0.2.1:3260".
  public var addresses: [String] { portals.map(\.address.description) }

  /// Blocks until everything is up. `onStatus` hears, from any thread, a sentence about the state
  /// whenever it changes later on.
  public convenience init(
    _ loaded: LoadedConfiguration, logger: Logger,
    onStatus: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(DaemonError) {
    let configuration = loaded.configuration
    let directory = try TargetDirectory(loaded)
    let plan = try ReactorGroup.Plan(loaded, logger)
    let state = try StateDirectory.open(configuration.stateDirectory)
    var registry = try IdentityRegistry.load(state)
    let latchThread = try JobThread(name: "latch marks")
    let files = try UnitFiles(in: state, bootedAs: .current(), logger: logger)
    let assembly = StoreAssembly(
      loaded: loaded, marks: LatchMarks(state), latchThread: latchThread, files: files,
      logger: logger)
    let opened = try assembly.openAll()
    let identities = try registry.identities(
      of: configuration.stores.filter { $0.naa == nil || $0.serial == nil }.map(\.name))
    let units = assembly.units(of: opened, identities, reactorCount: plan.count)
    let sockets = try PortalSockets.open(directory.portals, in: loaded, logger)
    let context = ServerContext(
      reactorCount: plan.count, limits: ServerLimits(configuration.limits), logger: logger)
    let reactors: ReactorGroup
    do throws(DaemonError) {
      reactors = try ReactorGroup.start(plan) { reactor in
        let worker = Worker(reactor: reactor, context: context, directory: directory)
        for unit in units { worker.add(unit) }
        return worker
      }
    } catch {
      sockets.closeAll()
      throw error
    }
    self.init(
      logger, units, reactors, [latchThread, files.reservationThread, files.parameterThread],
      sockets, directory, state)
    for target in configuration.targets where target.isOpenDoor {
      logger.notice(
        "a target is open to any initiator without authentication",
        metadata: ["target": "\(target.name)"])
    }
    connectWorkers()
    listen(on: sockets)
    do throws(DaemonError) {
      try spaceMonitor.start(units, of: opened, logger)
      try assembly.awaitLocks(of: opened) { [weak self] in
        if let self { onStatus(status) }
      }
    } catch {
      _ = stop()
      throw error
    }
  }

  /// Of parts that run already.
  init(
    _ logger: Logger, _ units: [LogicalUnit], _ reactors: ReactorGroup,
    _ jobThreads: [JobThread], _ sockets: PortalSockets, _ directory: TargetDirectory,
    _ state: StateDirectory
  ) {
    self.logger = logger
    self.units = units
    self.reactors = reactors
    self.jobThreads = jobThreads
    self.state = state
    portals = sockets.sockets.map(\.portal)
    targetCount = directory.targets.count
  }

  /// Before the first connection, on every reactor.
  private func connectWorkers() {
    let workers = reactors.workers
    let isDone = reactors.onAll(by: .current + .seconds(60)) { $0.connect(to: workers) }
    precondition(isDone, "a reactor that has nothing to do answers")
  }

  /// Spreads the portals over the reactors; each hands its connections to whoever has the fewest.
  private func listen(on sockets: PortalSockets) {
    let started = Semaphore()
    for (index, socket) in sockets.sockets.enumerated() {
      reactors.workers[index % reactors.workers.count].post { [weak self] worker in
        let listener = PortalListener(portal: socket.portal, socket: socket.handle, worker: worker)
        self?.listeners.withLock { $0.append(ReactorBound(listener, on: worker.reactor)) }
        listener.start()
        started.signal()
      }
      logger.notice(
        "listening on \(socket.portal.address)",
        metadata: ["group": "\(socket.portal.groupTag)"])
    }
    for _ in sockets.sockets { started.wait() }
  }

  /// One sentence about what is served.
  public var status: String {
    let waiting = units.filter { $0.store.readiness == .waitingForLock }.map(\.identity.name)
    let latched = units.filter { $0.store.readiness == .latched }.map(\.identity.name)
    let offline = units.filter(\.isOffline).map(\.identity.name)
    var text = "\(counted(targetCount, "target")), \(counted(units.count, "store")) on "
    text += addresses.joined(separator: ", ")
    if !waiting.isEmpty { text += "; waiting for the lock of \(waiting.joined(separator: ", "))" }
    if !latched.isEmpty { text += "; refusing writes to \(latched.joined(separator: ", "))" }
    if !offline.isEmpty {
      text += "; offline until their reservations are repaired: \(offline.joined(separator: ", "))"
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
