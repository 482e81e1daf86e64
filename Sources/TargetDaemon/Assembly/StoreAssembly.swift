internal import BackingStore
internal import Logging
internal import Reactor
internal import SCSITarget
internal import TargetConfig

/// Opens the stores of a configuration and makes logical units of them.
struct StoreAssembly: Sendable {
  let loaded: LoadedConfiguration
  let own: OwnMedia
  let marks: LatchMarks
  let latchThread: JobThread
  let files: UnitFiles
  let media: MediaThreads
  let logger: Logger
  /// Whether a store of that name was served before, by this process or an earlier one.
  let wasServed: @Sendable (String) -> Bool
  /// Whether media are only looked at, for a change that is not to be made: nothing is left made,
  /// locked or written down.
  var isTrial = false
  /// Whether stores that cannot be opened are waited for, whose files are never made anew then.
  var keepsFiles = true

  /// A store of the configuration, open.
  struct Opened: Sendable {
    let configured: TargetConfiguration.Store
    let store: any Store
    /// What the logical unit works with: `store`, or one that makes it fail.
    var presented: any Store
    /// Why its medium was not there; nil: it was.
    var absence: StoreError?
    /// Looks at the medium that others take up while it serves.
    let watch: MediumWatch
    /// Whether its size is being changed (`StoreSizing`).
    let sizing = MediumWatch()
    let sizeChanges = SizeChanges()
    /// What others have done to the medium while it serves (`DangerWatch`).
    let danger = DangerNote()
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

    /// A device that vanished while it served.
    var isLostDevice: Bool { onDisk?.kind == .blockDevice && store.readiness == .gone }

    init(
      configured: TargetConfiguration.Store, store: any Store, absence: StoreError? = nil,
      watch: MediumWatch = MediumWatch()
    ) {
      self.configured = configured
      self.store = store
      self.absence = absence
      self.watch = watch
      presented = store
    }
  }

  /// All stores of the configuration, unless two are one and the same. Those that cannot be opened,
  /// or do not answer in time, are waited for.
  func openAll() throws(DaemonError) -> [Opened] {
    let stores = loaded.configuration.stores
    let found = media.askAll(stores, at: \.medium.placeOrNone) { store in
      Identity(of: store.medium.path)
    }
    let overlaps = StoreOverlap.problems(
      among: zip(stores, found).compactMap { store, found in
        found?.value.map { (name: store.name, identity: $0) }
      }, in: loaded)
    guard overlaps.isEmpty else { throw DaemonError(.configuration, overlaps.map(\.description)) }
    // What did not answer is opened later (`StoreWatch`).
    let answering = zip(stores, found).filter { $1 != nil }.map { store, _ in
      Attempt(store: store, watch: MediumWatch(isUnderWay: true))
    }
    let findings = media.askAll(answering, at: \.store.medium.placeOrNone) { attempt in
      // A file that was served and is missing is on a file system that is not mounted, more often
      // than not: an empty one in its place would be another disk under the same name.
      finding(attempt.store, creating: !wasServed(attempt.store.name))
    } late: { attempt, finding in
      attempt.watch.end(finding)
    }
    let results = Dictionary(
      zip(answering, findings).map { ($0.store.name, ($0.watch, $1)) },
      uniquingKeysWith: { one, _ in one })
    let opened = stores.map { store in
      let (watch, finding) = results[store.name] ?? (MediumWatch(), nil)
      return switch finding {
      case .success(let found)?: Opened(configured: store, store: found)
      // Of one store the others know nothing, whatever is wrong with it.
      case .failure(let error)?: awaited(store, error)
      case nil: awaited(store, store.unanswered, watch)
      }
    }
    try checkIdentities(opened)
    return try withFaults(opened)
  }

  private struct Attempt: Sendable {
    let store: TargetConfiguration.Store
    /// For what comes late.
    let watch: MediumWatch
  }

  /// Of the medium at a path, as far as there is one.
  private struct Identity: Sendable {
    let value: StoreIdentity?
    init(of path: String?) { value = path.flatMap { StoreMedia.identity(of: $0) } }
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
  func awaited(
    _ store: TargetConfiguration.Store, _ error: StoreError, _ watch: MediumWatch = MediumWatch()
  ) -> Opened {
    if !isTrial {
      logger.error(
        """
        the store cannot be opened: its logical unit answers NOT READY until it can, and all others \
        serve
        """,
        metadata: ["store": "\(store.name)", "error": "\(error)"])
    }
    let blockBytes = UInt32(
      clamping: store.blockSize ?? TargetConfiguration.Store.standardBlockSize)
    let physicalBytes = store.physicalBlockSize.map { UInt32(clamping: $0) } ?? 4096
    return Opened(
      configured: store,
      store: AwaitedStore(logicalBlockBytes: blockBytes, physicalBlockBytes: physicalBytes),
      absence: error, watch: watch)
  }

  /// Once more with what was really opened: names may have changed their meaning since.
  private func checkIdentities(_ opened: [Opened]) throws(DaemonError) {
    let identities = opened.compactMap { opened in
      opened.onDisk.map { (name: opened.configured.name, identity: $0.medium) }
    }
    let overlaps = StoreOverlap.problems(among: identities, in: loaded)
    guard overlaps.isEmpty else { throw DaemonError(.configuration, overlaps.map(\.description)) }
  }

  /// What opening the store comes to. It may hang: for threads that may, too. `creating`: a file
  /// that is missing may be made.
  func finding(
    _ store: TargetConfiguration.Store, creating: Bool = false
  ) -> MediumWatch.Finding {
    do throws(StoreError) { return .success(try open(store, creating: creating)) } catch {
      return .failure(error)
    }
  }

  private func open(
    _ store: TargetConfiguration.Store, creating: Bool
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
  ) throws(StoreError) -> any Store {
    try own.refuse(path)
    guard !isTrial else { return try openOnTrial(store, path, kind, creating: creating) }
    let finding = marks.finding(for: store.name)
    if let finding { warnOfLatch(store, finding) }
    var options = Self.options(store, path, kind, startsLatched: finding != nil)
    options.createsFile = creating
    options.keepsFile = keepsFiles
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
    if let warning = opened.extensionWarning {
      logger.warning("\(warning)", metadata: ["store": "\(store.name)"])
    }
    return opened
  }

  /// The store that would be open; an empty one stands for a file that would be made.
  private func openOnTrial(
    _ store: TargetConfiguration.Store, _ path: String, _ kind: StoreKind, creating: Bool
  ) throws(StoreError) -> any Store {
    var options = Self.options(store, path, kind, startsLatched: false)
    options.createsFile = creating
    // Nothing is asked of the medium that would touch it.
    options.discards = false
    if let found = try DescriptorStore.tryOpening(options) { return found }
    return try NullStore(
      sizeBytes: store.sizeBytes ?? 0, logicalBlockBytes: options.logicalBlockBytes)
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

  static func options(
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
    case .missing, .lost, .missingDevice, .missingDirectory, .noMedium, .inUse, .replaced,
      .unanswered, .system:
      true
    default: false
    }
  }
}

extension TargetConfiguration.Store {
  /// Where the configuration names the medium.
  var mediumPath: String { "stores.\(name).\(medium.keyword)" }

  /// Its medium hangs.
  var unanswered: StoreError { StoreError(medium.path ?? name, .unanswered) }
}

extension TargetConfiguration.Medium {
  fileprivate var placeOrNone: String { place ?? "" }
}

extension DescriptorStore {
  /// That its file had less than its size, when it was opened, and gets that when it serves. How
  /// long it was when it was served last nobody knows: the administrator does. Nil: it had enough,
  /// or nothing, as a new one.
  var extensionWarning: String? {
    guard kind == .file, let size = configuredSizeBytes, foundFileBytes > 0, foundFileBytes < size
    else { return nil }
    return """
      \(path) has \(ByteSize.description(foundFileBytes)) and is made \(ByteSize.description(size)), \
      as configured: what is added reads as zeros; unless the size was raised, something has cut the \
      file, and what is missing is to be restored from a backup
      """
  }
}
