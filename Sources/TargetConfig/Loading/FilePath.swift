internal import Glibc

/// Paths as text: made absolute and freed of `.`, `..` and doubled slashes. Only `real` asks the
/// disk.
public enum FilePath {
  public static func resolve(_ path: String, against directory: String) -> String {
    if isResolved(path) { return path }
    var parts: [Substring] = []
    for part in (path.hasPrefix("/") ? path : "\(directory)/\(path)").split(separator: "/") {
      switch part {
      case ".": continue
      case "..": _ = parts.popLast()
      default: parts.append(part)
      }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// Whether it is absolute, and nothing in it has to go.
  private static func isResolved(_ path: String) -> Bool {
    guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count > 1 else { return false }
    // A part may begin with a dot and be a name all the same; few are.
    var isAtStart = false
    for byte in path.utf8 {
      let isSlash = byte == UInt8(ascii: "/")
      if isAtStart, isSlash || byte == UInt8(ascii: ".") { return false }
      isAtStart = isSlash
    }
    return !isAtStart
  }

  /// "." of a name alone.
  public static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Behind every symbolic link; nil: nothing is there.
  public static func real(_ path: String) -> String? {
    guard let real = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }

  /// Of this process; "/" where there is none any more.
  public static func currentDirectory() -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    guard unsafe getcwd(&buffer, buffer.count) != nil else { return "/" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// For a command that the user may copy into a shell.
  public static func shellQuoted(_ path: String) -> String {
    let isPlain = path.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
        || "/._-+,:@".utf8.contains(byte)
    }
    if isPlain { return path }
    return "'"
      + path.unicodeScalars.split(separator: "'", omittingEmptySubsequences: false)
      .map(String.init).joined(separator: "'\\''") + "'"
  }
}
