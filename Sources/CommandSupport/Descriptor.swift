internal import Glibc

/// The descriptors that a program was started with.
public enum Descriptor {
  /// Who reads the output may go, as `head` does: then a write fails, and the process lives.
  public static func outliveReaders() { _ = signal(SIGPIPE, SIG_IGN) }

  /// All of it; false where nobody reads it any more.
  @discardableResult
  public static func write(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
