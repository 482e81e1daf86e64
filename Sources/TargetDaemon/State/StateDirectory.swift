internal import CLinux
internal import Glibc
internal import Reactor

/// The directory of what must outlive the process, locked for as long as this lives:
///
///     lock          held by flock(2); the process ID of the holder, for people
///     identities    what each store was named when it was first served (IdentityRegistry)
///     parameters/   what initiators have set on each logical unit to last (ParameterFiles)
///     latched/      a mark for each store whose sync failed (LatchMarks)
///     reservations/ the persistent reservations of each logical unit (ReservationFiles)
///     wipes/        a mark for each FORMAT UNIT or SANITIZE that has not succeeded (WipeMarks)
///
/// Each of parameters/, reservations/ and wipes/ has a `SpareFile` beside its records.
///
/// What is found in it at the start is on stable storage before anybody believes it: a process
/// killed between a rename and its fsync leaves what can be seen, and a loss of power could still
/// take back.
final class StateDirectory: Sendable {
  let path: String
  private let lock: FileDescriptor

  /// The file of `IdentityRegistry`.
  var identities: String { path + "/identities" }

  /// The directory of `LatchMarks`.
  var latched: String { path + "/latched" }

  /// The directory of `ReservationFiles`.
  var reservations: String { path + "/reservations" }

  /// The directory of `ParameterFiles`.
  var parameters: String { path + "/parameters" }

  /// The directory of `WipeMarks`.
  var wipes: String { path + "/wipes" }

  /// Creates what is missing and takes the lock.
  static func open(_ path: String) throws(DaemonError) -> StateDirectory {
    try make(path)
    let state = StateDirectory(path, try takeLock(path))
    try requireReservations(state)
    let subdirectories = [state.latched, state.parameters, state.reservations, state.wipes]
    for subdirectory in subdirectories { try make(subdirectory) }
    // From below, so that nothing is ever in a directory that a loss of power removes.
    for directory in subdirectories + [path] { try synchronize(directory) }
    try synchronizeParent(of: path)
    return state
  }

  /// Whoever has given out identities has made the directory of reservations before. Without it,
  /// every fence would be forgotten as if there had never been one.
  private static func requireReservations(_ state: StateDirectory) throws(DaemonError) {
    guard !exists(state.reservations) else { return }
    if !exists(state.identities), try state.anyRecord() == nil { return }
    throw DaemonError(
      .inputOutput,
      "\(state.reservations) is missing, which held the persistent reservations: put it back; or "
        + "make sure that every fenced node is off, run mkdir -m 700 \(state.reservations), start "
        + "the daemon and let the cluster register again")
  }

  /// Not to be able to look counts as yes: whatever reads it next says why it cannot.
  private static func exists(_ path: String) -> Bool {
    unsafe faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0
      || SystemError.last != .noSuchFile
  }

  /// The directories whose files are named by the identifiers of logical units.
  var recordDirectories: [String] { [reservations, wipes, parameters] }

  /// The path of a file in one of them, whatever it is: nobody but a daemon that had given out
  /// identities has made the first. Nil: there is none.
  func anyRecord() throws(DaemonError) -> String? {
    for directory in recordDirectories {
      do throws(SystemError) {
        if let name = try StateFile.anyName(in: directory) { return "\(directory)/\(name)" }
      } catch {
        throw DaemonError(
          .inputOutput, "cannot look into \(directory): \(error); see to the file system it is on")
      }
    }
    return nil
  }

  /// The names of all files in them.
  func recordNames() throws(DaemonError) -> Set<String> {
    var names: Set<String> = []
    for directory in recordDirectories {
      do throws(SystemError) { names.formUnion(try StateFile.names(in: directory)) } catch {
        throw DaemonError(
          .inputOutput, "cannot look into \(directory): \(error); see to the file system it is on")
      }
    }
    return names
  }

  private static func synchronize(_ directory: String) throws(DaemonError) {
    do throws(SystemError) { try StateFile.synchronizeDirectory(directory) } catch {
      throw DaemonError(
        .inputOutput,
        "cannot put the state directory \(directory) on stable storage: \(error); nothing that is "
          + "saved there would last: see to the file system it is on")
    }
  }

  /// For the directory itself, which `make` may have made.
  private static func synchronizeParent(of directory: String) throws(DaemonError) {
    do throws(SystemError) { try StateFile.synchronizeDirectory(directory + "/..") } catch {
      // Who may not look into the parent cannot have made the directory there.
      guard error != .permissionDenied else { return }
      throw DaemonError(
        .inputOutput,
        "cannot put the state directory \(directory) on stable storage: \(error); see to the file "
          + "system of the directory above it")
    }
  }

  private init(_ path: String, _ lock: consuming FileDescriptor) {
    self.path = path
    self.lock = lock
  }

  /// Closing is not enough: a child has a copy of the descriptor until it is the program that it
  /// was started for.
  deinit { lock.unlock() }

  /// A directory for the daemon only. Who else could write to it could hand out identities and
  /// lift latches.
  private static func make(_ path: String) throws(DaemonError) {
    if unsafe mkdir(path, 0o700) != 0, clinux_errno() != EEXIST {
      let error = SystemError.last
      let advice =
        error == .noSuchFile ? "create the directory above it" : "choose another one with \"state\""
      throw DaemonError(
        .inputOutput, "cannot create the state directory \(path): \(error); \(advice)")
    }
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      throw DaemonError(.inputOutput, "cannot use the state directory \(path): \(SystemError.last)")
    }
    guard Int32(status.st_mode & mode_t(Glibc.S_IFMT)) == S_IFDIR else {
      throw DaemonError(
        .inputOutput, "the state directory \(path) is not a directory; move it away")
    }
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw DaemonError(
        .inputOutput,
        "the state directory \(path) belongs to user \(status.st_uid): run chown \(geteuid()) \(path)"
      )
    }
    guard status.st_mode & 0o022 == 0 else {
      throw DaemonError(
        .inputOutput, "others may write to the state directory \(path): run chmod 700 \(path)")
    }
  }

  private static func takeLock(_ directory: String) throws(DaemonError) -> FileDescriptor {
    let path = directory + "/lock"
    let file: FileDescriptor
    do throws(SystemError) { file = try .openState(path, O_RDWR | O_CREAT, mode: 0o600) } catch {
      throw DaemonError(.inputOutput, "cannot open \(path): \(error)")
    }
    do throws(SystemError) { try file.lock() } catch {
      guard error == .wouldBlock else {
        throw DaemonError(.inputOutput, "cannot lock \(path): \(error)")
      }
      throw DaemonError(
        .temporaryFailure,
        "another swift-tgtd\(owner(file)) uses the state directory \(directory): "
          + "stop it, or give this one a directory of its own (\"state\")")
    }
    // For people: the lock stands without it.
    do throws(SystemError) {
      try file.truncate()
      try file.write(Array("\(getpid())\n".utf8))
    } catch {}
    return file
  }

  /// " (pid 123)", or nothing if the holder has not written it yet.
  private static func owner(_ file: borrowing FileDescriptor) -> String {
    let content = (try? file.read(bytesMax: 64)) ?? []
    let text = String(decoding: content.prefix { (0x30...0x39).contains($0) }, as: UTF8.self)
    return text.isEmpty ? "" : " (pid \(text))"
  }
}
