internal import Reactor
internal import Synchronization

/// The end of something that reactors do, for threads that wait for it for some time, and then for
/// whoever takes over.
final class Rendezvous: Sendable {
  private struct State {
    var isDone = false
    var successors: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())
  private let ended = Semaphore()

  func done() {
    let successors = state.withLock { state in
      state.isDone = true
      defer { state.successors = [] }
      return state.successors
    }
    ended.signal()
    for successor in successors { successor() }
  }

  /// False: not yet.
  func wait(atMost bound: Milliseconds) -> Bool { wait(until: .current + bound) }

  func wait(until deadline: MonotonicTime) -> Bool {
    guard ended.wait(until: deadline) else { return false }
    // For whoever waits next.
    ended.signal()
    return true
  }

  /// Calls `successor` at the end; at once, if that was before.
  func afterwards(_ successor: @escaping @Sendable () -> Void) {
    let isDone = state.withLock { state in
      if !state.isDone { state.successors.append(successor) }
      return state.isDone
    }
    if isDone { successor() }
  }
}
