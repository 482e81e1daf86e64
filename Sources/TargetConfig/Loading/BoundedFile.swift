internal import Glibc

/// A whole regular file of bounded size, its mode and its owner, read through one descriptor:
/// nobody can exchange the file between the check and the reading.
public struct BoundedFile: Sendable {
  public var bytes: [UInt8]
  var mode: UInt32
  /// The user who may change the mode at any time.
  var owner: UInt32

  public struct ReadError: Error {
    /// Completes "<path> …".
    public var sentence: String
    /// There is none.
    public var isMissing = false
    /// It could not be looked at: there is none, or a system call failed.
    var isOfSystem = false
  }

  /// How others than root and `user` can get at it, and the command at `path` against that.
  public struct Exposure: Equatable {
    /// Completes "<path> …".
    public var sentence: String
    public var remedy: String
  }

  public func exposure(at path: String) -> Exposure? { exposure(at: path, user: geteuid()) }

  func exposure(at path: String, user: UInt32) -> Exposure? {
    let quoted = FilePath.shellQuoted(path)
    guard owner == 0 || owner == user else {
      return Exposure(sentence: "belongs to user \(owner)", remedy: "chown \(user) \(quoted)")
    }
    guard mode & 0o077 == 0 else {
      return Exposure(sentence: "has mode \(modeText)", remedy: "chmod 600 \(quoted)")
    }
    return nil
  }

  /// `0644`.
  private var modeText: String {
    let digits = String(mode & 0o7777, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  public static func read(
    _ path: String, byteCountMax: Int
  ) throws(ReadError) -> BoundedFile {
    // O_NONBLOCK: opening a pipe must not hang the start of the daemon.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw failure("cannot be opened", errno) }
    defer { _ = close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw failure("cannot be read", errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ReadError(sentence: "is not a regular file")
    }
    let bytes = try contents(descriptor, byteCountMax)
    return BoundedFile(bytes: bytes, mode: UInt32(status.st_mode) & 0o7777, owner: status.st_uid)
  }

  private static func contents(
    _ descriptor: Int32, _ byteCountMax: Int
  ) throws(ReadError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("cannot be read", errno) }
      guard count > 0 else { return bytes }
      bytes += chunk.prefix(count)
      guard bytes.count <= byteCountMax else {
        throw ReadError(
          sentence: "is larger than \(ByteSize.description(UInt64(byteCountMax)))")
      }
    }
  }

  private static func failure(_ what: String, _ code: Int32) -> ReadError {
    let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    return ReadError(
      sentence: "\(what): \(reason)", isMissing: code == ENOENT || code == ENOTDIR,
      isOfSystem: true)
  }
}
