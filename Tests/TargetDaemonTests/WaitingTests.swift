import Dispatch
import Testing

/// Tests that wait on sockets and conditions do so on threads of their own: those that all tasks
/// share are as few as processors, and the daemon under test needs them.
struct WaitingTrait: SuiteTrait, TestTrait, TestScoping {
  var isRecursive: Bool { true }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(ThreadExecutor.shared) { try await function() }
  }
}

extension Trait where Self == WaitingTrait {
  static var waiting: Self { Self() }
}

private final class ThreadExecutor: TaskExecutor {
  static let shared = ThreadExecutor()

  private let queue = DispatchQueue(label: "waiting tests", attributes: .concurrent)

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
