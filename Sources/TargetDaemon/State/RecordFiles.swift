internal import Logging
internal import Reactor
internal import SCSITarget
internal import Synchronization

/// The files of one kind of record in the state directory, at most one for each logical unit, named
/// by its NAA identifier, and the thread that writes them.
///
/// A save is a new file, fsync, rename, fsync of the directory, and only then an answer; one that
/// takes a record away is the removal and fsync of the directory. When it fails, the command fails
/// and what is in force stays so:
///
/// - Up to the fsync of the new file nothing has happened to the old one.
/// - A rename, a removal or an fsync of the directory that failed leaves open which of the two a
///   restart would find. The new one was never promised, so the one in force is saved once more.
///   Where that fails too, the next save that succeeds settles it; a process or host that ends
///   before starts with either, which is what a crash within any save may leave, and the log says
///   so.
/// - Where there is no room for a new file, the `SpareFile` takes its place.
///
/// Bounded: a unit saves once at a time, and more than `JobThread.jobsMax` waiting saves are
/// refused.
final class RecordFiles<File: RecordFile>: Sendable {
  /// In plural, for the log.
  private let noun: String
  private let directory: String
  private let thread: JobThread
  private let fileSystem: any StateFileSystem
  let logger: Logger
  /// What of each unit is in force, by the name of its file; or nil for nothing. Nothing is written
  /// over a file whose unit is not in here, since nobody knows what it stands for.
  private let inForce = Mutex<[String: File?]>([:])
  private let spare: SpareFile

  init(
    of noun: String, in directory: String, savingOn thread: JobThread, logger: Logger,
    fileSystem: any StateFileSystem
  ) {
    self.noun = noun
    self.directory = directory
    self.thread = thread
    self.logger = logger
    self.fileSystem = fileSystem
    spare = SpareFile(
      for: noun, in: directory, bytes: File.bytesMax, logger: logger, fileSystem: fileSystem)
  }

  /// Has room kept from here on for saves on a full file system.
  func keepRoom() { thread.perform { [spare] in spare.fill() } }

  func path(of unit: LogicalUnitIdentity) -> String { "\(directory)/\(RecordUnit(unit).naa)" }

  // MARK: Loading

  /// What is on record of a unit, on stable storage before it is handed out; nil: nothing.
  func load(of unit: LogicalUnitIdentity) throws(RecordRefusal) -> File? {
    let content: [UInt8]?
    do throws(SystemError) {
      // That there is no file is known only of a directory that is there.
      try fileSystem.synchronizeDirectory(directory)
      content = try fileSystem.stableContent(of: path(of: unit), bytesMax: File.bytesMax)
    } catch {
      throw .unreadable(error)
    }
    guard let content else { return nil }
    let file: File
    do throws(RecordDamage) { file = try File(content: content) } catch { throw .damaged(error) }
    guard file.unit.naa == RecordUnit(unit).naa else { throw .ofOtherUnit(file.unit.naa) }
    return file
  }

  /// From here on `file` is in force, and what is on record may be written over. Once for each
  /// unit, before it is presented.
  func begin(_ unit: LogicalUnitIdentity, with file: File?) {
    inForce.withLock { _ = $0.updateValue(file, forKey: RecordUnit(unit).naa) }
  }

  // MARK: Saving

  /// Saves `file` on the thread; nil takes the record away.
  func save(
    _ file: File?, of unit: LogicalUnitIdentity, completion: @escaping SaveCompletion
  ) {
    let isAccepted = thread.perform { [self] in
      completion(saved(file, unit))
      spare.refill()
    }
    guard !isAccepted else { return }
    report(.tryAgain, "too many saves wait for the state directory", unit)
    completion(.tryAgain)
  }

  /// Nil: on stable storage.
  private func saved(_ file: File?, _ unit: LogicalUnitIdentity) -> SystemError? {
    let name = RecordUnit(unit).naa
    guard let former = inForce.withLock({ $0[name] }) else {
      report(.notPermitted, "its file was not understood at the start", unit)
      return .notPermitted
    }
    let content = file?.content
    // The unit would start without them, or never come online again.
    if let content, (try? File(content: content)) != file {
      report(.invalidArgument, "the next start would refuse them", unit)
      return .invalidArgument
    }
    do throws(StateFile.ReplaceError) {
      try put(content, name)
      inForce.withLock { _ = $0.updateValue(file, forKey: name) }
      return nil
    } catch {
      report(error.cause, "the state directory does not take them", unit)
      if case .uncertain = error { restore(former, name, unit) }
      return error.cause
    }
  }

  private func put(_ content: [UInt8]?, _ name: String) throws(StateFile.ReplaceError) {
    if let content {
      try StateFile.replace(name, in: directory, with: content, on: fileSystem, orWith: spare)
    } else {
      try StateFile.remove(name, in: directory, on: fileSystem)
    }
  }

  private func restore(_ former: File?, _ name: String, _ unit: LogicalUnitIdentity) {
    do throws(StateFile.ReplaceError) { try put(former?.content, name) } catch {
      logger.critical(
        """
        which \(noun) the file holds is not known, those in force or those that could not be saved: \
        until a later change of them is saved, do not restart the daemon; see to the file system of \
        the state directory
        """, metadata: metadata(unit).merging(["error": "\(error.cause)"]) { $1 })
    }
  }

  // MARK: Log

  private func report(_ error: SystemError, _ why: String, _ unit: LogicalUnitIdentity) {
    logger.error(
      "\(noun) cannot be saved, so the command that changes them fails: \(why)",
      metadata: metadata(unit).merging(["error": "\(error)"]) { $1 })
  }

  func metadata(_ unit: LogicalUnitIdentity) -> Logger.Metadata {
    ["store": "\(unit.name)", "file": "\(path(of: unit))"]
  }
}

/// Why a file is not what is on record of its unit. It stays as it is.
enum RecordRefusal: Error, Equatable, CustomStringConvertible {
  case unreadable(SystemError)
  case damaged(RecordDamage)
  /// Holds the NAA identifier of that unit.
  case ofOtherUnit(String)

  /// What is said of the file.
  var description: String {
    switch self {
    case .unreadable(let error): "cannot be read: \(error)"
    case .damaged(.notWhatWasWritten): "is damaged"
    case .damaged(.otherVersion(let version)):
      "has format \(version), which this version of swift-tgtd does not know"
    case .ofOtherUnit(let unit): "belongs to the unit \(unit.prefix(64))"
    }
  }
}
