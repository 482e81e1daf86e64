internal import DequeModule

/// Delivers what must arrive although a mailbox is full: tries at once, and then again by timer, in
/// the order of sending, until it does. For what happens seldom; used on its reactor's thread only.
public final class Courier: TimerHandler {
  /// A mailbox that is full has thousands of jobs before it; asking more often helps nobody.
  public static let retryInterval = Milliseconds(10)

  private let reactor: Reactor
  private var waiting: Deque<() -> Bool> = []

  public init(reactor: Reactor) { self.reactor = reactor }

  /// Posts that have not been accepted yet.
  public var waitingCount: Int { waiting.count }

  /// `post` says whether the mailbox took it; it is called until it does.
  public func deliver(_ post: @escaping () -> Bool) {
    if waiting.isEmpty, post() { return }
    waiting.append(post)
    if waiting.count == 1 { retryLater() }
  }

  private func retryLater() { _ = reactor.startTimer(after: Courier.retryInterval, for: self) }

  public func timerFired(_ timer: TimerID) {
    // One that cannot be delivered keeps none behind it that can: they go to different reactors.
    waiting.removeAll { $0() }
    if !waiting.isEmpty { retryLater() }
  }
}
