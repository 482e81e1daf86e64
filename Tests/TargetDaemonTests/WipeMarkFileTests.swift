import Reactor
import SCSIModel
import ServiceFixtures
import Synchronization
import Testing

@testable import SCSITarget
@testable import TargetDaemon

@Suite("Files of wipe marks")
struct WipeMarkFileTests {
  let book = LogBook()
  private let unit = LogicalUnitIdentity(
    name: "a/b", naa: [0x60] + [UInt8](repeating: 0xAB, count: 15), serial: "s", vendor: "V",
    product: "P", revision: "1")
  private let mark = WipeMark(.sanitize, allowsUnrestrictedExit: true)
  private let path = "w/60" + String(repeating: "ab", count: 15)

  private func marks(_ fileSystem: CrashFileSystem) throws -> WipeMarks {
    WipeMarks(
      directory: "w", savingOn: try JobThread(name: "test"), logger: book.logger,
      fileSystem: fileSystem)
  }

  /// After the start; `fault` happens from then on.
  private func loadedMarks(
    _ fileSystem: CrashFileSystem, _ fault: CrashFileSystem.Fault? = nil
  ) throws -> WipeMarks {
    let marks = try marks(fileSystem)
    _ = marks.load(of: unit)
    fileSystem.begin(fault)
    return marks
  }

  private func save(_ mark: WipeMark?, by marks: WipeMarks) -> SystemError? {
    let outcome = Mutex<SystemError?>(nil)
    let done = Semaphore()
    marks.save(mark, of: unit) { error in
      outcome.withLock { $0 = error }
      done.signal()
    }
    #expect(done.wait(until: .current + .seconds(30)))
    return outcome.withLock { $0 }
  }

  /// What a start finds after a loss of power that left any of `image`.
  private func loaded(_ image: CrashFileSystem.Image) throws -> Set<WipeMark?> {
    Set(
      try image.remains(of: path).map { content -> WipeMark? in
        switch try marks(CrashFileSystem(path, content)).load(of: unit) {
        case .none: return nil
        case .unfinished(let mark): return mark
        case .damaged:
          Issue.record("a crash leaves no damage")
          return nil
        }
      })
  }

  @Test("A mark once told outlives a loss of power at any later moment, and so does its removal")
  func crash() throws {
    let fileSystem = CrashFileSystem(path, nil)
    let marks = try marks(fileSystem)
    #expect(marks.load(of: unit) == .none)
    #expect(save(mark, by: marks) == nil)
    for image in fileSystem.history { #expect(try loaded(image).isSubset(of: [nil, mark])) }
    let last = try #require(fileSystem.history.last)
    #expect(try loaded(last) == [mark])
    fileSystem.begin()
    #expect(save(nil, by: marks) == nil)
    for image in fileSystem.history { #expect(try loaded(image).isSubset(of: [nil, mark])) }
    let removed = try #require(fileSystem.history.last)
    #expect(try loaded(removed) == [nil])
    #expect(save(nil, by: marks) == nil, "what is not there is gone")
  }

  @Test("Whichever call fails, the save fails, and what was on record before is put back")
  func faults() throws {
    for former in [nil, WipeMark(.sanitize)] {
      for next in [mark, nil] where former != next {
        let content = former.map { WipeFile($0, of: unit).content }
        let plain = CrashFileSystem(path, content)
        #expect(save(next, by: try loadedMarks(plain)) == nil)
        for (index, call) in plain.calls.enumerated() {
          // That there is no old temporary file is no failure.
          if call == .remove && next != nil { continue }
          for takesEffect in [false, true] {
            let fileSystem = CrashFileSystem(path, content)
            let marks = try loadedMarks(
              fileSystem, CrashFileSystem.Fault(index: index, takesEffect: takesEffect))
            #expect(save(next, by: marks) != nil, "call \(index)")
            let last = try #require(fileSystem.history.last)
            #expect(try loaded(last) == [former], "call \(index), effect \(takesEffect)")
          }
        }
      }
    }
    #expect(book.contains("marks of FORMAT UNIT and SANITIZE cannot be saved, so the command"))
  }

  @Test(
    "A file that was cut or changed anywhere, or is another unit's, counts as the strictest mark")
  func damaged() throws {
    let content = WipeFile(mark, of: unit).content
    #expect(try marks(CrashFileSystem(path, content)).load(of: unit) == .unfinished(mark))
    for count in 0..<content.count {
      #expect((try? WipeFile(content: Array(content.prefix(count)))) == nil)
    }
    for index in content.indices {
      var changed = content
      changed[index] ^= 0x01
      #expect((try? WipeFile(content: changed)) == nil)
    }
    var other = unit
    other.naa[15] = 1
    let foreign = WipeFile(mark, of: other).content
    #expect(try marks(CrashFileSystem(path, foreign)).load(of: unit) == .damaged)
    #expect(try marks(CrashFileSystem(path, [])).load(of: unit) == .damaged)
    #expect(book.contains("cannot be found out"))
  }

  @Test("A file that cannot be read gives way to a new mark, and stays if that cannot be saved")
  func unreadable() throws {
    let fileSystem = CrashFileSystem(path, [UInt8](repeating: 0x20, count: 8192))
    let marks = try marks(fileSystem)
    #expect(marks.load(of: unit) == .damaged)
    fileSystem.begin(CrashFileSystem.Fault(index: 1))
    #expect(save(mark, by: marks) == .inputOutput)
    #expect(marks.load(of: unit) == .damaged)
    fileSystem.begin()
    #expect(save(mark, by: marks) == nil)
    #expect(marks.load(of: unit) == .unfinished(mark))
    #expect(save(nil, by: marks) == nil)
    #expect(marks.load(of: unit) == .none)
  }

  @Test("A daemon that starts finds the mark, and serves the unit as failed; memory has none")
  func start() throws {
    let scratch = try Scratch()
    let naa = "60205a5a5a5a5a5a5a5a5a5a5a5a5a5a"
    let other = "60205a5a5a5a5a5a5a5a5a5a5a5a5a5b"
    _ = try StateDirectory.open(scratch("state"))
    for name in [naa, other] {
      try scratch.write([UInt8](repeating: 0x20, count: 4), to: "state/wipes/\(name)")
    }
    let text = """
      "portals": ["127.0.0.1:\(Loopback.freePort())"],
      "stores": {
        "disk": {"file": "\(scratch("disk"))", "size": "1MiB", "naa": "\(naa)", "serial": "1"},
        "scratch": {"memory": true, "size": "1MiB", "naa": "\(other)", "serial": "2"}},
      "targets": [{"name": "iqn.2026-11.com.example:t", "initiators": "any",
        "luns": [{"lun": 0, "store": "disk"}, {"lun": 1, "store": "scratch"}]}]
      """
    let daemon = try Daemon(scratch.load(text), logger: book.logger)
    #expect(daemon.units.map(\.medium.condition) == [.sanitizeFailed, .ready])
    #expect(book.contains("\(scratch("state"))/wipes/\(naa)"))
    #expect(daemon.stop())
  }
}
