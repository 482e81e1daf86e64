internal import Reactor
internal import Synchronization

/// A thread that does jobs one after the other, for those who must not sleep themselves.
final class JobThread: Sendable {
  typealias Job = @Sendable () -> Void

  /// Jobs are rare: one for each change of what runs, failed sync, changed reservation, saved
  /// parameter, or FORMAT UNIT or SANITIZE, and one a second at most for which media serve. More
  /// than this waiting means that the disk hangs.
  static let jobsMax = 4096

  private let jobs = Mutex<[Job]>([])
  private let arrived = Semaphore()
  private let ended = Semaphore()

  init(name: String) throws(DaemonError) {
    try PlatformThread.startDetached(name: name) { [self] in
      while let job = next() { job() }
      ended.signal()
    }
  }

  /// nil: no job is left and none will come.
  private func next() -> Job? {
    arrived.wait()
    return jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
  }

  /// Hands `job` over without sleeping. False: too many wait already.
  @discardableResult
  func perform(_ job: @escaping Job) -> Bool {
    let isAccepted = jobs.withLock { jobs in
      guard jobs.count < JobThread.jobsMax else { return false }
      jobs.append(job)
      return true
    }
    if isAccepted { arrived.signal() }
    return isAccepted
  }

  /// As `perform`, but never refused: for the few jobs that others wait for, one at a time.
  func follow(_ job: @escaping Job) {
    jobs.withLock { $0.append(job) }
    arrived.signal()
  }

  /// Ends the thread when all its jobs are done. False: they are not, by `deadline`.
  func finish(by deadline: MonotonicTime) -> Bool {
    arrived.signal()
    return ended.wait(until: deadline)
  }
}
