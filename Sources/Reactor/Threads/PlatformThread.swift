internal import CLinux
internal import Glibc

/// A POSIX thread, to be joined or detached once. Foundation's would pull Foundation into the data
/// plane.
public final class PlatformThread: Sendable {
  private let handle: pthread_t

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Starts it; throws when the kernel has no thread left to give.
  public init(name: String, _ run: @escaping @Sendable () -> Void) throws(SystemError) {
    var handle = pthread_t()
    let body = unsafe Unmanaged.passRetained(Body(run))
    let failure = unsafe pthread_create(
      &handle, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        // Balances passRetained above; the thread owns the closure from here.
        unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, body.toOpaque())
    guard failure == 0 else {
      unsafe body.release()
      throw SystemError(rawValue: failure)
    }
    // Linux allows 15 characters; a longer name would be refused whole.
    unsafe _ = String(name.prefix(15)).withCString { unsafe pthread_setname_np(handle, $0) }
    self.handle = handle
  }

  /// Lets the calling thread sleep; never on a reactor's.
  public static func pause(microseconds: UInt32) { usleep(microseconds) }

  /// Has the calling thread, and those it starts, leave the CPU to all others that want it (nice
  /// 10): for work whose end nobody's I/O waits for. A refusal leaves it as it is.
  public static func standBack() { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) }

  /// Has it run on the caller's CPU, which was `cpu` when it was last told; the CPU it is now. A
  /// refusal leaves the thread where it may run.
  func follow(_ cpu: Int32) -> Int32 { clinux_thread_follow(handle, cpu) }

  /// Waits for its end.
  public func join() { pthread_join(handle, nil) }

  /// Lets it end by itself; whoever must know of its end is told by a `Semaphore`, which can be
  /// waited for with a deadline.
  public func detach() { pthread_detach(handle) }
}
