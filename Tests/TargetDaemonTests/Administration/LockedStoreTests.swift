import AdministrationClient
import AdministrationModel
import BackingStore
import CTestSupport
import Glibc
import Reactor
import SCSITarget
import ServiceFixtures
import Synchronization
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("Stores whose locks others hold", .serialized, .waiting)
struct LockedStoreTests {
  /// Holds the lock of a file, in this process as a store that has not closed yet.
  private final class Holder: Sendable {
    private let descriptor: Mutex<Int32>

    init(_ path: String) {
      let descriptor = open(path, O_RDWR | O_CLOEXEC)
      #expect(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
      self.descriptor = Mutex(descriptor)
    }

    deinit { letGo() }

    func letGo() {
      descriptor.withLock { descriptor in
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
      }
    }
  }

  /// Another process that holds the lock of a file.
  private final class OtherProcess: Sendable {
    let id: Int32
    private let isEnded = OneTime()

    init(_ path: String) throws {
      let id = clinux_stopped_lock_holder(path)
      // Before it is anybody's to kill.
      try #require(id > 0)
      self.id = id
    }

    deinit { end() }

    func end() {
      guard isEnded.take() else { return }
      kill(id, SIGKILL)
      waitpid(id, nil, 0)
    }
  }

  /// With a file that is no store yet.
  private func start() async throws -> (LiveDaemon, path: String) {
    let live = try await LiveDaemon.start()
    try live.scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "other.img")
    return (live, live.scratch("other.img"))
  }

  /// How often this process has the file open, by descriptors that tests get to.
  private func openCount(of path: String) -> Int {
    (0..<4096).count { number in
      var target = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlink("/proc/self/fd/\(number)", &target, Int(PATH_MAX))
      guard count > 0 else { return false }
      return String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        == path
    }
  }

  @Test("A store that is removed while it waits is closed at once, and nothing is said of it later")
  func removed() async throws {
    let (live, path) = try await start()
    let holder = try OtherProcess(path)
    for _ in 0..<5 {
      try await live.addLUN("other", lun: 2)
      #expect(openCount(of: path) == 1)
      #expect(live.daemon.locks.count == 1, "however often it has come")
      try await live.change(
        .removeLUN(Change.LUNName(target: LiveDaemon.target, lun: 2)),
        .removeStore(Change.StoreName("other")))
      #expect(eventually { openCount(of: path) == 0 })
      #expect(eventually { live.daemon.locks.count == 0 })
    }
    holder.end()
    // Two attempts, if there were any.
    try await Task.sleep(for: .milliseconds(500))
    #expect(!live.book.contains("lock is granted"))
  }

  @Test("Who adds a store that another process holds is told so, and does not wait for it")
  func otherProcess() async throws {
    let (live, path) = try await start()
    let holder = try OtherProcess(path)
    let result = try await live.addLUN("other")
    #expect(result.warnings.contains { $0.contains("other waits for the lock of its medium") })
    let store = try #require(live.daemon.inventory.served(named: "other")?.opened.onDisk)
    #expect(live.daemon.locks.isWaiting(store))
    let line = live.book.lines.first { $0.contains("the store's lock is held") }
    #expect(line?.contains("\(holder.id)") == true, "before the answer")
    holder.end()
    #expect(eventually { store.readiness == .ready })
    #expect(eventually { live.book.contains("lock is granted") })
    #expect(!live.daemon.status.contains("waiting for the lock"))
  }

  @Test("A session that was told to wait for a lock hears when it is granted, and uses the disk")
  func session() async throws {
    let scratch = try Scratch()
    try scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "disk.img")
    let holder = try OtherProcess(scratch("disk.img"))
    let live = try await LiveDaemon.start(in: scratch)
    let node = try Initiator.session(port: live.port, LiveDaemon.target)
    #expect(try node.testUnitReady(1).sense == 0x20401)
    #expect(try node.capacity(1) == nil)
    holder.end()
    // GOOD between the grant and the word of it.
    #expect(eventually { (try? node.testUnitReady(1).sense) == 0x62800 })
    #expect(try node.testUnitReady(1).sense == 0x62A09)
    #expect(try node.testUnitReady(1).status == 0)
    #expect(try node.capacity(1) == 1 << 20)
    node.listen()
    #expect(node.asynchronousEvents == [0], "one SCSI event")
  }

  @Test("A daemon that stops waits for no lock any more, and leaves it to whoever wants it")
  func stopped() async throws {
    let (live, path) = try await start()
    let holder = try OtherProcess(path)
    try await live.addLUN("other")
    #expect(live.daemon.locks.count == 1)
    try await live.stop()
    #expect(eventually { live.daemon.locks.count == 0 })
    holder.end()
    _ = Holder(path)
    #expect(!live.book.contains("lock is granted"))
  }

  @Test("The lock of a store that this process is about to close is waited for without a word")
  func former() async throws {
    let (live, path) = try await start()
    let holder = Holder(path)
    try PlatformThread.startDetached(name: "test") {
      usleep(300_000)
      holder.letGo()
    }
    let result = try await live.addLUN("other")
    #expect(result.warnings.isEmpty)
    #expect(live.daemon.units.map(\.store.readiness) == [.ready, .ready])
    #expect(!live.book.contains("the store's lock"))
    #expect(eventually { live.daemon.locks.count == 0 })
  }

  @Test("Locks for which no thread could be started are tried as soon as one can be")
  func noThread() async throws {
    let hasThreads = Mutex(false)
    let media = MediaThreads(start: { (name, run) throws(DaemonError) in
      guard name != "locks" || hasThreads.withLock({ $0 }) else {
        throw DaemonError(.systemError, "cannot start the thread \(name)")
      }
      try PlatformThread.startDetached(name: name, run)
    })
    let live = try await LiveDaemon.start(media: media)
    let path = live.scratch("other.img")
    try live.scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "other.img")
    let holder = Holder(path)
    let result = try await live.addLUN("other")
    #expect(result.warnings.contains { $0.contains("cannot start the thread locks") })
    holder.letGo()
    let store = try #require(live.daemon.inventory.served(named: "other")?.opened.onDisk)
    #expect(store.readiness == .waitingForLock)
    hasThreads.withLock { $0 = true }
    #expect(eventually { store.readiness == .ready })
    #expect(eventually { live.daemon.locks.count == 0 })
  }

  @Test("A file that was cut while its lock was held is told of once, and is tried no more")
  func cut() async throws {
    let (live, path) = try await start()
    let holder = try OtherProcess(path)
    try await live.change(
      .addStore(StoreSpecification(name: "other", kind: .file, path: path)))
    #expect(truncate(path, 4096) == 0)
    holder.end()
    #expect(eventually { live.book.contains("the store cannot be used and stays NOT READY") })
    #expect(eventually { live.daemon.locks.count == 0 })
    #expect(live.book.lines.count { $0.contains("stays NOT READY") } == 1)
    #expect(live.daemon.status.contains("unusable other"))
    // Whoever comes next gets the lock.
    _ = Holder(path)
  }
}
