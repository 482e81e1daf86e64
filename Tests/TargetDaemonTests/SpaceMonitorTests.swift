import BackingStore
import Reactor
import SCSITarget
import ServiceFixtures
import Synchronization
import Testing

@testable import TargetDaemon

@Suite("The room that sparse files have left")
struct SpaceMonitorTests {
  /// Keeps the units, as whoever serves them does.
  private final class Units { var units: [LogicalUnit] = [] }
  private let served = Units()

  private func watched(_ name: String) throws -> SpaceMonitor.Watched {
    var options = LogicalUnitOptions()
    options.thinThresholdPercent = 50
    let unit = LogicalUnit(
      identity: Sample.unit(
        [0x60] + Array(name.utf8.prefix(1)) + [UInt8](repeating: 1, count: 14),
        name: name),
      store: try NullStore(sizeBytes: 1 << 30), startsWithWriteCache: true, homeReactorIndex: 0,
      options: options)
    served.units.append(unit)
    return SpaceMonitor.Watched(unit: unit, path: "/\(name)", hasThreshold: true)
  }

  @Test("A file system that hangs ends no look at another's, and the stop says that it hangs")
  func hungFileSystem() throws {
    let book = LogBook()
    let gate = Semaphore()
    let looked = Mutex<[String]>([])
    let monitor = SpaceMonitor(
      device: { $0.hasPrefix("/hung") ? 1 : 2 },
      space: { path in
        looked.withLock { $0.append(path) }
        if path.hasPrefix("/hung") { gate.wait() }
        return StoreMedia.Space(usedBytes: 0, availableBytes: 1 << 20)
      })
    try monitor.follow(["hung1", "good", "hung2", "well"].map { try watched($0) }, book.logger)
    #expect(eventually { book.contains("\"store\": good") && book.contains("\"store\": well") })
    // Its own thread may begin after the other has looked at both.
    #expect(eventually { looked.withLock { $0.contains("/hung1") } })
    #expect(Set(looked.withLock { $0 }) == ["/hung1", "/good", "/well"], "one look at a time")
    #expect(!monitor.stop(by: .current + Milliseconds(50)))
    gate.signal()
    gate.signal()
    #expect(eventually { book.contains("\"store\": hung2") })
  }

  @Test("However many file systems there are, their threads are bounded and each is looked at")
  func threads() throws {
    let looked = Mutex<Set<String>>([])
    let monitor = SpaceMonitor(
      device: { UInt64($0.dropFirst(2)) },
      space: { path in
        looked.withLock { _ = $0.insert(path) }
        return nil
      })
    let names = (0..<SpaceMonitor.threadsMax + 9).map { "n\($0)" }
    try monitor.follow(names.map { try watched($0) }, LogBook().logger)
    #expect(eventually { looked.withLock { $0.count } == names.count })
    #expect(monitor.threadCount == SpaceMonitor.threadsMax)
    #expect(monitor.stop(by: .current + .seconds(30)))
  }

  @Test("What comes later is looked at, on a thread of its file system; what went is not kept")
  func laterUnits() throws {
    let looked = Mutex<Set<String>>([])
    let monitor = SpaceMonitor(
      device: { $0.hasPrefix("/a") ? 1 : 2 },
      space: { path in
        looked.withLock { _ = $0.insert(path) }
        return nil
      })
    let logger = LogBook().logger
    let first = try watched("a1")
    try monitor.follow([first], logger)
    #expect(eventually { looked.withLock { $0 } == ["/a1"] } && monitor.threadCount == 1)
    let second = try watched("b1")
    let third = try watched("a2")
    try monitor.follow([first, second, third], logger)
    #expect(eventually { looked.withLock { $0.count } == 3 } && monitor.threadCount == 2)
    served.units.removeFirst()
    #expect(first.unit == nil)
    looked.withLock { $0 = [] }
    // Another disk under the name of one that went.
    try monitor.follow([try watched("a1"), second, third], logger)
    #expect(eventually { looked.withLock { $0.contains("/a1") } } && monitor.threadCount == 2)
    #expect(monitor.stop(by: .current + .seconds(30)))
  }

  @Test("Where there is nothing to look at there is no thread, and the stop waits for none")
  func nothing() throws {
    let monitor = SpaceMonitor()
    try monitor.follow([], LogBook().logger)
    #expect(monitor.threadCount == 0 && monitor.stop(by: .current))
  }
}
