internal import Logging
internal import Reactor
internal import SCSIModel
internal import SCSITarget

/// The files in `reservations/`, one for each logical unit that ever had a registration.
///
/// When a save fails, the command fails and the acknowledged table stays in force: the new one was
/// never promised and may be the laxer one (`RecordFiles`).
struct ReservationFiles: UnitPersistence {
  private let files: RecordFiles<ReservationFile>
  private let boot: BootIdentifier?

  init(
    directory: String, bootedAs boot: BootIdentifier?, savingOn thread: JobThread, logger: Logger,
    fileSystem: any StateFileSystem = KernelFileSystem()
  ) {
    self.boot = boot
    files = RecordFiles(
      of: "reservations", in: directory, savingOn: thread, logger: logger, fileSystem: fileSystem)
  }

  /// Has room kept from here on for saves on a full file system.
  func keepRoom() { files.keepRoom() }

  // MARK: Loading

  /// The state that `unit` starts with; none if it has no file. Throws rather than start without a
  /// reservation that somebody relies on. Once for each unit, before it is presented.
  func load(of unit: LogicalUnitIdentity) throws(ReservationFileError) -> ReservationState {
    let file: ReservationFile?
    do throws(RecordRefusal) { file = try files.load(of: unit) } catch {
      throw ReservationFileError(path: files.path(of: unit), reason: error)
    }
    guard let file else {
      files.begin(unit, with: nil)
      return ReservationState()
    }
    let state = file.stateInForce(bootedAs: boot)
    report(file, inForce: state, unit)
    // A file of before the boot counts as what is in force of it.
    files.begin(unit, with: self.file(state, of: unit))
    return state
  }

  private func report(
    _ file: ReservationFile, inForce state: ReservationState, _ unit: LogicalUnitIdentity
  ) {
    let dropped = file.state.registrations.count - state.registrations.count
    guard !file.state.registrations.isEmpty else { return }
    files.logger.notice(
      dropped == 0
        ? "the persistent reservations of the store are in force again"
        : "the host was booted, so registrations without APTPL are dropped",
      metadata: [
        "store": "\(unit.name)", "registrations": "\(state.registrations.count)",
        "dropped": "\(dropped)",
        "reservation": "\(state.reservation?.type.word ?? "none")",
        "file": "\(files.path(of: unit))",
      ])
  }

  // MARK: Saving

  func save(
    _ state: ReservationState, of unit: LogicalUnitIdentity, completion: @escaping SaveCompletion
  ) {
    files.save(file(state, of: unit), of: unit, completion: completion)
  }

  private func file(_ state: ReservationState, of unit: LogicalUnitIdentity) -> ReservationFile {
    ReservationFile(unit: RecordUnit(unit), boot: boot, state: state)
  }
}

/// Why a logical unit cannot be presented: nobody knows who may write to it. The file stays as it
/// is.
struct ReservationFileError: Error, Equatable, CustomStringConvertible {
  let path: String
  let reason: RecordRefusal

  /// What is wrong and exactly what to do.
  var description: String {
    let wayOut =
      switch reason {
      case .unreadable: "Stop the daemon, mend that, start the daemon. "
      case .damaged(.notWhatWasWritten): ""
      case .damaged(.otherVersion):
        "Stop the daemon and start the version that wrote the file. "
      case .ofOtherUnit:
        "Stop the daemon, put the unit's own file in its place, start the daemon. "
      }
    return "\(path) \(reason). \(wayOut)\(startAnew)"
  }

  /// A backup is no way out: it may lack the latest fence.
  private var startAnew: String {
    "To start the unit without any registration and reservation: make sure that every fenced node is "
      + "off, stop the daemon, look at the file with cat, move it away (mv \(path) \(path).damaged), "
      + "start the daemon, let the cluster register again."
  }
}
