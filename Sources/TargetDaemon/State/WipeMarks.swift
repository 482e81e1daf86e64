internal import Logging
internal import SCSITarget

/// The files in `wipes/`, one for each logical unit whose FORMAT UNIT or SANITIZE has begun and not
/// succeeded.
///
/// A file that is not exactly of the form counts as the strictest mark there is: what was to be
/// erased must not be served as if it had been, nor a half-written disk as a whole one.
struct WipeMarks: UnitPersistence {
  private let files: RecordFiles<WipeFile>

  init(
    directory: String, savingOn thread: JobThread, logger: Logger,
    fileSystem: any StateFileSystem = KernelFileSystem()
  ) {
    files = RecordFiles(
      of: "marks of FORMAT UNIT and SANITIZE", in: directory, savingOn: thread, logger: logger,
      fileSystem: fileSystem)
  }

  /// Has room kept from here on for saves on a full file system.
  func keepRoom() { files.keepRoom() }

  /// What `unit` starts with, which the log tells together with the ways out.
  func load(of unit: LogicalUnitIdentity) -> SavedWipe {
    let file: WipeFile?
    do throws(RecordRefusal) { file = try files.load(of: unit) } catch {
      // What it counts as, should it have to be put back.
      files.begin(unit, with: WipeFile(WipeMark(.sanitize), of: unit))
      return damaged(unit, error)
    }
    files.begin(unit, with: file)
    guard let mark = file?.mark else { return .none }
    files.logger.critical(
      mark.operation == .format
        ? """
        a FORMAT UNIT of the store was not completed: until another is, or a SANITIZE, its logical \
        unit reports MEDIUM FORMAT CORRUPTED; or to use the blocks as they are: stop the daemon, \
        remove the file named here, start the daemon
        """
        : """
        a SANITIZE of the store was not completed: until another is, its logical unit reports \
        SANITIZE COMMAND FAILED; or to use the blocks as they are, which may not have been erased: \
        stop the daemon, remove the file named here, start the daemon
        """, metadata: files.metadata(unit))
    return .unfinished(mark)
  }

  private func damaged(_ unit: LogicalUnitIdentity, _ refusal: RecordRefusal) -> SavedWipe {
    files.logger.critical(
      """
      whether a FORMAT UNIT or SANITIZE of the store was completed cannot be found out: until a \
      SANITIZE is, its logical unit reports SANITIZE COMMAND FAILED; or to use the blocks as they are: \
      stop the daemon, remove the file named here, start the daemon
      """, metadata: files.metadata(unit).merging(["reason": "the file \(refusal)"]) { $1 })
    return .damaged
  }

  /// Whether there is one.
  func isMarked(_ unit: LogicalUnitIdentity) -> Bool { StoreMedia.exists(files.path(of: unit)) }

  func save(
    _ mark: WipeMark?, of unit: LogicalUnitIdentity, completion: @escaping SaveCompletion
  ) {
    files.save(mark.map { WipeFile($0, of: unit) }, of: unit, completion: completion)
  }
}
