internal import CLinux

/// An errno with its text. Which ones matter is decided per operation, by whoever asked for it.
public struct SystemError: RawRepresentable, Error, Hashable, Sendable, BitwiseCopyable,
  CustomStringConvertible
{
  public let rawValue: Int32

  @inlinable
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The errno of the call that just failed on this thread.
  public static var last: SystemError { SystemError(rawValue: clinux_errno()) }

  public static let noSuchFile = SystemError(rawValue: ENOENT)
  public static let interrupted = SystemError(rawValue: EINTR)
  public static let inputOutput = SystemError(rawValue: EIO)
  public static let noSuchDevice = SystemError(rawValue: ENXIO)
  public static let deviceGone = SystemError(rawValue: ENODEV)
  public static let tryAgain = SystemError(rawValue: EAGAIN)
  public static let outOfMemory = SystemError(rawValue: ENOMEM)
  public static let permissionDenied = SystemError(rawValue: EACCES)
  public static let notPermitted = SystemError(rawValue: EPERM)
  public static let invalidArgument = SystemError(rawValue: EINVAL)
  public static let tooManyFiles = SystemError(rawValue: EMFILE)
  public static let tooManyFilesInSystem = SystemError(rawValue: ENFILE)
  public static let noSpace = SystemError(rawValue: ENOSPC)
  public static let quotaExceeded = SystemError(rawValue: EDQUOT)
  public static let notSupported = SystemError(rawValue: EOPNOTSUPP)
  public static let notDirectory = SystemError(rawValue: ENOTDIR)
  public static let isDirectory = SystemError(rawValue: EISDIR)
  public static let noSuchCall = SystemError(rawValue: ENOSYS)
  public static let addressInUse = SystemError(rawValue: EADDRINUSE)
  public static let connectionReset = SystemError(rawValue: ECONNRESET)
  public static let connectionAborted = SystemError(rawValue: ECONNABORTED)
  public static let brokenPipe = SystemError(rawValue: EPIPE)
  public static let wouldBlock = SystemError(rawValue: EWOULDBLOCK)

  /// An engine had no room for the operation: the kernel has never seen it. No errno, which end at
  /// 4095, so that nothing the kernel says of an operation it did try can be mistaken for it.
  public static let notSubmitted = SystemError(rawValue: 4096)

  public var description: String {
    if self == .notSubmitted { return "Operation not submitted" }
    guard let text = unsafe strerror(rawValue) else { return "error \(rawValue)" }
    return unsafe String(cString: text)
  }
}
