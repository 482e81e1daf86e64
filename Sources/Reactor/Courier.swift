internal import DequeModule

/// Delivers what must arrive although a mailbox is full: tries at once, and then again by timer
/// until it does. What goes to one reactor arrives in the order of sending; a full mailbox delays
/// nothing that goes to others.
///
/// One for each reactor, for what happens seldom; used on its reactor's thread only.
public final class Courier: TimerHandler {
  /// A mailbox that is full has thousands of jobs before it; asking more often helps nobody.
  public static let retryInterval = Milliseconds(10)

  /// What waits for one mailbox, oldest first.
  private struct Queue {
    let mailbox: Mailbox
    var jobs: Deque<Mailbox.Job>
  }

  /// Has this for as long as it lives.
  private unowned let reactor: Reactor
  /// Of the mailboxes that were full; none is empty.
  private var queues: [Queue] = []

  init(reactor: Reactor) { self.reactor = reactor }

  /// Messages that have not been accepted yet.
  public var waitingCount: Int { queues.reduce(0) { $0 + $1.jobs.count } }

  /// Runs `message` on the reactor of `address`, for certain.
  public func send<Value>(
    to address: ReactorBound<Value>, _ message: @escaping @Sendable (Value) -> Void
  ) {
    let mailbox = address.mailbox
    let job = address.job(message)
    if let index = queues.firstIndex(where: { $0.mailbox === mailbox }) {
      return queues[index].jobs.append(job)
    }
    guard !mailbox.post(job) else { return }
    queues.append(Queue(mailbox: mailbox, jobs: [job]))
    if queues.count == 1 { retryLater() }
  }

  private func retryLater() { _ = reactor.startTimer(after: Courier.retryInterval, for: self) }

  public func timerFired(_ timer: TimerID) {
    for index in queues.indices {
      while let job = queues[index].jobs.first, queues[index].mailbox.post(job) {
        queues[index].jobs.removeFirst()
      }
    }
    queues.removeAll { $0.jobs.isEmpty }
    if !queues.isEmpty { retryLater() }
  }
}
