internal import Reactor

// Media, for tasks; and the texts of the administration: the configuration, its secrets, tokens.

extension MediaThreads {
  /// Secrets lie in any directory: they hang as one.
  static let secretsPlace = "secrets"

  /// To understand a large configuration takes a while.
  var textPatience: Milliseconds { Milliseconds(patience.rawValue * 4) }

  /// As `ask`, of a text. Nothing is left where others hang already, however often it is asked.
  func askOfText<Answer: Sendable>(
    at place: String, _ job: @escaping @Sendable () -> Answer
  ) -> Answer? {
    let deadline = MonotonicTime.current + textPatience
    while isHeldUp(at: place) {
      guard MonotonicTime.current < deadline else { return nil }
      PlatformThread.pause(microseconds: Daemon.retryMicroseconds)
    }
    return ask(at: place, until: deadline, job)
  }

  /// As `ask`, for tasks, whose threads must not sleep; nil: `job` has not ended within `bound`.
  @discardableResult
  func answer<Answer: Sendable>(
    at place: String, within bound: Duration, _ job: @escaping @Sendable () -> Answer
  ) async -> Answer? {
    let answer: TimelyAnswer<Answer> = await withinTime(bound) { reply in
      perform(at: place) { reply(job()) }
      return true
    }
    return answer.value
  }
}
