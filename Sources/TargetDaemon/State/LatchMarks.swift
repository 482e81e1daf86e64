internal import Glibc
internal import Reactor

/// Marks of failed syncs. Linux reports a lost write-back once and forgets it; the mark keeps the
/// store's latch over a restart, until the administrator has seen to the data and removes it.
///
/// A mark is the existence of a file, whatever is in it, so that it can be made where no room is
/// left: a full file system is what fails many a sync in the first place.
///
/// Limits:
/// - A mark belongs to the name of a store: under another name the store starts without it.
/// - A process killed between the failed sync and its mark leaves none. The time between them is
///   that of one file's creation; the failure is logged before.
struct LatchMarks: Sendable {
  private let directory: String

  init(_ state: StateDirectory) { directory = state.latched }

  /// Why a store starts latched.
  enum Finding: Equatable {
    /// Removing this file lifts the latch.
    case mark(path: String)
    /// Whether this file exists cannot be found out, which counts as a mark.
    case unreadable(path: String, SystemError)
  }

  func path(of store: String) -> String { "\(directory)/\(StateName.fileName(of: store))" }

  /// Nil: the store has no mark.
  func finding(for store: String) -> Finding? {
    let path = path(of: store)
    // As it is: a link that leads nowhere is something too.
    if unsafe faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 { return .mark(path: path) }
    let error = SystemError.last
    return error == .noSuchFile ? nil : .unreadable(path: path, error)
  }

  /// Leaves a mark on stable storage. Sleeps: for a helper thread.
  func mark(_ store: String, _ reason: SystemError) throws(SystemError) {
    let file: FileDescriptor
    do throws(SystemError) {
      file = try .openState(path(of: store), O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    } catch {
      guard error.rawValue == EEXIST else { throw error }
      return try StateFile.synchronizeDirectory(directory)
    }
    try file.synchronize()
    try StateFile.synchronizeDirectory(directory)
    explain(store, reason, in: file)
  }

  /// For people. The mark stands without it, so that a lack of room is no failure here.
  private func explain(_ store: String, _ reason: SystemError, in file: borrowing FileDescriptor) {
    let text = "the sync of store \"\(store)\" failed: \(reason)\n"
    do throws(SystemError) {
      try file.write(Array(text.utf8))
      try file.synchronize()
    } catch {}
  }
}
