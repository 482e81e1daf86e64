internal import Logging
internal import Reactor
internal import SCSITarget
internal import Synchronization

/// The files of one kind of record in the state directory, at most one for each logical unit, and the
/// thread that writes them.
///
/// A save is a new file, fsync, rename, fsync of the directory, and only then an answer; one that
/// takes a record away is the removal and fsync of the directory. When it fails, the command fails and
/// what is in force stays so:
///
/// - Up to the fsync of the new file nothing has happened to the old one.
/// - A rename, a removal or an fsync of the directory that failed leaves open which of the two a
///   restart would find. The new one was never promised, so the one in force is saved once more. Where
///   that fails too, the next save that succeeds settles it; a process or host that ends before starts
///   with either, which is what a crash within any save may leave, and the log says so.
///
/// Bounded: a unit saves once at a time, and more than `JobThread.jobsMax` waiting saves are refused.
final class RecordFiles: Sendable {
  /// In plural, for the log.
  private let noun: String
  private let directory: String
  private let bytesMax: Int
  private let thread: JobThread
  private let fileSystem: any StateFileSystem
  let logger: Logger
  /// What of each unit is in force, by the name of its file: a content, or nil for none. Nothing is
  /// written over a file whose unit is not in here, since nobody knows what it stands for.
  private let inForce = Mutex<[String: [UInt8]?]>([:])

  /// Of a kind that takes at most `bytesMax` bytes.
  init(
    of noun: String, in directory: String, bytesMax: Int, savingOn thread: JobThread,
    logger: Logger, fileSystem: any StateFileSystem = KernelFileSystem()
  ) {
    self.noun = noun
    self.directory = directory
    self.bytesMax = bytesMax
    self.thread = thread
    self.logger = logger
    self.fileSystem = fileSystem
  }

  func path(_ name: String) -> String { "\(directory)/\(name)" }

  // MARK: Loading

  /// The content of a file, on stable storage before it is handed out; nil: there is none.
  func read(_ name: String) throws(SystemError) -> [UInt8]? {
    // That there is no file is known only of a directory that is there.
    try fileSystem.synchronizeDirectory(directory)
    return try fileSystem.stableContent(of: path(name), bytesMax: bytesMax)
  }

  /// From here on `content` is in force, and the file may be written over. Once for each unit, before
  /// it is presented.
  func begin(_ name: String, with content: [UInt8]?) {
    inForce.withLock { _ = $0.updateValue(content, forKey: name) }
  }

  // MARK: Saving

  /// Saves what `content` gives on the thread; nil takes the record away.
  func save(
    _ name: String, of unit: LogicalUnitIdentity, completion: @escaping SaveCompletion,
    content: @escaping @Sendable () throws(SystemError) -> [UInt8]?
  ) {
    let isAccepted = thread.perform { [self] in completion(saved(name, unit, content)) }
    guard !isAccepted else { return }
    report(.tryAgain, "too many saves wait for the state directory", name, unit)
    completion(.tryAgain)
  }

  /// Nil: on stable storage.
  private func saved(
    _ name: String, _ unit: LogicalUnitIdentity,
    _ content: () throws(SystemError) -> [UInt8]?
  ) -> SystemError? {
    guard let former = inForce.withLock({ $0[name] }) else {
      report(.notPermitted, "its file was not understood at the start", name, unit)
      return .notPermitted
    }
    let new: [UInt8]?
    do throws(SystemError) { new = try content() } catch {
      report(error, "the next start would refuse them", name, unit)
      return error
    }
    do throws(StateFile.ReplaceError) {
      try put(new, name)
      inForce.withLock { _ = $0.updateValue(new, forKey: name) }
      return nil
    } catch {
      report(error.cause, "the state directory does not take them", name, unit)
      if case .uncertain = error { restore(former, name, unit) }
      return error.cause
    }
  }

  private func put(_ content: [UInt8]?, _ name: String) throws(StateFile.ReplaceError) {
    if let content {
      try StateFile.replace(name, in: directory, with: content, on: fileSystem)
    } else {
      try StateFile.remove(name, in: directory, on: fileSystem)
    }
  }

  private func restore(_ former: [UInt8]?, _ name: String, _ unit: LogicalUnitIdentity) {
    do throws(StateFile.ReplaceError) { try put(former, name) } catch {
      logger.critical(
        """
        which \(noun) the file holds is not known, those in force or those that could not be saved: \
        until a later change of them is saved, do not restart the daemon; see to the file system of \
        the state directory
        """, metadata: metadata(name, unit).merging(["error": "\(error.cause)"]) { $1 })
    }
  }

  // MARK: Log

  private func report(
    _ error: SystemError, _ why: String, _ name: String, _ unit: LogicalUnitIdentity
  ) {
    logger.error(
      "\(noun) cannot be saved, so the command that changes them fails: \(why)",
      metadata: metadata(name, unit).merging(["error": "\(error)"]) { $1 })
  }

  func metadata(_ name: String, _ unit: LogicalUnitIdentity) -> Logger.Metadata {
    ["store": "\(unit.name)", "file": "\(path(name))"]
  }
}
