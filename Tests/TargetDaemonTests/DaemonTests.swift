import AdministrationServer
import BackingStore
import CLinux
import Glibc
import ISCSITarget
import Reactor
import SCSIModel
import SCSITarget
import ServiceFixtures
import Synchronization
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("The daemon", .serialized, .waiting)
struct DaemonTests {
  let scratch: Scratch
  let book = LogBook()
  init() throws { scratch = try Scratch() }

  private func daemon(_ text: String) throws -> Daemon {
    try Daemon(try scratch.load(text), logger: book.logger)
  }

  private func refusal(_ text: String) throws -> DaemonError {
    let loaded = try scratch.load(text)
    return try #require(
      #expect(throws: DaemonError.self) { try Daemon(loaded, logger: book.logger) })
  }

  private let target = """
    "targets": [{"name": "iqn.2026-11.com.example:t", "luns": [{"lun": 1, "store": "disk"}],
                 "initiators": "any"}]
    """

  @Test(
    "It serves until it is told to stop, drops a silent connection, and leaves its port free",
    arguments: ["uring", "aio"])
  func serves(engine: String) throws {
    if engine == "uring", EngineSelection.probe() != nil { return }
    let port = Loopback.freePort()
    let daemon = try daemon(
      """
      "portals": ["127.0.0.1:\(port)"], "engine": "\(engine)",
      "stores": {"disk": {"file": "disk.img", "size": "1MiB"}}, \(target)
      """)
    #expect(daemon.addresses == ["127.0.0.1:\(port)"])
    #expect(daemon.status == "1 target, 1 store on 127.0.0.1:\(port)")
    #expect(book.contains("listening on 127.0.0.1:\(port)"))
    #expect(book.contains("open to any initiator without authentication"))
    let connection = try #require(Loopback.connected(to: port))
    #expect(daemon.inventory.portals.count == 1)
    let start = MonotonicTime.current
    #expect(daemon.stop())
    #expect(MonotonicTime.current.milliseconds(since: start) < .seconds(10))
    #expect(connection.isClosedByPeer())
    #expect(Loopback.connected(to: port) == nil)
    #expect(book.contains("notice stopped"))
  }

  @Test("After a stop the next start has the same disk: lock, identity, content")
  func restarts() throws {
    let port = Loopback.freePort()
    let text = """
      "portals": ["127.0.0.1:\(port)"],
      "stores": {"disk": {"file": "disk.img", "size": "1MiB"}}, \(target)
      """
    var first: Daemon? = try daemon(text)
    let identity = first?.units.first?.identity
    #expect(first?.stop() == true)
    first = nil
    #expect(eventually { (try? StateDirectory.open(scratch("state"))) != nil })
    let second = try daemon(text)
    #expect(second.units.first?.identity == identity)
    #expect(identity?.naa.first == 0x60 && identity?.naa.count == 16)
    #expect(second.stop())
  }

  @Test("A configured identity wins over the generated one")
  func configuredIdentity() throws {
    let daemon = try daemon(
      """
      "portals": ["127.0.0.1:\(Loopback.freePort())"],
      "stores": {"disk": {"memory": true, "size": "1MiB", "serial": "S1",
                          "naa": "6001405aabbccddeeff0011223344556"}}
      """)
    #expect(daemon.units.first?.identity.serial == "S1")
    #expect(daemon.units.first?.identity.naa.prefix(4) == [0x60, 0x01, 0x40, 0x5A])
    #expect(daemon.stop())
  }

  @Test("A store whose lock another process holds keeps nobody else waiting, then serves")
  func waitsForLock() throws {
    try scratch.write([UInt8](repeating: 0, count: 1 << 20), to: "disk.img")
    let holder = try FileDescriptor.openState(scratch("disk.img"), O_RDWR)
    #expect(flock(holder.rawValue, LOCK_EX) == 0)
    let daemon = try daemon(
      """
      "portals": ["127.0.0.1:\(Loopback.freePort())"],
      "stores": {"disk": {"file": "disk.img"}, "other": {"memory": true, "size": "1MiB"}}, \(target)
      """)
    #expect(daemon.status.hasSuffix("; waiting for the lock of disk"))
    #expect(daemon.units.map(\.store.readiness) == [.waitingForLock, .ready])
    #expect(Set(daemon.units.compactMap(\.identity.group)).count == 2, "each a group of its own")
    #expect(eventually { book.contains("BUSY for reads and writes, until its holder has let go") })
    #expect(book.contains("\(getpid())"), "the holder's pid")
    #expect(flock(holder.rawValue, LOCK_UN) == 0)
    #expect(eventually { book.contains("lock is granted") })
    #expect(daemon.units.map(\.store.readiness) == [.ready, .ready])
    #expect(eventually { daemon.locks.count == 0 }, "its thread ends")
    #expect(daemon.stop())
  }

  @Test("A mark of a failed sync is honoured at the start and told with its path")
  func startsLatched() throws {
    try LatchMarks(try StateDirectory.open(scratch("state"))).mark("disk", .inputOutput)
    let daemon = try daemon(
      """
      "portals": ["127.0.0.1:\(Loopback.freePort())"],
      "stores": {"disk": {"file": "disk.img", "size": "1MiB"}}, \(target)
      """)
    #expect(daemon.units.map(\.store.readiness) == [.latched])
    #expect(daemon.status.hasSuffix("; refusing writes to disk"))
    #expect(book.contains(scratch("state/latched/disk")))
    #expect(book.contains("remove the file named here as mark"))
    #expect(daemon.stop())
  }

  @Test(
    "Reservations are in force again from the first command on; a damaged file keeps its unit off")
  func startsWithReservations() throws {
    let naa = "60205a5a5a5a5a5a5a5a5a5a5a5a5a5a"
    let text = """
      "portals": ["127.0.0.1:\(Loopback.freePort())"],
      "stores": {"disk": {"memory": true, "size": "1MiB", "naa": "\(naa)"},
                 "other": {"memory": true, "size": "1MiB"}}, \(target)
      """
    var file = Sample.file()
    file.boot = .current()
    do {
      var registry = try IdentityRegistry.load(try StateDirectory.open(scratch("state")))
      _ = try registry.identities(of: ["disk", "other"])
    }
    try scratch.write(file.content, to: "state/reservations/\(naa)")
    do {
      let daemon = try daemon(text)
      #expect(daemon.units.map(\.reservationState) == [Sample.state, ReservationState()])
      #expect(daemon.units.allSatisfy { !$0.isOffline })
      #expect(daemon.stop())
    }
    #expect(eventually { (try? StateDirectory.open(scratch("state"))) != nil })
    try scratch.write(Array(file.content.dropLast()), to: "state/reservations/\(naa)")
    let daemon = try daemon(text)
    #expect(daemon.units.map(\.isOffline) == [true, false])
    #expect(daemon.status.hasSuffix("; offline until their reservations are repaired: disk"))
    #expect(book.contains("critical the store's reservations cannot be restored"))
    #expect(book.contains("\(scratch("state/reservations/\(naa)")) is damaged"))
    #expect(daemon.stop())
  }

  @Test("A store that never answers delays the stop no longer than its bound, and is named")
  func hungStore() throws {
    let state = try StateDirectory.open(scratch("state"))
    let unit = LogicalUnit(
      identity: LogicalUnitIdentity(
        name: "hung", naa: GeneratedIdentity.random().naa, serial: "", vendor: "", product: "",
        revision: ""),
      store: SilentStore(), startsWithWriteCache: true, homeReactorIndex: 0)
    let loaded = try scratch.load("\"portals\": [\"127.0.0.1:\(Loopback.freePort())\"]")
    let directory = try TargetDirectory(loaded)
    let context = ServerContext(
      reactorCount: 1, limits: ServerLimits(.standard), logger: book.logger)
    let plan = ReactorGroup.Plan(
      count: 1, preference: .auto, memoryBytes: 16 << 20, logger: book.logger)
    let reactors = try ReactorGroup.start(plan) { reactor in
      let worker = Worker(reactor: reactor, context: context, directory: directory)
      worker.add(unit)
      return worker
    }
    let events = EventHub()
    let workshop = try UnitWorkshop(
      state, reactorCount: 1, events: events, media: MediaThreads(), logger: book.logger)
    let opened = StoreAssembly.Opened(
      configured: TargetConfiguration.Store(name: "hung", medium: .memory), store: unit.store)
    let daemon = Daemon(
      book.logger, [Inventory.Served(opened: opened, unit: unit)], reactors, workshop, events, state
    )
    let start = MonotonicTime.current
    #expect(!daemon.stop(within: Milliseconds(1000)))
    #expect(MonotonicTime.current.milliseconds(since: start) < .seconds(5))
    #expect(book.contains("did not answer in time"))
    #expect(book.contains("hung"))
  }

  // MARK: Refusals

  @Test("A store whose medium cannot be one is told of, and stops no other")
  func wrongStores() throws {
    let daemon = try daemon(
      """
      "portals": ["127.0.0.1:\(Loopback.freePort())"],
      "stores": {
        "a": {"file": "/tmp"},
        "b": {"block": "\(scratch.path)"},
        "disk": {"memory": true, "size": "1MiB"}}, \(target)
      """)
    #expect(daemon.units.map(\.store.readiness) == [.absent, .absent, .ready])
    #expect(daemon.status.hasSuffix("; missing a, b"))
    #expect(book.contains("/tmp: is a directory, not a regular file or a block device"))
    #expect(book.contains("\(scratch.path): is a directory"))
    #expect(daemon.stop())
  }

  @Test("A file that is larger than its size stops nobody: the size is served, nothing is cut")
  func largerFile() throws {
    try scratch.write([UInt8](repeating: 1, count: 2 << 20), to: "disk.img")
    let daemon = try daemon(
      """
      "portals": ["127.0.0.1:\(Loopback.freePort())"],
      "stores": {"disk": {"file": "disk.img", "size": "1MiB"}}, \(target)
      """)
    #expect(daemon.units.map(\.store.readiness) == [.ready])
    #expect(daemon.units.first?.geometry.capacityBytes == 1 << 20)
    #expect(StoreMedia.fileBytes(of: scratch("disk.img")) == 2 << 20)
    #expect(book.contains("the file is larger than the size that is configured"))
    #expect(daemon.stop())
  }

  @Test("A file that was served and is missing is not made anew; an empty one begins anew")
  func lostFile() throws {
    func text(_ identity: String) -> String {
      """
      "portals": ["127.0.0.1:\(Loopback.freePort())"],
      "stores": {"disk": {"file": "disk.img", "size": "1MiB"\(identity)}}, \(target)
      """
    }
    for identity in ["", ", \"naa\": \"60205a5a5a5a5a5a5a5a5a5a5a5a5a5a\", \"serial\": \"1\""] {
      do {
        let daemon = try daemon(text(identity))
        #expect(daemon.units.map(\.store.readiness) == [.ready], "made at the first start")
        #expect(daemon.stop())
      }
      #expect(eventually { (try? StateDirectory.open(scratch("state"))) != nil })
      #expect(rename(scratch("disk.img"), scratch("elsewhere")) == 0)
      do {
        let daemon = try daemon(text(identity))
        #expect(daemon.units.map(\.store.readiness) == [.absent])
        #expect(access(scratch("disk.img"), F_OK) != 0)
        #expect(book.contains("mount its file system, or put the file back"))
        #expect(daemon.stop())
      }
      #expect(eventually { (try? StateDirectory.open(scratch("state"))) != nil })
      try scratch.write([], to: "disk.img")
      do {
        let daemon = try daemon(text(identity))
        #expect(daemon.units.map(\.store.readiness) == [.ready])
        #expect(daemon.stop())
      }
      #expect(eventually { (try? StateDirectory.open(scratch("state"))) != nil })
      unlink(scratch("disk.img"))
      unlink(scratch("state/identities"))
    }
  }

  @Test("Stores that are missing stop nobody: their units are offline, and the status names them")
  func missingStores() throws {
    let daemon = try daemon(
      """
      "portals": ["127.0.0.1:\(Loopback.freePort())"],
      "stores": {
        "a": {"file": "missing.img"}, "b": {"block": "/dev/swift-tgtd-none"},
        "disk": {"memory": true, "size": "1MiB"}}, \(target)
      """)
    #expect(daemon.units.map(\.store.readiness) == [.absent, .absent, .ready])
    #expect(daemon.status.hasSuffix("; missing a, b"))
    #expect(book.contains("\(scratch("missing.img")): does not exist"))
    #expect(daemon.stop())
  }

  @Test("Two names of one file are refused before anything is opened")
  func overlap() throws {
    try scratch.write([UInt8](repeating: 0, count: 512), to: "one.img")
    link(scratch("one.img"), scratch("two.img"))
    let error = try refusal(
      """
      "stores": {"a": {"file": "one.img"},
                 "b": {"file": "two.img", "size": "1MiB"}}
      """)
    #expect(error.status == .configuration)
    #expect(error.sentences.count == 1)
    #expect(error.description.hasPrefix("targets.json:3: stores.b.file: "))
    #expect(error.description.contains("is the medium of the store \"a\" under another name"))
    #expect(try scratch.read("two.img").count == 512)
  }

  @Test("Buffers too few for the reactors of this machine are refused, with how many are needed")
  func memory() throws {
    let loaded = try ConfigurationLoader.load(text: "{\n\"memory\": \"16MiB\"}")
    #expect(try ReactorGroup.Plan.size(of: loaded, usableCPUs: 8).count == 8)
    let error = #expect(throws: DaemonError.self) {
      try ReactorGroup.Plan.size(of: loaded, usableCPUs: 9)
    }
    #expect(error?.status == .configuration)
    #expect(
      error?.sentences == [
        "targets.json:2: memory: 16MiB is too small: two bursts of 1MiB for each reactor (9) "
          + "need 18MiB; give more, or set \"reactors\" to fewer"
      ])
  }

  @Test("A port in use is named with its place and how to find the other process")
  func portInUse() throws {
    let other = Loopback.listening()
    let error = try refusal("\"portals\": [\n\"127.0.0.1:\(other.port)\"]")
    #expect(error.status == .unavailable)
    #expect(
      error.description.hasPrefix(
        "targets.json:3: portals[0]: cannot listen on 127.0.0.1:\(other.port): ") == true)
    #expect(error.description.contains("another process has port \(other.port)"))
    #expect(error.description.contains("ss -ltnp"))
  }

  @Test("A second daemon on one state directory is refused")
  func secondInstance() throws {
    let text = "\"portals\": [\"127.0.0.1:\(Loopback.freePort())\"]"
    let first = try daemon(text)
    let error = try refusal(text)
    #expect(error.status == .temporaryFailure)
    #expect(error.description.contains("another swift-tgtd (pid \(getpid()))"))
    #expect(first.stop())
  }
}

/// Takes every request and never answers.
private final class SilentStore: Store {
  let geometry = StoreGeometry(
    capacityBytes: 1 << 20, logicalBlockBytes: 512, physicalBlockBytes: 4096)
  let capabilities = StoreCapabilities(canPunchHoles: false, canZeroRanges: false)
  var readiness: StoreReadiness { .ready }
  func start(_ request: StoreRequest, on reactor: Reactor) {}
}
