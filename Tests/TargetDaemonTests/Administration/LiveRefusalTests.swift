import AdministrationClient
import AdministrationModel
import Glibc
import Reactor
import ServiceFixtures
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("Changes that cannot be, and what they leave behind: nothing", .serialized, .waiting)
struct LiveRefusalTests {
  private static let target = LiveDaemon.target
  private let unknown = "iqn.2026-11.com.example:none"

  @Test("Unknown targets, LUNs, stores, entries, users and portals are not found")
  func unknownThings() async throws {
    let live = try await LiveDaemon.start()
    for change: Change in [
      .removeTarget(Change.TargetName(unknown)),
      .addLUN(Change.LUNAddition(target: unknown, LUNSpecification(store: "disk"))),
      .addLUN(Change.LUNAddition(target: Self.target, LUNSpecification(store: "none"))),
      .removeLUN(Change.LUNName(target: Self.target, lun: 9)),
      .removeStore(Change.StoreName("none")),
      .resizeStore(Change.StoreSize("none", sizeBytes: 1 << 20)),
      .removeACLEntry(Change.EntryName(target: Self.target, EntryKey(initiator: "iqn.x:none"))),
      .removeCHAPUser(Change.UserName("none", at: CredentialPlace(target: Self.target))),
      .removePortal(Change.PortalName("127.0.0.9:1")),
    ] {
      #expect(try await live.refusal([change]).code == .notFound, "\(change)")
    }
    let client = live.client
    let noStore = "no store named \"none\" (stores: disk)"
    let asked: [(ask: @Sendable () async throws -> Void, sentence: String)] = [
      (
        { _ = try await client.targets(named: "iqn.x:none") },
        "no target named \"iqn.x:none\" (targets: \(Self.target))"
      ), ({ _ = try await client.stores(named: "none") }, noStore),
      ({ _ = try await client.reservations(store: "none") }, noStore),
      ({ try await client.clearReservations(store: "none") }, noStore),
    ]
    for (ask, sentence) in asked {
      let error = await #expect(throws: AdministrationError.self) { try await ask() }
      #expect(error?.code == .notFound && error?.message == sentence)
    }
  }

  @Test("Numbers and names that are taken conflict, and say by what")
  func takenThings() async throws {
    let live = try await LiveDaemon.start()
    try await live.addLUN("second")
    let taken = try await live.refusal([
      .addLUN(Change.LUNAddition(target: Self.target, LUNSpecification(lun: 1, store: "second")))
    ])
    #expect(taken.code == .conflict && taken.message == "LUN 1 is taken by store \"disk\"")
    #expect(taken.path == "targets[\(Self.target)].luns" && taken.change == nil)
    #expect(taken.remedy == "leave out --lun, or name a free number")
    let presented = try await live.refusal([.removeStore(Change.StoreName("disk"))])
    #expect(
      presented.message
        == "is presented by targets[\(Self.target)].luns[1]: remove these LUNs first")
    let second = try await live.refusal([
      .addStore(StoreSpecification(name: "third", kind: .memory, sizeBytes: 1 << 20)),
      .addLUN(Change.LUNAddition(target: Self.target, LUNSpecification(lun: 1, store: "third"))),
    ])
    #expect(second.code == .conflict && second.change == 1)
    for change: Change in [
      .addTarget(TargetSpecification(name: Self.target.uppercased())),
      .addStore(StoreSpecification(name: "disk", kind: .memory, sizeBytes: 1 << 20)),
      .addPortal(PortalSpecification(address: "127.0.0.1:\(live.port)")),
      .removeStore(Change.StoreName("disk")),
    ] {
      #expect(try await live.refusal([change]).code == .conflict, "\(change)")
    }
    let other = Loopback.listening()
    let port = try await live.refusal([
      .addPortal(PortalSpecification(address: "127.0.0.1:\(other.port)"))
    ])
    #expect(port.code == .conflict && port.message.contains("another process has port"))
  }

  @Test("One medium is no two stores: not by path, nor by a link, nor behind dots")
  func doubleUse() async throws {
    let live = try await LiveDaemon.start()
    link(live.scratch("disk.img"), live.scratch("link.img"))
    symlink(live.scratch("disk.img"), live.scratch("symbolic"))
    for path in ["disk.img", "link.img", "symbolic", "state/../disk.img", "./disk.img"] {
      let error = try await live.refusal([
        .addStore(StoreSpecification(name: "double", kind: .file, path: live.scratch(path)))
      ])
      #expect(error.code == .conflict, "\(path): \(error)")
      #expect(error.message.contains("the medium of the store \"disk\""))
      #expect(error.path == "stores.double.file")
    }
  }

  @Test("Media and sizes that cannot be are refused, and no file is made or changed")
  func wrongMedia() async throws {
    let live = try await LiveDaemon.start()
    try live.scratch.write([UInt8](repeating: 1, count: 2 << 20), to: "full.img")
    func add(_ path: String, _ size: UInt64? = nil, _ kind: StoreKind = .file) -> [Change] {
      [.addStore(StoreSpecification(name: "new", kind: kind, path: path, sizeBytes: size))]
    }
    let cases: [(changes: [Change], code: AdministrationError.Code, says: String)] = [
      (add(live.scratch("full.img"), 1 << 20), .storeFailed, "a store is never cut"),
      (add(live.scratch("none.img")), .storeFailed, "does not exist"),
      (add(live.scratch.path), .storeFailed, "is a directory"),
      (
        add(live.scratch("none/new.img"), 1 << 20), .storeFailed,
        "none is missing: make it, or mount"
      ),
      (add("/dev/swift-tgtd-none", nil, .block), .storeFailed, "does not exist"),
      (add("/dev/sda"), .invalid, "is a device"),
      (add("", 1 << 20), .invalid, ""),
      (add(live.scratch("odd.img"), 1000), .invalid, "512"),
      (add(live.scratch("zero.img"), 0), .invalid, ""),
      (add("/tmp/\0new.img", 1 << 20), .invalid, ""),
    ]
    for item in cases {
      let error = try await live.refusal(item.changes)
      #expect(error.code == item.code, "\(error)")
      #expect(error.message.contains(item.says), "\(error)")
    }
    for name in ["none.img", "odd.img", "zero.img"] { #expect(!live.exists(name)) }
    #expect(StoreMedia.fileBytes(of: live.scratch("full.img")) == 2 << 20)
  }

  @Test("Names, addresses and secrets that cannot be are invalid")
  func wrongWords() async throws {
    let live = try await LiveDaemon.start()
    func user(_ secret: String) -> Change {
      .addCHAPUser(
        Change.UserAddition(
          CredentialSpecification(user: "u", secret: SecretText(secret)),
          at: CredentialPlace(target: Self.target)))
    }
    func entry(_ initiator: String, _ addresses: [String]? = nil) -> Change {
      .addACLEntry(
        Change.EntryAddition(
          target: Self.target,
          AccessEntrySpecification(initiator: initiator, addresses: addresses)))
    }
    for change: Change in [
      .addTarget(TargetSpecification(name: "iqn.2026-11.com.example:a b")),
      .addTarget(TargetSpecification(name: "")),
      .addTarget(TargetSpecification(name: String(repeating: "a", count: 224))),
      entry("iqn.2026-11.com.example:n", ["192.0.2.0/33"]),
      entry("iqn.2026-11.com.example:n", ["192.0.2.1/24"]), entry("iqn.2026-11.com.example:n\u{1}"),
      user(""), user("twelve\0bytes!"), user(String(repeating: "x", count: 300)),
      .addPortal(PortalSpecification(address: "host:3260")),
      .setTarget(Change.TargetKeys(Self.target, ["nonsense": 1])),
      .setStore(Change.StoreKeys("disk", ["cache": "sometimes"])),
      .addLUN(
        Change.LUNAddition(target: Self.target, LUNSpecification(lun: 20_000, store: "disk"))),
    ] {
      let error = try await live.refusal([change])
      #expect(error.code == .invalid, "\(change): \(error)")
      #expect(!error.message.contains("twelve"), "no secret is shown")
    }
    let two = CredentialSpecification(user: "u", secretFile: live.scratch("none"))
    let missing = try await live.refusal([
      .addCHAPUser(Change.UserAddition(two, at: CredentialPlace(target: Self.target)))
    ])
    #expect(missing.code == .invalid)
  }

  @Test("Of several changes all are made or none; what was made for the first is taken back")
  func allOrNothing() async throws {
    let live = try await LiveDaemon.start()
    try live.scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "small.img")
    let other = Loopback.listening()
    let port = Loopback.freePort()
    let error = try await live.refusal(
      live.lunAddition("new") + [
        .addStore(
          StoreSpecification(
            name: "small", kind: .file, path: live.scratch("small.img"), sizeBytes: 8 << 20)),
        .resizeStore(Change.StoreSize("disk", sizeBytes: 2 << 20)),
        .addPortal(PortalSpecification(address: "127.0.0.1:\(port)")),
        .addPortal(PortalSpecification(address: "127.0.0.1:\(other.port)")),
      ])
    #expect(error.code == .conflict)
    #expect(!live.exists("new.img"))
    #expect(StoreMedia.fileBytes(of: live.scratch("small.img")) == 1 << 20)
    #expect(StoreMedia.fileBytes(of: live.scratch("disk.img")) == 1 << 20)
    #expect(Loopback.connected(to: port) == nil)
    #expect(live.daemon.inventory.served.map(\.name) == ["disk"])
    let node = try Initiator.session(port: live.port, Self.target)
    #expect(try node.capacity(1) == 1 << 20)
  }

  @Test("On a full disk the file stays, what runs stays, and what was prepared is taken back")
  func fullDisk() async throws {
    let live = try await LiveDaemon.start(on: FullFileSystem())
    let node = try Initiator.session(port: live.port, Self.target)
    let error = try await live.refusal(
      live.lunAddition("new") + [.resizeStore(Change.StoreSize("disk", sizeBytes: 2 << 20))],
      isForeseen: false)
    #expect(error.code == .fileFailed)
    #expect(error.message.contains("cannot be written: No space left on device"))
    #expect(try node.testUnitReady(1).status == 0, "nobody was told of a size that never was")
    #expect(error.remedy?.contains("--runtime-only") == true)
    #expect(!live.exists("new.img"))
    #expect(try node.capacity(1) == 1 << 20)
    #expect(StoreMedia.fileBytes(of: live.scratch("disk.img")) == 1 << 20)
    let result = try await live.addLUN("new", options: ChangeOptions(runtimeOnly: true))
    #expect(result.savedTo == nil)
    #expect(try await live.client.status().hasUnsavedChanges)
  }

  @Test("What takes a new start is refused by name")
  func needsRestart() async throws {
    let live = try await LiveDaemon.start()
    let text = try live.file.replacing("\"reactors\": 2", with: "\"reactors\": 3")
    let client = live.client
    let error = await #expect(throws: AdministrationError.self) {
      try await client.apply(text, ChangeOptions())
    }
    #expect(error?.code == .needsRestart && error?.path == "reactors")
    #expect(try live.file.contains("\"reactors\": 2"))
  }

  @Test("A socket that another daemon has is not taken; one that a dead daemon left is")
  func sockets() async throws {
    let live = try await LiveDaemon.start()
    let administration = Administration(
      live.daemon, live.service.administration.running.current, file: nil,
      logger: live.book.logger)
    let error = await #expect(throws: DaemonError.self) {
      try await onThread { try AdministrationService(administration) }
    }
    #expect(error?.status == .unavailable)
    #expect(error?.sentences.first?.contains("another server listens there already") == true)
    #expect(error?.sentences.first?.contains("stop the daemon that has it") == true)
    #expect(live.exists("admin.sock"))
    try await live.stop()
    #expect(!live.exists("admin.sock"))
  }
}

/// No room for a new file.
struct FullFileSystem: FaultyFileSystem {
  func create(_ path: String) throws(SystemError) -> any StateFileBeingMade { throw .noSpace }
}
