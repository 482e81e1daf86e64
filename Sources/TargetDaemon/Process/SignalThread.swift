internal import Glibc
internal import Logging
internal import Reactor

/// Waits for signals on a thread of its own, so that no handler ever interrupts anything.
///
/// | signal            | effect                                                  |
/// |-------------------|---------------------------------------------------------|
/// | SIGTERM, SIGINT   | the first: orderly stop; the second: exit at once       |
/// | SIGHUP            | what runs becomes what the configuration file says      |
enum SignalThread {
  /// Blocks the signals in this thread and those it starts. Before the first of them.
  static func block() {
    var set = signalSet()
    unsafe _ = pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// What signals bring about, on the thread. All but `reload` once at most; all end soon.
  struct Effects: Sendable {
    var stop: @Sendable () -> Void
    var reload: @Sendable () -> Void
    var beforeExit: @Sendable () -> Void
  }

  static func start(_ logger: Logger, _ effects: Effects) throws(DaemonError) {
    try PlatformThread.startDetached(name: "signals") { receive(logger, effects) }
  }

  private static func signalSet() -> sigset_t {
    var set = sigset_t()
    unsafe _ = sigemptyset(&set)
    for number in [SIGTERM, SIGINT, SIGHUP] { unsafe _ = sigaddset(&set, number) }
    return set
  }

  private static func receive(_ logger: Logger, _ effects: Effects) {
    var set = signalSet()
    var isStopping = false
    while true {
      var number: Int32 = 0
      guard unsafe sigwait(&set, &number) == 0 else { continue }
      switch number {
      case SIGHUP:
        effects.reload()
      case _ where isStopping:
        logger.critical("second signal: exiting at once, without flushing")
        effects.beforeExit()
        _exit(ExitStatus.failure.rawValue)
      default:
        isStopping = true
        logger.notice("stopping", metadata: ["signal": number == SIGINT ? "SIGINT" : "SIGTERM"])
        effects.stop()
      }
    }
  }
}
