internal import CLinux

/// An open file description of this process, closed with its owner. Only plain, blocking calls, for
/// start-up and helper threads; what else they do with it, stores and state files say for
/// themselves.
public struct FileDescriptor: ~Copyable, Sendable {
  public let rawValue: Int32

  private init(rawValue: Int32) { self.rawValue = rawValue }

  deinit { close(rawValue) }

  public static func open(
    _ path: String, _ flags: Int32, mode: UInt32 = 0
  ) throws(SystemError) -> FileDescriptor {
    while true {
      let descriptor = unsafe clinux_open(path, flags | O_CLOEXEC, mode)
      if descriptor >= 0 { return FileDescriptor(rawValue: descriptor) }
      let error = SystemError.last
      guard error == .interrupted else { throw error }
    }
  }
}
