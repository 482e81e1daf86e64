internal import CLinux
internal import Glibc

extension StoreMedia {
  /// The bytes that a file has allocated, and those that its file system could still give it.
  struct Space: Sendable {
    let usedBytes: UInt64
    let availableBytes: UInt64
  }

  /// The file system that a file is on (st_dev); nil when that cannot be found out.
  static func device(of path: String) -> UInt64? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return UInt64(status.st_dev)
  }

  /// Nil when it cannot be found out.
  static func space(of path: String) -> Space? {
    var status = stat()
    var system = statvfs()
    guard unsafe stat(path, &status) == 0, unsafe statvfs(path, &system) == 0 else { return nil }
    let blocks = UInt64(clamping: status.st_blocks)
    let (available, overflow) = UInt64(system.f_bavail)
      .multipliedReportingOverflow(by: UInt64(system.f_frsize))
    return Space(usedBytes: blocks &* 512, availableBytes: overflow ? .max : available)
  }
}
