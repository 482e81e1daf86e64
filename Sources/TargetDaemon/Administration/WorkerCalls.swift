internal import ISCSITarget
internal import Reactor
internal import Synchronization

// The reactors, for threads that may sleep.

extension ReactorBound where Value == Worker {
  /// Runs `body` on the worker and waits until it has called back; nil: it has not, within `bound`,
  /// and may yet do what it was asked for.
  func wait<Answer: Sendable>(
    atMost bound: Milliseconds,
    _ body: @escaping @Sendable (Worker, @escaping @Sendable (Answer) -> Void) -> Void
  ) -> Answer? {
    let deadline = MonotonicTime.current + bound
    let reply = Reply<Answer>()
    while !post({ worker in body(worker) { reply.give($0) } }) {
      // The mailbox is full: the reactor is busy, and not gone.
      guard MonotonicTime.current < deadline else { return nil }
      _ = Semaphore().wait(until: .current + Milliseconds(1))
    }
    return reply.wait(until: deadline)
  }
}

private final class Reply<Answer: Sendable>: Sendable {
  private let answer = Mutex<Answer?>(nil)
  private let given = Semaphore()

  func give(_ answer: Answer) {
    self.answer.withLock { $0 = answer }
    given.signal()
  }

  func wait(until deadline: MonotonicTime) -> Answer? {
    _ = given.wait(until: deadline)
    return answer.withLock { $0 }
  }
}
