internal import ISCSIModel
internal import Reactor

// Data that is still due for a task that has ended with TASK ABORTED. The status follows the last
// of it (RFC 7143 §11.4.2), which goes nowhere. It is not waited for any longer than by a
// `TransferWait`, for the same reason, and nobody but this task waits for it: for whoever has
// aborted it, it has ended.
extension Session {
  /// `task` has ended with TASK ABORTED and takes nothing any more.
  func awaitRest(of task: CommandTask) {
    guard let transfer = task.transfer, !transfer.isComplete else { return }
    task.restDeadline = worker.reactor.now + TransferWait.patience
    if restTimer == nil { restTimer = RestTimer(of: self, after: TransferWait.patience) }
  }

  /// Tells those of their end whose data has not come in time.
  fileprivate func restTimerFired() {
    restTimer = nil
    let now = worker.reactor.now
    var next: MonotonicTime?
    for task in orderedTasks {
      guard let deadline = task.restDeadline else { continue }
      guard deadline <= now else {
        next = min(next ?? deadline, deadline)
        continue
      }
      task.restDeadline = nil
      task.transfer = nil
      answerIfQuiet(task)
    }
    guard let next else { return }
    restTimer = RestTimer(of: self, after: next.milliseconds(since: now) + Milliseconds(1))
  }
}

/// Outlives its session at most by the patience, and is then of no effect.
final class RestTimer: TimerHandler {
  private weak let session: Session?

  init(of session: Session, after delay: Milliseconds) {
    self.session = session
    _ = session.worker.reactor.startTimer(after: delay, for: self)
  }

  func timerFired(_ timer: TimerID) { session?.restTimerFired() }
}
