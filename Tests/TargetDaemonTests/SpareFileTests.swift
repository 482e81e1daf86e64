import Reactor
import SCSIModel
import ServiceFixtures
import Testing

@testable import TargetDaemon

/// Everything that a crash within a save may leave where the file system has no room left, and
/// every call of it that may fail.
@Suite("A save of reservations on a full file system")
struct SpareFileTests {
  private let old = Sample.state
  private let new = Sample.preempted
  private let spare = "\(Sample.directory)/.spare"

  /// What is loaded from each distinct rest of a file; nil: refused.
  private func loaded(_ image: CrashFileSystem.Image) throws -> [ReservationState?] {
    let thread = try JobThread(name: "reservations")
    defer { _ = thread.finish(by: .current + .seconds(5)) }
    return image.remains(of: Sample.path).map { content in
      let files = ReservationFiles(
        directory: Sample.directory, bootedAs: Sample.boot, savingOn: thread,
        logger: LogBook().logger, fileSystem: CrashFileSystem(Sample.path, content))
      return try? files.load(of: Sample.unit)
    }
  }

  /// A full one, with `former` on record and room kept.
  private func full(
    _ former: ReservationState?, ignored: CrashFileSystem.Call? = nil, book: LogBook = LogBook()
  ) throws -> (fileSystem: CrashFileSystem, keeper: Keeper) {
    let fileSystem = CrashFileSystem(
      Sample.path, former.map { Sample.file($0).content }, ignored: ignored)
    let keeper = try Keeper(fileSystem, book: book)
    _ = try keeper.files.load(of: Sample.unit)
    keeper.files.keepRoom()
    keeper.waitForJobs()
    #expect(fileSystem.content(of: spare)?.count == ReservationFile.bytesMax)
    fileSystem.isFull = true
    fileSystem.begin()
    return (fileSystem, keeper)
  }

  @Test("It is made of these calls in this order, and the former record is the next spare")
  func order() throws {
    let (fileSystem, keeper) = try full(old)
    #expect(keeper.save(new) == nil)
    keeper.waitForJobs()
    let calls: [CrashFileSystem.Call] = [
      .remove, .create, .open, .write, .truncate, .synchronize, .exchange, .synchronizeDirectory,
    ]
    #expect(fileSystem.calls.starts(with: calls))
    let isFormerRecord = fileSystem.content(of: spare) == Sample.file(old).content
    #expect(isFormerRecord)
  }

  @Test("Power lost at any moment leaves the old table or the new one, and the new one once told")
  func powerLoss() throws {
    for former in [old, nil] {
      let before = former ?? ReservationState()
      let (fileSystem, keeper) = try full(former)
      #expect(keeper.save(new) == nil)
      let seen = try fileSystem.history.flatMap { try loaded($0) }
      #expect(seen.allSatisfy { $0 == before || $0 == new })
      #expect(seen.contains(before) && seen.contains(new), "both sides of the crash were looked at")
      #expect(try fileSystem.history.last.map { try loaded($0) } == [new])
      guard former != nil else { continue }
      // And once more, over the spare that was a record.
      keeper.waitForJobs()
      fileSystem.begin()
      #expect(keeper.save(old) == nil)
      let again = try fileSystem.history.flatMap { try loaded($0) }
      #expect(again.allSatisfy { $0 == old || $0 == new } && again.contains(old))
      #expect(try fileSystem.history.last.map { try loaded($0) } == [old])
    }
  }

  @Test("Without one of its calls the table would be lost: the test would see it")
  func teeth() throws {
    let cases: [(CrashFileSystem.Call, ([ReservationState?]) -> Bool)] = [
      (.synchronize, { $0.contains(nil) }), (.truncate, { $0.contains(nil) }),
      (.exchange, { $0 == [Sample.state] }),
      (.synchronizeDirectory, { $0.contains(Sample.state) }),
    ]
    for (ignored, isSeen) in cases {
      let (fileSystem, keeper) = try full(old, ignored: ignored)
      #expect(keeper.save(new) == nil)
      #expect(try fileSystem.history.last.map { try isSeen(loaded($0)) } == true, "\(ignored)")
    }
  }

  @Test("A process killed at any moment: what its successor loads, no loss of power takes back")
  func processDeath() throws {
    for index in 0...8 {
      let (fileSystem, keeper) = try full(old)
      fileSystem.begin(CrashFileSystem.Fault(index: index, isLasting: true))
      _ = keeper.save(new)
      keeper.waitForJobs()
      fileSystem.begin()
      let successor = try Keeper(fileSystem)
      let state = try successor.files.load(of: Sample.unit)
      #expect(state == old || state == new)
      #expect(try fileSystem.history.last.map { try loaded($0) } == [state])
      // Which still has room.
      successor.files.keepRoom()
      #expect(successor.save(state == old ? new : old) == nil, "\(index)")
    }
  }

  @Test("A call that fails, done or not, fails the command and tears nothing")
  func failures() throws {
    for former in [old, nil] {
      let before = former ?? ReservationState()
      for index in 2...(former == nil ? 8 : 7) {
        for takesEffect in [false, true] {
          let (fileSystem, keeper) = try full(former)
          fileSystem.begin(CrashFileSystem.Fault(index: index, takesEffect: takesEffect))
          #expect(keeper.save(new) == .inputOutput, "\(index)")
          let isUncertain = index >= 6  // exchange, or rename
          for image in fileSystem.history {
            #expect(try loaded(image).allSatisfy { $0 == before || $0 == new }, "\(index)")
          }
          if !isUncertain {
            #expect(try fileSystem.history.last.map { try loaded($0) } == [before], "\(index)")
            #expect(keeper.save(new) == nil, "the room is still there: \(index)")
          }
          // Whatever a restart would find, nothing more is written over it.
          for image in fileSystem.history {
            #expect(try loaded(image).allSatisfy { $0 == before || $0 == new }, "\(index)")
          }
        }
      }
    }
  }

  @Test("It may stay full for any number of fences; without room kept none is saved")
  func staysFull() throws {
    let (fileSystem, keeper) = try full(old)
    for round in 1...50 {
      #expect(keeper.save(round % 2 == 1 ? new : old) == nil, "\(round)")
    }
    #expect(try Keeper(fileSystem).files.load(of: Sample.unit) == old)
    let without = try Keeper(fileSystem)
    _ = try without.files.load(of: Sample.unit)
    keeper.waitForJobs()
    try fileSystem.remove(spare)
    #expect(without.save(new) == .noSpace)
  }

  @Test(
    "A spare of its former name is taken over, on a full file system too, at no risk to a record")
  func formerName() throws {
    let former = "\(Sample.directory)/spare"
    let (fileSystem, keeper) = try full(old)
    keeper.waitForJobs()
    try fileSystem.rename(spare, to: former)
    try fileSystem.synchronizeDirectory(Sample.directory)
    fileSystem.begin()
    let successor = try Keeper(fileSystem)
    _ = try successor.files.load(of: Sample.unit)
    successor.files.keepRoom()
    successor.waitForJobs()
    #expect(fileSystem.content(of: former) == nil)
    #expect(fileSystem.content(of: spare)?.count == ReservationFile.bytesMax)
    for image in fileSystem.history { #expect(try loaded(image) == [old]) }
    #expect(successor.save(new) == nil)
    successor.waitForJobs()
    #expect(try Keeper(fileSystem).files.load(of: Sample.unit) == new)
  }

  @Test("Who looks into it is told what it is for; a shell's * does not name it")
  func words() throws {
    let (fileSystem, _) = try full(old)
    let content = try #require(fileSystem.content(of: spare))
    let line = String(decoding: content.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    #expect(line.hasPrefix("room for reservations when the file system is full; no record"))
    #expect(SpareFile.name.hasPrefix("."))
  }

  @Test("That there is no room to keep is said once, and that there is again")
  func told() throws {
    let book = LogBook()
    let (fileSystem, keeper) = try full(old, book: book)
    func count(_ text: String) -> Int { book.lines.filter { $0.contains(text) }.count }
    for state in [new, old, new] { #expect(keeper.save(state) == nil) }
    keeper.waitForJobs()
    #expect(count("warning the room kept for reservations could not be made whole") == 1)
    #expect(book.contains("free 2048 KiB on it") && book.contains(spare))
    fileSystem.isFull = false
    for state in [old, new] { #expect(keeper.save(state) == nil) }
    keeper.waitForJobs()
    #expect(count("notice there is room again for reservations") == 1)
    #expect(fileSystem.content(of: spare)?.count == ReservationFile.bytesMax)
    fileSystem.isFull = true
    #expect(keeper.save(old) == nil)
  }
}
