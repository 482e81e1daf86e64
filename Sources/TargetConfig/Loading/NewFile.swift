internal import Glibc

/// A file that was not there before, for its owner alone.
public enum NewFile {
  /// Creates `path` with mode 0600 and all of `text`, on stable storage. What is there already
  /// stays as it is, links too, and is an error; after any other error there is no file.
  public static func create(_ path: String, text: String) throws(ConfigurationError) {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
    let descriptor = unsafe open(path, flags, 0o600)
    guard descriptor >= 0 else { throw failure(path, "cannot be created", errno) }
    let error = write(Array(text.utf8), to: descriptor)
    let closeError = close(descriptor) == 0 ? 0 : errno
    guard error == 0, closeError == 0 else {
      unsafe _ = unlink(path)
      throw failure(path, "cannot be written", error == 0 ? closeError : error)
    }
  }

  /// The error number; 0 where all is written.
  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? errno : EIO }
      rest = rest.dropFirst(count)
    }
    return fsync(descriptor) == 0 ? 0 : errno
  }

  private static func failure(
    _ path: String, _ what: String, _ code: Int32
  ) -> ConfigurationError {
    let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    return ConfigurationError([ConfigurationProblem(file: path, sentence: "\(what): \(reason)")])
  }
}
