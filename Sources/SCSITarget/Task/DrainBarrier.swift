/// Waits for the end of tasks that were told to stop. What an abort, a reset or a fence answers, it
/// answers after `completion`: **an operation has ended when its own completion was reaped, and not
/// before** (a cancellation that "succeeded" has been seen to write afterwards).
public final class DrainBarrier {
  private var pending = 1
  private let completion: () -> Void

  /// Holds itself open until `arm`, so that tasks can be added one by one.
  public init(completion: @escaping () -> Void) { self.completion = completion }

  func add() { pending += 1 }

  func taskEnded() {
    pending -= 1
    if pending == 0 { completion() }
  }

  /// No more tasks will be added; completes at once if none is left.
  public func arm() { taskEnded() }
}
