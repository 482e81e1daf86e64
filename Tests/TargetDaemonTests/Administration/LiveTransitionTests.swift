import AdministrationClient
import AdministrationModel
import BackingStore
import CLinux
import Glibc
import Reactor
import SCSITarget
import TargetConfig
import Testing

@testable import TargetDaemon

extension Initiator {
  /// PERSISTENT RESERVE OUT, PREEMPT AND ABORT: Write Exclusive – Registrants Only.
  fileprivate func preempt(_ other: UInt8, by key: UInt8, lun: UInt8) throws -> Outcome {
    let zeros = [UInt8](repeating: 0, count: 7)
    return try execute(
      [0x5F, 5, 5, 0, 0, 0, 0, 0, 24, 0], lun: lun,
      writing: zeros + [key] + zeros + [other] + [UInt8](repeating: 0, count: 8))
  }

  fileprivate func write(_ byte: UInt8, lun: UInt8) throws -> Outcome {
    let data = [UInt8](repeating: byte, count: 512)
    var outcome = Outcome(status: 2)
    // Past the unit attentions.
    for _ in 0..<6 where outcome.status == 2 {
      outcome = try execute([0x2A, 0, 0, 0, 0, 3, 0, 0, 1, 0], lun: lun, writing: data)
    }
    return outcome
  }

  fileprivate func read(lun: UInt8) throws -> Outcome {
    try execute([0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0], lun: lun, reading: 512)
  }
}

@Suite("What may not happen while one configuration follows another", .serialized, .waiting)
struct LiveTransitionTests {
  private static let target = LiveDaemon.target
  private static let naa = "6020c1f0a2d45b7e8c9d001122334455"
  private static let otherNAA = "6020c1f0a2d45b7e8c9d001122334466"

  /// A configuration of `live`, with other stores and targets.
  private static func text(
    _ live: LiveDaemon, _ stores: String, _ targets: String, portals: [UInt16] = []
  ) -> String {
    let list = ([live.port] + portals).map { "\"127.0.0.1:\($0)\"" }.joined(separator: ", ")
    return """
      {"portals": [\(list)], "stores": {\(stores)}, "targets": [\(targets)],
       "state": "\(live.scratch("state"))", "reactors": 2, "memory": "32MiB",
       "admin": {"socket": "\(live.scratch("admin.sock"))"}}

      """
  }

  private static func store(
    _ name: String, _ live: LiveDaemon, _ file: String = "disk.img", naa: String? = nil
  ) -> String {
    let identity = naa.map { ", \"naa\": \"\($0)\", \"serial\": \"\($0.suffix(16))\"" } ?? ""
    return "\"\(name)\": {\"file\": \"\(live.scratch(file))\", \"size\": \"1MiB\"\(identity)}"
  }

  private static func open(_ store: String) -> String {
    "{\"name\": \"\(target)\", \"luns\": [{\"lun\": 1, \"store\": \"\(store)\"}], "
      + "\"initiators\": \"any\"}"
  }

  private static let force = ChangeOptions(force: true)

  /// With one store of a known identifier, and a portal whose session holds up its end.
  private static func slowToChange(
    _ store: String
  ) async throws -> (live: LiveDaemon, idle: Initiator) {
    let live = try await LiveDaemon.start()
    let port = Loopback.freePort()
    let text = text(live, Self.store(store, live, naa: naa), open(store), portals: [port])
    _ = try await live.client.apply(text, force)
    return (live, try Initiator.session(port: port, target, name: "iqn.2026-11.com.example:idle"))
  }

  // MARK: Fences

  @Test("Who is fenced while a store is renamed stays fenced, on the same disk")
  func renamesUnderFence() async throws {
    let (live, idle) = try await Self.slowToChange("disk")
    let one = try Initiator.session(port: live.port, Self.target)
    let two = try Initiator.session(
      port: live.port, Self.target, name: "iqn.2026-11.com.example:node2")
    #expect(try one.register(1, lun: 1).status == 0 && two.register(2, lun: 1).status == 0)
    #expect(try one.reserve(1, lun: 1).status == 0)
    #expect(try two.write(2, lun: 1).status == 0)
    let text = Self.text(live, Self.store("renamed", live, naa: Self.naa), Self.open("renamed"))
    let client = live.client
    async let change = client.apply(text, Self.force)
    try await Task.sleep(for: .milliseconds(800))
    #expect(try one.preempt(2, by: 1, lun: 1).status == 0)
    _ = try await change
    #expect(
      try await live.client.reservations(store: "renamed").first?.registrants.map(\.key)
        == ["0x0000000000000001"])
    #expect(try two.write(9, lun: 1).status == 0x18)
    #expect(try one.write(1, lun: 1).status == 0)
    _ = idle
  }

  @Test("Nobody reads or writes a store that neither configuration gives him")
  func showsNothingBetween() async throws {
    let (live, idle) = try await Self.slowToChange("s")
    try live.scratch.write([UInt8](repeating: 0xEE, count: 1 << 20), to: "secret.img")
    let stranger = try Initiator.session(port: live.port, Self.target)
    #expect(try stranger.write(0x11, lun: 1).status == 0)
    let protected = """
      {"name": "iqn.2026-11.com.example:p", "luns": [{"lun": 1, "store": "s"}],
       "acl": [{"initiator": "iqn.2026-11.com.example:boss"}]}
      """
    let stores =
      Self.store("p", live, naa: Self.naa) + ", "
      + Self.store("s", live, "secret.img", naa: Self.otherNAA)
    let text = Self.text(live, stores, Self.open("p") + ", " + protected)
    let isDone = OneTime()
    let client = live.client
    let change = Task {
      defer { _ = isDone.take() }
      return try await client.apply(text, Self.force)
    }
    var seen: Set<UInt8> = []
    let deadline = MonotonicTime.current + .seconds(20)
    while !isDone.isTaken, MonotonicTime.current < deadline {
      let outcome = try stranger.read(lun: 1)
      if outcome.status == 0, let byte = outcome.data.first { seen.insert(byte) }
      if outcome.status == 0 { _ = try stranger.write(0x11, lun: 1) }
      try await Task.sleep(for: .milliseconds(1))
    }
    _ = try await change.value
    #expect(seen == [0x11])
    let secret = try live.scratch.read("secret.img")
    #expect(secret.allSatisfy { $0 == 0xEE }, "nothing was written there")
    let boss = try Initiator.session(
      port: live.port, "iqn.2026-11.com.example:p", name: "iqn.2026-11.com.example:boss")
    #expect(try boss.read(lun: 1).data.first == 0xEE)
    _ = idle
  }

  // MARK: Identity

  @Test("A medium does not come back as another disk by a new name alone: both names are told")
  func refusesOtherIdentity() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, Self.target)
    #expect(try node.register(7, lun: 1).status == 0)
    let unit = try #require(live.daemon.units.first)
    let identities = live.scratch("state/identities")
    let before = try StateFile.content(of: identities, bytesMax: 1 << 20)
    link(live.scratch("disk.img"), live.scratch("link.img"))
    for file in ["disk.img", "link.img"] {
      let text = Self.text(live, Self.store("renamed", live, file), Self.open("renamed"))
      let client = live.client
      let error = await #expect(throws: AdministrationError.self) {
        try await client.apply(text, Self.force)
      }
      #expect(error?.code == .conflict && error?.path == "stores.renamed.naa")
      let message = "the store \"disk\" would come back as the store \"renamed\""
      #expect(error?.message.contains(message) == true)
      #expect(error?.remedy?.contains(Hexadecimal.text(unit.identity.naa)) == true)
    }
    #expect(try StateFile.content(of: identities, bytesMax: 1 << 20) == before)
    #expect(try node.testUnitReady(1).status == 0, "nothing has changed")
    let text = Self.text(
      live, Self.store("renamed", live, naa: Hexadecimal.text(unit.identity.naa)),
      Self.open("renamed"))
    _ = try await live.client.apply(text, Self.force)
    #expect(try await live.client.reservations(store: "renamed").first?.registrants.count == 1)
  }

  @Test("A medium that comes back under another name is another disk, which the answer says")
  func tellsOfOtherDisk() async throws {
    let live = try await LiveDaemon.start()
    let naa = Hexadecimal.text(try #require(live.daemon.units.first).identity.naa)
    try await live.change(
      .removeLUN(Change.LUNName(target: Self.target, lun: 1)),
      .removeStore(Change.StoreName("disk")))
    let addition = Change.addStore(
      StoreSpecification(name: "renamed", kind: .file, path: live.scratch("disk.img")))
    for options in [ChangeOptions(dryRun: true), ChangeOptions()] {
      let result = try await live.change(addition, options: options)
      let warning = try #require(result.warnings.first { $0.contains("was served") })
      #expect(warning.contains("was served as the store \"disk\""))
      #expect(warning.contains("give \"renamed\" \"naa\": \"\(naa)\""))
    }
  }

  @Test("Which media serve is saved when all is done, and at a stop at the latest")
  func savesMedia() async throws {
    let live = try await LiveDaemon.start()
    func isSaved(_ medium: String) -> Bool {
      let content = try? live.scratch.read("state/identities")
      return String(decoding: content ?? [], as: UTF8.self).contains(medium)
    }
    #expect(isSaved("disk.img"), "at the start")
    try await live.addLUN("second")
    #expect(eventually { isSaved("second.img") })
    try await live.addLUN("third")
    try await live.stop()
    #expect(isSaved("disk.img") && isSaved("second.img") && isSaved("third.img"))
  }

  @Test("A store in use by reservations gets no other identifier until they are cleared")
  func refusesLossOfReservations() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, Self.target)
    #expect(try node.register(7, lun: 1).status == 0)
    let change = Change.setStore(Change.StoreKeys("disk", ["naa": .text(Self.naa)]))
    let error = try await live.refusal([change], Self.force)
    #expect(error.code == .conflict && error.message.contains("reservations"))
    #expect(error.remedy?.hasPrefix("to keep it the same disk, give \"disk\" \"naa\": ") == true)
    try await live.client.clearReservations(store: "disk")
    try await live.change(change, options: Self.force)
    #expect(live.daemon.units.map { Hexadecimal.text($0.identity.naa) } == [Self.naa])
  }

  @Test("Two stores do not get one identifier")
  func refusesDoubleIdentifier() async throws {
    let live = try await LiveDaemon.start()
    let naa = Hexadecimal.text(try #require(live.daemon.units.first).identity.naa)
    var store = StoreSpecification(
      name: "double", kind: .file, path: live.scratch("double.img"), sizeBytes: 1 << 20)
    store.naa = naa
    let error = try await live.refusal([.addStore(store)])
    #expect(
      error.code == .conflict && error.message.contains("the identifier of the store \"disk\""))
    #expect(!live.exists("double.img"))
  }

  @Test("A medium on which a sync failed refuses writes under its new name, too")
  func passesLatch() async throws {
    let live = try await LiveDaemon.start()
    let unit = try #require(live.daemon.inventory.served(named: "disk"))
    unit.opened.onDisk?.inheritLatch()
    let text = Self.text(
      live, Self.store("renamed", live, naa: Hexadecimal.text(unit.unit.identity.naa)),
      Self.open("renamed"))
    _ = try await live.client.apply(text, Self.force)
    #expect(live.daemon.inventory.served(named: "renamed")?.opened.onDisk?.isLatched == true)
    #expect(live.exists("state/latched/renamed"))
  }

  // MARK: Units that come late

  /// A store whose unit waits for one that does not leave.
  private static func expect(
    _ name: String, _ live: LiveDaemon
  ) async throws -> Departure {
    let daemon = live.daemon
    let loaded = live.service.administration.running.current
    let store = try #require(loaded.configuration.store(named: name))
    let naa = try #require(daemon.inventory.served(named: name)).unit.identity.naa
    return try await onThread {
      let exchange = UnitExchange(daemon: daemon)
      let gone = try #require(exchange.remove(name))
      #expect(gone.wait(until: .current + .seconds(30)))
      let opened = StoreAssembly.Opened(
        configured: store, store: try MemoryStore(sizeBytes: 1 << 20, logicalBlockBytes: 512))
      let departure = Departure(gone.claim)
      let sentence = exchange.bring(
        UnitExchange.Successor(
          opened: opened, claim: UnitClaim(of: opened, naa: naa), formers: [name]),
        after: [departure], loaded, by: .current)
      #expect(sentence?.contains("opened anew when they have") == true)
      return departure
    }
  }

  @Test("A store whose unit is still to come, and that is removed, stays removed")
  func forgetsRemoved() async throws {
    let live = try await LiveDaemon.start()
    try await live.addLUN("second")
    let departure = try await Self.expect("second", live)
    try await live.change(
      .removeLUN(Change.LUNName(target: Self.target, lun: 2)),
      .removeStore(Change.StoreName("second")), options: Self.force)
    departure.ended(isLatched: false)
    try await live.addLUN("third")
    #expect(live.daemon.inventory.served.map(\.name) == ["disk", "third"])
    try await live.addLUN("second")
    let node = try Initiator.session(port: live.port, Self.target)
    #expect(try node.luns().count == 3)
  }

  @Test("A store whose unit is still to come is presented when the former has gone")
  func presentsLate() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, Self.target)
    let departure = try await Self.expect("disk", live)
    #expect(try node.testUnitReady(1).sense == 0x52500)
    departure.ended(isLatched: false)
    #expect(eventually { live.daemon.inventory.served(named: "disk") != nil })
    #expect(eventually { (try? node.testUnitReady(1).status) == 0 })
    #expect(live.daemon.inventory.expectedClaims.isEmpty)
  }

  // MARK: Portals

  @Test("A portal that is to cover another's address closes nothing where it cannot be had")
  func bindsBefore() async throws {
    let live = try await LiveDaemon.start()
    let stranger = try #require(Self.listener(on: [127, 0, 0, 2], live.port))
    let all = try live.file.replacing("127.0.0.1:\(live.port)", with: "0.0.0.0:\(live.port)")
    let client = live.client
    let error = await #expect(throws: AdministrationError.self) {
      _ = try await client.apply(all, Self.force)
    }
    #expect(error?.code == .conflict)
    #expect(Loopback.connected(to: live.port) != nil)
    close(stranger)
    _ = try await client.apply(all, Self.force)
    #expect(try await client.portals().map(\.isListening) == [true])
    _ = try Initiator.session(port: live.port, Self.target)
    #expect(Self.listener(on: [127, 0, 0, 2], live.port) == nil, "nobody else gets the port")
  }

  @Test("A portal goes over to another group at the same address")
  func regroups() async throws {
    let live = try await LiveDaemon.start()
    let text = try live.file.replacing(
      "\"127.0.0.1:\(live.port)\"", with: "{\"address\": \"127.0.0.1:\(live.port)\", \"group\": 2}")
    let result = try await live.client.apply(text, Self.force)
    #expect(result.warnings.isEmpty)
    #expect(try await live.client.portals().map(\.isListening) == [true])
    _ = try Initiator.session(port: live.port, Self.target)
  }

  private static func listener(on address: [UInt8], _ port: UInt16) -> Int32? {
    let descriptor = clinux_tcp_socket(0)
    _ = clinux_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    var storage = sockaddr_storage()
    let length = clinux_address_store(&storage, 0, address, port, 0)
    guard clinux_bind(descriptor, &storage, length) == 0, listen(descriptor, 1) == 0 else {
      close(descriptor)
      return nil
    }
    return descriptor
  }

  @Test("A portal closes, and another opens, although the reactor's mailbox is full")
  func passesFullMailbox() async throws {
    let live = try await LiveDaemon.start()
    let ports = [Loopback.freePort(), Loopback.freePort()]
    try await live.change(.addPortal(PortalSpecification(address: "127.0.0.1:\(ports[0])")))
    let worker = live.daemon.reactors.workers[1]
    try await onThread {
      let (isBlocked, isFree) = (Semaphore(), Semaphore())
      let isPosted = worker.post { _ in
        isBlocked.signal()
        _ = isFree.wait(until: .current + .seconds(1))
      }
      #expect(isPosted)
      isBlocked.wait()
      while worker.post({ _ in }) {}
    }
    try await live.change(
      .removePortal(Change.PortalName("127.0.0.1:\(ports[0])")),
      .addPortal(PortalSpecification(address: "127.0.0.1:\(ports[1])")), options: Self.force)
    #expect(Loopback.connected(to: ports[0]) == nil)
    _ = try Initiator.session(port: ports[1], Self.target)
  }
}
