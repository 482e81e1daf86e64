internal import CLinux
internal import Glibc
internal import Logging
internal import Reactor

/// What the process asks of the kernel for itself, before anything else.
enum ProcessSetup {
  static func prepare(_ logger: Logger) {
    raiseDescriptorLimit(logger)
    // No core file: it would hold CHAP secrets and other people's blocks.
    if clinux_refuse_core_dumps() != 0 {
      logger.warning("core files stay allowed", metadata: ["error": "\(SystemError.last)"])
    }
    // A peer that closes is an EPIPE of one send, never the end of the process.
    _ = signal(SIGPIPE, SIG_IGN)
    // A limit on the size of files (LimitFSIZE=) is an EFBIG of one call, too.
    _ = signal(SIGXFSZ, SIG_IGN)
  }

  /// Every connection and every store is a descriptor; the soft limit of 1024 is for select(2),
  /// which nothing here uses.
  private static func raiseDescriptorLimit(_ logger: Logger) {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
      limit.rlim_cur < limit.rlim_max
    else { return }
    limit.rlim_cur = limit.rlim_max
    if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 {
      logger.warning(
        "cannot raise the limit of open files", metadata: ["error": "\(SystemError.last)"])
    }
  }

  /// CPUs that this process may run on, which in a container are fewer than the machine has.
  static var usableCPUs: Int {
    var set = cpu_set_t()
    let size = MemoryLayout<cpu_set_t>.size
    guard unsafe sched_getaffinity(0, size, &set) == 0 else { return 1 }
    let count = unsafe withUnsafeBytes(of: set) { bytes in
      unsafe bytes.reduce(0) { $0 + $1.nonzeroBitCount }
    }
    return max(1, count)
  }

  static var physicalMemoryBytes: UInt64 {
    let pages = UInt64(clamping: sysconf(Int32(_SC_PHYS_PAGES)))
    return pages * UInt64(clamping: sysconf(Int32(_SC_PAGESIZE)))
  }
}
