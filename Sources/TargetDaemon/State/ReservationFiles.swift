internal import Logging
internal import Reactor
internal import SCSIModel
internal import SCSITarget

/// The files in `reservations/`, one for each logical unit that ever had a registration, named by its
/// NAA identifier: a store under another name but with its former `naa` keeps its fences, and one that
/// returns to the configuration finds them.
///
/// When a save fails, the command fails and the acknowledged table stays in force: the new one was
/// never promised and may be the laxer one (`RecordFiles`).
struct ReservationFiles: UnitPersistence {
  private let files: RecordFiles
  private let boot: BootIdentifier?

  init(
    directory: String, bootedAs boot: BootIdentifier?, savingOn thread: JobThread, logger: Logger,
    fileSystem: any StateFileSystem = KernelFileSystem()
  ) {
    self.boot = boot
    files = RecordFiles(
      of: "reservations", in: directory, bytesMax: ReservationFile.bytesMax, savingOn: thread,
      logger: logger, fileSystem: fileSystem)
  }

  func path(of unit: LogicalUnitIdentity) -> String { files.path(Self.name(of: unit)) }

  private static func name(of unit: LogicalUnitIdentity) -> String { Hexadecimal.text(unit.naa) }

  // MARK: Loading

  /// The state that `unit` starts with; none if it has no file. Throws rather than start without a
  /// reservation that somebody relies on. Once for each unit, before it is presented.
  func load(_ unit: LogicalUnitIdentity) throws(ReservationFileError) -> ReservationState {
    let file = try file(of: unit)
    let state = file?.stateInForce(bootedAs: boot) ?? ReservationState()
    if let file { report(file, inForce: state, unit) }
    // A file of before the boot counts as what is in force of it.
    files.begin(
      Self.name(of: unit), with: file == nil ? nil : self.file(state, of: unit).content)
    return state
  }

  private func file(
    of unit: LogicalUnitIdentity
  ) throws(ReservationFileError) -> ReservationFile? {
    let path = path(of: unit)
    let content: [UInt8]?
    do throws(SystemError) {
      content = try files.read(Self.name(of: unit))
    } catch {
      throw ReservationFileError(path: path, reason: .unreadable(error))
    }
    guard let content else { return nil }
    let file: ReservationFile
    do throws(ReservationFile.Damage) { file = try ReservationFile(content: content) } catch {
      throw ReservationFileError(path: path, reason: .damaged(error))
    }
    guard file.unit == Self.name(of: unit) else {
      throw ReservationFileError(path: path, reason: .ofOtherUnit(file.unit))
    }
    return file
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
        "reservation": "\(state.reservation?.type.word ?? "none")", "file": "\(path(of: unit))",
      ])
  }

  // MARK: Saving

  func save(
    _ state: ReservationState, of unit: LogicalUnitIdentity, completion: @escaping SaveCompletion
  ) {
    let file = file(state, of: unit)
    files.save(Self.name(of: unit), of: unit, completion: completion) {
      () throws(SystemError) -> [UInt8]? in
      let content = file.content
      // What the next start would refuse is not saved: the unit would never come online again.
      guard (try? ReservationFile(content: content)) == file else { throw .invalidArgument }
      return content
    }
  }

  private func file(_ state: ReservationState, of unit: LogicalUnitIdentity) -> ReservationFile {
    ReservationFile(unit: Self.name(of: unit), store: unit.name, boot: boot, state: state)
  }
}

/// Why a logical unit cannot be presented: nobody knows who may write to it. The file stays as it is.
struct ReservationFileError: Error, Equatable, CustomStringConvertible {
  enum Reason: Equatable {
    case unreadable(SystemError)
    case damaged(ReservationFile.Damage)
    /// Holds the NAA identifier of that unit.
    case ofOtherUnit(String)
  }

  let path: String
  let reason: Reason

  /// What is wrong and exactly what to do.
  var description: String {
    switch reason {
    case .unreadable(let error):
      "\(path) cannot be read: \(error). Stop the daemon, mend that, start the daemon. "
        + startAnew
    case .damaged(.notWhatWasWritten):
      "\(path) is damaged. " + startAnew
    case .damaged(.otherVersion(let version)):
      "\(path) has format \(version), which this version of swift-tgtd does not know. Stop the "
        + "daemon and start the version that wrote the file. " + startAnew
    case .ofOtherUnit(let unit):
      "\(path) belongs to the unit \(unit.prefix(64)). Stop the daemon, put the unit's own file in "
        + "its place, start the daemon. " + startAnew
    }
  }

  /// A backup is no way out: it may lack the latest fence.
  private var startAnew: String {
    "To start the unit without any registration and reservation: make sure that every fenced node is "
      + "off, stop the daemon, look at the file with cat, move it away (mv \(path) \(path).damaged), "
      + "start the daemon, let the cluster register again."
  }
}
