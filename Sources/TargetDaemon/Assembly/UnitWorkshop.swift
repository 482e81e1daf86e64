internal import AdministrationServer
internal import BackingStore
internal import Logging
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
  private let marks: LatchMarks
  private let latchThread: JobThread
  private let files: UnitFiles
  private let logger: Logger
  private let reactorCount: Int
  private let registry: Mutex<IdentityRegistry>
  /// How many units were made: their homes go round the reactors.
  private let unitCount = Mutex(0)

  init(
    _ state: StateDirectory, reactorCount: Int, events: EventHub, media: MediaThreads,
    logger: Logger
  ) throws(DaemonError) {
    self.media = media
    registry = Mutex(try IdentityRegistry.load(state))
    latchThread = try JobThread(name: "latch marks")
    files = try UnitFiles(in: state, bootedAs: .current(), events: events, logger: logger)
    changes = try JobThread(name: "changes")
    jobThreads = [changes, latchThread, files.reservationThread, files.parameterThread]
    marks = LatchMarks(state)
    self.reactorCount = reactorCount
    self.logger = logger
  }

  func assembly(of loaded: LoadedConfiguration) -> StoreAssembly {
    StoreAssembly(
      loaded: loaded, marks: marks, latchThread: latchThread, files: files, media: media,
      logger: logger)
  }

  /// Makes and saves those that are missing, so that `units` cannot fail.
  func ensureIdentities(of opened: [StoreAssembly.Opened]) throws(DaemonError) {
    _ = try identities(of: opened)
  }

  private func identities(
    of opened: [StoreAssembly.Opened]
  ) throws(DaemonError) -> [String: GeneratedIdentity] {
    let anonymous = opened.map(\.configured).filter { $0.naa == nil || $0.serial == nil }
    return try registry.withLock { registry throws(DaemonError) in
      try registry.identities(of: anonymous.map(\.name))
    }
  }

  /// The logical units of open stores. Identities that are new are saved before.
  func units(
    of opened: [StoreAssembly.Opened], by assembly: StoreAssembly
  ) throws(DaemonError) -> [Inventory.Served] {
    let identities = try identities(of: opened)
    let first = unitCount.withLock { count in
      defer { count += opened.count }
      return count
    }
    let units = assembly.units(of: opened, identities) { (first + $0) % reactorCount }
    return zip(opened, units).map { Inventory.Served(opened: $0, unit: $1) }
  }
}
