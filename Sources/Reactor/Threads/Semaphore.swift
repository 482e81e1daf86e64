internal import CLinux
internal import Glibc

/// A counting semaphore (sem_overview(7)) that any thread may signal, and one that may sleep waits
/// for. Never waited for on a reactor's thread.
@safe
public final class Semaphore: @unchecked Sendable {
  // Sendable: the address never changes, and what is behind it is made for many threads.
  private let semaphore: UnsafeMutablePointer<sem_t>

  public init() {
    unsafe semaphore = .allocate(capacity: 1)
    unsafe _ = sem_init(semaphore, 0, 0)
  }

  deinit {
    unsafe _ = sem_destroy(semaphore)
    unsafe semaphore.deallocate()
  }

  public func signal() { unsafe _ = sem_post(semaphore) }

  public func wait() {
    while unsafe sem_wait(semaphore) != 0 {}  // EINTR only: the semaphore is valid
  }

  /// False: the deadline came first.
  public func wait(until deadline: MonotonicTime) -> Bool {
    let nanoseconds = deadline.rawValue
    var time = timespec(
      tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    while unsafe sem_clockwait(semaphore, CLOCK_MONOTONIC, &time) != 0 {
      guard SystemError.last == .interrupted else { return false }
    }
    return true
  }

  /// `count` signals, or false when the deadline came first.
  public func wait(count: Int, until deadline: MonotonicTime) -> Bool {
    for _ in 0..<count where !wait(until: deadline) { return false }
    return true
  }
}
