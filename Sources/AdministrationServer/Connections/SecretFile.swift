internal import CLinux

/// A regular file with a secret, which is opened once: what was found of it is true of what was
/// read, whatever is to be found at its path by then.
struct SecretFile {
  /// Of certificates, keys and tokens nobody needs more.
  static let byteCountMax = 1 << 20

  let facts: FileFacts
  let bytes: [UInt8]

  /// Nil: there is none, it is a link, or it cannot be read.
  init?(_ path: String) {
    // A pipe must not hang who opens it.
    let descriptor = unsafe clinux_open(
      path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard let facts = FileFacts(descriptor: descriptor), facts.isRegular,
      let bytes = Self.contents(descriptor)
    else { return nil }
    self.facts = facts
    self.bytes = bytes
  }

  private static func contents(_ descriptor: Int32) -> [UInt8]? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while bytes.count <= byteCountMax {
      let count = unsafe chunk.withUnsafeMutableBytes { buffer in
        unsafe read(descriptor, buffer.baseAddress, buffer.count)
      }
      if count < 0, clinux_errno() == EINTR { continue }
      guard count >= 0 else { return nil }
      guard count > 0 else { return bytes }
      bytes += chunk.prefix(count)
    }
    return nil
  }
}
