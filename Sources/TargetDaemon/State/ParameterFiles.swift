internal import Logging
internal import SCSITarget

/// The files in `parameters/`, one for each logical unit on which initiators have set anything to
/// last.
///
/// A file that cannot be read as it was written is worth a word in the log and no more: the unit
/// starts as configured, and nothing of it is lost that data or fencing hang on.
struct ParameterFiles: UnitPersistence {
  private let files: RecordFiles<ParameterFile>

  init(
    directory: String, savingOn thread: JobThread, logger: Logger,
    fileSystem: any StateFileSystem = KernelFileSystem()
  ) {
    files = RecordFiles(
      of: "parameters", in: directory, savingOn: thread, logger: logger, fileSystem: fileSystem)
  }

  /// Has room kept from here on for saves on a full file system.
  func keepRoom() { files.keepRoom() }

  /// What `unit` starts with.
  func load(of unit: LogicalUnitIdentity) -> SavedParameters {
    var file: ParameterFile?
    do throws(RecordRefusal) { file = try files.load(of: unit) } catch {
      files.logger.warning(
        "the saved parameters of the store are not used: it starts as configured",
        metadata: files.metadata(unit).merging(["reason": "the file \(error)"]) { $1 })
    }
    files.begin(unit, with: file)
    return file?.parameters ?? SavedParameters()
  }

  func save(
    _ parameters: SavedParameters, of unit: LogicalUnitIdentity,
    completion: @escaping SaveCompletion
  ) {
    files.save(ParameterFile(parameters, of: unit), of: unit, completion: completion)
  }
}
