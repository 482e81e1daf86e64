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

  struct Watched: Sendable {
    let unit: LogicalUnit
    let path: String
    let hasThreshold: Bool
  }

  private struct Thread: Sendable {
    let wakeUp = Semaphore()
    let ended = Semaphore()
  }

  /// The file system that a file is on, and what there is left: the kernel's word, or a test's.
  private let device: @Sendable (String) -> UInt64?
  private let space: @Sendable (String) -> StoreMedia.Space?
  private let threads = Mutex<[Thread]>([])

  init(
    device: @escaping @Sendable (String) -> UInt64? = { StoreMedia.device(of: $0) },
    space: @escaping @Sendable (String) -> StoreMedia.Space? = { StoreMedia.space(of: $0) }
  ) {
    self.device = device
    self.space = space
  }

  /// Starts as many threads as there is to look at.
  func start(
    _ units: [LogicalUnit], of opened: [StoreAssembly.Opened], _ logger: Logger
  ) throws(DaemonError) {
    let watched = zip(units, opened).compactMap { unit, opened -> Watched? in
      guard case .file(let path) = opened.configured.medium,
        unit.store.capabilities.canPunchHoles
      else { return nil }
      return Watched(
        unit: unit, path: path, hasThreshold: opened.configured.thinThresholdPercent != nil)
    }
    try start(watched, logger)
  }

  func start(_ watched: [Watched], _ logger: Logger) throws(DaemonError) {
    for share in shares(of: watched) {
      let thread = Thread()
      try PlatformThread.startDetached(name: "space") { [space] in
        Self.run(share, space, until: thread.wakeUp, logger)
        thread.ended.signal()
      }
      threads.withLock { $0.append(thread) }
    }
  }

  /// What each thread looks at.
  private func shares(of watched: [Watched]) -> [[Watched]] {
    var shares: [[Watched]] = []
    var shareOfDevice: [UInt64?: Int] = [:]
    for one in watched {
      let device = device(one.path)
      let share = shareOfDevice[device] ?? shareOfDevice.count % Self.threadsMax
      shareOfDevice[device] = share
      if share == shares.count { shares.append([]) }
      shares[share].append(one)
    }
    return shares
  }

  var threadCount: Int { threads.withLock { $0.count } }

  /// False: a file system did not answer by `deadline`.
  func stop(by deadline: MonotonicTime) -> Bool {
    let threads = threads.withLock { $0 }
    for thread in threads { thread.wakeUp.signal() }
    return threads.count { !$0.ended.wait(until: deadline) } == 0
  }

  private static func run(
    _ watched: [Watched], _ space: (String) -> StoreMedia.Space?, until stopped: Semaphore,
    _ logger: Logger
  ) {
    let hasThresholds = watched.contains { $0.hasThreshold }
    var nextOfAll = MonotonicTime.current
    repeat {
      let now = MonotonicTime.current
      let isTimeForAll = now >= nextOfAll
      if isTimeForAll { nextOfAll = now + interval }
      for one in watched where isTimeForAll || one.hasThreshold {
        if let space = space(one.path) { note(space, of: one, logger) }
      }
    } while !stopped.wait(until: .current + (hasThresholds ? thresholdInterval : interval))
  }

  private static func note(_ space: StoreMedia.Space, of watched: Watched, _ logger: Logger) {
    let isAlarm = watched.unit.noteSpace(
      usedBytes: space.usedBytes, availableBytes: space.availableBytes)
    guard isAlarm else { return }
    logger.warning(
      "the store runs out of room: initiators were told so",
      metadata: [
        "store": "\(watched.unit.identity.name)", "usedMiB": "\(space.usedBytes >> 20)",
        "availableMiB": "\(space.availableBytes >> 20)",
      ])
  }
}
