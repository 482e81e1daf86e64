internal import ISCSITarget
internal import Reactor
internal import Synchronization

// The reactors, for threads that may sleep, and for tasks.

extension ReactorBound {
  /// Hands `body` over for certain, to a mailbox that is full, too. For the orders of a change:
  /// there are few of them, one change after the other gives them, and none may be lost or
  /// overtaken.
  func order(_ body: @escaping @Sendable (Value) -> Void) { answer(body) }
}

extension ReactorBound where Value == Worker {
  /// Runs `body` on the worker and waits until it has called back; nil: it has not, within `bound`,
  /// and may yet do what it was asked for.
  func wait<Answer: Sendable>(
    atMost bound: Milliseconds,
    _ body: @escaping @Sendable (Worker, @escaping @Sendable (Answer) -> Void) -> Void
  ) -> Answer? {
    let deadline = MonotonicTime.current + bound
    let reply = Reply<Answer>()
    guard insist(until: deadline, { worker in body(worker) { reply.give($0) } }) else { return nil }
    return reply.wait(until: deadline)
  }

  /// Posts `body`, again and again if need be: a mailbox that is full belongs to a reactor that is
  /// busy, and not gone. False: it was full until the deadline.
  func insist(
    until deadline: MonotonicTime, _ body: @escaping @Sendable (Worker) -> Void
  ) -> Bool {
    while !post(body) {
      guard MonotonicTime.current < deadline else { return false }
      PlatformThread.pause(microseconds: Daemon.retryMicroseconds)
    }
    return true
  }

  /// As `wait`, for tasks, whose threads must not sleep.
  func answer<Answer: Sendable>(
    within bound: Duration,
    _ body: @escaping @Sendable (Worker, @escaping @Sendable (Answer) -> Void) -> Void
  ) async -> TimelyAnswer<Answer> {
    await withinTime(bound) { reply in post { worker in body(worker) { reply($0) } } }
  }
}

/// What came of a question in the time there was for it.
enum TimelyAnswer<Answer: Sendable>: Sendable {
  case answered(Answer)
  /// It was asked, and may yet do what it was asked for.
  case pending
  /// Nobody knows of the question: a mailbox was full.
  case notAsked

  /// nil: there was none in time.
  var value: Answer? { if case .answered(let answer) = self { answer } else { nil } }
}

/// What `ask`, which returns whether it could ask, is answered within `bound`. The answer may come
/// from any thread, and later than anybody waits for it.
func withinTime<Answer: Sendable>(
  _ bound: Duration, _ ask: (@escaping @Sendable (Answer) -> Void) -> Bool
) async -> TimelyAnswer<Answer> {
  await withCheckedContinuation { continuation in
    let first = FirstAnswer(continuation)
    let limit = Task {
      try? await Task.sleep(for: bound)
      first.give(.pending)
    }
    let isAsked = ask { answer in
      first.give(.answered(answer))
      limit.cancel()
    }
    guard !isAsked else { return }
    first.give(.notAsked)
    limit.cancel()
  }
}

/// Resumes once, whoever comes first.
private final class FirstAnswer<Answer: Sendable>: Sendable {
  private let continuation: Mutex<CheckedContinuation<TimelyAnswer<Answer>, Never>?>

  init(_ continuation: CheckedContinuation<TimelyAnswer<Answer>, Never>) {
    self.continuation = Mutex(continuation)
  }

  func give(_ answer: TimelyAnswer<Answer>) {
    let continuation = continuation.withLock { $0.take() }
    continuation?.resume(returning: answer)
  }
}

/// An answer that a thread waits for.
final class Reply<Answer: Sendable>: Sendable {
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
