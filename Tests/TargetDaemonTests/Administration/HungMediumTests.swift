import AdministrationClient
import AdministrationModel
import BackingStore
import Glibc
import Reactor
import SCSITarget
import Synchronization
import TargetConfig
import Testing

@testable import TargetDaemon

/// A directory whose disk hangs: whoever touches it waits at a FIFO until somebody writes there.
private final class HungDirectory: Sendable {
  static let name = "hung"
  private let scratch: Scratch
  private let isHung = Atomic<Bool>(true)
  private let passing = Atomic<Int>(0)
  /// The FIFO's other end, once it is open: nobody waits there any more.
  private let end = Atomic<Int32>(-1)

  init(in scratch: Scratch, isHung: Bool = true) throws {
    self.scratch = scratch
    self.isHung.store(isHung, ordering: .releasing)
    #expect(mkdir(scratch(Self.name), 0o700) == 0)
    #expect(mkfifo(scratch("fifo"), 0o600) == 0)
  }

  deinit {
    let descriptor = end.load(ordering: .acquiring)
    if descriptor >= 0 { close(descriptor) }
  }

  /// From now on; so many who come before wait for nothing.
  func hang(after passing: Int = 0) {
    self.passing.store(passing, ordering: .releasing)
    isHung.store(true, ordering: .releasing)
  }

  /// On the thread that is to touch a medium.
  func enter(_ place: String) {
    guard place.hasSuffix("/\(Self.name)"), isHung.load(ordering: .acquiring),
      passing.subtract(1, ordering: .acquiringAndReleasing).newValue < 0
    else { return }
    let descriptor = open(scratch("fifo"), O_RDONLY)
    if descriptor >= 0 { close(descriptor) }
  }

  /// Lets all go on who wait, and whoever comes: once.
  func release() {
    isHung.store(false, ordering: .releasing)
    // O_RDWR does not wait for another (fifo(7)).
    end.store(open(scratch("fifo"), O_RDWR | O_CLOEXEC), ordering: .releasing)
  }

  var media: MediaThreads {
    MediaThreads(patience: .seconds(1)) { [self] in enter($0) }
  }
}

@Suite("Media that hang", .serialized, .waiting)
struct HungMediumTests {
  private static let target = LiveDaemon.target

  private static let slow = "{\"file\": \"hung/slow.img\", \"size\": \"1MiB\"}"

  private static let disks = """
    "stores": {
      "disk": {"file": "disk.img", "size": "1MiB"},
      "slow": \(slow),
    },
    "targets": [
      {"name": "\(target)", "initiators": "any",
       "luns": [{"lun": 1, "store": "disk"}, {"lun": 2, "store": "slow"}]},
    ],
    """

  @Test("One that hangs at the start holds up nobody, nor changes; it serves when it is open")
  func start() async throws {
    let scratch = try Scratch()
    let hung = try HungDirectory(in: scratch)
    try scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "hung/slow.img")
    let live = try await LiveDaemon.start(Self.disks, in: scratch, media: hung.media)
    let node = try Initiator.session(port: live.port, Self.target)
    #expect(try node.capacity(1) == 1 << 20)
    _ = try node.testUnitReady(2)
    #expect(try node.testUnitReady(2).sense == 0x20403)
    let store = try #require(try await live.client.stores(named: "slow").first)
    #expect(store.state == .offline && store.reason?.contains("does not answer") == true)
    #expect(store.reasonCode == .mediumHangs)
    try await live.addLUN("third")
    #expect(eventually { (try? node.capacity(3)) == 1 << 20 })
    #expect(live.daemon.workshop.media.threadCount <= MediaThreads.threadsMaxOfPlace)
    hung.release()
    #expect(eventually { live.daemon.inventory.served(named: "slow")?.opened.awaited == nil })
    #expect(eventually { (try? node.capacity(2)) == 1 << 20 })
    #expect(try await live.client.stores(named: "slow").first?.state == .online)
    #expect(try live.file.contains("hung/slow.img"))
  }

  @Test("While a look at media hangs there is one in its place, and everybody is answered")
  func danger() async throws {
    let scratch = try Scratch()
    let hung = try HungDirectory(in: scratch, isHung: false)
    let live = try await LiveDaemon.start(Self.disks, in: scratch, media: hung.media)
    hung.hang()
    let media = live.daemon.workshop.media
    let watch = live.service.administration.watch
    let isHung = eventually {
      watch.look()
      return media.threadCount > 0
    }
    #expect(isHung)
    #expect(unlink(scratch("disk.img")) == 0)
    // Those of other places are looked at all the while.
    let disk = try #require(live.daemon.inventory.served(named: "disk")?.opened)
    #expect(eventually { disk.danger.danger != nil })
    #expect(eventually { media.threadCount == 1 })
    #expect(unlink(scratch("hung/slow.img")) == 0)
    #expect(try await live.client.status().problems.map(\.store) == ["disk"])
    hung.release()
    let slow = try #require(live.daemon.inventory.served(named: "slow")?.opened)
    #expect(eventually { slow.danger.danger?.isLastOfData == true })
  }

  @Test("A lock that cannot be tried as its disk hangs keeps no other store waiting for its own")
  func locks() async throws {
    let scratch = try Scratch()
    let hung = try HungDirectory(in: scratch, isHung: false)
    let holders = try ["disk.img", "hung/slow.img"].map { name in
      try scratch.write([UInt8](repeating: 1, count: 1 << 20), to: name)
      return open(scratch(name), O_RDWR | O_CLOEXEC)
    }
    for holder in holders { #expect(flock(holder, LOCK_EX | LOCK_NB) == 0) }
    let live = try await LiveDaemon.start(Self.disks, in: scratch, media: hung.media)
    hung.hang()
    // An attempt that had begun ends.
    try await Task.sleep(for: .seconds(1))
    for holder in holders { close(holder) }
    let disk = try #require(live.daemon.inventory.served(named: "disk")?.opened.store)
    let slow = try #require(live.daemon.inventory.served(named: "slow")?.opened.store)
    #expect(eventually { disk.readiness == .ready })
    #expect(slow.readiness == .waitingForLock)
    hung.release()
    #expect(eventually { slow.readiness == .ready })
    #expect(eventually { live.daemon.locks.count == 0 })
  }

  @Test("The comparison with the file says of a path that hangs that nobody has looked at it")
  func comparison() async throws {
    let scratch = try Scratch()
    let hung = try HungDirectory(in: scratch, isHung: false)
    let live = try await LiveDaemon.start(Self.disks, in: scratch, media: hung.media)
    #expect(try await live.client.difference().remarks == nil)
    hung.hang()
    defer { hung.release() }
    let remarks = try await live.client.difference().remarks
    #expect(remarks?.map(\.path) == ["stores.slow"])
    #expect(remarks?.first?.message.contains("does not answer") == true)
    #expect(remarks?.first?.remedy?.contains("dmesg") == true)
  }

  @Test("A change that adds one that hangs is refused in time, and leaves no file when it is open")
  func change() async throws {
    let scratch = try Scratch()
    let hung = try HungDirectory(in: scratch)
    let live = try await LiveDaemon.start(in: scratch, media: hung.media)
    let slow = Change.addStore(
      StoreSpecification(
        name: "slow", kind: .file, path: scratch("hung/slow.img"), sizeBytes: 1 << 20))
    let error = try await live.refusal([slow])
    #expect(error.code == .storeFailed && error.message.contains("does not answer"))
    let again = try await live.refusal([slow])
    #expect(again.message.contains("does not answer"), "the first may make the file yet")
    try await live.addLUN("second")
    hung.release()
    #expect(eventually { live.daemon.workshop.media.threadCount == 0 })
    #expect(!live.exists("hung/slow.img"))
    try await live.change(slow)
    #expect(live.exists("hung/slow.img"))
  }

  @Test("A size that comes too late is taken back, and the next change finds the former one")
  func resize() async throws {
    let scratch = try Scratch()
    let hung = try HungDirectory(in: scratch, isHung: false)
    let live = try await LiveDaemon.start(Self.disks, in: scratch, media: hung.media)
    hung.hang()
    let growth = Change.resizeStore(Change.StoreSize("slow", sizeBytes: 2 << 20))
    #expect(try await live.refusal([growth], isForeseen: false).message.contains("does not answer"))
    #expect(try await live.refusal([growth], isForeseen: false).message.contains("does not answer"))
    hung.release()
    #expect(eventually { live.daemon.workshop.media.threadCount == 0 })
    #expect(StoreMedia.fileBytes(of: scratch("hung/slow.img")) == 1 << 20)
    try await live.change(growth)
    #expect(StoreMedia.fileBytes(of: scratch("hung/slow.img")) == 2 << 20)
  }

  @Test("While a file is still to be cut it gets no other size, which would be cut, too")
  func resizeAfterCut() async throws {
    let scratch = try Scratch()
    let hung = try HungDirectory(in: scratch, isHung: false)
    let live = try await LiveDaemon.start(Self.disks, in: scratch, media: hung.media)
    hung.hang(after: 1)
    let shrunk = try await live.client.change(
      ChangeRequest(
        [.resizeStore(Change.StoreSize("slow", sizeBytes: 1 << 19))], ChangeOptions(force: true)))
    #expect(shrunk.warnings.contains { $0.contains("does not answer") })
    // The file is as large as that yet.
    let growth = Change.resizeStore(Change.StoreSize("slow", sizeBytes: 1 << 20))
    #expect(try await live.refusal([growth]).message.contains("does not answer"))
    hung.release()
    #expect(eventually { live.daemon.workshop.media.threadCount == 0 })
    #expect(StoreMedia.fileBytes(of: scratch("hung/slow.img")) == 1 << 19)
    try await live.change(growth)
    #expect(StoreMedia.fileBytes(of: scratch("hung/slow.img")) == 1 << 20)
    let node = try Initiator.session(port: live.port, Self.target, lun: 2)
    #expect(try node.capacity(2) == 1 << 20)
  }

  @Test("One that comes back while it is given another size is served with that")
  func resizeWhileAway() async throws {
    let scratch = try Scratch()
    let hung = try HungDirectory(in: scratch)
    try scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "hung/slow.img")
    let live = try await LiveDaemon.start(Self.disks, in: scratch, media: hung.media)
    // It is being opened, as it was configured until now.
    #expect(eventually { live.daemon.workshop.media.threadCount >= 2 })
    try await live.change(.resizeStore(Change.StoreSize("slow", sizeBytes: 1 << 19)))
    hung.release()
    let node = try Initiator.session(port: live.port, Self.target, lun: 2)
    #expect(eventually { live.daemon.inventory.served(named: "slow")?.opened.awaited == nil })
    #expect(eventually { live.daemon.units.allSatisfy { $0.store.readiness == .ready } })
    #expect(eventually { (try? node.capacity(2)) == 1 << 19 })
    #expect(live.daemon.inventory.served(named: "slow")?.unit.geometry.capacityBytes == 1 << 19)
    #expect(StoreMedia.fileBytes(of: scratch("hung/slow.img")) == 1 << 20, "nothing is cut")
  }

  @Test("A reload that is refused leaves no file where a disk hung, when it is open")
  func refusedReload() async throws {
    let scratch = try Scratch()
    let hung = try HungDirectory(in: scratch)
    let live = try await LiveDaemon.start(in: scratch, media: hung.media)
    let other = Loopback.listening()
    try live.edit {
      $0.replacing("\"disk\": {", with: "\"slow\": \(Self.slow), \"disk\": {")
        .replacing("\"portals\": [", with: "\"portals\": [\"127.0.0.1:\(other.port)\", ")
    }
    await #expect(throws: AdministrationError.self) {
      try await live.client.reload(ChangeOptions())
    }
    hung.release()
    #expect(eventually { live.daemon.workshop.media.threadCount == 0 })
    #expect(!live.exists("hung/slow.img"))
    withExtendedLifetime(other) {}
  }

  @Test("A reload takes a store whose medium is missing as a start does; by hand it is refused")
  func reload() async throws {
    let live = try await LiveDaemon.start()
    let late = Change.addStore(
      StoreSpecification(name: "late", kind: .file, path: live.scratch("late.img")))
    #expect(try await live.refusal([late]).message.contains("does not exist"))
    try live.edit {
      $0.replacing("\"disk\": {", with: "\"late\": {\"file\": \"late.img\"}, \"disk\": {")
        .replacing("\"luns\": [", with: "\"luns\": [{\"lun\": 2, \"store\": \"late\"}, ")
    }
    let result = try await live.client.reload(ChangeOptions())
    #expect(result.warnings.contains { $0.contains("stores.late is offline until") })
    let node = try Initiator.session(port: live.port, Self.target, lun: 2)
    #expect(try node.testUnitReady(2).sense == 0x20403)
    try live.scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "late.img")
    #expect(eventually { live.daemon.units.allSatisfy { $0.store.readiness == .ready } })
    #expect(eventually { (try? node.capacity(2)) == 1 << 20 })
  }
}
