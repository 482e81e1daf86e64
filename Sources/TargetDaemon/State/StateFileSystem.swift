internal import CLinux
internal import Glibc
internal import Reactor

/// The calls that make and read state files. What a crash leaves is decided by their order alone,
/// so tests put a file system in their place that crashes between and within any of them.
protocol StateFileSystem: Sendable {
  /// A new, empty file that only its owner can read; what is there already is an error.
  func create(_ path: String) throws(SystemError) -> any StateFileBeingMade
  /// A file that is there, to be overwritten from its first byte.
  func open(_ path: String) throws(SystemError) -> any StateFileBeingMade
  func rename(_ path: String, to newPath: String) throws(SystemError)
  /// Two files that are there change names, in one step.
  func exchange(_ path: String, _ otherPath: String) throws(SystemError)
  func remove(_ path: String) throws(SystemError)
  /// Makes what was created, renamed or removed in a directory outlive a loss of power.
  func synchronizeDirectory(_ path: String) throws(SystemError)
  /// The content of a file, on stable storage before it is handed out; nil: no such file. More than
  /// `bytesMax` bytes throw `.invalidArgument`.
  func stableContent(of path: String, bytesMax: Int) throws(SystemError) -> [UInt8]?
}

/// A file that nobody knows yet. Closed when it is let go.
protocol StateFileBeingMade: AnyObject {
  func write(_ content: [UInt8]) throws(SystemError)
  func grant(_ access: FileAccess) throws(SystemError)
  func truncate(to byteCount: Int) throws(SystemError)
  func synchronize() throws(SystemError)
}

/// Who owns a file, who may use it, and what else is kept with it.
struct FileAccess: Sendable, Equatable {
  var mode: UInt32
  var owner: UInt32
  var group: UInt32
  var attributes: [FileAttribute] = []

  init(mode: UInt32, owner: UInt32, group: UInt32) {
    self.mode = mode
    self.owner = owner
    self.group = group
  }

  /// Nil: there is no such file.
  init?(ofFileAt path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    self.init(
      mode: UInt32(status.st_mode) & 0o777, owner: status.st_uid, group: status.st_gid)
    attributes = FileAttribute.all(ofFileAt: path)
  }
}

/// The file systems of the kernel.
struct KernelFileSystem: StateFileSystem {
  private final class File: StateFileBeingMade {
    private let descriptor: FileDescriptor

    init(_ path: String, _ flags: Int32) throws(SystemError) {
      descriptor = try .openState(path, O_WRONLY | flags, mode: 0o600)
    }

    func write(_ content: [UInt8]) throws(SystemError) { try descriptor.write(content) }
    func grant(_ access: FileAccess) throws(SystemError) { try descriptor.grant(access) }
    func truncate(to byteCount: Int) throws(SystemError) { try descriptor.truncate(to: byteCount) }
    func synchronize() throws(SystemError) { try descriptor.synchronize() }
  }

  func create(_ path: String) throws(SystemError) -> any StateFileBeingMade {
    try File(path, O_CREAT | O_EXCL)
  }

  func open(_ path: String) throws(SystemError) -> any StateFileBeingMade { try File(path, 0) }

  func rename(_ path: String, to newPath: String) throws(SystemError) {
    guard unsafe Glibc.rename(path, newPath) == 0 else { throw .last }
  }

  func exchange(_ path: String, _ otherPath: String) throws(SystemError) {
    guard unsafe clinux_exchange(path, otherPath) == 0 else { throw .last }
  }

  func remove(_ path: String) throws(SystemError) {
    guard unsafe unlink(path) == 0 else { throw .last }
  }

  func synchronizeDirectory(_ path: String) throws(SystemError) {
    try FileDescriptor.openState(path, O_RDONLY | O_DIRECTORY).synchronize()
  }

  func stableContent(of path: String, bytesMax: Int) throws(SystemError) -> [UInt8]? {
    let file: FileDescriptor
    do throws(SystemError) { file = try .openState(path, O_RDONLY) } catch {
      guard error == .noSuchFile else { throw error }
      return nil
    }
    try file.synchronize()
    return try file.read(bytesMax: bytesMax)
  }
}
