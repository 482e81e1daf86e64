internal import ISCSITarget
internal import Logging
internal import Reactor
internal import Synchronization

/// The reactors, each on its thread with an engine and a worker of its own.
final class ReactorGroup: Sendable {
  let workers: [ReactorBound<Worker>]
  let engine: EngineKind
  private let threadsEnded: Semaphore

  /// What all reactors have in common.
  struct Plan: Sendable {
    let count: Int
    let preference: EngineSelection.Preference
    let memoryBytes: Int
    let logger: Logger
  }

  /// Starts the threads; `make` runs on each to make its worker. Returns when all have one, or
  /// throws when one cannot get its engine.
  static func start(
    _ plan: Plan, make: @escaping @Sendable (Reactor) -> Worker
  ) throws(DaemonError) -> ReactorGroup {
    let choice = EngineSelection.choose(plan.preference)
    plan.log(choice)
    let birth = Birth(plan, choice, make)
    var started = 0
    do throws(DaemonError) {
      for index in 0..<plan.count {
        try PlatformThread.startDetached(name: "reactor \(index)") { birth.run(index) }
        started += 1
      }
      return ReactorGroup(try birth.workers(count: started), choice.kind, birth.ended)
    } catch {
      birth.abandon(count: started)
      throw error
    }
  }

  private init(
    _ workers: [ReactorBound<Worker>], _ engine: EngineKind, _ threadsEnded: Semaphore
  ) {
    self.workers = workers
    self.engine = engine
    self.threadsEnded = threadsEnded
  }

  /// Runs `body` on every reactor. `false`: not all had done so by `deadline`.
  func onAll(
    by deadline: MonotonicTime, _ body: @escaping @Sendable (Worker) -> Void
  ) -> Bool {
    let done = Semaphore()
    for worker in workers {
      worker.post {
        body($0)
        done.signal()
      }
    }
    return done.wait(count: workers.count, until: deadline)
  }

  /// Ends the threads, each when nothing it started is in flight any more. `false`: one has not
  /// ended by `deadline`.
  func stop(by deadline: MonotonicTime) -> Bool {
    for worker in workers { worker.post { ReactorDrain(reactor: $0.reactor).check() } }
    return threadsEnded.wait(count: workers.count, until: deadline)
  }
}

extension ReactorGroup.Plan {
  fileprivate func log(_ choice: EngineSelection.Choice) {
    var metadata: Logger.Metadata = ["engine": "\(choice.kind.rawValue)", "reactors": "\(count)"]
    guard let reason = choice.reason else {
      return logger.info("reactors start", metadata: metadata)
    }
    metadata["reason"] = "\(reason)"
    logger.warning("io_uring cannot be used, falling back to AIO", metadata: metadata)
  }
}

/// Stops a reactor once its last operation has ended: then its sockets are closed, and no write of
/// it can land later.
private final class ReactorDrain: TimerHandler {
  private let reactor: Reactor

  init(reactor: Reactor) { self.reactor = reactor }

  func check() {
    guard reactor.operationsInFlight > 0 else { return reactor.stop() }
    _ = reactor.startTimer(after: Milliseconds(5), for: self)
  }

  func timerFired(_ timer: TimerID) { check() }
}

/// How reactors come to life: made on their own threads, reported to the one that waits.
private final class Birth: Sendable {
  private let plan: ReactorGroup.Plan
  private let choice: EngineSelection.Choice
  private let reported = Semaphore()
  let ended = Semaphore()

  private struct State {
    /// Let go when all are made: the threads keep this object, and must not keep the units that the
    /// workers were made with, whose stores are closed with them.
    var make: (@Sendable (Reactor) -> Worker)?
    var workers: [Int: ReactorBound<Worker>] = [:]
    var failure: String?
  }
  private let state = Mutex(State())

  init(
    _ plan: ReactorGroup.Plan, _ choice: EngineSelection.Choice,
    _ make: @escaping @Sendable (Reactor) -> Worker
  ) {
    self.plan = plan
    self.choice = choice
    state.withLock { $0.make = make }
  }

  /// A reactor's thread, from birth to end.
  func run(_ index: Int) {
    defer { ended.signal() }
    let engine: any IOEngine
    do throws(EngineError) { engine = try makeEngine(index) } catch {
      state.withLock { $0.failure = error.description }
      return reported.signal()
    }
    let reactor = Reactor(
      index: index, engine: engine, memoryBudgetBytes: plan.memoryBytes / plan.count)
    let bound = ReactorBound(makeWorker(on: reactor), on: reactor)
    state.withLock { $0.workers[index] = bound }
    reported.signal()
    reactor.run()
  }

  private func makeWorker(on reactor: Reactor) -> Worker {
    guard let make = state.withLock({ $0.make }) else {
      preconditionFailure("workers are waited for")
    }
    return make(reactor)
  }

  /// The ring of a later reactor may hit a limit that the first did not.
  private func makeEngine(_ index: Int) throws(EngineError) -> any IOEngine {
    do throws(EngineError) { return try EngineSelection.make(choice.kind) } catch {
      guard plan.preference == .auto, choice.kind == .uring else { throw error }
      plan.logger.warning(
        "io_uring cannot be used, falling back to AIO",
        metadata: ["reactor": "\(index)", "reason": "\(error)"])
      return try EngineSelection.make(.aio)
    }
  }

  /// All workers by index, when every thread has reported.
  func workers(count: Int) throws(DaemonError) -> [ReactorBound<Worker>] {
    for _ in 0..<count { reported.wait() }
    let (workers, failure) = state.withLock { state in
      state.make = nil
      return (state.workers, state.failure)
    }
    if let failure {
      throw DaemonError(
        .systemError,
        "cannot make an I/O engine (\"engine\": \"\(plan.preference.rawValue)\"): \(failure)")
    }
    return workers.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Ends what was started, when the start fails.
  func abandon(count: Int) {
    let deadline = MonotonicTime.current + .seconds(5)
    while state.withLock({ $0.workers.count }) < count,
      state.withLock({ $0.failure }) == nil, reported.wait(until: deadline)
    {}
    for worker in state.withLock({ Array($0.workers.values) }) {
      worker.post { $0.reactor.stop() }
    }
    _ = ended.wait(count: count, until: deadline)
  }
}
