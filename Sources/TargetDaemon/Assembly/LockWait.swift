internal import BackingStore
internal import Glibc
internal import Logging
internal import Reactor
internal import SCSITarget
internal import Synchronization
internal import TargetConfig

/// Waits for the locks of stores that others hold; all other stores serve meanwhile.
///
/// One thread, as long as any store waits, has every lock tried again and again: a flock(2) that
/// waits could neither share its thread nor be called off when its store is removed. The attempts
/// are looks on threads of their own (`UnaskedLooks`), so that a file system that hangs keeps few
/// others waiting, if any.
///
/// Nothing here keeps a store: one that is removed is closed at once, and nothing is said of it.
final class LockWait: Sendable {
  typealias OnEnd = @Sendable (_ unit: LogicalUnit, _ isGranted: Bool) -> Void

  /// Between two attempts: so long may a lock that is free again go unnoticed.
  private static let intervalMicroseconds: UInt32 = 200_000
  /// The same while the holder may be gone in a moment.
  private static let shortIntervalMicroseconds: UInt32 = 10_000
  /// Within that a former store of this process closes, whose operations have ended: until then it
  /// is not worth a word. Nor is a holder that cannot be named, as it may be such a store.
  private static let grace = Milliseconds.seconds(2)
  /// No wait is brief after that, also where nothing was said of it, as the disk hangs and the lock
  /// cannot be tried.
  private static let briefMax = Milliseconds.seconds(3)

  /// A store that waits, known by its note: a weak reference would slow it down for good.
  private final class Wait: Sendable {
    let name: String
    let path: String
    let place: String
    let fileSystem: UInt64?
    private weak let note: DangerNote?
    let onEnd: OnEnd
    let start = MonotonicTime.current
    /// It may take long, and that was said.
    let isTold = OneTime()
    /// Something else than the holder of the lock keeps it waiting, and that was said.
    let isToldOfDelay = OneTime()
    /// It has the lock, or never will.
    let hasEnded = OneTime()

    /// Whoever asks may be the last to let it go, which closes it: so never ask under a lock.
    var store: DescriptorStore? { note?.owner }

    /// The holder may be gone in a moment.
    var isBrief: Bool {
      !isTold.isTaken && !hasEnded.isTaken && MonotonicTime.current < start + LockWait.briefMax
    }

    init(
      _ store: DescriptorStore, _ opened: StoreAssembly.Opened, at place: String,
      _ onEnd: @escaping OnEnd
    ) {
      name = opened.configured.name
      path = store.path
      self.place = place
      fileSystem = store.identity.fileSystem
      opened.danger.belong(to: store)
      note = opened.danger
      self.onEnd = onEnd
    }
  }

  private struct State: Sendable {
    var waits: [Wait] = []
    var isRunning = false
  }

  private let state = Mutex(State())
  private let hasStopped = OneTime()
  /// Held while `onEnd` is called, so that `stop` can wait until it has been.
  private let telling = Mutex(())
  /// Who keeps the daemon's stores keeps their descriptors.
  private weak let inventory: Inventory?
  private let media: MediaThreads
  private let looks: UnaskedLooks
  private let logger: Logger

  init(for inventory: Inventory, _ media: MediaThreads, _ logger: Logger) {
    self.inventory = inventory
    // Locks are to be granted while all other looks hang, and the other way round.
    self.media = media.others()
    looks = UnaskedLooks(self.media)
    self.logger = logger
  }

  /// How many stores wait, or have until a moment ago.
  var count: Int { state.withLock { $0.waits.count } }

  /// Of stores that are in the inventory. `onEnd` is called on another thread when one of them has
  /// ended its wait, with the lock or without, unless it was removed.
  func begin(_ opened: [StoreAssembly.Opened], onEnd: @escaping OnEnd) throws(DaemonError) {
    let waits = opened.compactMap { opened -> Wait? in
      guard let store = opened.onDisk, store.readiness == .waitingForLock,
        let place = opened.configured.medium.place
      else { return nil }
      return isWaiting(store) ? nil : Wait(store, opened, at: place, onEnd)
    }
    state.withLock { $0.waits += waits }
    try resume()
  }

  /// Starts the thread if one is wanted; again and again, as there may have been none.
  func resume() throws(DaemonError) {
    let isNeeded = state.withLock { state in
      guard !state.isRunning, !state.waits.isEmpty else { return false }
      state.isRunning = true
      return true
    }
    guard isNeeded else { return }
    do throws(DaemonError) { try media.start("locks") { [self] in run() } } catch {
      state.withLock { $0.isRunning = false }
      throw error
    }
  }

  /// For good: no store waits any more, and `onEnd` is not called, nor still under way. Not to be
  /// called by it.
  func stop() { telling.withLock { _ in _ = hasStopped.take() } }

  func isWaiting(_ store: DescriptorStore) -> Bool {
    waits.contains { !$0.hasEnded.isTaken && $0.store === store }
  }

  /// Whether the store may get its lock in a moment: for a bounded time.
  func isWaitingBriefly(_ store: DescriptorStore) -> Bool {
    waits.contains { $0.isBrief && $0.store === store }
  }

  private var waits: [Wait] { state.withLock { $0.waits } }

  private func run() {
    while let waits = next() {
      for (place, waits) in Dictionary(grouping: waits, by: \.place) {
        looks.perform("lock \(place)", at: place, on: waits.first?.fileSystem) { [self] in
          for wait in waits { attempt(wait) }
        }
      }
      PlatformThread.pause(
        microseconds: waits.contains(where: \.isBrief)
          ? Self.shortIntervalMicroseconds : Self.intervalMicroseconds)
    }
  }

  /// Nil: nothing waits any more, and the thread ends.
  private func next() -> [Wait]? {
    for wait in waits where wait.store == nil || hasStopped.isTaken { _ = wait.hasEnded.take() }
    return state.withLock { state in
      state.waits.removeAll { $0.hasEnded.isTaken }
      state.isRunning = !state.waits.isEmpty
      return state.isRunning ? state.waits : nil
    }
  }

  // MARK: Attempts

  private func attempt(_ wait: Wait) {
    guard !wait.hasEnded.isTaken, let store = wait.store, unit(servedBy: store, wait) != nil
    else { return }
    do throws(StoreError) {
      guard try store.retryLock() else { return tell(wait) }
      end(wait, store, isGranted: true) {
        // Nobody has to hear of the end of a wait that was never told of.
        guard wait.isTold.isTaken else { return }
        logger.notice(
          "the store's lock is granted: it serves now", metadata: ["store": "\(wait.name)"])
      }
    } catch {
      let readiness = store.readiness
      guard readiness != .waitingForLock else { return tellOfDelay(wait, error) }
      end(wait, store, isGranted: false) {
        logger.error(
          readiness == .gone
            ? "the store's device vanished while its lock was held: it is taken when it is back"
            : "the store cannot be used and stays NOT READY: correct this and restart",
          metadata: ["store": "\(wait.name)", "error": "\(error)"])
      }
    }
  }

  /// Says nothing of a store that was removed while its lock was tried.
  private func end(_ wait: Wait, _ store: DescriptorStore, isGranted: Bool, _ say: () -> Void) {
    if let served = unit(servedBy: store, wait) {
      say()
      telling.withLock { _ in
        if !hasStopped.isTaken { wait.onEnd(served, isGranted) }
      }
    }
    _ = wait.hasEnded.take()
  }

  /// Nil: that very store is not served, though somebody may still keep it.
  private func unit(servedBy store: DescriptorStore, _ wait: Wait) -> LogicalUnit? {
    guard !hasStopped.isTaken, let served = inventory?.served(named: wait.name),
      served.opened.onDisk === store
    else { return nil }
    return served.unit
  }

  private func tell(_ wait: Wait) {
    guard !wait.isTold.isTaken else { return }
    let owner = StoreMedia.lockOwner(of: wait.path)
    let mayBeOurs = owner == nil || owner == getpid()
    guard !mayBeOurs || MonotonicTime.current >= wait.start + Self.grace else { return }
    logger.warning(
      """
      the store's lock is held: its logical units are not ready, and BUSY for reads and writes, \
      until its holder has let go, and its last write has landed
      """,
      metadata: [
        "store": "\(wait.name)", "path": "\(wait.path)",
        "pid": "\(owner.map { "\($0)" } ?? "unknown")",
      ])
    _ = wait.isTold.take()
  }

  private func tellOfDelay(_ wait: Wait, _ error: StoreError) {
    guard wait.isToldOfDelay.take() else { return }
    logger.warning(
      error.reason == .inUse
        ? "the store's lock is free, its device is not: it is waited for"
        : "the store's lock cannot be taken now: it is tried again",
      metadata: ["store": "\(wait.name)", "error": "\(error)"])
    _ = wait.isTold.take()
  }
}
