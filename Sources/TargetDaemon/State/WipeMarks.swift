internal import Logging
internal import Reactor
internal import SCSIModel
internal import SCSITarget

/// The files in `wipes/`, one for each logical unit whose FORMAT UNIT or SANITIZE has begun and not
/// succeeded, named by its NAA identifier as those of reservations are:
///
///     swift-tgtd wipe 1
///     unit 6020c1f0a2d45b7e8c9d001122334455
///     operation sanitize
///     unrestricted-exit 0
///     checksum 1b2c3d4e
///
/// A file that is not exactly of this form counts as the strictest mark there is: what was to be erased
/// must not be served as if it had been, nor a half-written disk as a whole one.
struct WipeMarks: WipePersistence {
  private static let header = "swift-tgtd wipe 1"
  private static let bytesMax = 1024

  private let directory: String
  private let thread: JobThread
  private let logger: Logger
  private let fileSystem: any StateFileSystem

  init(
    directory: String, savingOn thread: JobThread, logger: Logger,
    fileSystem: any StateFileSystem = KernelFileSystem()
  ) {
    self.directory = directory
    self.thread = thread
    self.logger = logger
    self.fileSystem = fileSystem
  }

  func path(of unit: LogicalUnitIdentity) -> String { "\(directory)/\(Self.name(of: unit))" }

  private static func name(of unit: LogicalUnitIdentity) -> String {
    GeneratedIdentity.hexadecimal(unit.naa)
  }

  // MARK: Loading

  /// What `unit` starts with, which the log tells together with the ways out.
  func load(of unit: LogicalUnitIdentity) -> SavedWipe {
    let content: [UInt8]?
    do throws(SystemError) {
      // That there is no file is known only of a directory that is there.
      try fileSystem.synchronizeDirectory(directory)
      content = try fileSystem.stableContent(of: path(of: unit), bytesMax: Self.bytesMax)
    } catch {
      return damaged(unit, "\(error)")
    }
    guard let content else { return .none }
    guard let mark = Self.parse(content, of: unit) else {
      return damaged(unit, "it is not as it was written")
    }
    logger.critical(
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
        """, metadata: metadata(unit))
    return .unfinished(mark)
  }

  private func damaged(_ unit: LogicalUnitIdentity, _ reason: String) -> SavedWipe {
    logger.critical(
      """
      whether a FORMAT UNIT or SANITIZE of the store was completed cannot be found out: until a \
      SANITIZE is, its logical unit reports SANITIZE COMMAND FAILED; or to use the blocks as they are: \
      stop the daemon, remove the file named here, start the daemon
      """, metadata: metadata(unit).merging(["reason": "\(reason)"]) { $1 })
    return .damaged
  }

  // MARK: Saving

  func save(
    _ mark: WipeMark?, of unit: LogicalUnitIdentity,
    completion: @escaping @Sendable (SystemError?) -> Bool
  ) {
    let isAccepted = thread.perform { [self] in
      let error = saved(mark, unit)
      if let error { report(error, unit) }
      ParameterFiles.tell(error, completion)
    }
    // The caller is a reactor, and has a place in its own mailbox or hears of it from the thread.
    if !isAccepted { _ = completion(.tryAgain) }
  }

  /// Nil: on stable storage. After a failure the former mark, or none, is put back if it can be: nothing
  /// was erased, so a restart should find what was there.
  private func saved(_ mark: WipeMark?, _ unit: LogicalUnitIdentity) -> SystemError? {
    let former: [UInt8]?
    do throws(SystemError) {
      former = try fileSystem.stableContent(of: path(of: unit), bytesMax: Self.bytesMax)
    } catch {
      return error
    }
    do throws(SystemError) {
      try put(mark.map { Self.content($0, of: unit) }, unit)
      return nil
    } catch {
      try? put(former, unit)
      return error
    }
  }

  private func put(_ content: [UInt8]?, _ unit: LogicalUnitIdentity) throws(SystemError) {
    guard let content else { return try remove(unit) }
    do throws(StateFile.ReplaceError) {
      try StateFile.replace(Self.name(of: unit), in: directory, with: content, on: fileSystem)
    } catch {
      throw error.cause
    }
  }

  private func remove(_ unit: LogicalUnitIdentity) throws(SystemError) {
    do throws(SystemError) { try fileSystem.remove(path(of: unit)) } catch {
      guard error == .noSuchFile else { throw error }
    }
    try fileSystem.synchronizeDirectory(directory)
  }

  private func report(_ error: SystemError, _ unit: LogicalUnitIdentity) {
    logger.error(
      """
      that a FORMAT UNIT or SANITIZE begins or has succeeded cannot be noted, so the command fails: \
      see to the state directory
      """, metadata: metadata(unit).merging(["error": "\(error)"]) { $1 })
  }

  private func metadata(_ unit: LogicalUnitIdentity) -> Logger.Metadata {
    ["store": "\(unit.name)", "file": "\(path(of: unit))"]
  }

  // MARK: Format

  static func content(_ mark: WipeMark, of unit: LogicalUnitIdentity) -> [UInt8] {
    let text = """
      \(header)
      unit \(name(of: unit))
      operation \(mark.operation.rawValue)
      unrestricted-exit \(mark.allowsUnrestrictedExit ? 1 : 0)

      """
    return Array((text + "checksum \(StateFile.checksum(text))\n").utf8)
  }

  /// Nil: not what `content` writes for this unit.
  static func parse(_ content: [UInt8], of unit: LogicalUnitIdentity) -> WipeMark? {
    for operation in WipeMark.Operation.allCases {
      for allowsExit in [false, true] {
        let mark = WipeMark(operation, allowsUnrestrictedExit: allowsExit)
        if Self.content(mark, of: unit) == content { return mark }
      }
    }
    return nil
  }
}
