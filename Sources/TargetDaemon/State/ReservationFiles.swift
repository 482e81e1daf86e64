internal import Logging
internal import Reactor
internal import SCSIModel
internal import SCSITarget
internal import Synchronization

/// The files in `reservations/`, one for each logical unit that ever had a registration, named by its
/// NAA identifier: a store under another name but with its former `naa` keeps its fences, and one that
/// returns to the configuration finds them.
///
/// A save is a new file, fsync, rename, fsync of the directory, and only then an answer. When it fails,
/// the command fails and the acknowledged table stays in force:
///
/// - Up to the fsync of the new file nothing has happened to the old one.
/// - A rename or an fsync of the directory that failed leaves open which table a restart would find.
///   The new one was never promised and may be the laxer one, so the acknowledged one is saved once
///   more. Where that fails too, the next save that succeeds settles it; a process or host that ends
///   before starts with either, which is what a crash within any save may leave, and the log says so.
///
/// Bounded: a unit saves once at a time, and more than `JobThread.jobsMax` waiting saves are refused.
final class ReservationFiles: ReservationPersistence {
  private let directory: String
  private let boot: BootIdentifier?
  private let thread: JobThread
  private let logger: Logger
  private let fileSystem: any StateFileSystem
  /// What each unit was last told is saved, by the name of its file. A unit that is not in here has a
  /// file that nobody has understood, and none may write over it.
  private let acknowledged = Mutex<[String: ReservationState]>([:])

  init(
    directory: String, bootedAs boot: BootIdentifier?, savingOn thread: JobThread, logger: Logger,
    fileSystem: any StateFileSystem = KernelFileSystem()
  ) {
    self.directory = directory
    self.boot = boot
    self.thread = thread
    self.logger = logger
    self.fileSystem = fileSystem
  }

  func path(of unit: LogicalUnitIdentity) -> String { "\(directory)/\(Self.name(of: unit))" }

  private static func name(of unit: LogicalUnitIdentity) -> String {
    GeneratedIdentity.hexadecimal(unit.naa)
  }

  // MARK: Loading

  /// The state that `unit` starts with; none if it has no file. Throws rather than start without a
  /// reservation that somebody relies on. Once for each unit, before it is presented.
  func load(_ unit: LogicalUnitIdentity) throws(ReservationFileError) -> ReservationState {
    let file = try file(of: unit)
    let state = file?.stateInForce(bootedAs: boot) ?? ReservationState()
    if let file { report(file, inForce: state, unit) }
    acknowledged.withLock { $0[Self.name(of: unit)] = state }
    return state
  }

  private func file(
    of unit: LogicalUnitIdentity
  ) throws(ReservationFileError) -> ReservationFile? {
    let path = path(of: unit)
    let content: [UInt8]?
    do throws(SystemError) {
      // That there is no file is known only of a directory that is there.
      try fileSystem.synchronizeDirectory(directory)
      content = try fileSystem.stableContent(of: path, bytesMax: ReservationFile.bytesMax)
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
    logger.notice(
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
    _ state: ReservationState, of unit: LogicalUnitIdentity,
    completion: @escaping @Sendable (SystemError?) -> Void
  ) {
    let isAccepted = thread.perform { [self] in completion(saved(state, unit)) }
    if !isAccepted {
      report(.tryAgain, "too many saves wait for the state directory", unit)
      completion(.tryAgain)
    }
  }

  /// Nil: on stable storage.
  private func saved(_ state: ReservationState, _ unit: LogicalUnitIdentity) -> SystemError? {
    let name = Self.name(of: unit)
    guard let former = acknowledged.withLock({ $0[name] }) else {
      report(.notPermitted, "its file was not understood at the start", unit)
      return .notPermitted
    }
    do throws(StateFile.ReplaceError) {
      try replace(state, unit)
      acknowledged.withLock { $0[name] = state }
      return nil
    } catch {
      report(error.cause, "the state directory does not take them", unit)
      if case .uncertain = error { restore(former, unit) }
      return error.cause
    }
  }

  private func replace(
    _ state: ReservationState, _ unit: LogicalUnitIdentity
  ) throws(StateFile.ReplaceError) {
    let file = ReservationFile(
      unit: Self.name(of: unit), store: unit.name, boot: boot, state: state)
    let content = file.content
    // What the next start would refuse is not saved: the unit would never come online again.
    guard (try? ReservationFile(content: content)) == file else {
      throw .unchanged(.invalidArgument)
    }
    try StateFile.replace(file.unit, in: directory, with: content, on: fileSystem)
  }

  private func restore(_ former: ReservationState, _ unit: LogicalUnitIdentity) {
    do throws(StateFile.ReplaceError) { try replace(former, unit) } catch {
      logger.critical(
        """
        which reservations the file holds is not known, those in force or those that could not be \
        saved: until a later change of them is saved, do not restart the daemon; see to the file \
        system of the state directory
        """,
        metadata: metadata(unit).merging(["error": "\(error.cause)"]) { $1 })
    }
  }

  private func report(_ error: SystemError, _ why: String, _ unit: LogicalUnitIdentity) {
    logger.error(
      "reservations cannot be saved, so the command that changes them fails: \(why)",
      metadata: metadata(unit).merging(["error": "\(error)"]) { $1 })
  }

  private func metadata(_ unit: LogicalUnitIdentity) -> Logger.Metadata {
    ["store": "\(unit.name)", "file": "\(path(of: unit))"]
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
