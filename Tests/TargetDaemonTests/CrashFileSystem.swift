import Glibc
import Reactor
import Synchronization

@testable import TargetDaemon

/// A file system in memory that knows what a loss of power may leave of it, as pessimistic as POSIX
/// allows:
///
/// - entries of directories that were changed since the last fsync of the directory are each as
///   before or as after, in any combination; a rename is one change;
/// - bytes that were written since the last fsync of their file are there up to any length, are
///   zeros from any place on, or are zeros up to any place; over bytes that are there already, up
///   to any length.
///
/// A file has the room of its bytes, rounded up to blocks of 4096; one that `isFull` gives no more.
///
/// The end of a process loses nothing.
final class CrashFileSystem: StateFileSystem {
  /// What can be seen, and what is on the disk.
  struct Image: Sendable {
    fileprivate struct Inode: Sendable {
      var content: [UInt8] = []
      /// Of the last fsync.
      var stable: [UInt8] = []
      var isStable = true
      var roomBytes: Int { (content.count + 4095) / 4096 * 4096 }
    }
    fileprivate enum Change: Sendable {
      case link(String, Int)
      case rename(String, String, Int)
      case exchange(String, Int, String, Int)
      case unlink(String)
    }

    fileprivate var inodes: [Inode] = []
    fileprivate var entries: [String: Int] = [:]
    fileprivate var stableEntries: [String: Int] = [:]
    fileprivate var pending: [Change] = []

    /// What `path` may hold after a loss of power; nil: it may not exist.
    func remains(of path: String) -> Set<[UInt8]?> {
      var found: Set<[UInt8]?> = []
      for chosen in 0..<(1 << pending.count) {
        var entries = stableEntries
        for (index, change) in pending.enumerated() where chosen >> index & 1 == 1 {
          Image.apply(change, to: &entries)
        }
        found.formUnion(entries[path].map { inodes[$0].remains } ?? [nil])
      }
      return found
    }

    fileprivate mutating func change(_ change: Change) {
      Image.apply(change, to: &entries)
      pending.append(change)
    }

    private static func apply(_ change: Change, to entries: inout [String: Int]) {
      switch change {
      case .link(let path, let inode): entries[path] = inode
      case .unlink(let path): entries[path] = nil
      case .rename(let path, let newPath, let inode):
        entries[path] = nil
        entries[newPath] = inode
      case .exchange(let path, let inode, let otherPath, let otherInode):
        entries[path] = otherInode
        entries[otherPath] = inode
      }
    }
  }

  enum Call: Sendable, Equatable {
    case create, open, write, truncate, synchronize, rename, exchange, remove, synchronizeDirectory
  }

  /// Fails the call that comes after that many others, and those after it if it `isLasting`.
  struct Fault: Sendable {
    var index: Int
    var error = SystemError.inputOutput
    /// What was asked for happens all the same, as a server's answer may be lost.
    var takesEffect = false
    var isLasting = false
  }

  private struct State: Sendable {
    var image = Image()
    var history: [Image] = []
    var calls: [Call] = []
    var fault: Fault?
    var ignored: Call?
    var isFull = false
  }

  private let state: Mutex<State>

  /// With one file on the disk, or none. A call to be `ignored` says it was done.
  init(_ path: String, _ content: [UInt8]?, ignored: Call? = nil) {
    var state = State()
    state.ignored = ignored
    if let content {
      state.image.inodes = [Image.Inode(content: content, stable: content)]
      state.image.entries[path] = 0
      state.image.stableEntries[path] = 0
    }
    state.history = [state.image]
    self.state = Mutex(state)
  }

  /// No file can be made any more, and none needs more blocks than it has.
  var isFull: Bool {
    get { state.withLock { $0.isFull } }
    set { state.withLock { $0.isFull = newValue } }
  }

  /// How it is now, for this process.
  func content(of path: String) -> [UInt8]? {
    state.withLock { state in state.image.entries[path].map { state.image.inodes[$0].content } }
  }

  /// Starts `history` and `calls` anew, with what will go wrong from now on.
  func begin(_ fault: Fault? = nil) {
    state.withLock { state in
      state.history = [state.image]
      state.calls = []
      state.fault = fault
    }
  }

  /// How it was before the first call and after each.
  var history: [Image] { state.withLock { $0.history } }
  var calls: [Call] { state.withLock { $0.calls } }

  private func perform(
    _ call: Call, _ body: (inout Image) -> SystemError?
  ) throws(SystemError) {
    let error: SystemError? = state.withLock { state in
      let index = state.calls.count
      state.calls.append(call)
      let fault = state.fault.flatMap { fault in
        index == fault.index || fault.isLasting && index > fault.index ? fault : nil
      }
      var error: SystemError?
      if (fault == nil || fault?.takesEffect == true) && state.ignored != call {
        error = body(&state.image)
      }
      state.history.append(state.image)
      return fault?.error ?? error
    }
    if let error { throw error }
  }

  // MARK: StateFileSystem

  private final class File: StateFileBeingMade {
    let fileSystem: CrashFileSystem
    let inode: Int
    private var offset = 0

    init(_ fileSystem: CrashFileSystem, _ inode: Int) {
      self.fileSystem = fileSystem
      self.inode = inode
    }

    func write(_ content: [UInt8]) throws(SystemError) {
      let start = offset
      let isFull = fileSystem.isFull
      try fileSystem.perform(.write) { image in
        let file = image.inodes[inode]
        let end = start + content.count
        guard !isFull || end <= file.roomBytes else { return .noSpace }
        image.inodes[inode].content =
          file.content.prefix(start) + content + file.content.dropFirst(end)
        image.inodes[inode].isStable = false
        return nil
      }
      offset += content.count
    }

    func truncate(to byteCount: Int) throws(SystemError) {
      try fileSystem.perform(.truncate) { image in
        image.inodes[inode].content.removeLast(image.inodes[inode].content.count - byteCount)
        image.inodes[inode].isStable = false
        return nil
      }
    }

    func grant(_ access: FileAccess) throws(SystemError) {}

    func synchronize() throws(SystemError) {
      try fileSystem.perform(.synchronize) { image in
        image.inodes[inode].isStable = true
        image.inodes[inode].stable = image.inodes[inode].content
        return nil
      }
    }
  }

  func create(_ path: String) throws(SystemError) -> any StateFileBeingMade {
    var inode = 0
    let isFull = isFull
    try perform(.create) { image in
      guard !isFull else { return .noSpace }
      guard image.entries[path] == nil else { return SystemError(rawValue: EEXIST) }
      inode = image.inodes.count
      image.inodes.append(Image.Inode())
      image.change(.link(path, inode))
      return nil
    }
    return File(self, inode)
  }

  func open(_ path: String) throws(SystemError) -> any StateFileBeingMade {
    var inode = 0
    try perform(.open) { image in
      guard let found = image.entries[path] else { return .noSuchFile }
      inode = found
      return nil
    }
    return File(self, inode)
  }

  func exchange(_ path: String, _ otherPath: String) throws(SystemError) {
    try perform(.exchange) { image in
      guard let inode = image.entries[path], let other = image.entries[otherPath] else {
        return .noSuchFile
      }
      image.change(.exchange(path, inode, otherPath, other))
      return nil
    }
  }

  func rename(_ path: String, to newPath: String) throws(SystemError) {
    try perform(.rename) { image in
      guard let inode = image.entries[path] else { return .noSuchFile }
      image.change(.rename(path, newPath, inode))
      return nil
    }
  }

  func remove(_ path: String) throws(SystemError) {
    try perform(.remove) { image in
      guard image.entries[path] != nil else { return .noSuchFile }
      image.change(.unlink(path))
      return nil
    }
  }

  func synchronizeDirectory(_ path: String) throws(SystemError) {
    try perform(.synchronizeDirectory) { image in
      image.stableEntries = image.entries
      image.pending = []
      return nil
    }
  }

  func stableContent(of path: String, bytesMax: Int) throws(SystemError) -> [UInt8]? {
    let content: [UInt8]? = state.withLock { state in
      guard let inode = state.image.entries[path] else { return nil }
      state.image.inodes[inode].isStable = true
      state.image.inodes[inode].stable = state.image.inodes[inode].content
      return state.image.inodes[inode].content
    }
    guard content?.count ?? 0 <= bytesMax else { throw .invalidArgument }
    return content
  }
}

extension CrashFileSystem.Image.Inode {
  fileprivate var remains: Set<[UInt8]?> {
    guard !isStable else { return [content] }
    var found: Set<[UInt8]?> = [stable]
    for length in 0...content.count {
      found.insert(Array(content[..<length] + stable.dropFirst(length)))
      let zeros = [UInt8](repeating: 0, count: content.count - length)
      found.insert(Array(content[..<length]))
      found.insert(Array(content[..<length]) + zeros)
      found.insert(zeros + content[(content.count - length)...])
    }
    return found
  }
}
