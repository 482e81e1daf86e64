import CLinux
import Glibc
import Reactor
import SCSIModel
import SCSITarget
import ServiceFixtures
import Synchronization
import Testing

@testable import TargetDaemon

@Suite("Files of reservations")
struct ReservationFilesTests {
  let scratch: Scratch
  let book = LogBook()
  private let name = "60205a5a5a5a5a5a5a5a5a5a5a5a5a5a"

  init() throws {
    scratch = try Scratch()
    mkdir(scratch("r"), 0o700)
  }

  private func keeper(boot: BootIdentifier? = Sample.boot) throws -> Keeper {
    try Keeper(directory: scratch("r"), boot: boot, book: book)
  }

  private func refusal(_ keeper: Keeper, _ unit: LogicalUnitIdentity = Sample.unit)
    -> ReservationFileError?
  {
    do throws(ReservationFileError) {
      _ = try keeper.files.load(of: unit)
      return nil
    } catch { return error }
  }

  @Test("What was saved is there for the next process, in a file that only its owner reads")
  func restarts() throws {
    do {
      let keeper = try keeper()
      #expect(try keeper.files.load(of: Sample.unit) == ReservationState())
      #expect(keeper.save(Sample.preempted) == nil)
      #expect(keeper.save(Sample.state) == nil)
    }
    var status = stat()
    #expect(stat(scratch("r/\(name)"), &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(access(scratch("r/\(name).new"), F_OK) != 0)
    #expect(try keeper().files.load(of: Sample.unit) == Sample.state)
    #expect(book.contains("in force again"))
    // No registration is a state too.
    let keeper = try keeper()
    _ = try keeper.files.load(of: Sample.unit)
    #expect(keeper.save(ReservationState()) == nil)
    #expect(try self.keeper().files.load(of: Sample.unit) == ReservationState())
  }

  /// T-PR-2.
  @Test(
    "As many registrants as there may be are in force again for the next process and the next boot",
    arguments: [1, 15, 16, 17, 255, 1000, ReservationState.registrationsMax])
  func manyRegistrants(count: Int) throws {
    var state = Sample.state
    state.registrations = (1...count).map { Sample.registration($0) }
    state.persistsThroughPowerLoss = true
    do {
      let keeper = try keeper()
      _ = try keeper.files.load(of: Sample.unit)
      #expect(keeper.save(state) == nil)
    }
    let isWhole = try keeper().files.load(of: Sample.unit) == state
    #expect(isWhole)
    let rebooted = try keeper(boot: Sample.nextBoot).files.load(of: Sample.unit)
    let isKept = rebooted.registrations == state.registrations
    #expect(isKept && rebooted.reservation == state.reservation)
  }

  @Test("A store of another name with the same NAA identifier has the same reservations")
  func renamed() throws {
    let keeper = try keeper()
    _ = try keeper.files.load(of: Sample.unit)
    #expect(keeper.save(Sample.state) == nil)
    let renamed = Sample.unit(Sample.naa, name: "another")
    #expect(try keeper.files.load(of: renamed) == Sample.state)
    let other = Sample.unit([0x60] + [UInt8](repeating: 1, count: 15))
    #expect(try keeper.files.load(of: other) == ReservationState())
  }

  @Test("A new boot drops what is not APTPL, which stays dropped until the next registration")
  func boots() throws {
    let first = try keeper()
    _ = try first.files.load(of: Sample.unit)
    #expect(first.save(Sample.state) == nil)
    for _ in 1...2 {
      let next = try keeper(boot: Sample.nextBoot)
      #expect(try next.files.load(of: Sample.unit) == ReservationState())
      #expect(book.contains("registrations without APTPL are dropped"))
    }
    let next = try keeper(boot: Sample.nextBoot)
    _ = try next.files.load(of: Sample.unit)
    #expect(next.save(Sample.preempted) == nil)
    #expect(try keeper(boot: Sample.nextBoot).files.load(of: Sample.unit) == Sample.preempted)
  }

  // MARK: Refusals

  @Test("A damaged file is refused with what to do, left as it is, and never written over")
  func damaged() throws {
    let content = Array(Sample.file().content.dropLast())
    try scratch.write(content, to: "r/\(name)")
    let keeper = try keeper()
    let error = try #require(refusal(keeper))
    #expect(error.reason == .damaged(.notWhatWasWritten))
    #expect(error.path == scratch("r/\(name)"))
    #expect(error.description.hasPrefix("\(error.path) is damaged. "))
    #expect(error.description.contains("stop the daemon, look at the file with cat, move it away"))
    #expect(
      error.description.contains("(mv \(error.path) \(error.path).damaged), start the daemon"))
    #expect(keeper.save(ReservationState()) == .notPermitted)
    #expect(try scratch.read("r/\(name)") == content)
    rename(error.path, error.path + ".damaged")
    #expect(try self.keeper().files.load(of: Sample.unit) == ReservationState())
  }

  @Test("Another unit's file, a newer one, and one that cannot be read are each told apart")
  func otherRefusals() throws {
    var foreign = Sample.file()
    let naa = "6020" + String(repeating: "0", count: 28)
    foreign.unit = RecordUnit(naa: naa, store: foreign.unit.store)
    try scratch.write(foreign.content, to: "r/\(name)")
    var error = refusal(try keeper())
    #expect(error?.reason == .ofOtherUnit(naa))
    #expect(error?.description.contains("belongs to the unit \(naa)") == true)

    try scratch.write(Array("swift-tgtd reservations 2\n".utf8), to: "r/\(name)")
    error = refusal(try keeper())
    #expect(error?.reason == .damaged(.otherVersion(2)))
    #expect(error?.description.contains("start the version that wrote the file") == true)

    try scratch.write(
      [UInt8](repeating: 0x41, count: ReservationFile.bytesMax + 1), to: "r/\(name)")
    #expect(refusal(try keeper())?.reason == .unreadable(.invalidArgument))

    unlink(scratch("r/\(name)"))
    symlink("nowhere", scratch("r/\(name)"))
    #expect(refusal(try keeper())?.reason == .unreadable(SystemError(rawValue: ELOOP)))

    unlink(scratch("r/\(name)"))
    mkdir(scratch("r/\(name)"), 0o700)
    error = refusal(try keeper())
    #expect(error?.reason == .unreadable(SystemError(rawValue: EISDIR)))
    #expect(error?.description.contains("cannot be read: Is a directory") == true)
    // An empty file is what a crash of others leaves; it is no empty table.
    rmdir(scratch("r/\(name)"))
    try scratch.write([], to: "r/\(name)")
    #expect(refusal(try keeper())?.reason == .damaged(.notWhatWasWritten))
  }

  @Test("A missing file is an empty table; a missing directory is none")
  func missingDirectory() throws {
    rmdir(scratch("r"))
    let keeper = try keeper()
    #expect(refusal(keeper)?.reason == .unreadable(.noSuchFile))
    #expect(keeper.save(Sample.state) == .notPermitted)
    try scratch.write([], to: "r")
    #expect(refusal(keeper)?.reason == .unreadable(SystemError(rawValue: ENOTDIR)))
  }

  // MARK: Saving

  @Test("On a full file system a save fails and the old table stays", .enabled(if: isRoot))
  func fullFileSystem() throws {
    guard mount("none", scratch("r"), "tmpfs", 0, "size=64k,mode=700") == 0 else { return }
    defer { umount2(scratch("r"), Int32(MNT_DETACH)) }
    let keeper = try keeper()
    _ = try keeper.files.load(of: Sample.unit)
    #expect(keeper.save(Sample.state) == nil)
    #expect(throws: SystemError.self) {
      try scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "r/filler")
    }
    #expect(keeper.save(Sample.preempted) == .noSpace)
    #expect(book.contains("No space left on device"))
    #expect(try keeper.files.load(of: Sample.unit) == Sample.state)
    unlink(scratch("r/filler"))
    #expect(keeper.save(Sample.preempted) == nil)
  }

  @Test(
    "On a full file system fences go on being saved where room was kept", .enabled(if: isRoot))
  func fullFileSystemWithSpare() throws {
    guard mount("none", scratch("r"), "tmpfs", 0, "size=4m,mode=700") == 0 else { return }
    defer { umount2(scratch("r"), Int32(MNT_DETACH)) }
    let keeper = try keeper()
    _ = try keeper.files.load(of: Sample.unit)
    #expect(keeper.save(Sample.state) == nil)
    keeper.files.keepRoom()
    keeper.waitForJobs()
    for round in 1...6 {
      // Whatever a save gives back is gone before the next.
      #expect(throws: SystemError.self) {
        try scratch.write([UInt8](repeating: 1, count: 8 << 20), to: "r/filler\(round)")
      }
      let state = round % 2 == 1 ? Sample.preempted : Sample.state
      #expect(keeper.save(state) == nil, "\(round)")
      keeper.waitForJobs()
      #expect(try self.keeper().files.load(of: Sample.unit) == state)
    }
  }

  @Test("A state that the next start would refuse is not saved")
  func invalidState() throws {
    let keeper = try keeper()
    _ = try keeper.files.load(of: Sample.unit)
    var state = Sample.state
    state.registrations.removeFirst()  // the holder
    #expect(keeper.save(state) == .invalidArgument)
    #expect(try keeper.files.load(of: Sample.unit) == ReservationState())
  }

  @Test("A save for which no room is left in the queue is answered at once, with an error")
  func fullQueue() throws {
    let keeper = try keeper()
    _ = try keeper.files.load(of: Sample.unit)
    let gate = Semaphore()
    let isBlocked = Semaphore()
    keeper.thread.perform {
      isBlocked.signal()
      gate.wait()
    }
    isBlocked.wait()
    let errors = Mutex<[SystemError?]>([])
    let saves = JobThread.jobsMax + 1
    for _ in 1...saves {
      keeper.files.save(ReservationState(), of: Sample.unit) { error in
        errors.withLock { $0.append(error) }
      }
    }
    #expect(errors.withLock { $0 } == [.tryAgain])
    #expect(book.contains("too many saves wait"))
    // Nobody wants to wait for 4096 of them: they fail without the directory, but all are answered.
    rename(scratch("r"), scratch("away"))
    gate.signal()
    #expect(eventually { errors.withLock { $0.count } == saves })
  }
}
