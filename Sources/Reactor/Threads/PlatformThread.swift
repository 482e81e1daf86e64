internal import CLinux
internal import Glibc

/// A POSIX thread that is joined once. Foundation's would pull Foundation into the data plane.
public final class PlatformThread: Sendable {
  private let handle: pthread_t

  private final class Body: Sendable {
    let name: String
    let isDetached: Bool
    let run: @Sendable () -> Void

    init(_ name: String, isDetached: Bool, _ run: @escaping @Sendable () -> Void) {
      self.name = name
      self.isDetached = isDetached
      self.run = run
    }

    /// A thread detaches and names itself: its handle may be nobody's before `pthread_create` has
    /// returned, and glibc reads it in pthread_detach after the thread may have freed it.
    func perform() {
      if isDetached { pthread_detach(pthread_self()) }
      // Linux allows 15 characters; a longer name would be refused whole.
      unsafe _ = String(name.prefix(15)).withCString {
        unsafe pthread_setname_np(pthread_self(), $0)
      }
      run()
    }
  }

  /// Starts it; throws when the kernel has no thread left to give.
  public init(name: String, _ run: @escaping @Sendable () -> Void) throws(SystemError) {
    handle = try PlatformThread.create(Body(name, isDetached: false, run))
  }

  /// Starts one that ends by itself; whoever must know of its end is told by a `Semaphore`, which
  /// can be waited for with a deadline.
  public static func start(
    name: String, _ run: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    _ = try create(Body(name, isDetached: true, run))
  }

  private static func create(_ body: Body) throws(SystemError) -> pthread_t {
    var handle = pthread_t()
    let body = unsafe Unmanaged.passRetained(body)
    let failure = unsafe pthread_create(
      &handle, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        // Balances passRetained above; the thread owns the body from here.
        unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().perform()
        return nil
      }, body.toOpaque())
    guard failure == 0 else {
      unsafe body.release()
      throw SystemError(rawValue: failure)
    }
    return handle
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
}
