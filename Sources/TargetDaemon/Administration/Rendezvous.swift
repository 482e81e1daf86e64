internal import Reactor
internal import Synchronization

/// The end of something that reactors do, for a thread that waits for it for some time, and then for
/// whoever takes over.
final class Rendezvous: Sendable {
  private struct State {
    var isDone = false
    var successor: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())
  private let ended = Semaphore()

  func done() {
    let successor = state.withLock { state in
      state.isDone = true
      return state.successor.take()
    }
    ended.signal()
    successor?()
  }

  /// False: not yet.
  func wait(atMost bound: Milliseconds) -> Bool { ended.wait(until: .current + bound) }

  /// Calls `successor` at the end; at once, if that was before.
  func afterwards(_ successor: @escaping @Sendable () -> Void) {
    let isDone = state.withLock { state in
      if !state.isDone { state.successor = successor }
      return state.isDone
    }
    if isDone { successor() }
  }
}
