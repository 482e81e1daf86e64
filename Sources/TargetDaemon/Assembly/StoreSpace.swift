internal import CLinux
internal import Glibc

extension StoreMedia {
  /// The bytes that a file has allocated, and those that its file system could still give it; nil
  /// when that cannot be found out.
  static func space(of path: String) -> (usedBytes: UInt64, availableBytes: UInt64)? {
    var status = stat()
    var system = statvfs()
    guard unsafe stat(path, &status) == 0, unsafe statvfs(path, &system) == 0 else { return nil }
    let blocks = UInt64(clamping: status.st_blocks)
    let (available, overflow) = UInt64(system.f_bavail)
      .multipliedReportingOverflow(by: UInt64(system.f_frsize))
    return (blocks &* 512, overflow ? .max : available)
  }
}
