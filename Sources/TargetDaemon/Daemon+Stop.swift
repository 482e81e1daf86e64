internal import BackingStore
internal import ISCSITarget
internal import Logging
internal import Reactor
internal import SCSITarget
internal import Synchronization

extension Daemon {
  /// How long an initiator that is asked to log out has for it; when all are asked, of 10 s in all.
  static let logoutGrace = Milliseconds.seconds(3)
  static let stopBound = Milliseconds.seconds(10)

  /// Stops in order: no new connections; initiators are asked to log out, then cut off; what was
  /// written is put on stable storage; the threads end. At most 10 s.
  ///
  /// False: something did not end in time, and a log line says what. Once only.
  public func stop() -> Bool { stop(within: Daemon.stopBound) }

  func stop(within bound: Milliseconds) -> Bool {
    let start = MonotonicTime.current
    let end = start + bound
    // A hung store keeps the connections of its commands open; the rest of the time is for finding
    // out which store that is.
    let connectionsEnd = start + Milliseconds(bound.rawValue / 10 * 6)
    // First: nobody is told of a lock by reactors that have ended.
    locks.stop()
    for portal in inventory.portals { portal.listener.order { $0.close() } }
    for unit in units { unit.medium.interrupt() }
    var isOrderly = stopWorkers(by: connectionsEnd)
    if !isOrderly {
      logger.error("connections are still open: their commands wait for a store")
    }
    isOrderly = synchronizeStores(by: end) && isOrderly
    isOrderly = spaceMonitor.stop(by: end) && isOrderly
    workshop.saveMediaLater()
    for thread in jobThreads { isOrderly = thread.finish(by: end) && isOrderly }
    isOrderly = reactors.stop(by: end) && isOrderly
    if isOrderly { logger.notice("stopped") }
    return isOrderly
  }

  private func stopWorkers(by deadline: MonotonicTime) -> Bool {
    let ended = Semaphore()
    for worker in reactors.workers {
      worker.order { $0.stop(grace: Daemon.logoutGrace) { ended.signal() } }
    }
    return ended.wait(count: reactors.workers.count, until: deadline)
  }

  /// Flushes what is volatile. Nothing is lost that was promised, even where this fails: initiators
  /// flush what they depend on. But an orderly stop leaves nothing behind in a cache.
  private func synchronizeStores(by deadline: MonotonicTime) -> Bool {
    let units = units.filter { $0.store.readiness == .ready && !$0.store.capabilities.isReadOnly }
    let progress = SynchronizationProgress(units.map(\.identity.name))
    for unit in units {
      let name = unit.identity.name
      reactors.workers[unit.homeReactorIndex].post { [logger] worker in
        StoreSynchronizer.start(unit.store, on: worker.reactor) { failure in
          if let failure {
            logger.error(
              "cannot flush the store", metadata: ["store": "\(name)", "error": "\(failure)"])
          }
          progress.ended(name, isFailure: failure != nil)
        }
      }
    }
    let isComplete = progress.wait(count: units.count, until: deadline)
    for name in progress.unanswered {
      logger.critical(
        "the store did not answer in time: its last writes may still be on their way",
        metadata: ["store": "\(name)"])
    }
    return isComplete && !progress.hasFailures
  }
}

/// Which stores have yet to answer.
private final class SynchronizationProgress: Sendable {
  private struct State {
    var unanswered: Set<String>
    var hasFailures = false
  }

  private let state: Mutex<State>
  private let answered = Semaphore()

  init(_ names: [String]) { state = Mutex(State(unanswered: Set(names))) }

  func ended(_ name: String, isFailure: Bool) {
    state.withLock { state in
      state.unanswered.remove(name)
      if isFailure { state.hasFailures = true }
    }
    answered.signal()
  }

  func wait(count: Int, until deadline: MonotonicTime) -> Bool {
    answered.wait(count: count, until: deadline)
  }

  var unanswered: [String] { state.withLock { $0.unanswered.sorted() } }
  var hasFailures: Bool { state.withLock { $0.hasFailures } }
}
