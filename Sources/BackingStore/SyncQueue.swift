internal import Reactor
internal import Synchronization

/// At most one fdatasync of a store at a time, over all reactors; requests that arrive meanwhile
/// are served together by the next one (group commit).
///
/// Linux reports a failed write-back once per open file description, and all reactors share one. Of
/// two syncs that overlap, one takes the EIO and the other succeeds, and nothing orders how their
/// completions are handled: the ignorant one could answer GOOD before the other has latched the
/// store. So syncs never overlap: the failed one latches the store before the next begins. A
/// request is served only by a sync that began after the request came, for the one in flight may
/// have passed over what the request is to cover. Besides, a store that hangs occupies one kernel
/// worker and not all of them.
///
/// Everything that answers for other writes goes through here: SYNCHRONIZE CACHE and, on a buffered
/// store, durable writes, which are a plain write followed by a sync. RWF_DSYNC would take the
/// file's one report of a failed write-back just as fdatasync does. The price is that a durable
/// write waits for all that is dirty and not for its own range only; file systems put a flush
/// before such writes anyway.
///
/// Durable writes past the page cache stay outside, in parallel: nothing of theirs is written back
/// later, so each is told of its own failure.
final class SyncQueue: Sendable {
  private struct State {
    var isRunning = false
    var waiting: [SyncWaiter] = []
  }

  private let state = Mutex(State())

  /// True: no sync is in flight, and the caller begins one, for `waiter`. False: `waiter` is told
  /// by whoever ends the next.
  func enter(_ waiter: SyncWaiter) -> Bool {
    state.withLock { state in
      guard !state.isRunning else {
        state.waiting.append(waiter)
        return false
      }
      state.isRunning = true
      return true
    }
  }

  /// Takes those who came while the sync that has just ended was in flight. The caller begins the
  /// next for them, or with `isRefused` tells them why not; if there are none, none is in flight
  /// any more.
  func takeWaiting(isRefused: Bool) -> [SyncWaiter] {
    state.withLock { state in
      let waiting = state.waiting
      state.waiting = []
      state.isRunning = !waiting.isEmpty && !isRefused
      return waiting
    }
  }
}

/// A request that waits for a sync, perhaps of another reactor.
///
/// Sendable because other threads only pass it on: the request is touched on its own reactor alone.
struct SyncWaiter: @unchecked Sendable {
  private let request: StoreRequest
  private let home: Mailbox

  init(_ request: StoreRequest, on reactor: Reactor) {
    self.request = request
    home = reactor.mailbox
  }

  /// Ends the request, on its own reactor; the caller is on `reactor`'s thread. False: that
  /// reactor's mailbox is full, and the request has not ended.
  func finish(_ failure: StoreFailure?, on reactor: Reactor) -> Bool {
    guard home !== reactor.mailbox else {
      request.finish(failure)
      return true
    }
    return home.post { [self] in request.finish(failure) }
  }
}

/// One sync after the other, on the reactor where the first was asked for, until nobody waits.
final class SyncRound: OperationHandler {
  private let store: DescriptorStore
  /// Keeps this round in its table while an operation is in flight.
  private unowned let reactor: Reactor
  /// Whom the sync in flight serves.
  private var waiters: [SyncWaiter]
  private var interruptions = 0

  init(_ store: DescriptorStore, for waiter: SyncWaiter, on reactor: Reactor) {
    self.store = store
    self.reactor = reactor
    waiters = [waiter]
  }

  func start() { reactor.synchronize(store.file, for: self) }

  func operationCompleted(_ context: UInt32, _ result: OperationResult) {
    if result.error == .interrupted, interruptions < DescriptorStore.interruptionsMax {
      interruptions += 1
      return start()
    }
    // A failure latches the store here, before anybody can begin another sync.
    let failure = store.syncEnded(result.error)
    let refusal = store.refusal(of: .synchronize)
    let served = waiters
    let next = store.syncs.takeWaiting(isRefused: refusal != nil)
    if refusal == nil, !next.isEmpty { begin(for: next) }
    tell(served, failure)
    if let refusal { tell(next, refusal) }
  }

  private func begin(for next: [SyncWaiter]) {
    waiters = next
    interruptions = 0
    start()
  }

  private func tell(_ waiters: [SyncWaiter], _ failure: StoreFailure?) {
    let untold = waiters.filter { !$0.finish(failure, on: reactor) }
    if !untold.isEmpty { LateNews(untold, failure, on: reactor).tryLater() }
  }
}

/// How a sync ended, for reactors whose mailboxes were full: told as soon as they have room, for a
/// request that is never told of its end would never answer its initiator.
private final class LateNews: TimerHandler {
  private var untold: [SyncWaiter]
  private let failure: StoreFailure?
  private unowned let reactor: Reactor

  private static let pause = Milliseconds(10)

  init(_ untold: [SyncWaiter], _ failure: StoreFailure?, on reactor: Reactor) {
    self.untold = untold
    self.failure = failure
    self.reactor = reactor
  }

  func tryLater() { _ = reactor.startTimer(after: LateNews.pause, for: self) }

  func timerFired(_ timer: TimerID) {
    untold = untold.filter { !$0.finish(failure, on: reactor) }
    if !untold.isEmpty { tryLater() }
  }
}
