internal import CLinux
internal import Glibc
internal import Reactor
internal import TargetConfig

/// The file that a daemon was started with, as it is rewritten after changes.
///
/// After a crash it is the old one or the new one, never torn; the old one stays beside it under
/// its name and a tilde. It keeps its mode, its owner and its extended attributes.
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
  /// Where it is now, behind every link: a link to it stays one, and may come to name another.
  var path: String { Self.resolved(name) }
  private let fileSystem: any StateFileSystem

  init(_ name: String, on fileSystem: any StateFileSystem = KernelFileSystem()) {
    self.name = name
    self.fileSystem = fileSystem
  }

  /// Replaces `old`, which the file is known to say. One with secrets in it becomes its owner's
  /// alone: the next start would refuse it otherwise.
  func replace(
    _ old: [UInt8], by new: [UInt8], hasSecrets: Bool = false
  ) throws(WriteError) {
    let path = path
    guard try content(of: path) == old else { throw .changed }
    guard new != old else { return }
    var access = FileAccess(ofFileAt: path)
    if hasSecrets { access?.mode &= ~0o077 }
    do throws(StateFile.ReplaceError) {
      try write(old, to: path + "~", access)
    } catch {
      // Of the copy it does not matter which it is: the file itself is as it was.
      throw .unchanged(error.cause)
    }
    try replace(path, old, by: new, access)
  }

  /// To write the copy and the new file takes as long as the disk is busy: what somebody saved
  /// meanwhile is not lost.
  private func replace(
    _ path: String, _ old: [UInt8], by new: [UInt8], _ access: FileAccess?
  ) throws(WriteError) {
    var isChanged = false
    do throws(StateFile.ReplaceError) {
      try write(new, to: path, access) { () throws(SystemError) in
        let bytesMax = ConfigurationLoader.byteCountMax
        let now = try fileSystem.stableContent(of: path, bytesMax: bytesMax)
        isChanged = now != old
        if isChanged { throw .wouldBlock }
      }
    } catch {
      if isChanged { throw .changed }
      switch error {
      case .unchanged(let cause): throw .unchanged(cause)
      case .uncertain(let cause): throw .uncertain(cause)
      }
    }
  }

  /// Whether somebody has changed it since it said `known`. For a first look: nothing is put on
  /// stable storage for it.
  func isChanged(since known: [UInt8]) throws(WriteError) -> Bool {
    do throws(SystemError) {
      let bytesMax = ConfigurationLoader.byteCountMax
      guard let content = try StateFile.content(of: path, bytesMax: bytesMax) else {
        throw SystemError.noSuchFile
      }
      return content != known
    } catch {
      throw .unreadable("\(error)")
    }
  }

  /// What it says now.
  func content() throws(WriteError) -> [UInt8] { try content(of: path) }

  private func content(of path: String) throws(WriteError) -> [UInt8] {
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
    _ content: [UInt8], to path: String, _ access: FileAccess?,
    lastLook: () throws(SystemError) -> Void = {}
  ) throws(StateFile.ReplaceError) {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    let name = String(path[path.index(after: slash)...])
    // Beside the file there are files of other people, whatever they are called.
    try StateFile.replace(
      name, in: String(path[..<slash]), with: content, access: access,
      temporary: ".\(name).swift-tgtd", on: fileSystem, lastLook: lastLook)
  }

  private static func resolved(_ name: String) -> String {
    guard let real = unsafe realpath(name, nil) else { return name }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }
}
