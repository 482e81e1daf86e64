import Reactor
import SCSIModel
import ServiceFixtures
import Testing

@testable import TargetDaemon

/// Everything that a crash within a save may leave, and every call of it that may fail.
@Suite("A save of reservations")
struct ReservationCrashTests {
  private let old = Sample.state
  private let new = Sample.preempted

  /// What is loaded from each distinct rest of a file; nil: refused.
  private func loaded(_ remains: Set<[UInt8]?>) throws -> [ReservationState?] {
    let thread = try JobThread(name: "reservations")
    defer { _ = thread.finish(by: .current + .seconds(5)) }
    return remains.map { content in
      let files = ReservationFiles(
        directory: Sample.directory, bootedAs: Sample.boot, savingOn: thread,
        logger: LogBook().logger, fileSystem: CrashFileSystem(Sample.path, content))
      return try? files.load(of: Sample.unit)
    }
  }

  private func loaded(_ image: CrashFileSystem.Image) throws -> [ReservationState?] {
    try loaded(image.remains(of: Sample.path))
  }

  /// What a process that is started anew, on a host that is not, loads.
  private func reloaded(_ fileSystem: CrashFileSystem) throws -> ReservationState {
    try Keeper(fileSystem).files.load(of: Sample.unit)
  }

  private func fileSystem(_ former: ReservationState?, ignored: CrashFileSystem.Call? = nil)
    -> CrashFileSystem
  {
    CrashFileSystem(Sample.path, former.map { Sample.file($0).content }, ignored: ignored)
  }

  /// All saves of `new` over `former`; the file system as it was after each call is in its history.
  private func saved(over former: ReservationState?, ignored: CrashFileSystem.Call? = nil) throws
    -> CrashFileSystem
  {
    let fileSystem = fileSystem(former, ignored: ignored)
    let keeper = try Keeper(fileSystem)
    #expect(try keeper.files.load(of: Sample.unit) == former ?? ReservationState())
    fileSystem.begin()
    #expect(keeper.save(new) == nil)
    return fileSystem
  }

  @Test("It is made of these calls in this order")
  func order() throws {
    #expect(
      try saved(over: old).calls
        == [.remove, .create, .write, .synchronize, .rename, .synchronizeDirectory])
  }

  @Test("Power lost at any moment leaves the old table or the new one, and the new one once told")
  func powerLoss() throws {
    for former in [old, nil] {
      let before = former ?? ReservationState()
      let history = try saved(over: former).history
      var seen: [ReservationState?] = []
      for image in history {
        let states = try loaded(image)
        #expect(states.allSatisfy { $0 == before || $0 == new })
        seen += states
      }
      #expect(seen.contains(before) && seen.contains(new), "both sides of the crash were looked at")
      #expect(try loaded(history[0]) == [before])
      #expect(try history.last.map { try loaded($0) } == [new])
    }
  }

  @Test("Without one of its three calls the table would be lost: the test would see it")
  func teeth() throws {
    let noFileSync = try saved(over: old, ignored: .synchronize).history.flatMap { try loaded($0) }
    #expect(noFileSync.contains(nil))
    let noDirectorySync = try saved(over: old, ignored: .synchronizeDirectory)
    #expect(try noDirectorySync.history.last.map { try loaded($0).contains(old) } == true)
    let noRename = try saved(over: old, ignored: .rename)
    #expect(try noRename.history.last.map { try loaded($0) } == [old])
  }

  @Test("A process killed at any moment: what its successor loads, no loss of power takes back")
  func processDeath() throws {
    let callCount = try saved(over: old).calls.count
    for index in 0...callCount {
      let fileSystem = fileSystem(old)
      let keeper = try Keeper(fileSystem)
      _ = try keeper.files.load(of: Sample.unit)
      // From here on nothing happens any more, as after a SIGKILL.
      fileSystem.begin(CrashFileSystem.Fault(index: index, isLasting: true))
      _ = keeper.save(new)
      fileSystem.begin()
      let state = try reloaded(fileSystem)
      #expect(state == old || state == new)
      #expect(try fileSystem.history.last.map { try loaded($0) } == [state])
      // And a temporary file that was left is in nobody's way.
      let successor = try Keeper(fileSystem)
      _ = try successor.files.load(of: Sample.unit)
      #expect(successor.save(old) == nil)
    }
  }

  @Test("A call that fails, done or not, fails the command, and the old table is what was saved")
  func failures() throws {
    for former in [old, nil] {
      let before = former ?? ReservationState()
      let calls = try saved(over: former).calls
      for (index, call) in calls.enumerated() where call != .remove {
        for takesEffect in [false, true] {
          let fileSystem = fileSystem(former)
          let keeper = try Keeper(fileSystem)
          _ = try keeper.files.load(of: Sample.unit)
          fileSystem.begin(
            CrashFileSystem.Fault(index: index, error: .noSpace, takesEffect: takesEffect))
          #expect(keeper.save(new) == .noSpace, "\(call)")
          for image in fileSystem.history {
            #expect(try loaded(image).allSatisfy { $0 == before || $0 == new }, "\(call)")
          }
          // Power lost after the answer, or the process alone.
          #expect(try fileSystem.history.last.map { try loaded($0) } == [before], "\(call)")
          #expect(try reloaded(fileSystem) == before, "\(call)")
          // The next save is one like any other.
          #expect(keeper.save(new) == nil)
          #expect(try reloaded(fileSystem) == new)
        }
      }
    }
  }

  @Test(
    "Where nothing works any more, the log says what is not known, and the next save settles it")
  func lastingFailures() throws {
    let calls = try saved(over: old).calls
    for index in calls.indices {
      let book = LogBook()
      let fileSystem = fileSystem(old)
      let keeper = try Keeper(fileSystem, book: book)
      _ = try keeper.files.load(of: Sample.unit)
      fileSystem.begin(CrashFileSystem.Fault(index: index, isLasting: true))
      #expect(keeper.save(new) == .inputOutput)
      for image in fileSystem.history {
        #expect(try loaded(image).allSatisfy { $0 == old || $0 == new })
      }
      let isUncertain = index >= 4  // rename
      #expect(
        book.contains("critical which reservations the file holds is not known") == isUncertain)
      #expect(book.contains("error reservations cannot be saved"))
      #expect(book.contains(Sample.path))
      fileSystem.begin()
      if !isUncertain { #expect(try reloaded(fileSystem) == old) }
      #expect(keeper.save(new) == nil)
      #expect(try fileSystem.history.last.map { try loaded($0) } == [new])
    }
  }
}
