internal import AdministrationModel
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
    case missing
    case unreadable(String)
    /// It says what it said before.
    case unchanged(SystemError)
    /// It may say the old or the new.
    case uncertain(SystemError)
  }

  /// As the administrator named it, made absolute.
  let name: String
  /// Where it is now, behind every link: a link to it stays one, and may come to name another. Of a
  /// file that is gone, where it was.
  var path: String { Self.resolved(name) }
  /// As it was at the start, for one that is gone; nil: there was none.
  private let firstAccess: FileAccess?
  private let fileSystem: any StateFileSystem

  init(_ name: String, on fileSystem: any StateFileSystem = KernelFileSystem()) {
    self.name = FilePath.resolve(name, against: FilePath.currentDirectory())
    self.fileSystem = fileSystem
    firstAccess = FileAccess(ofFileAt: self.name)
  }

  /// Replaces `old`, which the file is known to say. One with secrets in it becomes its owner's
  /// alone: the next start would refuse it otherwise.
  func replace(_ old: [UInt8], by new: [UInt8], hasSecrets: Bool = false) throws(WriteError) {
    let path = path
    guard try content(of: path) == old else { throw .changed }
    guard new != old else { return }
    var access = FileAccess(ofFileAt: path)
    if hasSecrets { access?.mode &= ~0o077 }
    do throws(StateFile.ReplaceError) {
      try write(old, to: path, suffix: OwnFiles.copySuffix, access)
    } catch {
      // Of the copy it does not matter which it is: the file itself is as it was.
      throw .unchanged(error.cause)
    }
    try replace(path, old, by: new, access)
  }

  /// Replaces a content that is not valid, by the same for its mode, too. What it said stays
  /// beside it for good, for its owner alone, unless this fails. Returns where.
  ///
  /// The copy under a tilde stays: it may be the last that was good, and secrets in what nobody
  /// takes would be as easy to read there as they were here.
  func replaceRejected(
    by new: [UInt8], hasSecrets: Bool, at now: Timestamp
  ) throws(WriteError) -> String {
    let path = path
    let rejected = try content(of: path)
    let suffix = "\(OwnFiles.rejectedInfix)\(now)"
    var access = FileAccess(ofFileAt: path)
    try keep(rejected, beside: path, suffix: suffix, access)
    if hasSecrets { access?.mode &= ~0o077 }
    do throws(WriteError) {
      try replace(path, rejected, by: new, access)
    } catch {
      // It is where it was, but for what somebody else has made of it meanwhile.
      if case .uncertain = error { throw error }
      try? fileSystem.remove(path + suffix)
      throw error
    }
    return path + suffix
  }

  /// All of it, or nothing.
  private func keep(
    _ content: [UInt8], beside path: String, suffix: String, _ access: FileAccess?
  ) throws(WriteError) {
    var access = access
    access?.mode = 0o600
    do throws(SystemError) {
      let bytesMax = ConfigurationLoader.byteCountMax
      guard try fileSystem.stableContent(of: path + suffix, bytesMax: bytesMax) == nil else {
        throw SystemError(rawValue: EEXIST)
      }
    } catch {
      throw .unchanged(error)
    }
    do throws(StateFile.ReplaceError) {
      try write(content, to: path, suffix: suffix, access)
    } catch {
      // A rename that failed may have taken effect all the same.
      try? fileSystem.remove(path + suffix)
      throw .unchanged(error.cause)
    }
  }

  /// Writes it anew where it is gone, for its former owner with its former mode, else 0600.
  func create(_ new: [UInt8], hasSecrets: Bool) throws(WriteError) {
    let path = path
    var access = firstAccess
    if hasSecrets { access?.mode &= ~0o077 }
    try replace(path, nil, by: new, access)
  }

  /// To write the copy and the new file takes as long as the disk is busy: what somebody saved
  /// meanwhile is not lost.
  private func replace(
    _ path: String, _ old: [UInt8]?, by new: [UInt8], _ access: FileAccess?
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
      case .uncertain(let cause):
        // A rename may have taken effect and failed all the same: what the file says now decides,
        // where that is not the same.
        guard new != old, (try? content(of: path)) == new else { throw .uncertain(cause) }
      }
    }
  }

  /// Whether somebody has changed it since it said `known`. For a first look: nothing is put on
  /// stable storage for it.
  func isChanged(since known: [UInt8]) throws(WriteError) -> Bool {
    let content: [UInt8]?
    do throws(SystemError) {
      let bytesMax = ConfigurationLoader.byteCountMax
      content = try StateFile.content(of: path, bytesMax: bytesMax)
    } catch {
      throw .unreadable("\(error)")
    }
    guard let content else { throw .missing }
    return content != known
  }

  /// Whether there is none. One that cannot be looked at is there.
  var isMissing: Bool { unsafe access(path, F_OK) != 0 && [ENOENT, ENOTDIR].contains(errno) }

  private func content(of path: String) throws(WriteError) -> [UInt8] {
    let content: [UInt8]?
    do throws(SystemError) {
      let bytesMax = ConfigurationLoader.byteCountMax
      content = try fileSystem.stableContent(of: path, bytesMax: bytesMax)
    } catch {
      throw .unreadable("\(error)")
    }
    guard let content else { throw .missing }
    return content
  }

  /// `suffix`: of a file beside that at `path`.
  private func write(
    _ content: [UInt8], to path: String, suffix: String = "", _ access: FileAccess?,
    lastLook: () throws(SystemError) -> Void = {}
  ) throws(StateFile.ReplaceError) {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    let name = String(path[path.index(after: slash)...])
    // Beside the file there are files of other people, whatever they are called.
    try StateFile.replace(
      name + suffix, in: String(path[..<slash]), with: content, access: access,
      temporary: OwnFiles.temporaryName(of: name), on: fileSystem, lastLook: lastLook)
  }

  /// As many as the kernel follows (path_resolution(7)).
  private static let linksMax = 40

  private static func resolved(_ name: String) -> String {
    if let real = FilePath.real(name) { return real }
    var path = name
    for _ in 0..<linksMax {
      guard let target = target(ofLink: path) else { return path }
      path = FilePath.resolve(target, against: FilePath.directory(of: path))
    }
    return name
  }

  /// nil: it is no link.
  private static func target(ofLink path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe buffer.withUnsafeMutableBufferPointer { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { text in
        unsafe text.baseAddress.map { unsafe readlink(path, $0, text.count) } ?? -1
      }
    }
    return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
  }
}

extension ConfigurationFile {
  /// What changes when a file is written, replaced or has another mode.
  struct Stamp: Sendable, Equatable {
    private var device: UInt64
    private var inode: UInt64
    private var size: Int64
    private var times: [Int]
    /// st_ctime: of the last change of content, mode or owner.
    var changed: Timestamp { Timestamp(secondsSinceEpoch: Int64(times[2])) }

    /// nil: it cannot be looked at.
    init?(ofFileAt path: String) {
      var status = stat()
      guard unsafe stat(path, &status) == 0 else { return nil }
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
      size = Int64(status.st_size)
      times = [status.st_mtim, status.st_ctim].flatMap { [Int($0.tv_sec), Int($0.tv_nsec)] }
    }
  }
}
