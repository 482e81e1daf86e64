internal import CLinux
internal import Reactor

/// The error numbers that only stores have to tell apart.
extension SystemError {
  /// A block device that is mounted or claimed.
  static let busy = SystemError(rawValue: EBUSY)
  /// Past what its file system, or the limit of the process, lets a file have.
  static let fileTooLarge = SystemError(rawValue: EFBIG)
  /// No memory for a lock, or no lock service of a network file system's server.
  static let noLocks = SystemError(rawValue: ENOLCK)
  /// A file that its network file system's server no longer knows.
  static let staleHandle = SystemError(rawValue: ESTALE)
}
