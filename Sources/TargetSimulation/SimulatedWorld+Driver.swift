public import Reactor

/// Why `SimulatedWorld.run` ended.
public enum RunOutcome: Sendable, Equatable {
  case satisfied
  /// Nothing is left that could happen: every reactor waits without a deadline and no event is due.
  case quiescent
  /// Still busy after `maxSteps`: a live-lock, or a bound that is too low.
  case outOfSteps
  /// The simulated time that was allowed has passed.
  case outOfTime
}

extension SimulatedWorld {
  /// Turns `reactors`, each time one that has something to do, chosen by seed, until `condition`
  /// holds; advances the clock only when none has. Must not be called from within a turn.
  public func run(
    _ reactors: [Reactor], until condition: () -> Bool, maxSteps: Int = 1_000_000,
    within limit: Milliseconds? = nil
  ) -> RunOutcome {
    let end = limit.map { now + $0 }
    let engines = reactors.map(engine)
    noteOutsideActivity()
    for _ in 0..<maxSteps {
      if condition() { return .satisfied }
      advance(to: now)
      if turnOne(reactors, engines) { continue }
      // Also the events of this instant may have made it true.
      if condition() { return .satisfied }
      guard let next = nextInstant(engines) else {
        guard let end else { return .quiescent }
        advance(to: end)
        return .outOfTime
      }
      if let end, next > end {
        advance(to: end)
        return condition() ? .satisfied : .outOfTime
      }
      advance(to: next)
    }
    return condition() ? .satisfied : .outOfSteps
  }

  /// Lets `duration` of simulated time pass, whatever happens in it.
  @discardableResult
  public func run(_ reactors: [Reactor], for duration: Milliseconds) -> RunOutcome {
    run(reactors, until: { false }, within: duration)
  }

  /// Runs until nothing is left that could happen. A timer that re-arms itself keeps a world busy
  /// for ever: then the answer is `outOfSteps`.
  @discardableResult
  public func runUntilQuiescent(_ reactors: [Reactor], maxSteps: Int = 1_000_000) -> RunOutcome {
    run(reactors, until: { false }, maxSteps: maxSteps)
  }

  private func turnOne(_ reactors: [Reactor], _ engines: [SimulatedEngine]) -> Bool {
    let runnable = engines.indices.filter { engines[$0].isRunnable }
    guard !runnable.isEmpty else { return false }
    reactors[runnable[random.pick(0...runnable.count - 1)]].turn()
    return true
  }

  /// When the next event or timer is due.
  private func nextInstant(_ engines: [SimulatedEngine]) -> MonotonicTime? {
    let deadlines = engines.compactMap { $0.isKilled ? nil : $0.deadline }
    return [nextEventTime, deadlines.min()].compactMap(\.self).min()
  }

  private func engine(of reactor: Reactor) -> SimulatedEngine {
    guard let engine = reactor.engine as? SimulatedEngine, engine.world === self else {
      preconditionFailure("the reactor belongs to another world")
    }
    return engine
  }

  // MARK: Sudden ends

  /// Ends the process that `reactors` are, as kill -9 does: they never hear of anything again, the
  /// kernel closes all sockets, and what was submitted to the disks still lands.
  public func killProcess(_ reactors: [Reactor]) {
    for reactor in reactors { engine(of: reactor).kill() }
    network.closeAll()
  }

  /// Ends the machine that `reactors` run on, as a power failure does: peers get no answer any
  /// more, and of what was not synchronized any part may be lost.
  public func crashMachine(_ reactors: [Reactor]) {
    for reactor in reactors { engine(of: reactor).kill() }
    network.vanishAll()
    for disk in disks { disk.crash() }
  }
}
