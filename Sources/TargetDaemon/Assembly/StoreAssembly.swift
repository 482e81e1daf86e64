internal import BackingStore
internal import Logging
internal import Reactor
internal import SCSITarget
internal import TargetConfig

/// Opens the stores of a configuration and makes logical units of them.
struct StoreAssembly: Sendable {
  let loaded: LoadedConfiguration
  let marks: LatchMarks
  let latchThread: JobThread
  let files: UnitFiles
  let logger: Logger
  /// Whether a store of that name was served before, by this process or an earlier one.
  let wasServed: @Sendable (String) -> Bool

  /// A store of the configuration, open.
  struct Opened: Sendable {
    let configured: TargetConfiguration.Store
    let store: any Store
    /// What the logical unit works with: `store`, or one that makes it fail.
    var presented: any Store
    /// Why its medium was not there; nil: it was.
    var absence: StoreError?
    /// Nil for memory and null stores, and as long as the medium is missing.
    var onDisk: DescriptorStore? { arrived as? DescriptorStore }
    /// Waits for its medium.
    var awaited: AwaitedStore? {
      guard let store = store as? AwaitedStore, store.store == nil else { return nil }
      return store
    }

    private var arrived: (any Store)? {
      guard let awaited = store as? AwaitedStore else { return store }
      return awaited.store
    }

    init(configured: TargetConfiguration.Store, store: any Store, absence: StoreError? = nil) {
      self.configured = configured
      self.store = store
      self.absence = absence
      presented = store
    }
  }

  /// Whether a medium that is not there is waited for.
  enum Absence {
    case isWaitedFor
    case isRefused
  }

  /// Those stores, or every reason why not.
  func open(
    _ stores: [TargetConfiguration.Store], _ absence: Absence
  ) throws(DaemonError) -> [Opened] {
    let overlaps = StoreMedia.overlaps(in: loaded)
    guard overlaps.isEmpty else { throw DaemonError(.configuration, overlaps.map(\.description)) }
    var opened: [Opened] = []
    var problems: [String] = []
    for store in stores {
      do throws(StoreError) {
        // A file that was served and is missing is on a file system that is not mounted, more
        // often than not: an empty one in its place would be another disk under the same name.
        let isNew = !wasServed(store.name)
        opened.append(Opened(configured: store, store: try open(store, creating: isNew)))
      } catch {
        // Of one store the others know nothing, whatever is wrong with it.
        if absence == .isWaitedFor {
          opened.append(awaited(store, error))
        } else {
          problems.append(loaded.problem(at: store.mediumPath, "\(error)").description)
        }
      }
    }
    guard problems.isEmpty else { throw DaemonError(.noInput, problems) }
    try checkIdentities(opened)
    return try withFaults(opened)
  }

  /// The stores as the logical units are to work with them.
  func withFaults(_ opened: [Opened]) throws(DaemonError) -> [Opened] {
    #if FAULT_INJECTION
      return try FaultPlan.fromEnvironment().applied(to: opened, of: loaded.configuration, logger)
    #else
      return opened
    #endif
  }

  /// The logical unit is there and offline; the configuration keeps it, whatever happens.
  func awaited(_ store: TargetConfiguration.Store, _ error: StoreError) -> Opened {
    logger.error(
      """
      the store cannot be opened: its logical unit answers NOT READY until it can, and all others \
      serve
      """,
      metadata: ["store": "\(store.name)", "error": "\(error)"])
    let blockBytes = UInt32(
      clamping: store.blockSize ?? TargetConfiguration.Store.standardBlockSize)
    let physicalBytes = store.physicalBlockSize.map { UInt32(clamping: $0) } ?? 4096
    return Opened(
      configured: store,
      store: AwaitedStore(logicalBlockBytes: blockBytes, physicalBlockBytes: physicalBytes),
      absence: error)
  }

  /// Once more with what was really opened: names may have changed their meaning since.
  private func checkIdentities(_ opened: [Opened]) throws(DaemonError) {
    let identities = opened.compactMap { opened in
      opened.onDisk.map { (name: opened.configured.name, identity: $0.identity) }
    }
    let overlaps = StoreOverlap.problems(among: identities, in: loaded)
    guard overlaps.isEmpty else { throw DaemonError(.configuration, overlaps.map(\.description)) }
  }

  /// `creating`: a file that is missing may be made.
  func open(
    _ store: TargetConfiguration.Store, creating: Bool = false
  ) throws(StoreError) -> any Store {
    let blockBytes = UInt32(
      clamping: store.blockSize ?? TargetConfiguration.Store.standardBlockSize)
    switch store.medium {
    case .memory:
      return try MemoryStore(sizeBytes: store.sizeBytes ?? 0, logicalBlockBytes: blockBytes)
    case .null:
      return try NullStore(sizeBytes: store.sizeBytes ?? 0, logicalBlockBytes: blockBytes)
    case .file(let path): return try open(store, path, .file, creating: creating)
    case .block(let path): return try open(store, path, .blockDevice, creating: false)
    }
  }

  private func open(
    _ store: TargetConfiguration.Store, _ path: String, _ kind: StoreKind, creating: Bool
  ) throws(StoreError) -> DescriptorStore {
    let finding = marks.finding(for: store.name)
    if let finding { warnOfLatch(store, finding) }
    var options = options(store, path, kind, startsLatched: finding != nil)
    options.createsFile = creating
    let opened = try DescriptorStore.open(options, onLatch: latchHandler(store.name))
    logger.info(
      "store open",
      metadata: [
        "store": "\(store.name)", "path": "\(path)", "cache": "\(store.cache.rawValue)",
        "bytes": "\(opened.geometry.capacityBytes)",
        "blockSize": "\(opened.geometry.logicalBlockBytes)",
      ])
    if opened.isMade { logger.notice("file made, empty", metadata: ["path": "\(path)"]) }
    warnOfExcess(opened, of: store)
    return opened
  }

  private func warnOfExcess(_ opened: DescriptorStore, of store: TargetConfiguration.Store) {
    guard let bytes = try? opened.findExcessBytes(), bytes > 0 else { return }
    logger.warning(
      """
      the file is larger than the size that is configured, which alone is presented: nothing is cut; \
      if a change of the size was interrupted, make it again with swift-tgtadm lun resize
      """,
      metadata: [
        "store": "\(store.name)", "path": "\(opened.path)", "excessBytes": "\(bytes)",
      ])
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
}

extension CacheMode {
  init(_ configured: TargetConfiguration.CacheMode) {
    switch configured {
    case .writeback: self = .writeback
    case .none: self = .none
    case .writethrough: self = .writethrough
    case .directsync: self = .directsync
    }
  }
}

extension StoreError {
  /// Whether it may be otherwise in a moment, without any change of the configuration: the medium
  /// is missing, somebody else has it, or the system cannot reach it.
  var mayPass: Bool {
    switch reason {
    case .missing, .lost, .missingDevice, .inUse, .replaced, .system: true
    default: false
    }
  }
}

extension TargetConfiguration.Store {
  /// Where the configuration names the medium.
  var mediumPath: String { "stores.\(name).\(medium.keyword)" }
}
