import CLinux
import Glibc
import Reactor
import SCSITarget
import ServiceFixtures
import Testing

@testable import TargetDaemon

@Suite("The state directory")
struct StateTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func mode(_ name: String) -> mode_t {
    var status = stat()
    stat(scratch(name), &status)
    return status.st_mode & 0o777
  }

  /// T-SEC-1.
  @Test("It is made for its owner alone, and a second instance is refused by the first's pid")
  func lock() throws {
    var first: StateDirectory? = try StateDirectory.open(scratch("state"))
    #expect(mode("state") == 0o700 && mode("state/lock") == 0o600)
    let error = #expect(throws: DaemonError.self) { try StateDirectory.open(scratch("state")) }
    #expect(error?.status == .temporaryFailure)
    #expect(
      error?.description.hasPrefix(
        "another swift-tgtd (pid \(getpid())) uses the state directory \(scratch("state")): stop it"
      ) == true)
    #expect(first?.path == scratch("state"))
    first = nil
    #expect(throws: Never.self) { try StateDirectory.open(scratch("state")) }
  }

  @Test("A child that is being started does not keep the lock, though it has a copy of it")
  func lockIsGivenUp() throws {
    var state: StateDirectory? = try StateDirectory.open(scratch("state"))
    let path = try #require(state).path + "/lock"
    let lock = try #require(descriptor(of: path))
    let copy = dup(lock)
    defer { close(copy) }
    state = nil
    #expect(descriptor(of: path) == copy, "it lives on")
    #expect(throws: Never.self) { try StateDirectory.open(scratch("state")) }
  }

  /// One of this process that stands for that file.
  private func descriptor(of path: String) -> Int32? {
    (0..<4096).first {
      guard let found = realpath("/proc/self/fd/\($0)", nil) else { return false }
      defer { free(found) }
      return String(cString: found) == path
    }
  }

  @Test("A directory that others may write to is refused with the chmod to run")
  func permissions() throws {
    mkdir(scratch("state"), 0o700)
    chmod(scratch("state"), 0o777)
    let error = #expect(throws: DaemonError.self) { try StateDirectory.open(scratch("state")) }
    #expect(error?.description.contains("run chmod 700 \(scratch("state"))") == true)
    #expect(error?.status == .inputOutput)
  }

  @Test("A link in place of the directory is not followed")
  func link() throws {
    mkdir(scratch("elsewhere"), 0o700)
    symlink(scratch("elsewhere"), scratch("state"))
    let error = #expect(throws: DaemonError.self) { try StateDirectory.open(scratch("state")) }
    #expect(error?.description.contains("is not a directory") == true)
  }

  @Test(
    "Without the reservations of stores that were served, nothing starts until somebody says so")
  func lostReservations() throws {
    do {
      var registry = try IdentityRegistry.load(try StateDirectory.open(scratch("state")))
      _ = try registry.identities(of: ["quorum1"])
    }
    rmdir(scratch("state/reservations"))
    let error = #expect(throws: DaemonError.self) { try StateDirectory.open(scratch("state")) }
    #expect(error?.status == .inputOutput)
    #expect(
      error?.description.contains("run mkdir -m 700 \(scratch("state/reservations"))") == true)
    #expect(access(scratch("state/reservations"), F_OK) != 0)
    // Without identities, a record of another kind says that there were some.
    unlink(scratch("state/identities"))
    try scratch.write([], to: "state/wipes/60205a5a5a5a5a5a5a5a5a5a5a5a5a5a")
    #expect(throws: DaemonError.self) { try StateDirectory.open(scratch("state")) }
    #expect(access(scratch("state/reservations"), F_OK) != 0)
    mkdir(scratch("state/reservations"), 0o700)
    #expect(throws: Never.self) { try StateDirectory.open(scratch("state")) }
  }

  @Test("A missing parent is named as the reason")
  func parent() throws {
    let error = #expect(throws: DaemonError.self) { try StateDirectory.open(scratch("a/state")) }
    #expect(error?.description.contains("create the directory above it") == true)
  }

  // MARK: Identities

  private let names = ["quorum1", "with space", "with\nline", "with%20escape", "../up", "ä"]

  @Test("Identities are unique, locally assigned NAA 6 and the same after a restart")
  func identities() throws {
    var seen: [String: GeneratedIdentity] = [:]
    do {
      let state = try StateDirectory.open(scratch("state"))
      var registry = try IdentityRegistry.load(state)
      seen = try registry.identities(of: names)
    }
    #expect(mode("state/identities") == 0o600)
    #expect(Set(seen.values.map(\.hexadecimal)).count == names.count)
    for identity in seen.values {
      // NAA 6, company identifier 02h.. : locally administered, no OUI, no CID.
      #expect(identity.hexadecimal.hasPrefix("602"))
      #expect(identity.serial == String(identity.hexadecimal.suffix(16)))
    }
    let state = try StateDirectory.open(scratch("state"))
    var registry = try IdentityRegistry.load(state)
    #expect(try registry.identities(of: names) == seen)
    // A new store changes nobody else's, a removed one keeps its own for its return.
    #expect(try registry.identities(of: ["another"]).count == 1)
    var again = try IdentityRegistry.load(state)
    #expect(try again.identities(of: names) == seen)
  }

  @Test(
    "Of names that are not configured any more the oldest are forgotten, if nothing is on record")
  func forgets() throws {
    let state = try StateDirectory.open(scratch("state"))
    var registry = try IdentityRegistry.load(state)
    let names = (0..<IdentityRegistry.formerCountMax).map { "volume\($0)" }
    let before = try registry.identities(of: names, alive: Set(names))
    let recorded = try #require(before["volume1"]).hexadecimal
    try scratch.write([], to: "state/reservations/\(recorded)")
    _ = try registry.identities(of: ["one"], alive: [])
    #expect(registry.hasServed("volume0"), "there are not too many")
    let alive: Set = ["volume2"]
    _ = try registry.identities(of: ["two"], alive: alive)
    _ = try registry.identities(of: [], noting: ["three"], alive: alive)
    for registry in [registry, try IdentityRegistry.load(state)] {
      #expect(!registry.hasServed("volume0") && !registry.hasServed("volume3"))
      for name in ["volume1", "volume2", names.last ?? "", "one", "two", "three"] {
        #expect(registry.hasServed(name), "\(name)")
      }
    }
    var again = try IdentityRegistry.load(state)
    let kept = try again.identities(of: ["volume1", "volume2"])
    #expect(kept["volume1"] == before["volume1"] && kept["volume2"] == before["volume2"])
  }

  @Test("A damaged identity file, whichever byte it is and wherever it ends, stops the start")
  func damage() throws {
    let state = try StateDirectory.open(scratch("state"))
    var registry = try IdentityRegistry.load(state)
    _ = try registry.identities(of: ["quorum1", "resource"])
    let content = try scratch.read("state/identities")
    for index in content.indices {
      var changed = content
      changed[index] ^= 0x01
      try scratch.write(changed, to: "state/identities")
      #expect(throws: DaemonError.self) { try IdentityRegistry.load(state) }
      try scratch.write(Array(content[..<index]), to: "state/identities")
      #expect(throws: DaemonError.self) { try IdentityRegistry.load(state) }
    }
    let error = #expect(throws: DaemonError.self) { try IdentityRegistry.load(state) }
    #expect(error?.status == .inputOutput)
    #expect(error?.description.hasPrefix("\(scratch("state/identities")) is damaged") == true)
    #expect(error?.description.contains("Restore it from a backup") == true)
    #expect(try scratch.read("state/identities") == Array(content.dropLast()), "left as it was")
  }

  @Test(
    "Without the identities of stores that were served, nothing starts until somebody says so",
    arguments: ["reservations", "wipes", "parameters"])
  func lostIdentities(kind: String) throws {
    let state = try StateDirectory.open(scratch("state"))
    var registry = try IdentityRegistry.load(state)
    let before = try registry.identities(of: ["quorum1"])
    let identity = try #require(before["quorum1"])
    let record = "state/\(kind)/\(identity.hexadecimal)"
    try scratch.write([], to: record)
    rename(scratch("state/identities"), scratch("backup"))

    var bereft = try IdentityRegistry.load(state)
    let error = #expect(throws: DaemonError.self) { try bereft.identities(of: ["quorum1", "b"]) }
    #expect(error?.status == .inputOutput)
    let text = try #require(error?.description)
    #expect(
      text.hasPrefix("\(scratch("state/identities")) is missing, but \(scratch(record)) is there"))
    #expect(
      text.contains("without their reservations: \"quorum1\", \"b\". Restore it from a backup"))
    #expect(text.contains("with \"naa\" and \"serial\" in the configuration"))
    #expect(text.contains("every fenced node is off, and move all files in these directories away"))
    #expect(access(scratch("state/identities"), F_OK) != 0, "it is not made up")
    // Each of the three ways out.
    rename(scratch("backup"), scratch("state/identities"))
    var restored = try IdentityRegistry.load(state)
    #expect(try restored.identities(of: ["quorum1"]) == before)
    unlink(scratch("state/identities"))
    var configured = try IdentityRegistry.load(state)
    #expect(try configured.identities(of: []).isEmpty)
    var later = try IdentityRegistry.load(state)
    #expect(try later.identities(of: ["another"]).count == 1, "from here on as ever")
    unlink(scratch("state/identities"))
    unlink(scratch(record))
    var anew = try IdentityRegistry.load(state)
    #expect(try anew.identities(of: ["quorum1"]) != before)
  }

  @Test("The name under which a medium was served last is found, once, and over a restart")
  func renamings() throws {
    let state = try StateDirectory.open(scratch("state"))
    var registry = try IdentityRegistry.load(state)
    let before = try registry.identities(of: ["a", "b"])
    _ = registry.note(["a": "/srv/a b.img", "b": "/srv/b.img"])
    try registry.saveMedia()
    var again = try IdentityRegistry.load(state)
    #expect(again.renamings(["a": "/srv/a b.img"], configured: ["a"]) == [])
    #expect(again.renamings(["c": "/srv/b.img"], configured: ["b", "c"]) == [], "b is there")
    let found = again.renamings(["c": "/srv/a b.img", "d": "/srv/d.img"], configured: ["c", "d"])
    #expect(found.map(\.store) == ["c"] && found.map(\.former) == ["a"])
    #expect(found.map(\.identity) == [before["a"]])
    _ = try again.identities(of: ["c"])
    var isNews = again.note(["c": "/srv/a b.img"])
    #expect(isNews)
    #expect(try IdentityRegistry.load(state).renamings(["c": "/srv/a b.img"], configured: []) != [])
    // The next identity that is made saves it, too.
    _ = try again.identities(of: ["d"])
    isNews = again.note(["c": "/srv/a b.img"])
    #expect(!isNews, "that is known")
    let later = try IdentityRegistry.load(state)
    #expect(later.renamings(["c": "/srv/a b.img"], configured: ["c"]) == [])
    #expect(later.renamings(["a": "/srv/a b.img"], configured: ["a"]).map(\.former) == ["c"])
  }

  @Test("Two media that change their names have one name each; a trial keeps nothing")
  func exchangedMedia() throws {
    let state = try StateDirectory.open(scratch("state"))
    var registry = try IdentityRegistry.load(state)
    let supposed = try registry.identities(of: ["a"], isTrial: true)
    #expect(supposed.count == 1 && !registry.hasServed("a"))
    #expect(access(scratch("state/identities"), F_OK) != 0)
    _ = try registry.identities(of: ["a", "b"])
    for media in [["a": "/srv/1", "b": "/srv/2"], ["a": "/srv/2", "b": "/srv/1"]] {
      let isNews = registry.note(media)
      #expect(isNews)
    }
    try registry.saveMedia()
    for registry in [registry, try IdentityRegistry.load(state)] {
      let found = registry.renamings(["x": "/srv/1", "y": "/srv/2"], configured: [])
      #expect(found.map(\.former) == ["b", "a"])
    }
  }

  @Test("Identities that an earlier release saved are read")
  func formerIdentities() throws {
    let state = try StateDirectory.open(scratch("state"))
    let text = "swift-tgtd identities 1\n6020c1f0a2d45b7e8c9d001122334455 quorum1\n"
    try scratch.write(ChecksummedText(text).content(.crc32c), to: "state/identities")
    var registry = try IdentityRegistry.load(state)
    #expect(
      try registry.identities(of: ["quorum1"])["quorum1"]?.hexadecimal
        == "6020c1f0a2d45b7e8c9d001122334455")
    _ = registry.note(["quorum1": "/srv/q.img"])
    try registry.saveMedia()
    #expect(try IdentityRegistry.load(state).hasServed("quorum1"))
  }

  @Test("A state directory from before the first store was served gives out identities")
  func notServedYet() throws {
    for _ in 1...2 { _ = try StateDirectory.open(scratch("state")) }
    let state = try StateDirectory.open(scratch("state"))
    for name in [".spare", "spare"] {
      try scratch.write([], to: "state/reservations/\(name)")
      #expect(try state.anyRecord() == nil, "room that is kept is no record")
    }
    var registry = try IdentityRegistry.load(state)
    #expect(try registry.identities(of: ["quorum1"]).count == 1)
  }

  @Test("Where a directory of records cannot be looked into, no identity is given out")
  func hiddenRecords() throws {
    let state = try StateDirectory.open(scratch("state"))
    rmdir(scratch("state/wipes"))
    try scratch.write([], to: "state/wipes")
    let error = #expect(throws: DaemonError.self) { try IdentityRegistry.load(state) }
    #expect(error?.description.contains("cannot look into \(scratch("state/wipes"))") == true)
  }

  @Test("A start without identities needs all of them in the configuration")
  func configuredIdentities() throws {
    let record = "state/reservations/60205a5a5a5a5a5a5a5a5a5a5a5a5a5a"
    _ = try StateDirectory.open(scratch("state"))
    try scratch.write(Sample.file().content, to: record)
    func start(_ identity: String) throws -> Daemon {
      let text = """
        "portals": ["127.0.0.1:\(Loopback.freePort())"],
        "stores": {"disk": {"memory": true, "size": "1MiB"\(identity)}},
        "targets": [{"name": "iqn.2026-11.com.example:t", "initiators": "any",
          "luns": [{"lun": 0, "store": "disk"}]}]
        """
      return try Daemon(scratch.load(text), logger: LogBook().logger)
    }
    let naa = ", \"naa\": \"60205a5a5a5a5a5a5a5a5a5a5a5a5a5a\""
    for identity in ["", naa, ", \"serial\": \"1\""] {
      let error = #expect(throws: DaemonError.self) { try start(identity) }
      #expect(error?.description.contains("other disks") == true)
    }
    let daemon = try start(naa + ", \"serial\": \"1\"")
    #expect(daemon.units.map(\.identity.naa) == [Sample.naa])
    #expect(daemon.stop())
  }

  @Test("An identity file that cannot be saved keeps the old one and says so")
  func unsaved() throws {
    let state = try StateDirectory.open(scratch("state"))
    var registry = try IdentityRegistry.load(state)
    let before = try registry.identities(of: ["a"])
    // A directory in the way of the temporary file.
    mkdir(scratch("state/identities.new"), 0o700)
    let error = #expect(throws: DaemonError.self) { try registry.identities(of: ["b"]) }
    #expect(error?.description.contains("cannot save \(scratch("state/identities"))") == true)
    var reloaded = try IdentityRegistry.load(state)
    #expect(try reloaded.identities(of: ["a"]) == before)
  }

  // MARK: Latch marks

  @Test("A mark survives a restart and belongs to its store alone")
  func marks() throws {
    let long = String(repeating: "x/", count: 300)
    do {
      let marks = LatchMarks(try StateDirectory.open(scratch("state")))
      #expect(marks.finding(for: "quorum1") == nil && marks.finding(for: long) == nil)
      try marks.mark("quorum1", .inputOutput)
      try marks.mark(long, .inputOutput)
    }
    let marks = LatchMarks(try StateDirectory.open(scratch("state")))
    #expect(marks.finding(for: "quorum1") == .mark(path: scratch("state/latched/quorum1")))
    #expect(marks.finding(for: long) == .mark(path: marks.path(of: long)))
    for other in ["quorum2", long + "x", "../lock"] { #expect(marks.finding(for: other) == nil) }
    unlink(scratch("state/latched/quorum1"))
    #expect(marks.finding(for: "quorum1") == nil)
  }

  @Test("A mark is made on a full file system, and an existing one stays", .enabled(if: isRoot))
  func fullFileSystem() throws {
    mkdir(scratch("state"), 0o700)
    guard mount("none", scratch("state"), "tmpfs", 0, "size=64k,mode=700") == 0 else { return }
    defer { umount2(scratch("state"), Int32(MNT_DETACH)) }
    let marks = LatchMarks(try StateDirectory.open(scratch("state")))
    #expect(throws: SystemError.self) {
      try scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "state/filler")
    }
    try marks.mark("quorum1", .inputOutput)
    #expect(marks.finding(for: "quorum1") == .mark(path: scratch("state/latched/quorum1")))
    #expect(try scratch.read("state/latched/quorum1") == [], "no room was left for the reason")
    try marks.mark("quorum1", .inputOutput)
  }

  @Test("A mark that cannot be made is told, and what is in its place already counts as one")
  func noMark() throws {
    let marks = LatchMarks(try StateDirectory.open(scratch("state")))
    symlink("nowhere", scratch("state/latched/a"))
    #expect(throws: Never.self) { try marks.mark("a", .inputOutput) }
    rename(scratch("state/latched"), scratch("away"))
    #expect(throws: SystemError.noSuchFile) { try marks.mark("b", .inputOutput) }
  }

  @Test("What a crash left half made, and what cannot be looked at, is found under its own path")
  func halfMark() throws {
    let marks = LatchMarks(try StateDirectory.open(scratch("state")))
    try scratch.write([], to: "state/latched/a")
    #expect(marks.finding(for: "a") == .mark(path: scratch("state/latched/a")))
    symlink("nowhere", scratch("state/latched/b"))
    #expect(marks.finding(for: "b") == .mark(path: scratch("state/latched/b")))
    rename(scratch("state/latched"), scratch("state/away"))
    try scratch.write([], to: "state/latched")
    #expect(
      marks.finding(for: "c")
        == .unreadable(path: scratch("state/latched/c"), SystemError(rawValue: ENOTDIR)))
  }
}
