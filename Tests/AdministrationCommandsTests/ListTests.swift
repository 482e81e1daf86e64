import AdministrationModel
import Testing

@testable import AdministrationCommands

@Suite("Lists for people")
struct ListTests {
  private static func full() -> FakeDaemon {
    FakeDaemon { state in
      var open = TargetResource(name: "iqn.open")
      open.isOpenToAny = true
      state.targets = [Samples.resource, open]
      var full = StoreResource(name: "big one", kind: .block, path: "/dev/sdb", state: .full)
      full.sizeBytes = 1_649_267_441_664
      state.stores = [Samples.store, full]
      var closed = PortalResource(address: "[::]:3260", group: 2, isListening: false)
      closed.reason = "address in use"
      state.portals = [PortalResource(address: "192.0.2.1:3260"), closed]
      state.sessions = [Samples.session]
      state.reservations = [Samples.reservation]
      state.discovery = DiscoveryResource(chapUsers: ["finder"])
    }
  }

  static let expected: [(command: String, text: String)] = [
    (
      "target list",
      """
      TARGET                         LUNS  ACCESS   CHAP    SESSIONS
      iqn.2026-11.com.example:disk1     1  1 entry  mutual         2
      iqn.open                          0  any      -              0

      """
    ),
    (
      "lun list",
      """
      TARGET                         FOR                            LUN  STORE     SIZE  BLOCK  RIGHTS  STATE    WWID
      iqn.2026-11.com.example:disk1  -                                1  a      100 GiB    512  rw      online   6000c29a1b2c3d4e5f60718293a4b5c6
      iqn.2026-11.com.example:disk1  iqn.2026-11.com.example:node1    0  b            -      -  ro      offline  -

      """
    ),
    (
      "store list",
      """
      STORE    KIND      SIZE     USED  BLOCK  CACHE  STATE   LUNS  PATH
      a        file   100 GiB  1.5 GiB    512  none   online     1  /srv/a.img
      big one  block  1.5 TiB        -      -  none   full       0  /dev/sdb

      """
    ),
    (
      "acl list",
      """
      TARGET                         INITIATOR                      ADDRESSES     CHAP   LUNS  RIGHTS
      iqn.2026-11.com.example:disk1  iqn.2026-11.com.example:node1  192.0.2.0/24  node1  0     rw
      iqn.open                       any                            any           -      all   rw

      """
    ),
    (
      "chap list",
      """
      TARGET                         INITIATOR                      USER      PROVES
      (discovery)                    -                              finder    initiator
      iqn.2026-11.com.example:disk1  -                              iscsiadm  initiator
      iqn.2026-11.com.example:disk1  iqn.2026-11.com.example:node1  node1     initiator
      iqn.2026-11.com.example:disk1  iqn.2026-11.com.example:node1  me        target

      """
    ),
    (
      "portal list",
      """
      PORTAL          GROUP  ANNOUNCED AS  STATE      CONNECTIONS  REASON
      192.0.2.1:3260      1  -             listening            0  -
      [::]:3260           2  -             closed               0  address in use

      """
    ),
    (
      "session list",
      """
      ID  INITIATOR                      TARGET                         FROM             CONNECTIONS  TASKS  SINCE
       3  iqn.2026-11.com.example:node1  iqn.2026-11.com.example:disk1  192.0.2.7:50000            1      0  2026-11-21 06:44:14Z

      """
    ),
    (
      "reservation list",
      """
      STORE  TYPE                                HELD BY                        KEY                 REGISTERED  SINCE
      a      Write Exclusive – Registrants Only  iqn.2026-11.com.example:node1  0x0000000000000001           1  2026-11-21 06:44:14Z

      """
    ),
  ]

  @Test("Each list is an aligned table with a header", arguments: expected)
  func list(command: String, text: String) async {
    let run = await run(command, Self.full())
    #expect(run.output == text)
    #expect(run.code == 0)
    #expect(run.errors.isEmpty)
  }

  @Test("Each list says it when there is nothing to list")
  func empty() async {
    let expected = [
      "target list": "no targets\n", "lun list": "no LUNs\n", "store list": "no stores\n",
      "acl list": "no targets\n", "chap list": "no users\n",
      "session list": "no sessions\n", "reservation list": "no registrations\n",
    ]
    for (command, text) in expected {
      #expect(await run(command).output == text, "\(command)")
    }
  }

  @Test("Targets that nobody may log in to are in the list of access, too")
  func closed() async {
    let daemon = FakeDaemon { $0.targets = [TargetResource(name: "iqn.closed")] }
    #expect(
      await run("acl list", daemon).output == """
        TARGET      INITIATOR  ADDRESSES  CHAP  LUNS  RIGHTS
        iqn.closed  nobody     -          -     -     -

        """)
  }

  @Test("Reservations that cannot be read are unknown, not none, and a failure")
  func unknownReservations() async {
    var resource = ReservationResource(store: "q")
    resource.problem = "the record of q is damaged"
    let daemon = FakeDaemon { $0.reservations = [resource] }
    for command in ["reservation list", "reservation show q", "reservation list --json"] {
      let run = await run(command, daemon)
      #expect(
        run.code == 1 && run.errors == "swift-tgtadm: the record of q is damaged\n", "\(command)")
      #expect(!run.output.contains("nobody"), "\(command)")
    }
    #expect(
      await run("reservation list", daemon).output == """
        STORE  TYPE     HELD BY  KEY  REGISTERED  SINCE
        q      unknown  -        -             -  -

        """)
  }

  @Test("Each list is a list of JSON for programs, also an empty one")
  func json() async {
    for command in Self.expected.map(\.command) {
      let run = await run(command + " --json", FakeDaemon { $0.portals = [] })
      #expect(run.output == "[\n\n]\n", "\(command)")
    }
    let stores = await run("store list --json", Self.full()).output
    #expect(stores.contains("\"sizeBytes\" : 107374182400"))
    #expect(stores.contains("\"path\" : \"/srv/a.img\""))
  }

  @Test("Lists of one target ask for that one alone")
  func oneTarget() async {
    for command in ["lun list", "acl list", "chap list"] {
      let run = await run("\(command) --target iqn.open", Self.full())
      #expect(run.daemon.calls == ["targets iqn.open"])
      #expect(!run.output.contains(Samples.target))
    }
    let sessions = await run("session list --target iqn.open", Self.full())
    #expect(sessions.output == "no sessions\n")
  }

  @Test("Of a target that there is not, no list is shown, and none passes for an empty one")
  func unknownTarget() async {
    for command in ["session list", "lun list", "acl list", "chap list"] {
      let run = await run("\(command) --target iqn.none", Self.full())
      #expect(run.code == 1 && run.output.isEmpty, "\(command)")
      let names = "\(Samples.target), iqn.open"
      #expect(
        run.errors == "swift-tgtadm: no target named \"iqn.none\" (targets: \(names))\n")
    }
  }

  @Test("Names cannot steer the terminal")
  func controlCharacters() async {
    var session = Samples.session
    session.initiator = "iqn.\u{1B}[2Jevil\u{202E}\n"
    let run = await run("session list", FakeDaemon { $0.sessions = [session] })
    #expect(run.output.contains("iqn.\\u{1b}[2Jevil\\u{202e}\\u{a}"))
    #expect(!run.output.contains("\u{1B}"))
  }

  /// T-ADM-1.
  @Test("Ten thousand sessions with the longest names are listed whole, each on a line of its own")
  func many() async {
    let sessions = (0..<10_000).map { number in
      var session = Samples.session
      let digits = String(number)
      session.id = UInt64(number)
      session.initiator = String(repeating: "n", count: 223 - digits.utf8.count) + digits
      session.target = String(repeating: "t", count: 223)
      return session
    }
    let run = await run("session list", FakeDaemon { $0.sessions = sessions })
    let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(run.code == 0)
    #expect(lines.count == 10_002 && lines.last?.isEmpty == true)
    let words = Set(lines.dropFirst().flatMap { $0.split(separator: " ").map(String.init) })
    let missing = sessions.count { !words.contains($0.initiator) }
    #expect(missing == 0)
  }

  @Test("Only a terminal gets colours")
  func colours() async {
    let console = TestConsole(isTerminal: true)
    _ = await AdministrationCommandsTests.run(["store", "list"], Self.full(), console: console)
    #expect(console.output.contains("\u{1B}[31mfull\u{1B}[0m"))
    #expect(await !run("store list", Self.full()).output.contains("\u{1B}"))
  }
}

@Suite("Shows")
struct ShowTests {
  private static func daemon() -> FakeDaemon {
    FakeDaemon { state in
      state.targets = [Samples.resource]
      state.stores = [Samples.store]
      state.sessions = [Samples.session]
      state.reservations = [Samples.reservation]
    }
  }

  @Test("target show has LUNs and who may log in")
  func target() async {
    let output = await run("target show \(Samples.target)", Self.daemon()).output
    #expect(output.hasPrefix("Target         iqn.2026-11.com.example:disk1\n"))
    #expect(output.contains("100 GiB"))
    #expect(output.contains("192.0.2.0/24"))
  }

  @Test("lun show has the commands for the node, with CHAP and without its secret")
  func lun() async {
    let output = await run("lun show --target \(Samples.target) 1", Self.daemon()).output
    #expect(
      output == """
        Target      iqn.2026-11.com.example:disk1
        LUN         1
        Store       a
        Path        /srv/a.img
        State       online
        Size        100 GiB
        Block size  512
        Rights      read and write
        WWID        6000c29a1b2c3d4e5f60718293a4b5c6
        Serial      S1

        On the node:
          iscsiadm -m discovery -t sendtargets -p 192.0.2.7:3260
          iscsiadm -m node -T iqn.2026-11.com.example:disk1 -p 192.0.2.7:3260 --op update -n node.session.auth.authmethod -v CHAP
          iscsiadm -m node -T iqn.2026-11.com.example:disk1 -p 192.0.2.7:3260 --op update -n node.session.auth.username -v iscsiadm
          iscsiadm -m node -T iqn.2026-11.com.example:disk1 -p 192.0.2.7:3260 --op update -n node.session.auth.password -v SECRET
          iscsiadm -m node -T iqn.2026-11.com.example:disk1 -p 192.0.2.7:3260 --login
          iscsiadm -m session --rescan   # where it is logged in already
          ls -l /dev/disk/by-id/wwn-0x6000c29a1b2c3d4e5f60718293a4b5c6

        """)
  }

  @Test("A LUN that is not there is refused by number")
  func missingLUN() async {
    let run = await run("lun show --target \(Samples.target) 9", Self.daemon())
    #expect(run.code == 1)
    #expect(
      run.errors == "swift-tgtadm: \(Samples.target) has no LUN 9\n"
        + "  what to do: swift-tgtadm lun list\n")
  }

  @Test("Store show says where it is presented")
  func store() async {
    let output = await run("store show a", Self.daemon()).output
    #expect(output.contains("Presented as  iqn.2026-11.com.example:disk1 LUN 1\n"))
    #expect(output.contains("Used          1.5 GiB\n"))
  }

  @Test("session show has its connections")
  func session() async {
    let output = await run("session show 3", Self.daemon()).output
    #expect(output.contains("192.0.2.7:50000  192.0.2.1:3260      1  None"))
  }

  @Test("reservation show says who holds what, with which key, since when")
  func reservation() async {
    let output = await run("reservation show a", Self.daemon()).output
    #expect(output.contains("Type                Write Exclusive – Registrants Only\n"))
    #expect(output.contains("Generation          9\n"))
    #expect(output.contains("0x0000000000000001  iqn.2026-11.com.example:node1  023d00000001"))
  }

  @Test("A store in danger has what to do beside its state, in status, store show and lun show")
  func endangered() async {
    var status = Samples.status
    (status.storeCount, status.offlineStoreCount, status.endangeredStoreCount) = (3, 1, 1)
    status.problems = [
      StatusProblem("store a is endangered: it was cut", store: "a", remedy: "mend it")
    ]
    let daemon = FakeDaemon { state in
      state.status = status
      state.targets = [Samples.resource]
      state.targets[0].luns[0].state = .endangered
      state.stores = [Samples.store]
      state.stores[0].state = .endangered
      state.stores[0].reason = "it was cut"
      state.stores[0].remedy = "mend it"
    }
    let output = await run("status", daemon).output
    #expect(output.contains("Stores         3, 1 offline, 1 endangered\n"))
    #expect(
      output.hasSuffix("problem: store a is endangered: it was cut\n  what to do: mend it\n"))
    for command in ["store show a", "lun show --target \(Samples.target) 1"] {
      let output = await run(command, daemon).output
      let lines = output.split(separator: "\n").map {
        $0.split(separator: " ").joined(separator: " ")
      }
      #expect(lines.contains("State endangered: it was cut"), "\(output)")
      #expect(lines.contains("What to do mend it"), "\(output)")
    }
    #expect(await run("store list", daemon).output.contains(" endangered "))
  }

  @Test("status shows portals and what somebody ought to look at")
  func status() async {
    var status = Samples.status
    status.configurationFile = "/etc/t.json"
    status.configurationFileState = .edited
    status.hasUnsavedChanges = true
    status.storeCount = 3
    status.offlineStoreCount = 1
    status.problems = [
      StatusProblem("file edited", file: "/etc/t.json", remedy: "config diff"),
      StatusProblem("store b is offline", store: "b"),
    ]
    status.loginFailures = ["notFound": 3, "timeout": 1, "other": 0]
    status.refusedLogins = (1...4).map { number in
      RefusedLoginResource(
        initiator: "iqn.n\(number)", target: "iqn.t", address: "192.0.2.7", reason: "notFound",
        message: "no\u{1B}", count: UInt64(number), at: Samples.now)
    }
    let output = await run("status", FakeDaemon { $0.status = status }).output
    #expect(
      output == """
        Daemon          swift-tgtd 1.2.3, running
        Process         42, since 2026-11-21 06:44:14Z
        Configuration   /etc/t.json, edited since, differs from what runs
        Engine          uring, 1 reactor
        Buffers         3 MiB of 256 MiB in use
        Targets         0, 0 LUNs
        Stores          3, 1 offline
        Sessions        0, 0 connections
        Refused logins  4 since the start: 3 no such target or no access, 1 timeout

        PORTAL        GROUP  ANNOUNCED AS  STATE      CONNECTIONS  REASON
        0.0.0.0:3260      1  -             listening            0  -

        problem: file edited
          what to do: config diff
        problem: store b is offline
        refused: iqn.n1 at iqn.t from 192.0.2.7
          once, last at 2026-11-21 06:44:14Z: no\\u{1b}
          what to do: there is no such target (swift-tgtadm target list); on the node: iscsiadm -m node -T iqn.t -o delete
        refused: iqn.n2 at iqn.t from 192.0.2.7
          2 times, last at 2026-11-21 06:44:14Z: no\\u{1b}
          what to do: there is no such target (swift-tgtadm target list); on the node: iscsiadm -m node -T iqn.t -o delete
        refused: iqn.n3 at iqn.t from 192.0.2.7
          3 times, last at 2026-11-21 06:44:14Z: no\\u{1b}
          what to do: there is no such target (swift-tgtadm target list); on the node: iscsiadm -m node -T iqn.t -o delete
        refused: 1 more in the last hour: swift-tgtadm doctor
        note: what runs was not all written to the file
          what to do: swift-tgtadm config diff shows it, swift-tgtadm config save writes it

        """)
  }
}
