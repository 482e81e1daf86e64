import AdministrationClient
import AdministrationModel
import BackingStore
import Glibc
import SCSITarget
import ServiceFixtures
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("The daemon's own files are no media, whatever they are called", .serialized, .waiting)
struct OwnMediaTests {
  private func refusal(of name: String, _ live: LiveDaemon) async throws -> AdministrationError {
    let store = StoreSpecification(
      name: "own", kind: .file, path: live.scratch(name), sizeBytes: 1 << 20)
    return try await live.refusal([.addStore(store)])
  }

  @Test("A store that is added on one of them by its path conflicts")
  func byPath() async throws {
    let live = try await LiveDaemon.start()
    for (name, role) in [
      ("state/reservations/.spare", "is in the state directory \"\(live.scratch("state"))\""),
      ("state/wipes/new.img", "is in the state directory"),
      ("targets.json", "is the configuration file,"),
      ("targets.json~", "is the copy of the configuration file,"),
      (".targets.json.swift-tgtd", "is the temporary file of the configuration,"),
      ("admin.sock", "is the administration socket,"),
    ] {
      let error = try await refusal(of: name, live)
      #expect(error.code == .conflict && error.path == "stores.own.file", "\(name): \(error)")
      #expect(error.message.contains(role), "\(error)")
    }
    #expect(!live.exists("state/wipes/new.img") && !live.exists(".targets.json.swift-tgtd"))
  }

  @Test("Nor is one behind a hard link, or a link to a directory, and nothing is made there")
  func byLink() async throws {
    let live = try await LiveDaemon.start()
    #expect(link(live.scratch("targets.json"), live.scratch("hard.img")) == 0)
    #expect(symlink(live.scratch.path, live.scratch("alias")) == 0)
    let rejected = "targets.json.rejected-2026-11-22T10:00:00Z"
    for name in ["state/reservations/record", rejected] {
      try live.scratch.write(Array("secret".utf8), to: name)
    }
    for (name, other) in [
      ("state/identities", "identities.img"), ("state/reservations/record", "record.img"),
      (rejected, "rejected.img"),
    ] {
      #expect(link(live.scratch(name), live.scratch(other)) == 0)
    }
    let before = try live.scratch.read("state/identities")
    for (name, role) in [
      ("hard.img", "is the configuration file under another name"),
      ("alias/targets.json", "is the configuration file under another name"),
      ("alias/targets.json~", "is the copy of the configuration file under another name"),
      ("identities.img", "is in the state directory"), ("record.img", "is in the state directory"),
      ("rejected.img", "is a rejected copy of the configuration file under another name"),
      ("alias/state/identities", "is in the state directory"),
      ("alias/state/wipes/new.img", "is in the state directory"),
    ] {
      let error = try await refusal(of: name, live)
      #expect(error.code == .storeFailed && error.path == "stores.own.file", "\(name): \(error)")
      #expect(error.message.hasPrefix("\(live.scratch(name)): \(role)"), "\(error)")
      #expect(error.message.hasSuffix("give the store another path"), "\(error)")
    }
    #expect(try live.scratch.read("state/identities") == before)
    #expect(!live.exists("state/wipes/new.img") && !live.exists("targets.json~"))
  }

  @Test("A file that has several names, none of them the daemon's, is a medium like any other")
  func linkedMedium() async throws {
    let live = try await LiveDaemon.start()
    try live.scratch.write([UInt8](repeating: 0, count: 1 << 20), to: "a.img")
    #expect(link(live.scratch("a.img"), live.scratch("b.img")) == 0)
    let store = StoreSpecification(
      name: "linked", kind: .file, path: live.scratch("b.img"), sizeBytes: 1 << 20)
    try await live.change(.addStore(store))
    #expect(live.daemon.units.map(\.identity.name).contains("linked"))
  }

  @Test("Disks beside the state are media like any other; all the daemon makes there is its own")
  func besideState() async throws {
    let live = try await LiveDaemon.start()
    let store = StoreSpecification(
      name: "beside", kind: .file, path: live.scratch("state/new.img"), sizeBytes: 1 << 20)
    try await live.change(.addStore(store))
    let names = Set(try StateFile.names(in: live.scratch("state"))).subtracting(["new.img"])
    #expect(names.isSubset(of: OwnFiles.stateNames) && names.contains("identities"), "\(names)")
  }

  @Test("What was the daemon's own at the start stays offline when the daemon has left it behind")
  func leftBehind() async throws {
    let scratch = try Scratch()
    try scratch.write([], to: "targets.json")
    #expect(link(scratch("targets.json"), scratch("hard.img")) == 0)
    let live = try await LiveDaemon.start(
      #""stores": {"own": {"file": "hard.img", "size": "1MiB"}},"#, in: scratch)
    let store = StoreSpecification(
      name: "disk", kind: .file, path: scratch("disk.img"), sizeBytes: 1 << 20)
    // The configuration is another file from now on.
    try await live.change(.addStore(store))
    try await Task.sleep(for: .milliseconds(2500))
    #expect(live.daemon.units.map(\.store.readiness) == [.absent, .ready])
  }

  @Test("A reload that asks for one is refused")
  func reload() async throws {
    let live = try await LiveDaemon.start()
    #expect(link(live.scratch("targets.json"), live.scratch("hard.img")) == 0)
    let client = live.client
    let plain = try live.file
    for (name, role) in [
      ("state/lock", "is in the state directory"),
      ("hard.img", "is the configuration file under another name"),
    ] {
      // In place: a hard link stays one.
      try live.edit { _ in
        plain.replacing(
          "\"disk\": {", with: "\"own\": {\"file\": \"\(name)\", \"size\": \"1MiB\"}, \"disk\": {")
      }
      let error = await #expect(throws: AdministrationError.self) { try await client.reload() }
      #expect(error?.message.contains(role) == true, "\(String(describing: error))")
    }
    #expect(live.daemon.units.map(\.identity.name) == ["disk"])
  }
}

@Suite("The daemon's own files are not served at the start either", .serialized, .waiting)
struct OwnMediaStartTests {
  let scratch: Scratch
  let book = LogBook()
  init() throws { scratch = try Scratch() }

  @Test("Behind links their stores stay offline, with the reason in the log and at a check")
  func start() throws {
    #expect(symlink(scratch.path, scratch("alias")) == 0)
    try scratch.write(Array("secretsecret".utf8), to: "secret")
    #expect(link(scratch("secret"), scratch("hard.img")) == 0)
    let loaded = try scratch.load(
      """
      "portals": ["127.0.0.1:\(Loopback.freePort())"],
      "discovery": {"chap": [{"user": "u", "secret": {"file": "secret"}}]},
      "stores": {
        "state": {"file": "alias/state/identities", "size": "1MiB"},
        "secret": {"file": "hard.img", "size": "1MiB"},
        "disk": {"memory": true, "size": "1MiB"}}
      """)
    let daemon = try Daemon(loaded, logger: book.logger)
    #expect(daemon.units.map(\.store.readiness) == [.absent, .absent, .ready])
    let inState = "\(scratch("alias/state/identities")): is in the state directory"
    let onSecret = "\(scratch("hard.img")): is the file of a secret under another name"
    #expect(book.contains(inState) && book.contains(onSecret))
    #expect(daemon.stop())
    #expect(try scratch.read("secret").count == 12)
    let found = try TargetDirectoryCheck.run(loaded).warnings.map(\.sentence)
    #expect(found.contains { $0.contains(inState) } && found.contains { $0.contains(onSecret) })
  }
}
