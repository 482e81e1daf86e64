internal import BackingStore
internal import Logging
internal import Reactor
internal import SCSITarget
internal import Synchronization
internal import TargetConfig

/// Looks at how much room the sparse files of stores have left, on a thread for each file system:
/// one that hangs keeps nobody from a look at the others. Where it cannot look the unit goes on
/// telling what was found last.
final class SpaceMonitor: Sendable {
  /// Between two looks at a file with a threshold, so that the alarm comes soon; at others the
  /// figures are only read by people.
  private static let thresholdInterval = Milliseconds.seconds(5)
  private static let interval = Milliseconds.seconds(60)
  /// File systems beyond so many share threads.
  static let threadsMax = 64

  /// Keeps neither the unit nor, with it, the lock of its store.
  struct Watched: Sendable {
    weak let unit: LogicalUnit?
    let name: String
    let path: String
    let hasThreshold: Bool
    /// The file system that it is on, where that is known already.
    let device: UInt64?

    init(unit: LogicalUnit, path: String, hasThreshold: Bool, device: UInt64? = nil) {
      self.unit = unit
      self.device = device
      name = unit.identity.name
      self.path = path
      self.hasThreshold = hasThreshold
    }
  }

  /// What one thread looks at.
  private final class Share: Sendable {
    let watched = Mutex<[Watched]>([])
    let isEnding = Atomic<Bool>(false)
    let wakeUp = Semaphore()
    let ended = Semaphore()
  }

  private struct Place: Sendable {
    let watched: Watched
    let share: Int
  }

  private struct State: Sendable {
    var shares: [Share] = []
    var shareOfDevice: [UInt64?: Int] = [:]
    /// By the names of the units.
    var places: [String: Place] = [:]
    var isStopping = false
  }

  /// The file system that a file is on, and what there is left: the kernel's word, or a test's.
  private let device: @Sendable (String) -> UInt64?
  private let space: @Sendable (String) -> StoreMedia.Space?
  private let state = Mutex(State())

  init(
    device: @escaping @Sendable (String) -> UInt64? = { StoreMedia.device(of: $0) },
    space: @escaping @Sendable (String) -> StoreMedia.Space? = { StoreMedia.space(of: $0) }
  ) {
    self.device = device
    self.space = space
  }

  /// Looks at what is served by now: to be called at the start, and when that may have changed.
  func follow(_ inventory: Inventory, _ logger: Logger) throws(DaemonError) {
    let watched = inventory.served.compactMap { served -> Watched? in
      let configured = served.opened.configured
      guard case .file(let path) = configured.medium,
        served.unit.store.capabilities.canPunchHoles
      else { return nil }
      return Watched(
        unit: served.unit, path: path, hasThreshold: configured.hasThinThreshold,
        device: served.opened.onDisk?.identity.fileSystem)
    }
    try follow(watched, logger)
  }

  /// Looks at `watched` from now on, and at nothing else. From one thread at a time; it may wait
  /// for the file systems of those that are new.
  func follow(_ watched: [Watched], _ logger: Logger) throws(DaemonError) {
    let known = state.withLock { $0.places }
    let newcomers = watched.filter { known[$0.name]?.watched.unit !== $0.unit }
    guard !newcomers.isEmpty || watched.count != known.count else { return }
    let devices = newcomers.map { $0.device ?? device($0.path) }
    try state.withLock { state throws(DaemonError) in
      guard !state.isStopping else { return }
      let names = Set(watched.map(\.name))
      state.places = state.places.filter { names.contains($0.key) }
      for (newcomer, device) in zip(newcomers, devices) {
        let share = try share(of: device, &state, logger)
        state.places[newcomer.name] = Place(watched: newcomer, share: share)
      }
      deal(watched, state)
      let changed = Set(newcomers.compactMap { state.places[$0.name]?.share })
      for index in changed { state.shares[index].wakeUp.signal() }
    }
  }

  /// Gives each thread its share.
  private func deal(_ watched: [Watched], _ state: State) {
    let shares = Dictionary(grouping: watched) { state.places[$0.name]?.share }
    for (index, share) in state.shares.enumerated() {
      share.watched.withLock { $0 = shares[index] ?? [] }
    }
  }

  /// That of a device which is new is another thread's, as far as there may be another.
  private func share(
    of device: UInt64?, _ state: inout State, _ logger: Logger
  ) throws(DaemonError) -> Int {
    if let share = state.shareOfDevice[device] { return share }
    var index = state.shareOfDevice.count % Self.threadsMax
    if index >= state.shares.count {
      do throws(DaemonError) {
        state.shares.append(try startThread(logger))
        index = state.shares.count - 1
      } catch {
        guard !state.shares.isEmpty else { throw error }
        index = 0
      }
    }
    state.shareOfDevice[device] = index
    return index
  }

  private func startThread(_ logger: Logger) throws(DaemonError) -> Share {
    let share = Share()
    try PlatformThread.startDetached(name: "space") { [space] in
      Self.run(share, space, logger)
      share.ended.signal()
    }
    return share
  }

  var threadCount: Int { state.withLock { $0.shares.count } }

  /// False: a file system did not answer by `deadline`.
  func stop(by deadline: MonotonicTime) -> Bool {
    let shares = state.withLock { state in
      state.isStopping = true
      return state.shares
    }
    for share in shares {
      share.isEnding.store(true, ordering: .releasing)
      share.wakeUp.signal()
    }
    return shares.count { !$0.ended.wait(until: deadline) } == 0
  }

  private static func run(
    _ share: Share, _ space: (String) -> StoreMedia.Space?, _ logger: Logger
  ) {
    var nextOfAll = MonotonicTime.current
    while !share.isEnding.load(ordering: .acquiring) {
      let now = MonotonicTime.current
      let isTimeForAll = now >= nextOfAll
      if isTimeForAll { nextOfAll = now + interval }
      let watched = share.watched.withLock { $0 }
      for one in watched where isTimeForAll || one.hasThreshold {
        // Not kept while the file system thinks.
        guard one.unit != nil, let space = space(one.path), let unit = one.unit else { continue }
        note(space, of: unit, logger)
      }
      let pause = watched.contains { $0.hasThreshold } ? thresholdInterval : interval
      // Woken, it has others to look at, or is to end.
      if share.wakeUp.wait(until: .current + pause) { nextOfAll = .current }
    }
  }

  private static func note(_ space: StoreMedia.Space, of unit: LogicalUnit, _ logger: Logger) {
    let isAlarm = unit.noteSpace(
      usedBytes: space.usedBytes, availableBytes: space.availableBytes)
    guard isAlarm else { return }
    logger.warning(
      "the store runs out of room: initiators were told so",
      metadata: [
        "store": "\(unit.identity.name)", "usedMiB": "\(space.usedBytes >> 20)",
        "availableMiB": "\(space.availableBytes >> 20)",
      ])
  }
}

extension TargetConfiguration.Store {
  fileprivate var hasThinThreshold: Bool {
    thinThresholdPercent != nil || thinAvailableThresholdPercent != nil
  }
}
