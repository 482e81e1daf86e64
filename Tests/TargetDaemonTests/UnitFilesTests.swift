import Reactor
import SCSIModel
import ServiceFixtures
import Synchronization
import Testing

@testable import SCSITarget
@testable import TargetDaemon

@Suite("What units keep in the state directory")
struct UnitFilesTests {
  let scratch: Scratch
  let book = LogBook()
  private let files: UnitFiles
  /// Locked for as long as the test runs.
  private let state: StateDirectory
  private let unit = Sample.unit
  private let other = Sample.unit([0x60] + [UInt8](repeating: 7, count: 15), name: "other")

  init() throws {
    scratch = try Scratch()
    state = try StateDirectory.open(scratch("state"))
    files = try UnitFiles(in: state, bootedAs: Sample.boot, logger: book.logger)
    for unit in [unit, other] {
      _ = try files.reservations.load(of: unit)
      _ = files.parameters.load(of: unit)
      _ = files.wipes.load(of: unit)
    }
  }

  private final class Answers: Sendable {
    private let values = Mutex<[SystemError?]>([])
    var all: [SystemError?] { values.withLock { $0 } }
    func take(_ error: SystemError?) { values.withLock { $0.append(error) } }
  }

  /// Keeps the thread from its work until the semaphore is signalled.
  private func block(_ thread: JobThread) -> Semaphore {
    let gate = Semaphore()
    let isBlocked = Semaphore()
    thread.perform {
      isBlocked.signal()
      gate.wait()
    }
    isBlocked.wait()
    return gate
  }

  @Test("A reservation is saved while saves of parameters and marks hang")
  func fencesFirst() {
    let gate = block(files.parameterThread)
    let slow = Answers()
    files.parameters.save(SavedParameters(), of: unit) { slow.take($0) }
    files.wipes.save(WipeMark(.format), of: unit) { slow.take($0) }
    let fence = Answers()
    files.reservations.save(Sample.state, of: unit) { fence.take($0) }
    #expect(eventually { fence.all == [nil] })
    #expect(slow.all.isEmpty)
    gate.signal()
    #expect(eventually { slow.all == [nil, nil] })
  }

  @Test("A reactor that takes no mail delays nobody else's save, and hears of its own in the end")
  func deafReactor() throws {
    let deaf = Reactor(index: 0, engine: try AIOEngine(), memoryBudgetBytes: 1 << 20)
    while deaf.mailbox.post({}) {}
    var heard: [String] = []
    files.parameters.save(SavedParameters(), of: unit, on: deaf) {
      heard.append("set \($0 == nil)")
    }
    files.wipes.save(WipeMark(.format), of: unit, on: deaf) { heard.append("mark \($0 == nil)") }
    let others = Answers()
    files.parameters.save(SavedParameters(), of: other) { others.take($0) }
    #expect(eventually { others.all == [nil] })
    #expect(heard.isEmpty)
    deaf.turn()
    #expect(heard == ["set true", "mark true"])
  }

  @Test("A save for which no room is left fails at once, and a full mailbox does not hide that")
  func fullQueue() throws {
    let reactor = Reactor(index: 0, engine: try AIOEngine(), memoryBudgetBytes: 1 << 20)
    let gate = block(files.parameterThread)
    while files.parameterThread.perform({}) {}
    while reactor.mailbox.post({}) {}
    var heard: [SystemError?] = []
    files.parameters.save(SavedParameters(), of: unit, on: reactor) { heard.append($0) }
    files.wipes.save(nil, of: unit, on: reactor) { heard.append($0) }
    #expect(heard.isEmpty, "never before the call returns")
    reactor.turn()
    #expect(heard == [.tryAgain, .tryAgain])
    #expect(book.contains("parameters cannot be saved"))
    #expect(book.contains("too many saves wait"))
    gate.signal()
  }

  @Test("Hexadecimal text is pairs of digits of either case, and nothing else")
  func hexadecimal() {
    #expect(Hexadecimal.bytes("0aFf") == [0x0A, 0xFF])
    #expect(Hexadecimal.bytes("") == [])
    for text in ["0", "0g", "0 ", " 0a", "+1", "00x1", "\u{FF10}\u{FF10}"] {
      #expect(Hexadecimal.bytes(text) == nil, "\(text)")
    }
    #expect(Hexadecimal.text([0, 0x0A, 0xFF]) == "000aff")
    #expect(Hexadecimal.text(0x1F, digits: 4) == "001f")
    #expect(Hexadecimal.text(0x12345, digits: 4) == "12345")
  }

  @Test(
    "Text whose checksum is not that of its lines is refused, wherever it was cut or changed",
    arguments: [ChecksummedText.Checksum.crc32c, .sha256])
  func checksum(_ checksum: ChecksummedText.Checksum) {
    let content = ChecksummedText("one 1\ntwo 2\n").content(checksum)
    #expect(ChecksummedText(content: content, checksum)?.lines == ["one 1", "two 2"])
    for count in 0..<content.count {
      #expect(ChecksummedText(content: Array(content.prefix(count)), checksum) == nil)
    }
    for index in content.indices {
      var changed = content
      changed[index] ^= 0x01
      #expect(ChecksummedText(content: changed, checksum) == nil)
    }
    #expect(ChecksummedText(content: content + [0x0A], checksum) == nil)
    #expect(ChecksummedText(content: Array("one\r\n".utf8) + content, checksum) == nil)
  }
}
