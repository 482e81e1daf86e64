import AdministrationClient
import AdministrationModel
import Glibc
import ServiceFixtures
import Synchronization
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("The configuration of a running daemon", .serialized, .waiting)
struct LiveConfigurationTests {
  private static let target = LiveDaemon.target
  private static let other = """
    {"name": "iqn.2026-11.com.example:other", "luns": [{"lun": 1, "store": "disk"}],
     "initiators": "any"},
    """

  @Test("A change is written with comments and order kept, and the file before stays beside it")
  func writesBack() async throws {
    let live = try await LiveDaemon.start()
    let before = try live.file
    try await live.addLUN("second")
    let after = try live.file
    for comment in ["// of the administrator", "// one", "// the disk", "// all"] {
      #expect(after.contains(comment))
    }
    #expect(after.contains("{\"lun\": 2, \"store\": \"second\"}"))
    #expect(try live.previousFile == before)
    #expect(try live.isSaved())
    #expect(try await live.client.difference().changes.isEmpty)
  }

  @Test("What is changed at run time only stays out of the file until it is saved")
  func runtimeOnly() async throws {
    let live = try await LiveDaemon.start()
    let before = try live.file
    let result = try await live.addLUN("second", options: ChangeOptions(runtimeOnly: true))
    #expect(result.savedTo == nil && result.outcomes.last?.lun?.lun == 2)
    #expect(try live.file == before)
    #expect(try await live.client.status().hasUnsavedChanges)
    let difference = try await live.client.difference().changes
    #expect(difference.map(\.path) == ["stores.second", "targets[\(Self.target)].luns[2]"])
    #expect(difference.map(\.change) == [.removed, .removed])
    let saved = try await live.client.save(ChangeOptions())
    #expect(saved.savedTo == live.scratch("targets.json"))
    #expect(try live.isSaved())
    #expect(try await live.client.status().hasUnsavedChanges == false)
  }

  @Test("Whoever removes a target hears nothing of those that stand behind it")
  func strangers() async throws {
    let live = try await LiveDaemon.start()
    let names = ["a", "b", "c"].map { "iqn.2026-11.com.example:\($0)" }
    for name in names {
      let added = try await live.change(.addTarget(TargetSpecification(name: name)))
      #expect(added.warnings.count == 1 && added.warnings[0].contains(name), "nobody may use it")
    }
    let removed = try await live.change(.removeTarget(Change.TargetName(names[0])))
    #expect(removed.warnings == [])
  }

  @Test("A dry run says what would be, and does nothing")
  func dryRun() async throws {
    let live = try await LiveDaemon.start()
    let before = try live.file
    let result = try await live.addLUN("second", options: ChangeOptions(dryRun: true))
    #expect(
      result.differences.map(\.path) == ["stores.second", "targets[\(Self.target)].luns[2]"])
    #expect(result.outcomes.isEmpty)
    #expect(try live.file == before)
    #expect(!live.exists("second.img"))
    #expect(live.daemon.inventory.served.map(\.name) == ["disk"])
  }

  @Test("A dry run makes no identity, keeps no lock, opens no port and no file, and cuts nothing")
  func dryRunOfAll() async throws {
    let live = try await LiveDaemon.start()
    try live.scratch.write([UInt8](repeating: 7, count: 1 << 20), to: "there.img")
    let identities = try live.scratch.read("state/identities")
    let port = Loopback.freePort()
    let changes: [Change] = [
      .addStore(
        StoreSpecification(
          name: "there", kind: .file, path: live.scratch("there.img"), sizeBytes: 4 << 20)),
      .addPortal(PortalSpecification(address: "127.0.0.1:\(port)")),
      .resizeStore(Change.StoreSize("disk", sizeBytes: 2 << 20)),
    ]
    let client = live.client
    _ = try await client.change(ChangeRequest(changes, ChangeOptions(dryRun: true)))
    #expect(try live.scratch.read("state/identities") == identities)
    #expect(Loopback.connected(to: port) == nil)
    #expect(StoreMedia.fileBytes(of: live.scratch("there.img")) == 1 << 20)
    #expect(StoreMedia.fileBytes(of: live.scratch("disk.img")) == 1 << 20)
    #expect(StoreMedia.lockOwner(of: live.scratch("there.img")) == nil)
    let cut = [Change.resizeStore(Change.StoreSize("disk", sizeBytes: 512 << 10))]
    #expect(try await live.refusal(cut).code == .inUse)
    _ = try await client.change(ChangeRequest(cut, ChangeOptions(force: true, dryRun: true)))
    #expect(StoreMedia.fileBytes(of: live.scratch("disk.img")) == 1 << 20)
    // What was tried can be done.
    _ = try await client.change(ChangeRequest(changes, ChangeOptions()))
    #expect(Loopback.connected(to: port) != nil)
  }

  @Test("A dry run of a reload is refused as the reload is, and says what would stay offline")
  func dryReload() async throws {
    let live = try await LiveDaemon.start()
    let client = live.client
    try live.edit {
      $0.replacing(
        "127.0.0.1:\(live.port)\"", with: "127.0.0.1:\(live.port)\", \"192.0.2.55:3260\"")
    }
    for options in [ChangeOptions(dryRun: true), ChangeOptions()] {
      let error = await #expect(throws: AdministrationError.self) {
        try await client.reload(options)
      }
      #expect(error?.message.contains("no interface of this machine has this address") == true)
    }
    try live.edit {
      $0.replacing(", \"192.0.2.55:3260\"", with: "")
        .replacing("// the disk", with: "\"gone\": {\"file\": \"gone.img\"},")
    }
    let result = try await client.reload(ChangeOptions(dryRun: true))
    #expect(result.warnings.contains { $0.contains("gone") && $0.contains("is offline until") })
    #expect(live.daemon.inventory.served.map(\.name) == ["disk"])
  }

  @Test("A reload brings what was edited by hand, and disturbs no other session")
  func reloads() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, Self.target)
    try live.edit { $0.replacing("\"targets\": [", with: "\"targets\": [\(Self.other)") }
    #expect(
      try await live.client.difference().changes.map(\.path)
        == ["targets[iqn.2026-11.com.example:other]"])
    let result = try await live.client.reload(ChangeOptions())
    #expect(result.differences.map(\.change) == [.added] && result.savedTo == nil)
    #expect(try Initiator(port: live.port).logIn(to: "iqn.2026-11.com.example:other") == 0)
    #expect(try node.testUnitReady(1).status == 0, "no unit attention either")
    #expect(node.asynchronousEvents.isEmpty)
    try live.edit { $0.replacing("\"targets\": [", with: "\"targets\": nonsense[") }
    let client = live.client
    let error = await #expect(throws: AdministrationError.self) {
      try await client.reload(ChangeOptions())
    }
    #expect(error?.code == .invalid)
    #expect(error?.message.hasPrefix("\(live.scratch("targets.json")):8:14: ") == true)
    #expect(
      error?.remedy?.contains("swift-tgtadm config check \(live.scratch("targets.json"))") == true)
    #expect(try await live.client.targets(named: nil).count == 2)
  }

  @Test("What is wrong with the file is told with file, line and key, whoever reads it anew")
  func locatesMistakes() async throws {
    let live = try await LiveDaemon.start()
    try live.edit {
      $0.replacing("\"file\"", with: "\"flie\"").replacing("\"size\"", with: "\"sise\"")
    }
    let file = live.scratch("targets.json")
    let client = live.client
    for ask: @Sendable () async throws -> Void in [
      { _ = try await client.reload(ChangeOptions()) },
      { _ = try await client.difference() },
    ] {
      let error = await #expect(throws: AdministrationError.self) { try await ask() }
      for line in [
        "\(file):6: stores.disk.flie: unknown key, did you mean \"file\"?",
        "\(file):6: stores.disk.sise: unknown key, did you mean \"size\"?",
      ] {
        #expect(error?.message.contains(line) == true, "\(error?.message ?? "")")
      }
    }
  }

  @Test("SIGHUP does the same, and the log says what has come of it")
  func signals() async throws {
    let live = try await LiveDaemon.start()
    live.service.administration.reloadBySignal()
    #expect(eventually { live.book.contains("configuration read anew") })
    try live.edit { $0.replacing("\"targets\": [", with: "\"targets\": [\(Self.other)") }
    live.service.administration.reloadBySignal()
    #expect(eventually { live.book.contains("added targets[iqn.2026-11.com.example:other]") })
    try live.edit { $0.replacing("\"stores\"", with: "\"stars\"") }
    live.service.administration.reloadBySignal()
    #expect(eventually { live.book.contains("was not read anew: what runs goes on") })
    #expect(live.book.contains("targets.json:4: stars: unknown key"))
  }

  @Test("A file that was edited by hand is not written over; with force both edits are in it")
  func handEdits() async throws {
    let live = try await LiveDaemon.start()
    try live.edit { $0.replacing("\"targets\": [", with: "\"targets\": [\(Self.other)") }
    let error = try await live.refusal(live.lunAddition("second"))
    #expect(error.code == .fileChanged)
    #expect(error.remedy?.hasPrefix("swift-tgtadm config reload ") == true)
    // Not every command has a --force.
    #expect(error.remedy?.contains(" swift-tgtadm config save --force writes ") == true)
    #expect(!live.exists("second.img"))
    try await live.addLUN("second", options: ChangeOptions(force: true))
    #expect(try live.file.contains("second.img"))
    #expect(try live.file.contains("iqn.2026-11.com.example:other"))
    #expect(try await live.client.targets().map(\.name) == [Self.target])
    _ = try await live.client.reload(ChangeOptions())
    #expect(try await live.client.targets().count == 2)
  }

  @Test("After a hand edit that is not valid no reload is advised, but to mend it")
  func invalidHandEdit() async throws {
    let live = try await LiveDaemon.start()
    try live.edit { $0.replacing("\"stores\"", with: "\"stars\"") }
    let error = try await live.refusal(live.lunAddition("second"))
    #expect(error.code == .fileChanged)
    #expect(error.message.contains("changed by hand since it was read, and is not valid: "))
    #expect(error.message.contains("stars: unknown key"))
    #expect(
      error.remedy
        == "mend it; swift-tgtadm config check \(FilePath.shellQuoted(live.scratch("targets.json"))) "
        + "tells when it is good, then swift-tgtadm config reload; --runtime-only leaves the file "
        + "alone, and swift-tgtadm config save --force keeps that text as FILE.rejected-TIME and "
        + "writes what runs")
  }

  @Test("What a dry run or a refused change is forced to does not count as read from the file")
  func handEditsOnTrial() async throws {
    let live = try await LiveDaemon.start()
    let client = live.client
    let text = try live.file
    try live.edit { $0.replacing("\"targets\": [", with: "\"targets\": [\(Self.other)") }
    let edited = try live.file
    let trial = ChangeOptions(force: true, dryRun: true)
    let added = try await live.addLUN("second", options: trial)
    #expect(added.differences.count == 2)
    _ = try await client.save(trial)
    _ = try await client.apply(text, trial)
    let refused = Change.addStore(
      StoreSpecification(name: "none", kind: .file, path: live.scratch("none.img")))
    await #expect(throws: AdministrationError.self) {
      try await client.change(ChangeRequest([refused], ChangeOptions(force: true)))
    }
    let error = await #expect(throws: AdministrationError.self) {
      try await client.save(ChangeOptions())
    }
    #expect(error?.code == .fileChanged)
    #expect(try live.file == edited)
    _ = try await client.save(ChangeOptions(force: true))
    #expect(try live.isSaved())
    #expect(try live.file.contains("iqn.2026-11.com.example:other") == false)
  }

  @Test("A whole configuration is applied in one step")
  func applies() async throws {
    let live = try await LiveDaemon.start()
    let text = try live.file
      .replacing("\"targets\": [", with: "\"targets\": [\(Self.other)")
      .replacing("// all", with: "// everybody")
    let result = try await live.client.apply(text, ChangeOptions())
    #expect(result.differences.count == 1 && result.savedTo != nil)
    #expect(try live.file == text)
    #expect(try Initiator(port: live.port).logIn(to: "iqn.2026-11.com.example:other") == 0)
  }

  @Test("The configuration is shown without secrets, unless they are asked for")
  func redacts() async throws {
    let live = try await LiveDaemon.start()
    let user = CredentialSpecification(user: "node", secret: SecretText("very-secret-secret"))
    try await live.change(
      .addCHAPUser(Change.UserAddition(user, at: CredentialPlace(target: Self.target))))
    let shown = try await live.client.configuration(withSecrets: false)
    #expect(shown.isRedacted && !shown.text.contains("very-secret"))
    #expect(shown.text.contains("\"user\": \"node\", \"secret\": \"<redacted>\""))
    let whole = try await live.client.configuration(withSecrets: true)
    let file = try live.file
    #expect(!whole.isRedacted && whole.text == file)
    #expect(!live.book.lines.contains { $0.contains("very-secret") })
  }

  @Test("Of many administrators at once each change is made, and the file says all of them")
  func serialises() async throws {
    let live = try await LiveDaemon.start()
    let client = live.client
    try await withThrowingTaskGroup(of: UInt16?.self) { group in
      for index in 0..<12 {
        let changes: [Change] = [
          .addStore(StoreSpecification(name: "m\(index)", kind: .memory, sizeBytes: 1 << 20)),
          .addLUN(Change.LUNAddition(target: Self.target, LUNSpecification(store: "m\(index)"))),
        ]
        group.addTask {
          try await client.change(ChangeRequest(changes)).outcomes.last?.lun?.lun
        }
      }
      var numbers: Set<UInt16> = []
      for try await number in group { numbers.insert(try #require(number)) }
      #expect(numbers == Set(2...13))
    }
    #expect(live.daemon.inventory.served.count == 13)
    #expect(try live.isSaved())
  }

  @Test("Events tell of changes, sessions, refused logins and reservations, in order")
  func events() async throws {
    let live = try await LiveDaemon.start()
    let client = live.client
    let node = try Initiator.session(port: live.port, Self.target)
    _ = try Initiator(port: live.port).logIn(to: "iqn.2026-11.com.example:none")
    _ = try node.register(7, lun: 1)
    _ = try node.reserve(7, lun: 1)
    try await live.addLUN("second")
    let sessions = try await client.sessions()
    try await client.endSession(try #require(sessions.first).id, by: .kill)
    #expect(node.isClosed())
    let wanted: [Event.Kind] = [
      .sessionStarted, .loginRefused, .reservationChanged, .reservationChanged,
      .configurationChanged, .sessionEnded,
    ]
    let seen = Mutex<[Event]>([])
    try await client.events(after: 0) { event in
      seen.withLock { seen in
        if event.kind != .alive { seen.append(event) }
        return seen.count < wanted.count
      }
    }
    let events = seen.withLock { $0 }
    #expect(events.map(\.kind) == wanted)
    #expect(events[1].message.contains("no such target for it: no such target here, or no access"))
    #expect(events[1].reason == "notFound")
    #expect(events[3].message.contains("reserved by iqn.2026-11.com.example:node1"))
    #expect(events[4].message.contains("stores.second"))
    #expect(events[5].session == sessions.first?.id)
  }

  @Test("Metrics and statistics count commands, bytes, sessions and refused logins")
  func metrics() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, Self.target)
    let block = [UInt8](repeating: 1, count: 512)
    #expect(
      try node.execute([0x2A, 0, 0, 0, 0, 0, 0, 0, 1, 0], lun: 1, writing: block).status == 0)
    _ = try Initiator(port: live.port).logIn(to: "iqn.2026-11.com.example:none")
    let text = try await live.client.metrics()
    for line in [
      "swift_tgtd_commands_total{store=\"disk\",kind=\"write\"} 1",
      "swift_tgtd_bytes_total{store=\"disk\",kind=\"write\"} 512",
      "swift_tgtd_sessions{target=\"\(Self.target)\"} 1",
      "swift_tgtd_login_failures_total{reason=\"notFound\"} 1",
      "swift_tgtd_store_up{store=\"disk\"} 1",
      "swift_tgtd_store_endangered{store=\"disk\"} 0",
      "swift_tgtd_command_duration_seconds_count{store=\"disk\",kind=\"write\"} 1",
      "swift_tgtd_portal_up{portal=\"127.0.0.1:\(live.port)\"} 1",
    ] {
      #expect(text.split(separator: "\n").contains { $0 == line }, "\(line)")
    }
    let statistics = try await live.client.statistics()
    #expect(statistics.total.counters.writtenBytes == 512)
    #expect(statistics.stores.first?.io.writeLatency?.count == 1)
    #expect(statistics.sessions.first?.io.counters.writes == 1)
    #expect(statistics.loginFailures == ["notFound": 1])
  }
  @Test("A store in several LUNs counts once; its LUNs are all there, those of entries too")
  func sharedStore() async throws {
    let live = try await LiveDaemon.start()
    var other = TargetSpecification(name: "iqn.2026-11.com.example:other")
    other.luns = [LUNSpecification(lun: 7, store: "disk")]
    var entry = AccessEntrySpecification(initiator: "iqn.2026-11.com.example:node1")
    entry.luns = [LUNSpecification(lun: 3, store: "disk")]
    other.acl = [entry]
    try await live.change(.addTarget(other))
    let node = try Initiator.session(port: live.port, Self.target)
    let block = [UInt8](repeating: 1, count: 512)
    #expect(
      try node.execute([0x2A, 0, 0, 0, 0, 0, 0, 0, 1, 0], lun: 1, writing: block).status == 0)
    let statistics = try await live.client.statistics()
    #expect(statistics.total.counters.writes == 1)
    #expect(statistics.stores.map(\.store) == ["disk"])
    #expect(statistics.stores.map(\.io.counters.writes) == [1])
    #expect(statistics.luns.map(\.lun) == [1, 7, 3])
    #expect(statistics.luns.map(\.initiator) == [nil, nil, "iqn.2026-11.com.example:node1"])
  }

  @Test("Reservations that cannot be read are told as such, not as none")
  func tellsDamagedReservations() async throws {
    let (scratch, naa) = (try Scratch(), "6020c1f0a2d45b7e8c9d001122334455")
    mkdir(scratch("state"), 0o700)
    mkdir(scratch("state/reservations"), 0o700)
    try scratch.write(Array("damaged".utf8), to: "state/reservations/\(naa)")
    let live = try await LiveDaemon.start(
      """
      "stores": {"disk": {"file": "disk.img", "size": "1MiB", "naa": "\(naa)", "serial": "1"}},
      "targets": [],
      """, in: scratch)
    for store in [nil, "disk"] {
      let resource = try #require(try await live.client.reservations(store: store).first)
      #expect(resource.store == "disk" && resource.problem?.contains("is damaged") == true)
    }
  }
}
