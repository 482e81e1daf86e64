internal import CLinux
internal import Glibc
internal import Reactor
internal import TargetConfig

/// The file that a daemon was started with, as it is rewritten after changes.
///
/// After a crash it is the old one or the new one, never torn; the old one stays beside it under its
/// name and a tilde. It keeps its mode and its owner.
struct ConfigurationFile: Sendable {
  enum WriteError: Error, Equatable {
    /// Somebody has changed it since it was read or written here.
    case changed
    case unreadable(String)
    /// It says what it said before.
    case unchanged(SystemError)
    /// It may say the old or the new.
    case uncertain(SystemError)
  }

  /// As the administrator named it.
  let name: String
  /// Where it is, behind every link: a link to it stays one.
  let path: String
  private let fileSystem: any StateFileSystem

  init(_ name: String, on fileSystem: any StateFileSystem = KernelFileSystem()) {
    self.name = name
    path = ConfigurationFile.resolved(name)
    self.fileSystem = fileSystem
  }

  var previousPath: String { path + "~" }

  /// Replaces `old`, which the file is known to say. One with secrets in it becomes its owner's alone:
  /// the next start would refuse it otherwise.
  func replace(
    _ old: [UInt8], by new: [UInt8], hasSecrets: Bool = false
  ) throws(WriteError) {
    guard try content() == old else { throw .changed }
    guard new != old else { return }
    var access = FileAccess(ofFileAt: path)
    if hasSecrets { access?.mode &= ~0o077 }
    try write(old, to: previousPath, access)
    try write(new, to: path, access)
  }

  /// What it says now.
  func content() throws(WriteError) -> [UInt8] {
    do throws(SystemError) {
      let bytesMax = ConfigurationLoader.byteCountMax
      guard let content = try fileSystem.stableContent(of: path, bytesMax: bytesMax) else {
        throw SystemError.noSuchFile
      }
      return content
    } catch {
      throw .unreadable("\(error)")
    }
  }

  private func write(
    _ content: [UInt8], to path: String, _ access: FileAccess?
  ) throws(WriteError) {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    do throws(StateFile.ReplaceError) {
      try StateFile.replace(
        String(path[path.index(after: slash)...]), in: String(path[..<slash]), with: content,
        access: access, on: fileSystem)
    } catch {
      // Of the copy it does not matter which it is: the file itself is as it was.
      guard case .uncertain(let cause) = error, path == self.path else {
        throw .unchanged(error.cause)
      }
      throw .uncertain(cause)
    }
  }

  private static func resolved(_ name: String) -> String {
    guard let real = unsafe realpath(name, nil) else { return name }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }
}
