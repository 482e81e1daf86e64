internal import Logging
internal import Reactor
internal import Synchronization

/// Room kept for the saves in one directory, for when its file system has none left: a file of
/// `bytes`, as many as the largest record has, written and on stable storage.
///
/// A save that can make no new file (`isLackOfRoom`) overwrites this one in place, truncates it,
/// fsyncs it, and then the two files change names. So what was the record is the next spare, and on
/// a file system that stays full a table that keeps its size can be saved any number of times:
/// whoever fills it, a thin store there for instance, cannot take away what is never given back.
///
/// - A crash leaves the old record or the new one: until the names change nobody reads the spare,
///   and they change in one step. It is overwritten again only when that step is on stable storage;
///   if that cannot be known it is not used any more.
/// - A record that was not there before takes the spare's place, and there is none until there is
///   room again. Asked after each save.
///
/// A file system that never overwrites in place (copy on write: btrfs, zfs, bcachefs) may need room
/// for this too; what can be done is done, and fails as without a spare.
final class SpareFile: Sendable {
  /// No record has this name: those are hexadecimal digits. Who looks at all records of a directory
  /// with a shell does not see it.
  static let name = ".spare"
  /// What it was called once.
  static let formerName = "spare"

  private struct State {
    /// `fill` was asked for.
    var isKept = false
    /// What `fill` last wrote is all there.
    var isFull = false
    /// Of the two files that changed names, which one a restart would find as which is not known.
    var isUncertain = false
    var isLackReported = false
  }

  private let noun: String
  private let directory: String
  private let bytes: Int
  private let logger: Logger
  private let fileSystem: any StateFileSystem
  private let state = Mutex(State())

  private var path: String { "\(directory)/\(SpareFile.name)" }

  /// For the `noun` of a directory. Used on the thread that saves there.
  init(
    for noun: String, in directory: String, bytes: Int, logger: Logger,
    fileSystem: any StateFileSystem
  ) {
    self.noun = noun
    self.directory = directory
    self.bytes = bytes
    self.logger = logger
    self.fileSystem = fileSystem
  }

  // MARK: Filling

  /// Makes the spare as large as it ought to be, where it is not and there is room.
  func fill() {
    guard state.withLock({ !$0.isFull && !$0.isUncertain }) else { return }
    state.withLock { $0.isKept = true }
    do throws(SystemError) {
      // Nothing else may have its name after a loss of power.
      try fileSystem.synchronizeDirectory(directory)
      try takeFormer()
      let file = try openOrCreate()
      try file.write(content)
      try file.synchronize()
      try fileSystem.synchronizeDirectory(directory)
      let wasLacking = state.withLock { state in
        defer { state = State(isKept: true, isFull: true) }
        return state.isLackReported
      }
      if wasLacking { logger.notice("there is room again for \(noun)", metadata: metadata) }
    } catch {
      reportLack(error)
    }
  }

  /// For people alone. No zeros, which a copy would turn into a hole.
  private var content: [UInt8] {
    let words = "room for \(noun) when the file system is full; no record, and nothing to back up\n"
    let start = words.utf8.prefix(bytes)
    return start + [UInt8](repeating: UInt8(ascii: "\n"), count: bytes - start.count)
  }

  /// That of a daemon that gave it its former name: where there is no room there is none for two.
  private func takeFormer() throws(SystemError) {
    do throws(SystemError) {
      try fileSystem.rename("\(directory)/\(SpareFile.formerName)", to: path)
    } catch {
      guard error == .noSuchFile else { throw error }
      return
    }
    try fileSystem.synchronizeDirectory(directory)
  }

  /// What a save has used, if room is kept here.
  func refill() { if state.withLock({ $0.isKept }) { fill() } }

  private func openOrCreate() throws(SystemError) -> any StateFileBeingMade {
    do throws(SystemError) { return try fileSystem.open(path) } catch {
      guard error == .noSuchFile else { throw error }
      return try fileSystem.create(path)
    }
  }

  /// Once, until it has been filled.
  private func reportLack(_ error: SystemError) {
    let isNew = state.withLock { state in
      defer { state.isLackReported = true }
      return !state.isLackReported
    }
    guard isNew else { return }
    logger.warning(
      """
      the room kept for \(noun) could not be made whole: if the file system of the state directory \
      fills up, commands that change them may fail, fences too; free \(bytes >> 10) KiB on it, or \
      move "state" to one that nothing else fills
      """, metadata: metadata.merging(["error": "\(error)"]) { $1 })
  }

  private var metadata: Logger.Metadata { ["file": "\(path)"] }

  // MARK: Use

  /// Replaces the content of `name` with the room of the spare; `lack` is why there is no other.
  func replace(
    _ name: String, with content: [UInt8], for lack: SystemError
  ) throws(StateFile.ReplaceError) {
    guard state.withLock({ !$0.isUncertain }) else { throw .unchanged(lack) }
    do throws(SystemError) {
      let file = try fileSystem.open(path)
      state.withLock { $0.isFull = false }
      try file.write(content)
      try file.truncate(to: content.count)
      try file.synchronize()
    } catch {
      throw .unchanged(error == .noSuchFile ? lack : error)
    }
    do throws(SystemError) {
      try takePlace(of: "\(directory)/\(name)")
      try fileSystem.synchronizeDirectory(directory)
    } catch {
      state.withLock { $0.isUncertain = true }
      throw .uncertain(error)
    }
  }

  private func takePlace(of target: String) throws(SystemError) {
    do throws(SystemError) { try fileSystem.exchange(path, target) } catch {
      // No record yet, or a file system or a filter of calls that does not let us: all of them are
      // told before anything is done.
      let refusals: [SystemError] = [
        .noSuchFile, .invalidArgument, .notSupported, .noSuchCall, .notPermitted,
      ]
      guard refusals.contains(error) else { throw error }
      try fileSystem.rename(path, to: target)
    }
  }
}

extension SystemError {
  /// Nothing new can be written, while what is there can be overwritten.
  var isLackOfRoom: Bool { self == .noSpace || self == .quotaExceeded }
}
