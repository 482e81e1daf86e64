internal import Glibc
internal import Logging
internal import Reactor

/// Waits for signals on a thread of its own, so that no handler ever interrupts anything.
///
/// | signal            | effect                                                  |
/// |-------------------|---------------------------------------------------------|
/// | SIGTERM, SIGINT   | the first: orderly stop; the second: exit at once       |
/// | SIGHUP            | a log line: the configuration is read at start only     |
enum SignalThread {
  /// Blocks the signals in this thread and those it starts. Before the first of them.
  static func block() {
    var set = signalSet()
    unsafe _ = pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Both are called once at most, on the thread; `beforeExit` ends soon.
  static func start(
    _ logger: Logger, onStop: @escaping @Sendable () -> Void,
    beforeExit: @escaping @Sendable () -> Void
  ) throws(DaemonError) {
    try PlatformThread.startDetached(name: "signals") { receive(logger, onStop, beforeExit) }
  }

  private static func signalSet() -> sigset_t {
    var set = sigset_t()
    unsafe _ = sigemptyset(&set)
    for number in [SIGTERM, SIGINT, SIGHUP] { unsafe _ = sigaddset(&set, number) }
    return set
  }

  private static func receive(
    _ logger: Logger, _ onStop: @Sendable () -> Void, _ beforeExit: @Sendable () -> Void
  ) {
    var set = signalSet()
    var isStopping = false
    while true {
      var number: Int32 = 0
      guard unsafe sigwait(&set, &number) == 0 else { continue }
      switch number {
      case SIGHUP:
        logger.notice("SIGHUP ignored: restart the daemon to apply a changed configuration")
      case _ where isStopping:
        logger.critical("second signal: exiting at once, without flushing")
        beforeExit()
        _exit(ExitStatus.failure.rawValue)
      default:
        isStopping = true
        logger.notice("stopping", metadata: ["signal": number == SIGINT ? "SIGINT" : "SIGTERM"])
        onStop()
      }
    }
  }
}
