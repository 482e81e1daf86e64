internal import BackingStore
internal import Logging
internal import Reactor
internal import SCSITarget
internal import TargetConfig

/// Opens the stores of a configuration and makes logical units of them.
struct StoreAssembly {
  let loaded: LoadedConfiguration
  let marks: LatchMarks
  let latchThread: JobThread
  let files: UnitFiles
  let logger: Logger

  /// A store of the configuration, open.
  struct Opened: Sendable {
    let configured: TargetConfiguration.Store
    let store: any Store
    /// What the logical unit works with: `store`, or one that makes it fail.
    var presented: any Store
    /// Nil for memory and null stores.
    var onDisk: DescriptorStore? { store as? DescriptorStore }

    init(configured: TargetConfiguration.Store, store: any Store) {
      self.configured = configured
      self.store = store
      presented = store
    }
  }

  /// All of them, or every reason why not.
  func openAll() throws(DaemonError) -> [Opened] {
    let overlaps = StoreMedia.overlaps(in: loaded)
    guard overlaps.isEmpty else { throw DaemonError(.configuration, overlaps.map(\.description)) }
    var opened: [Opened] = []
    var problems: [String] = []
    for store in loaded.configuration.stores {
      do throws(StoreError) {
        opened.append(Opened(configured: store, store: try open(store)))
      } catch {
        let place = "stores.\(store.name).\(store.medium.keyword)"
        problems.append(loaded.problem(at: place, error.description).description)
      }
    }
    guard problems.isEmpty else { throw DaemonError(.noInput, problems) }
    try checkIdentities(opened)
    #if FAULT_INJECTION
      return try FaultPlan.fromEnvironment().applied(to: opened, logger)
    #else
      return opened
    #endif
  }

  /// Once more with what was really opened: names may have changed their meaning since.
  private func checkIdentities(_ opened: [Opened]) throws(DaemonError) {
    let identities = opened.compactMap { opened in
      opened.onDisk.map { (name: opened.configured.name, identity: $0.identity) }
    }
    let overlaps = StoreOverlap.problems(among: identities, in: loaded)
    guard overlaps.isEmpty else { throw DaemonError(.configuration, overlaps.map(\.description)) }
  }

  private func open(_ store: TargetConfiguration.Store) throws(StoreError) -> any Store {
    let blockBytes = UInt32(
      clamping: store.blockSize ?? TargetConfiguration.Store.standardBlockSize)
    switch store.medium {
    case .memory:
      return try MemoryStore(sizeBytes: store.sizeBytes ?? 0, logicalBlockBytes: blockBytes)
    case .null:
      return try NullStore(sizeBytes: store.sizeBytes ?? 0, logicalBlockBytes: blockBytes)
    case .file(let path): return try open(store, path, .file)
    case .block(let path): return try open(store, path, .blockDevice)
    }
  }

  private func open(
    _ store: TargetConfiguration.Store, _ path: String, _ kind: StoreKind
  ) throws(StoreError) -> DescriptorStore {
    let finding = marks.finding(for: store.name)
    if let finding { warnOfLatch(store, finding) }
    let opened = try DescriptorStore.open(
      options(store, path, kind, startsLatched: finding != nil), onLatch: latchHandler(store.name))
    logger.info(
      "store open",
      metadata: [
        "store": "\(store.name)", "path": "\(path)", "cache": "\(store.cache.rawValue)",
        "bytes": "\(opened.geometry.capacityBytes)",
        "blockSize": "\(opened.geometry.logicalBlockBytes)",
      ])
    return opened
  }

  private func options(
    _ store: TargetConfiguration.Store, _ path: String, _ kind: StoreKind, startsLatched: Bool
  ) -> StoreOptions {
    let sectorBytes = kind == .blockDevice ? StoreMedia.sectorBytes(of: path) : nil
    return StoreOptions(
      path: path, kind: kind, sizeBytes: store.sizeBytes,
      logicalBlockBytes: store.blockSize.map { UInt32(clamping: $0) } ?? sectorBytes ?? 512,
      physicalBlockBytes: store.physicalBlockSize.map { UInt32(clamping: $0) },
      cacheMode: CacheMode(store.cache), isReadOnly: store.readOnly,
      discards: store.discard == .unmap, startsLatched: startsLatched)
  }

  // MARK: Latch

  private func warnOfLatch(_ store: TargetConfiguration.Store, _ finding: LatchMarks.Finding) {
    switch finding {
    case .mark(let path):
      logger.error(
        """
        a sync of the store failed earlier, so writes to it are refused: stop the daemon, check the \
        store's data, remove the file named here as mark, and start the daemon
        """,
        metadata: ["store": "\(store.name)", "mark": "\(path)"])
    case .unreadable(let path, let error):
      logger.error(
        """
        whether a sync of the store failed earlier cannot be found out, so writes to it are refused: \
        stop the daemon, mend what keeps it from looking at the file named here as mark, and start \
        the daemon
        """,
        metadata: ["store": "\(store.name)", "mark": "\(path)", "error": "\(error)"])
    }
  }

  /// Called on a reactor: hands the work, which sleeps, to a thread.
  private func latchHandler(_ name: String) -> @Sendable (SystemError) -> Void {
    { [self] error in
      let metadata: Logger.Metadata = [
        "store": "\(name)", "error": "\(error)", "mark": "\(marks.path(of: name))",
      ]
      logger.critical(
        "a sync failed and writes may be lost: the store refuses writes from now on",
        metadata: metadata)
      let isAccepted = latchThread.perform {
        do throws(SystemError) { try marks.mark(name, error) } catch {
          warnOfUnsavedMark(metadata, "\(error)")
        }
      }
      if !isAccepted { warnOfUnsavedMark(metadata, "too many marks wait to be saved") }
    }
  }

  private func warnOfUnsavedMark(_ metadata: Logger.Metadata, _ error: String) {
    logger.critical(
      """
      the mark of the failed sync cannot be saved: writes are refused until this process ends, but \
      after a restart the store would take writes again as if none were lost; check its data before, \
      or create the file named here as mark
      """,
      metadata: metadata.merging(["error": "\(error)"]) { $1 })
  }

  // MARK: Units

  /// The logical units, their homes spread over the reactors.
  func units(
    of opened: [Opened], _ identities: [String: GeneratedIdentity], reactorCount: Int
  ) -> [LogicalUnit] {
    opened.enumerated().map { index, opened in
      let configured = opened.configured
      let identity = identity(of: configured, identities[configured.name])
      return LogicalUnit(
        identity: identity, store: opened.presented,
        startsWithWriteCache: CacheMode(configured.cache).startsWithWriteCache,
        homeReactorIndex: index % reactorCount, options: options(of: configured, identity))
    }
  }

  private func identity(
    of store: TargetConfiguration.Store, _ generated: GeneratedIdentity?
  ) -> LogicalUnitIdentity {
    guard let naa = store.naa?.bytes ?? generated?.naa,
      let serial = store.serial ?? generated?.serial
    else { preconditionFailure("the registry knows every store that the configuration does not") }
    return LogicalUnitIdentity(
      name: store.name, naa: naa, serial: serial, vendor: store.vendor, product: store.product,
      revision: Version.productRevision)
  }

  private func options(
    of store: TargetConfiguration.Store, _ identity: LogicalUnitIdentity
  ) -> LogicalUnitOptions {
    var options = LogicalUnitOptions()
    options.queueDepth = store.queueDepth
    options.isRemovable = store.removable
    options.servesLongCommands = store.servesLongCommands
    options.mediumRotationRate = store.rotationRate
    options.thinThresholdPercent = store.thinThresholdPercent.map { UInt8(clamping: $0) }
    options.access = loaded.configuration.access(to: store.name)
    options.reservations = savedReservations(of: identity)
    options.reservationPersistence = files.reservations
    options.savedParameters = files.parameters.load(of: identity)
    options.parameterPersistence = files.parameters
    // A disk in memory ends with the process, and what was left to wipe with it.
    if store.medium.path != nil {
      options.wipe = files.wipes.load(of: identity)
      options.wipePersistence = files.wipes
    }
    return options
  }

  // MARK: Waiting

  /// Waits on a thread for the lock of each store that another process still holds; all others
  /// serve meanwhile. `onChange` is called, on that thread, when one has ended its wait.
  func awaitLocks(
    of opened: [Opened], onChange: @escaping @Sendable () -> Void
  ) throws(DaemonError) {
    for opened in opened {
      guard let store = opened.onDisk, store.readiness == .waitingForLock else { continue }
      let name = opened.configured.name
      try PlatformThread.startDetached(name: "lock \(name)") { [self] in
        wait(for: store, name)
        onChange()
      }
    }
  }

  private func wait(for store: DescriptorStore, _ name: String) {
    let owner = StoreMedia.lockOwner(of: store.path).map { "\($0)" } ?? "unknown"
    logger.warning(
      """
      another process holds the store's lock: its logical units answer NOT READY until that \
      process has ended and its last write has landed
      """,
      metadata: ["store": "\(name)", "path": "\(store.path)", "pid": "\(owner)"])
    do throws(StoreError) {
      try store.waitForLock()
      logger.notice("the store's lock is granted: it serves now", metadata: ["store": "\(name)"])
    } catch {
      logger.error(
        "the store cannot be used and stays NOT READY: correct this and restart",
        metadata: ["store": "\(name)", "error": "\(error)"])
    }
  }
}

extension CacheMode {
  fileprivate init(_ configured: TargetConfiguration.CacheMode) {
    switch configured {
    case .writeback: self = .writeback
    case .none: self = .none
    case .writethrough: self = .writethrough
    case .directsync: self = .directsync
    }
  }
}
