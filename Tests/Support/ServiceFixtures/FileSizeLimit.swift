import Glibc

/// The most that a file of this process may have, from the first question on. What a file system
/// holds is another number on each of them; this one is so high that no other test meets it.
public enum FileSizeLimit {
  public static let bytes: UInt64 = {
    // Who goes past it is told by the call alone.
    _ = signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
    guard unsafe getrlimit(resource, &limit) == 0 else { return 0 }
    limit.rlim_cur = min(limit.rlim_max, 1 << 61)
    guard unsafe setrlimit(resource, &limit) == 0 else { return 0 }
    return UInt64(limit.rlim_cur)
  }()
}
