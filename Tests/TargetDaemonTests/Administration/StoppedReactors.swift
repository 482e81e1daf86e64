import Reactor

@testable import TargetDaemon

/// Holds up all reactors of a daemon, until they may go on.
struct StoppedReactors {
  private let release = Semaphore()
  private let count: Int

  /// `fillingMailboxes`: nobody can ask them for anything, either.
  init(_ daemon: Daemon, fillingMailboxes: Bool) {
    let workers = daemon.reactors.workers
    count = workers.count
    let stopped = Semaphore()
    for worker in workers {
      worker.post { [release] _ in
        stopped.signal()
        release.wait()
      }
      stopped.wait()
      while fillingMailboxes, worker.post({ _ in }) {}
    }
  }

  func goOn() { for _ in 0..<count { release.signal() } }
}
