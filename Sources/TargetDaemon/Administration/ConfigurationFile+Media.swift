internal import AdministrationModel
internal import Reactor
internal import TargetConfig

extension ConfigurationFile {
  /// What hangs as one with it (`MediaThreads`).
  var place: String { FilePath.directory(of: name) }

  /// What `look` comes to, on a thread that may hang with the file's disk, or with that of a
  /// secret. For the thread for changes, which waits for twice the patience of `media` at most.
  func inTime<Found: Sendable>(
    on media: MediaThreads,
    _ look: @escaping @Sendable () throws(AdministrationError) -> Found
  ) throws(AdministrationError) -> Found {
    // Others may only be at it as well.
    let end = MonotonicTime.current + media.patience
    while media.isHeldUp(at: place) {
      guard MonotonicTime.current < end else { throw .silent(self) }
      PlatformThread.pause(microseconds: Daemon.retryMicroseconds)
    }
    let found = media.ask(at: place) {
      Result { () throws(AdministrationError) in try look() }
    }
    guard let found else { throw .silent(self) }
    return try found.get()
  }
}
