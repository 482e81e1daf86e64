import AdministrationClient
import AdministrationModel
import BackingStore
import Glibc
import SCSITarget
import ServiceFixtures
import Synchronization
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("Changes that initiators notice", .serialized, .waiting)
struct LiveChangeTests {
  private static let target = LiveDaemon.target

  @Test("A LUN that is added is there for a session at once, which is told by sense and by event")
  func addsLUN() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, Self.target)
    let result = try await live.addLUN("second")
    let lun = try #require(result.outcomes.last?.lun)
    #expect(lun.lun == 2 && lun.store == "second" && lun.state == .online)
    #expect(lun.sizeBytes == 1 << 20 && lun.wwn?.count == 32)
    #expect(result.savedTo == live.scratch("targets.json"))
    #expect(try node.testUnitReady(1).sense == 0x63F0E)
    #expect(try node.luns().contains(2))
    #expect(try node.capacity(2) == 1 << 20)
    node.listen()
    #expect(node.asynchronousEvents == [0])
    #expect(try live.isSaved())
  }

  @Test("A LUN in use is not removed: its users are named; with force it goes")
  func removesLUN() async throws {
    let live = try await LiveDaemon.start()
    try await live.addLUN("second")
    let node = try Initiator.session(port: live.port, Self.target)
    let removal = Change.removeLUN(Change.LUNName(target: Self.target, lun: 2))
    let error = try await live.refusal([removal])
    #expect(error.code == .inUse && error.users?.count == 1)
    #expect(error.users?.first?.hasPrefix("iqn.2026-11.com.example:node1 from 127.0.0.1:") == true)
    #expect(error.users?.first?.hasSuffix("has LUN 2 of \(Self.target)") == true)
    #expect(error.remedy?.contains("(iscsiadm -m node -T \(Self.target) --logout)") == true)
    #expect(error.remedy?.contains("--force") == true)
    try await live.change(removal, options: ChangeOptions(force: true))
    #expect(try node.luns() == [1])
    try await live.change(.removeStore(Change.StoreName("second")))
    #expect(live.exists("second.img"), "its medium stays")
    #expect(live.daemon.workshop.observedUnitCount == 1, "nothing is kept of it")
    #expect(live.daemon.inventory.served.map(\.name) == ["disk"])
    #expect(try live.isSaved())
  }

  @Test("A store grows at once, and shrinks with force alone; initiators are told of both")
  func resizes() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, Self.target)
    try await live.change(.resizeStore(Change.StoreSize("disk", sizeBytes: 4 << 20)))
    #expect(try node.testUnitReady(1).sense == 0x62A09)
    #expect(try node.capacity(1) == 4 << 20)
    let shrinking = Change.resizeStore(Change.StoreSize("disk", sizeBytes: 2 << 20))
    let error = try await live.refusal([shrinking])
    #expect(error.code == .inUse && error.path == "stores.disk.size")
    #expect(error.message.contains("would cut off"))
    try await live.change(shrinking, options: ChangeOptions(force: true))
    #expect(try node.testUnitReady(1).sense == 0x62A09)
    #expect(try node.capacity(1) == 2 << 20)
    #expect(StoreMedia.fileBytes(of: live.scratch("disk.img")) == 2 << 20)
    #expect(try live.file.contains("\"size\": \"2MiB\""))
  }

  @Test("An access list counts for new logins; sessions that no longer qualify end with now")
  func changesAccess() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, Self.target)
    try await live.change(
      .setTarget(Change.TargetKeys(Self.target, ["initiators": .null])),
      .addACLEntry(
        Change.EntryAddition(
          target: Self.target,
          AccessEntrySpecification(initiator: "iqn.2026-11.com.example:node2"))))
    #expect(try Initiator(port: live.port).logIn(to: Self.target) == 0x0203)
    #expect(try node.testUnitReady(1).status == 0, "who is in stays in")
    let other = try Initiator.session(
      port: live.port, Self.target, name: "iqn.2026-11.com.example:node2")
    try await live.change(
      .setTarget(Change.TargetKeys(Self.target, ["alias": "x"])), options: ChangeOptions(now: true))
    #expect(node.isClosed())
    #expect(try other.testUnitReady(1).status == 0)
  }

  @Test("A CHAP user that is added must prove itself from the next login on")
  func addsUser() async throws {
    let live = try await LiveDaemon.start()
    let user = CredentialSpecification(user: "node", secret: SecretText("short"))
    let result = try await live.change(
      .addCHAPUser(Change.UserAddition(user, at: CredentialPlace(target: Self.target))))
    #expect(result.warnings.contains { $0.contains("the secret has 5 bytes") })
    #expect(result.outcomes.first?.target?.chapUsers == ["node"])
    let again = try await live.refusal([
      .addCHAPUser(Change.UserAddition(user, at: CredentialPlace(target: Self.target)))
    ])
    #expect(again.remedy == "--replace gives another secret")
    #expect(try Initiator(port: live.port).logIn(to: Self.target) == 0x0201)
    #expect(FileAccess(ofFileAt: live.scratch("targets.json"))?.mode == 0o600)
  }

  @Test("A target comes with all it has, and goes with its sessions when it is forced to")
  func changesTargets() async throws {
    let live = try await LiveDaemon.start()
    var specification = TargetSpecification(name: "iqn.2026-11.com.example:Other")
    specification.luns = [LUNSpecification(store: "disk")]
    specification.isOpenToAny = true
    let result = try await live.change(.addTarget(specification))
    let name = "iqn.2026-11.com.example:other"
    #expect(result.outcomes.first?.target?.name == name)
    #expect(result.outcomes.first?.target?.id == 2)
    for key in ["p/target/\(name)/a", "p/target/\(Self.target)/a"] {
      try await live.change(
        .setNote(NoteSpecification(key: key, value: "1")),
        options: ChangeOptions(runtimeOnly: true))
    }
    #expect(try await live.client.notes(withSecrets: false).count == 2)
    let node = try Initiator.session(port: live.port, name)
    #expect(try await live.client.targets(named: name).first?.sessionCount == 1)
    let removal = Change.removeTarget(Change.TargetName(name))
    let error = try await live.refusal([removal])
    #expect(
      error.code == .inUse && error.users?.first?.hasSuffix("is logged in to \(name)") == true)
    try await live.change(removal, options: ChangeOptions(force: true))
    let notes = try await live.client.notes(withSecrets: false)
    #expect(notes.map(\.key) == ["p/target/\(Self.target)/a"], "and not those of the target")
    #expect(node.isClosed())
    #expect(try Initiator(port: live.port).logIn(to: name) == 0x0203)
  }

  @Test("A portal comes and goes; who is connected through it is named, and asked to log out")
  func changesPortals() async throws {
    let live = try await LiveDaemon.start()
    let port = Loopback.freePort()
    let result = try await live.change(
      .addPortal(PortalSpecification(address: "127.0.0.1:\(port)", group: 2)))
    #expect(result.outcomes.first?.portal?.isListening == true)
    let node = try Initiator.session(port: port, Self.target)
    let removal = Change.removePortal(Change.PortalName("127.0.0.1:\(port)"))
    let error = try await live.refusal([removal])
    #expect(error.code == .inUse)
    #expect(error.users?.first?.hasSuffix("connected through 127.0.0.1:\(port)") == true)
    #expect(
      error.remedy?.contains("(iscsiadm -m node -p 127.0.0.1:\(port) --logout)") == true)
    try await live.change(removal, options: ChangeOptions(force: true))
    #expect(node.isClosed())
    #expect(node.asynchronousEvents.first == 1, "a logout was asked for")
    #expect(Loopback.connected(to: port) == nil)
    #expect(try await live.client.portals().map(\.address) == ["127.0.0.1:\(live.port)"])
  }

  @Test("A store opened as something else is another unit at the same LUN, with the same data")
  func reopens() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, Self.target)
    let writing = [UInt8](repeating: 0xA5, count: 512)
    #expect(
      try node.execute([0x2A, 0, 0, 0, 0, 3, 0, 0, 1, 0], lun: 1, writing: writing).status == 0)
    #expect(try node.register(7, lun: 1).status == 0)
    let change = Change.setStore(
      Change.StoreKeys("disk", ["cache": "writethrough", "product": "OTHER"]))
    #expect(try await live.refusal([change]).code == .inUse)
    let result = try await live.change(change, options: ChangeOptions(force: true))
    #expect(result.outcomes.first?.store?.state == .online)
    #expect(result.outcomes.first?.store?.cache == "writethrough")
    let other = try Initiator.session(
      port: live.port, Self.target, name: "iqn.2026-11.com.example:node2")
    let read = try other.execute([0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0], lun: 1, reading: 512)
    #expect(read.status == 0 && read.data.elementsEqual(writing))
    #expect(
      try await live.client.reservations(store: "disk").first?.registrants.map(\.key)
        == ["0x0000000000000007"], "a unit keeps its reservations")
  }

  @Test("Sessions are shown, asked to leave, and ended; others do not notice")
  func endsSessions() async throws {
    let live = try await LiveDaemon.start()
    let one = try Initiator.session(port: live.port, Self.target)
    let two = try Initiator.session(
      port: live.port, Self.target, name: "iqn.2026-11.com.example:node2")
    let sessions = try await live.client.sessions()
    #expect(sessions.map(\.initiator).sorted().map { $0.suffix(5) } == ["node1", "node2"])
    let first = try #require(sessions.first { $0.initiator.hasSuffix("node1") })
    #expect(first.initiatorAlias == "node")
    #expect(first.luns == [1] && first.target == Self.target && first.isid == "400000010000")
    #expect(first.connections.first?.localAddress == "127.0.0.1:\(live.port)")
    try await live.client.endSession(first.id, by: .logout)
    #expect(one.isClosed())
    #expect(one.asynchronousEvents == [1])
    let second = try #require(sessions.first { $0.initiator.hasSuffix("node2") })
    #expect(try two.testUnitReady(1).status == 0)
    try await live.client.endSession(second.id, by: .kill)
    #expect(two.isClosed())
    let client = live.client
    let error = await #expect(throws: AdministrationError.self) {
      try await client.endSession(999_999, by: .kill)
    }
    #expect(error?.code == .notFound)
  }

  @Test("Reservations are shown with keys and holder, and cleared; who had one is told")
  func clearsReservations() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, Self.target)
    #expect(try await live.client.reservations().isEmpty)
    #expect(try node.register(7, lun: 1).status == 0)
    #expect(try node.reserve(7, lun: 1).status == 0)
    let resource = try #require(try await live.client.reservations().first)
    #expect(resource.store == "disk")
    #expect(resource.registrants.map(\.key) == ["0x0000000000000007"])
    #expect(resource.registrants.first?.isHolder == true)
    #expect(resource.registrants.first?.isLoggedIn == true)
    #expect(resource.reservation?.type == "Write Exclusive – Registrants Only")
    #expect(resource.reservation?.holders == ["iqn.2026-11.com.example:node1"])
    try await live.client.clearReservations(store: "disk")
    #expect(try node.testUnitReady(1).sense == 0x62A03)
    #expect(try await live.client.reservations().isEmpty)
  }

  @Test("A store that was missing at the start serves when its file is there; all are told")
  func arrives() async throws {
    let live = try await LiveDaemon.start(
      """
      "stores": {"disk": {"file": "late.img"}},
      "targets": [
        {"name": "\(Self.target)", "luns": [{"lun": 1, "store": "disk"}], "initiators": "any"},
      ],
      """)
    let node = try Initiator.session(port: live.port, Self.target)
    #expect(try node.testUnitReady(1).sense == 0x20403)
    let before = try #require(try await live.client.stores(named: "disk").first)
    #expect(before.state == .offline && before.reason?.contains("does not exist") == true)
    #expect(try await live.client.status().offlineStoreCount == 1)
    try live.scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "late.img")
    #expect(eventually { live.daemon.units.first?.store.readiness == .ready })
    #expect(eventually { live.book.contains("the store's medium is there") })
    #expect(try node.testUnitReady(1).status == 2, "it is told")
    #expect(try node.capacity(1) == 1 << 20)
    #expect(try await live.client.stores(named: "disk").first?.state == .online)
    #expect(try live.file.contains("late.img"))
  }

  @Test("That a store serves once its lock is granted, is told once")
  func grantsLock() async throws {
    let live = try await LiveDaemon.start()
    let path = live.scratch("other.img")
    try live.scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "other.img")
    let holder = open(path, O_RDWR | O_CLOEXEC)
    #expect(flock(holder, LOCK_EX) == 0)
    try await live.addLUN("other")
    let before = try #require(try await live.client.stores(named: "other").first)
    #expect(before.state == .offline && before.reason?.contains("is locked") == true)
    // The watch has seen it so.
    #expect(eventually { live.service.administration.watch.since("other") != nil })
    close(holder)
    #expect(eventually { live.book.contains("lock is granted") })
    // Two looks of the watch, and one event to know that all before it are here.
    try await Task.sleep(for: .seconds(2))
    try await live.change(.setTarget(Change.TargetKeys(Self.target, ["alias": "x"])))
    let kinds = Mutex<[Event.Kind]>([])
    try await live.client.events(after: 0) { event in
      kinds.withLock { kinds in
        kinds.append(event.kind)
        return kinds.count { $0 == .configurationChanged } < 2
      }
    }
    #expect(kinds.withLock { $0 }.count { $0 == .storeOnline } == 1)
  }

  @Test("A store whose size is the medium's own grows with it, and initiators are told")
  func growsWithMedium() async throws {
    let live = try await LiveDaemon.start(
      """
      "stores": {"disk": {"file": "late.img"}},
      "targets": [
        {"name": "\(Self.target)", "luns": [{"lun": 1, "store": "disk"}], "initiators": "any"},
      ],
      """)
    try live.scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "late.img")
    #expect(eventually { live.daemon.units.first?.store.readiness == .ready })
    let node = try Initiator.session(port: live.port, Self.target)
    #expect(try node.capacity(1) == 1 << 20)
    #expect(truncate(live.scratch("late.img"), 2 << 20) == 0)
    #expect(eventually { live.book.contains("the store has grown") })
    #expect(try node.testUnitReady(1).sense == 0x62A09)
    #expect(try node.capacity(1) == 2 << 20)
    let change = Change.setStore(Change.StoreKeys("disk", ["product": "OTHER"]))
    let result = try await live.change(change, options: ChangeOptions(force: true))
    #expect(result.outcomes.first?.store?.product == "OTHER")
  }
}
