import AdministrationModel
import Synchronization
import Testing

@testable import AdministrationCommands

@Suite("What commands ask for")
struct RequestTests {
  private static let target = Samples.target
  private static let place = CredentialPlace(target: target)

  static let changes: [(line: String, change: Change)] = [
    ("target add \(target)", .addTarget(TargetSpecification(name: target))),
    ("target remove \(target)", .removeTarget(Change.TargetName(target))),
    ("lun remove --target \(target) 7", .removeLUN(Change.LUNName(target: target, lun: 7))),
    (
      "lun remove --target \(target) --for iqn.n --address 192.0.2.0/24 --address ::1 7",
      .removeLUN(
        Change.LUNName(
          target: target,
          entry: EntryKey(initiator: "iqn.n", addresses: ["192.0.2.0/24", "::1"]), lun: 7))
    ),
    (
      "lun remove --target \(target) --for iqn.n 7",
      .removeLUN(Change.LUNName(target: target, entry: EntryKey(initiator: "iqn.n"), lun: 7))
    ),
    (
      "store add a --file /srv/../srv//a.img --size 64MiB",
      .addStore(
        StoreSpecification(name: "a", kind: .file, path: "/srv/a.img", sizeBytes: 64 << 20))
    ),
    (
      "store add d --block /dev/sdb",
      .addStore(StoreSpecification(name: "d", kind: .block, path: "/dev/sdb"))
    ),
    ("store remove a", .removeStore(Change.StoreName("a"))),
    ("store resize a --size 1.5TiB", .resizeStore(Change.StoreSize("a", sizeBytes: 3 << 39))),
    (
      "acl add --target \(target) iqn.n --address 192.0.2.0/24 --address ::1",
      .addACLEntry(
        Change.EntryAddition(
          target: target,
          AccessEntrySpecification(initiator: "iqn.n", addresses: ["192.0.2.0/24", "::1"])))
    ),
    (
      "acl remove --target \(target) iqn.n",
      .removeACLEntry(Change.EntryName(target: target, EntryKey(initiator: "iqn.n")))
    ),
    ("chap remove --target \(target) u", .removeCHAPUser(Change.UserName("u", at: place))),
    (
      "chap remove --discovery u --allow-open",
      .removeCHAPUser(Change.UserName("u", at: .discovery, allowingOpenAccess: true))
    ),
    ("chap remove --target \(target) --mutual", .clearMutualCHAP(place)),
    (
      "portal add 192.0.2.7:3260 --group 2 --advertise 198.51.100.1:3260",
      .addPortal(
        PortalSpecification(
          address: "192.0.2.7:3260", group: 2, advertise: "198.51.100.1:3260"))
    ),
    ("portal remove [::]:3260", .removePortal(Change.PortalName("[::]:3260"))),
  ]

  @Test("Each command is one change", arguments: changes)
  func change(line: String, change: Change) async {
    let run = await run(line)
    #expect(run.daemon.changes == [change])
    #expect(run.daemon.options == ChangeOptions())
    #expect(run.code == 0)
    #expect(run.errors.isEmpty)
    #expect(run.output.hasSuffix("\n"))
  }

  @Test("A store that LUNs present goes with them, in one transaction, where that is forced")
  func forcedStore() async {
    let daemon = FakeDaemon { state in
      var store = Samples.store
      store.presentedBy.append(
        PresentationResource(target: "iqn.t", initiator: "iqn.n", lun: 2))
      state.stores = [store]
    }
    let run = await run("store remove a --force", daemon)
    #expect(
      daemon.changes == [
        .removeLUN(Change.LUNName(target: Samples.target, lun: 1)),
        .removeLUN(
          Change.LUNName(target: "iqn.t", entry: EntryKey(initiator: "iqn.n"), lun: 2)),
        .removeStore(Change.StoreName("a")),
      ])
    #expect(daemon.options?.words == "force")
    #expect(
      run.output == """
        store a removed, and with it
          LUN 1 of \(Samples.target)
          LUN 2 of iqn.t for iqn.n

        """)
  }

  @Test("Every key of a store reaches the request")
  func storeKeys() async {
    let run = await run(
      "store add a --memory --size 1GiB --block-size 4096 --cache none --discard ignore"
        + " --naa 6000c29a1b2c3d4e5f60718293a4b5c6 --serial X --read-only")
    var wanted = StoreSpecification(name: "a", kind: .memory, sizeBytes: 1 << 30)
    wanted.blockSize = 4096
    wanted.cache = "none"
    wanted.discard = "ignore"
    wanted.naa = "6000c29a1b2c3d4e5f60718293a4b5c6"
    wanted.serial = "X"
    wanted.readOnly = true
    #expect(run.daemon.changes == [.addStore(wanted)])
  }

  @Test("A target is made with groups, nodes and an open door")
  func target() async {
    let run = await run(
      "target add iqn.t --alias A --portal-group 2 --portal-group 3 --initiator iqn.n --any")
    var wanted = TargetSpecification(name: "iqn.t")
    wanted.alias = "A"
    wanted.portalGroups = [2, 3]
    wanted.acl = [AccessEntrySpecification(initiator: "iqn.n")]
    wanted.isOpenToAny = true
    #expect(run.daemon.changes == [.addTarget(wanted)])
    #expect(!run.output.contains("Nobody"))
  }

  @Test("A target that nobody may use says how to allow it")
  func closedTarget() async {
    let output = await run("target add iqn.t").output
    #expect(output.contains("Nobody may log in yet"))
    #expect(output.contains("swift-tgtadm acl add --target iqn.t "))
  }

  @Test("An entry has its place and rights")
  func entry() async {
    let run = await run("acl add --target iqn.t any --read-only --index 0")
    var wanted = AccessEntrySpecification(initiator: "any")
    wanted.readOnly = true
    wanted.index = 0
    #expect(run.daemon.changes == [.addACLEntry(Change.EntryAddition(target: "iqn.t", wanted))])
  }

  static let flagged: [(line: String, words: String)] = [
    ("target remove t --force --runtime-only", "force runtimeOnly"),
    ("lun remove --target t 1 --force --dry-run", "force dryRun"),
    ("store remove a --runtime-only", "runtimeOnly"),
    ("portal remove 1.2.3.4:1 --force", "force"),
    ("store resize a --size 1GiB --force --runtime-only", "force runtimeOnly"),
    ("acl remove --target t n --now --force", "force now"),
    ("acl add --target t n --now --runtime-only", "runtimeOnly now"),
    ("chap remove --target t u --now", "now"),
    ("target add t --runtime-only", "runtimeOnly"),
    ("store add a --memory --size 1MiB --dry-run", "dryRun"),
    ("portal add 1.2.3.4:1 --runtime-only", "runtimeOnly"),
  ]

  @Test("Flags become options of the request", arguments: flagged)
  func options(line: String, words: String) async {
    #expect(await run(line).daemon.options?.words == words)
  }

  @Test("A portal is told with its port")
  func portalWithPort() async {
    #expect(await run("portal add 127.0.0.1").output == "portal 127.0.0.1:3260 listens\n")
    #expect(await run("portal add 127.0.0.1:1").output == "portal 127.0.0.1:1 listens\n")
  }

  @Test("Who may no longer log in and has sessions is said to keep them, unless --now")
  func stayingSessions() async {
    let daemon = FakeDaemon { $0.sessions = [Samples.session] }
    func output(_ rest: String) async -> String {
      await run("acl remove --target \(Self.target) \(rest)", daemon).output
    }
    let node = Samples.node
    #expect(await output(node).contains("\nits sessions stay until they end: "))
    #expect(await output("any").contains("its sessions stay"))
    #expect(await output("\(node) --now") == "\(node) may no longer log in to \(Self.target)\n")
    #expect(await output("iqn.n") == "iqn.n may no longer log in to \(Self.target)\n")
  }

  @Test("A dry run shows the differences and does not say that it was done")
  func dryRun() async {
    let output = await run("store add a --memory --size 1MiB --dry-run").output
    #expect(
      output == "Nothing was done; it would change:\n+ stores.a  file /srv/a.img\n")
  }

  @Test("A dry run of what changes nothing says so")
  func emptyDryRun() async {
    #expect(await run("config reload --dry-run").output == "Nothing would change.\n")
  }

  @Test("Warnings go to standard error, the result to standard output")
  func warnings() async {
    let run = await run(
      "target add iqn.t --any", FakeDaemon { $0.warnings = ["the name is odd\u{1B}"] })
    #expect(run.errors == "swift-tgtadm: warning: the name is odd\\u{1b}\n")
    #expect(run.output == "target iqn.t added\n")
  }

  @Test("That nobody may log in is said once, with the command against it")
  func nobodyOnce() async {
    let warning = "targets[iqn.t]: nobody can log in: add entries to \"acl\""
    let daemon = FakeDaemon { $0.warnings = [warning, "the name is odd"] }
    let run = await run("target add iqn.t", daemon)
    #expect(run.errors == "swift-tgtadm: warning: the name is odd\n")
    #expect(run.output.contains("\nNobody may log in yet; "))
    let removal = await AdministrationCommandsTests.run("acl remove --target iqn.t n", daemon)
    #expect(removal.errors.contains(warning))
  }

  @Test("With --json a change answers what the daemon said")
  func json() async {
    let output = await run("target add iqn.t --json").output
    #expect(output.contains("\"outcomes\" : ["))
    #expect(output.contains("\"name\" : \"iqn.t\""))
  }

  @Test("lun resize resizes the store behind the number")
  func resize() async {
    let daemon = FakeDaemon { $0.targets = [Samples.resource] }
    let run = await run("lun resize --target \(Self.target) 1 --size 200GiB --force", daemon)
    #expect(daemon.changes == [.resizeStore(Change.StoreSize("a", sizeBytes: 200 << 30))])
    #expect(daemon.options?.force == true)
    #expect(
      run.output == """
        LUN 1 of \(Self.target) (store a) has 200 GiB
        Nodes that are logged in take the new size with
          iscsiadm -m session --rescan

        """)
  }

  @Test("lun resize of what nobody is logged in to says nothing of nodes")
  func resizeUnused() async {
    let daemon = FakeDaemon {
      $0.targets = [Samples.resource]
      $0.targets[0].sessionCount = 0
    }
    let output = await run("lun resize --target \(Self.target) 1 --size 200GiB", daemon).output
    #expect(output == "LUN 1 of \(Self.target) (store a) has 200 GiB\n")
  }

  static let calls: [(line: String, call: String, output: String)] = [
    ("session logout 3", "logout 3", "session 3 was asked to log out\n"),
    (
      "session kill 3", "kill 3",
      "session 3 ended; the node may log in again: swift-tgtadm acl remove --now keeps it out\n"
    ),
    ("config reload --force --now --dry-run", "reload force now dryRun", ""),
    ("config save --force", "save force", "written to /etc/f.json\n"),
    ("config show", "configuration false", "{/* redacted */}\n"),
    ("config export", "configuration true", "{/* whole */}\n"),
    ("config diff", "difference", "no differences\n"),
  ]

  @Test("Each command is one call", arguments: calls)
  func call(line: String, call: String, output: String) async {
    let run = await run(line)
    #expect(run.daemon.calls == [call])
    #expect(output.isEmpty || run.output == output)
    #expect(run.code == 0)
  }

  @Test("config diff tells of media behind the differences, which they alone are not")
  func remarks() async {
    let daemon = FakeDaemon {
      $0.remarks = [
        MediumRemark("stores.a", "is no longer there", remedy: "move it back"),
        MediumRemark("stores.b", "was moved"),
      ]
    }
    let run = await run("config diff", daemon)
    #expect(
      run.output == """
        no differences

        stores.a: is no longer there
          what to do: move it back
        stores.b: was moved

        """)
    #expect(run.code == 0)
  }

  @Test("config diff shows what reload would change, and ends with 1")
  func difference() async {
    let differences = [
      Difference(.changed, "stores.a.size", old: "1GiB", new: "2GiB", application: .live),
      Difference(.changed, "stores.b.size", old: "30MiB", new: "20MiB", application: .reopen),
      Difference(.removed, "targets[iqn.t]", application: .reopen),
      Difference(.changed, "targets[iqn.u].chap[x].secret", application: .live),
      Difference(.changed, "reactors", old: "1", new: "2", application: .restart),
    ]
    let run = await run("config diff", FakeDaemon { $0.differences = differences })
    #expect(
      run.output == """
        ~ stores.a.size                  1GiB -> 2GiB
        ~ stores.b.size                  30MiB -> 20MiB  (cuts off 10MiB, interrupts its users)
        - targets[iqn.t]                 (interrupts its users)
        ~ targets[iqn.u].chap[x].secret  <redacted>
        ~ reactors                       1 -> 2  (needs a restart)

        """)
    #expect(run.code == 1)
    #expect(run.errors.isEmpty)
  }

  @Test("The socket is the option's, else the environment's, else the standard one")
  func socket() async {
    let environment = ["SWIFT_TGTD_SOCKET": "/run/other.sock"]
    let given = await run(["status", "--socket", "/run/x.sock"], environment: environment)
    #expect(given.daemon.state.withLock { $0.socketPath } == "/run/x.sock")
    let named = await run(["status"], environment: environment)
    #expect(named.daemon.state.withLock { $0.socketPath } == "/run/other.sock")
    let before = await run(["--socket", "/run/x.sock", "status"], environment: environment)
    #expect(before.code == 0 && before.daemon.state.withLock { $0.socketPath } == "/run/x.sock")
    let standard = await run(["status"])
    #expect(standard.daemon.state.withLock { $0.socketPath } == "/run/swift-tgtd/admin.sock")
  }
}

@Suite("Clearing reservations")
struct ClearTests {
  private func clear(_ console: TestConsole) async -> Run {
    let daemon = FakeDaemon { $0.reservations = [Samples.reservation] }
    return await run(["reservation", "clear", "a"], daemon, console: console)
  }

  @Test("It shows who holds what, and asks")
  func asks() async {
    let run = await clear(TestConsole(input: ["yes"], canAsk: true))
    #expect(run.errors.contains(Samples.node))
    #expect(run.errors.contains("Clear all of it? [yes/no]"))
    #expect(run.daemon.calls.last == "clear a")
    #expect(run.code == 0)
  }

  @Test("Any other answer changes nothing", arguments: ["no", "", "YESS", nil])
  func declined(answer: String?) async {
    let run = await clear(TestConsole(input: answer.map { [$0] } ?? [], canAsk: true))
    #expect(!run.daemon.calls.contains("clear a"))
    #expect(run.errors.hasSuffix("swift-tgtadm: given up: nothing was changed\n"))
    #expect(run.code == 1)
  }

  @Test("With --yes it does not ask")
  func unasked() async {
    let daemon = FakeDaemon { $0.reservations = [Samples.reservation] }
    let run = await run("reservation clear a --yes", daemon)
    #expect(run.daemon.calls == ["reservations a", "clear a"])
    #expect(run.output == "reservations of a cleared\n" && run.errors.isEmpty)
  }

  @Test("Where nobody is registered and nobody holds it, that is said, and is no failure")
  func nothing() async {
    func clear(_ rest: String) async -> Run {
      let daemon = FakeDaemon { $0.reservations = [ReservationResource(store: "a")] }
      return await run("reservation clear a --yes \(rest)", daemon)
    }
    let text = await clear("")
    #expect(text.output == "nothing to clear: nobody is registered with a\n")
    #expect(text.code == 0 && text.daemon.calls == ["reservations a"])
    #expect(await clear("--json").output.contains("\"nothing to clear: nobody is registered"))
  }

  @Test("What is not known may be something: it is cleared as far as the daemon lets")
  func unknown() async {
    var damaged = ReservationResource(store: "a")
    damaged.problem = "damaged"
    let daemon = FakeDaemon { [damaged] in $0.reservations = [damaged] }
    #expect(await run("reservation clear a --yes", daemon).daemon.calls.last == "clear a")
  }

  @Test("Without a terminal it needs --yes")
  func noTerminal() async {
    let run = await clear(TestConsole(input: ["yes"]))
    #expect(run.daemon.calls == ["reservations a"])
    #expect(run.errors.contains("give --yes"))
    #expect(run.code == 64)
  }

  @Test("That there is no such store is said before it asks")
  func noSuchStore() async {
    let run = await run("reservation clear none")
    #expect(run.code == 1)
    #expect(run.errors.contains("no store named \"none\"") && !run.errors.contains("--yes"))
  }
}
