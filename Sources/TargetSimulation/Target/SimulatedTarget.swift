public import BackingStore
internal import Logging
public import ISCSITarget
public import Reactor
public import SCSITarget
internal import Synchronization

/// The whole target above the seam, on reactors, a network and disks of one `SimulatedWorld`.
public final class SimulatedTarget {
  public static let portal = "10.0.0.1:3260"

  public let world: SimulatedWorld
  public let reactors: [Reactor]
  public let workers: [Worker]
  public let context: ServerContext
  public private(set) var disks: [String: SimulatedDisk] = [:]
  public private(set) var stores: [String: SimulatedStore] = [:]
  /// What the units keep of their reservations.
  public let reservations: SimulatedReservations
  private let presenting: (SimulatedStore) -> any Store
  private var listener: PortalListener?
  public private(set) var units: [LogicalUnit] = []

  /// A target that listens at `portal` (group 1) and presents `targets`, whose units are made as
  /// disks of `diskBytes` under the names that the targets use; `presenting` may put something
  /// between a unit and its store.
  public init(
    seed: UInt64, targets: [TargetDefinition], reactorCount: Int = 1,
    limits: ServerLimits = ServerLimits(), diskBytes: UInt64 = 1 << 20,
    blockBytes: UInt32 = 512, startsWithWriteCache: Bool = true, memoryBudgetBytes: Int = 64 << 20,
    unitQueueDepth: Int = LogicalUnit.queueDepthDefault,
    unitOptions: LogicalUnitOptions = LogicalUnitOptions(),
    presenting: @escaping (SimulatedStore) -> any Store = { $0 }
  ) throws {
    world = SimulatedWorld(seed: seed)
    let world = world
    reservations = SimulatedReservations(world: world)
    self.presenting = presenting
    reactors = (0..<reactorCount).map {
      world.makeReactor(index: $0, memoryBudgetBytes: memoryBudgetBytes)
    }
    var logger = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    let handles = Handles(seed: seed)
    context = ServerContext(
      reactorCount: reactorCount, limits: limits, logger: logger,
      randomHandle: { handles.next() })
    guard let address = SocketAddress(SimulatedTarget.portal) else {
      preconditionFailure("the portal is an address")
    }
    let portal = PortalDefinition(address: address, groupTag: 1)
    let directory = TargetDirectory(targets: targets, portals: [portal])
    let context = context
    workers = reactors.map { Worker(reactor: $0, context: context, directory: directory) }
    for worker in workers {
      worker.connect(to: workers.map { ReactorBound($0, on: $0.reactor) })
    }
    var options = unitOptions
    options.queueDepth = unitQueueDepth
    options.reservationPersistence = reservations
    for name in SimulatedTarget.unitNames(targets) {
      addUnit(name, diskBytes, blockBytes, startsWithWriteCache, options)
    }
    listen(portal)
  }

  /// Workers know each other, and units their device servers, for the life of a program; a world
  /// that is thrown away has to let go of them.
  deinit {
    for worker in workers { worker.connect(to: []) }
    for unit in units { unit.withdraw() }
  }

  private static func unitNames(_ targets: [TargetDefinition]) -> [String] {
    let presentations = targets.flatMap { target in
      target.units + target.accessEntries.flatMap { $0.units ?? [] }
    }
    return Set(presentations.map(\.unit)).sorted()
  }

  private func addUnit(
    _ name: String, _ diskBytes: UInt64, _ blockBytes: UInt32, _ startsWithWriteCache: Bool,
    _ options: LogicalUnitOptions
  ) {
    let disk = world.makeDisk(sizeBytes: diskBytes, blockBytes: Int(blockBytes))
    let store = SimulatedStore(disk, logicalBlockBytes: blockBytes)
    disks[name] = disk
    stores[name] = store
    let identity = LogicalUnitIdentity(
      name: name, naa: [0x60] + [UInt8](repeating: UInt8(disks.count), count: 15), serial: name,
      vendor: "SWIFTTGT", product: "VIRTUAL-DISK", revision: "1")
    let unit = LogicalUnit(
      identity: identity, store: presenting(store), startsWithWriteCache: startsWithWriteCache,
      homeReactorIndex: (disks.count - 1) % reactors.count, options: options)
    units.append(unit)
    for worker in workers { worker.add(unit) }
  }

  private func listen(_ portal: PortalDefinition) {
    let socket = world.listen(SimulatedTarget.portal)
    let listener = PortalListener(portal: portal, socket: socket, worker: workers[0])
    listener.start()
    self.listener = listener
  }

  /// Runs the world until `condition` holds; false if it did not within `seconds` of simulated
  /// time.
  @discardableResult
  public func run(seconds: UInt32 = 60, until condition: () -> Bool) -> Bool {
    world.run(reactors, until: condition, within: .seconds(seconds)) == .satisfied
  }

  /// Lets `milliseconds` of simulated time pass.
  public func pass(milliseconds: UInt32) { world.run(reactors, for: Milliseconds(milliseconds)) }

  public func stopListening() { listener?.close() }
}

/// Session handles that depend on the seed alone.
private final class Handles: Sendable {
  private let generator: Mutex<SeededGenerator>

  init(seed: UInt64) { generator = Mutex(SeededGenerator(seed: seed)) }

  func next() -> UInt16 { generator.withLock { $0.pick(1...UInt16.max) } }
}

extension ServerLimits {
  /// More than a simulation needs, unless it is about one of them.
  public init() {
    self.init(
      sessionsMax: 4096, connectionsMax: 8192, halfOpenConnectionsMax: 1024,
      loginTimeout: .seconds(15))
  }
}
