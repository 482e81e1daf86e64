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
struct WipeMarks: UnitPersistence {
  private static let header = "swift-tgtd wipe 1"
  private static let bytesMax = 1024

  private let files: RecordFiles

  init(
    directory: String, savingOn thread: JobThread, logger: Logger,
    fileSystem: any StateFileSystem = KernelFileSystem()
  ) {
    files = RecordFiles(
      of: "marks of FORMAT UNIT and SANITIZE", in: directory, bytesMax: WipeMarks.bytesMax,
      savingOn: thread, logger: logger, fileSystem: fileSystem)
  }

  private static func name(of unit: LogicalUnitIdentity) -> String { Hexadecimal.text(unit.naa) }

  // MARK: Loading

  /// What `unit` starts with, which the log tells together with the ways out.
  func load(of unit: LogicalUnitIdentity) -> SavedWipe {
    let content: [UInt8]?
    do throws(SystemError) {
      content = try files.read(Self.name(of: unit))
    } catch {
      // What it counts as, should it have to be put back.
      files.begin(Self.name(of: unit), with: Self.content(WipeMark(.sanitize), of: unit))
      return damaged(unit, "\(error)")
    }
    files.begin(Self.name(of: unit), with: content)
    guard let content else { return .none }
    guard let mark = Self.parse(content, of: unit) else {
      return damaged(unit, "it is not as it was written")
    }
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
        """, metadata: metadata(unit))
    return .unfinished(mark)
  }

  private func damaged(_ unit: LogicalUnitIdentity, _ reason: String) -> SavedWipe {
    files.logger.critical(
      """
      whether a FORMAT UNIT or SANITIZE of the store was completed cannot be found out: until a \
      SANITIZE is, its logical unit reports SANITIZE COMMAND FAILED; or to use the blocks as they are: \
      stop the daemon, remove the file named here, start the daemon
      """, metadata: metadata(unit).merging(["reason": "\(reason)"]) { $1 })
    return .damaged
  }

  private func metadata(_ unit: LogicalUnitIdentity) -> Logger.Metadata {
    files.metadata(Self.name(of: unit), unit)
  }

  // MARK: Saving

  func save(
    _ mark: WipeMark?, of unit: LogicalUnitIdentity, completion: @escaping SaveCompletion
  ) {
    files.save(Self.name(of: unit), of: unit, completion: completion) {
      mark.map { Self.content($0, of: unit) }
    }
  }

  // MARK: Format

  static func content(_ mark: WipeMark, of unit: LogicalUnitIdentity) -> [UInt8] {
    let text = """
      \(header)
      unit \(name(of: unit))
      operation \(mark.operation.rawValue)
      unrestricted-exit \(mark.allowsUnrestrictedExit ? 1 : 0)

      """
    return ChecksummedText(text).content(.crc32c)
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
