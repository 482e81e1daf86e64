internal import DequeModule
internal import Synchronization

/// Work that other threads hand to a reactor: accepted sockets, resets that reach all of a logical
/// unit's reactors, reservations, range locks, the order of tasks. Never on the path of a READ or
/// WRITE.
///
/// Holds at most `capacity` jobs; a full mailbox refuses, and the sender answers for it. Answers
/// come on top of that: whoever asks bounds how many there can be.
public final class Mailbox: Sendable {
  public typealias Job = @Sendable () -> Void

  public static let capacity = 65_536

  private let jobs = Mutex<Deque<Job>>(Deque())
  /// Lets a turn without mail do without the lock.
  private let hasMail = Atomic<Bool>(false)
  private let waker: any EngineWaker

  init(waker: any EngineWaker) { self.waker = waker }

  /// Hands `job` over, to run on the reactor's thread. False: the mailbox is full, it will not run.
  @discardableResult
  public func post(_ job: @escaping Job) -> Bool {
    let accepted = jobs.withLock { jobs in
      guard jobs.count < Mailbox.capacity else { return false }
      jobs.append(job)
      return true
    }
    if accepted { announce() }
    return accepted
  }

  /// Hands over the answer to what the reactor itself has asked another thread for: never refused,
  /// since that thread can neither wait nor do without.
  func answer(_ job: @escaping Job) {
    jobs.withLock { $0.append(job) }
    announce()
  }

  private func announce() {
    hasMail.store(true, ordering: .releasing)
    waker.wake()
  }

  /// Everything that has arrived, in order.
  func take() -> Deque<Job> {
    // Lowered before the jobs are taken: one that is posted in between raises it again.
    guard hasMail.exchange(false, ordering: .acquiringAndReleasing) else { return Deque() }
    return jobs.withLock { jobs in
      defer { jobs = Deque() }
      return jobs
    }
  }
}

/// The address of an object that lives on a reactor: others may hold it and post to it, only the
/// reactor's own thread ever touches what is behind it.
public struct ReactorBound<Value: AnyObject>: Sendable {
  /// Safe to send because only the jobs that `job` makes use the value, and those run on the owning
  /// thread. Another may be the last to let it go: no `deinit` relies on the thread.
  private final class Box: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }

  private let box: Box
  let mailbox: Mailbox

  public init(_ value: Value, on reactor: Reactor) {
    box = Box(value)
    mailbox = reactor.mailbox
  }

  /// Runs `body` on the reactor's thread. False: the mailbox is full, it will not run.
  @discardableResult
  public func post(_ body: @escaping @Sendable (Value) -> Void) -> Bool {
    mailbox.post(job(body))
  }

  /// Runs `body` on the reactor's thread, for certain and from any thread: the answer to something
  /// that the reactor has asked for, once for each such request. All else is for `post` and the
  /// `Courier`.
  public func answer(_ body: @escaping @Sendable (Value) -> Void) { mailbox.answer(job(body)) }

  func job(_ body: @escaping @Sendable (Value) -> Void) -> Mailbox.Job {
    { [box] in body(box.value) }
  }
}
