internal import AdministrationModel
internal import Reactor
internal import TargetConfig

extension ConfigurationFile {
  /// What hangs as one with it (`MediaThreads`).
  var place: String { FilePath.directory(of: name) }

  /// What `look` comes to, on a thread that may hang with the file's disk, or with that of a
  /// secret. For the thread for changes.
  func inTime<Found: Sendable>(
    on media: MediaThreads,
    _ look: @escaping @Sendable () throws(AdministrationError) -> Found
  ) throws(AdministrationError) -> Found {
    let found = media.askOfText(at: place) {
      Result { () throws(AdministrationError) in try look() }
    }
    guard let found else { throw .silent(self) }
    return try found.get()
  }
}

extension MediaThreads {
  /// As `ask`, of a configuration: to understand a large one takes a while, so it waits for four
  /// times the patience. Nothing is left where others hang already, however often it is asked.
  func askOfText<Answer: Sendable>(
    at place: String, _ job: @escaping @Sendable () -> Answer
  ) -> Answer? {
    let deadline = MonotonicTime.current + Milliseconds(patience.rawValue * 4)
    while isHeldUp(at: place) {
      guard MonotonicTime.current < deadline else { return nil }
      PlatformThread.pause(microseconds: Daemon.retryMicroseconds)
    }
    return ask(at: place, until: deadline, job)
  }
}
