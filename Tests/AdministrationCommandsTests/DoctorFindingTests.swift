import AdministrationModel
import Testing

@testable import AdministrationCommands

@Suite("What doctor tells of media, the configuration file and refused logins")
struct DoctorFindingTests {
  @Test("Who holds the lock of a store is named, where the kernel tells")
  func lockOwner() async {
    var machine = PaperMachine.standard
    machine.files["/srv/a.img"] = FileFacts(isDirectory: false, mode: 0o600, owner: 0, inode: 5678)
    machine.texts["/proc/locks"] = """
      1: POSIX  ADVISORY  WRITE 7 08:01:5678 0 EOF
      2: FLOCK  ADVISORY  WRITE 8 08:01:15678 0 EOF
      3: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF
      3: -> FLOCK  ADVISORY  WRITE 9 08:01:5678 0 EOF

      """
    machine.texts["/proc/1234/comm"] = "tgtd\n"
    let run = await DoctorTests.wrong(
      { state in
        state.stores[0].state = .offline
        state.stores[0].reasonCode = .mediumTaken
      }, machine: machine)
    #expect(run.output.contains("do:   process 1234 (tgtd) holds its lock: end it"))
    #expect(run.output.contains("ps -fp 1234\n"))
  }

  @Test("For a medium that is missing the next step depends on what is left of its place")
  func missingMedium() async {
    func remedy(_ machine: PaperMachine, _ kind: StoreKind = .file) async -> String {
      await DoctorTests.wrong(
        { state in
          state.stores[0].state = .offline
          state.stores[0].kind = kind
          state.stores[0].reasonCode = .mediumMissing
        }, machine: machine
      ).output
    }
    let unmounted = await remedy(.standard)
    #expect(unmounted.contains("do:   there is no directory /srv: mount its file system"))
    var machine = PaperMachine.standard
    machine.files["/srv"] = FileFacts(isDirectory: true, mode: 0o755, owner: 0)
    let lost = await remedy(machine)
    #expect(lost.contains("findmnt -T /srv"))
    #expect(lost.contains("begin empty: touch /srv/a.img; or give it up: swift-tgtadm store rem"))
    #expect(await remedy(machine, .block).contains("lsblk; ls -l /dev/disk/by-id"))
  }

  @Test("The state directory is the daemon's, also where its file is gone, and the file is told of")
  func lostFile() async {
    var machine = PaperMachine.standard
    machine.files["/srv/state"] = FileFacts(isDirectory: true, mode: 0o700, owner: 0)
    let file = "/nowhere/targets.json"
    let run = await DoctorTests.wrong(
      { state in
        state.status.configurationFile = file
        state.status.configurationFileState = .missing
        state.status.stateDirectory = "/srv/state"
        state.status.problems = [StatusProblem("the daemon misses it", file: file)]
      }, machine: machine)
    #expect(run.output.contains("ok      state directory /srv/state\n"))
    #expect(run.output.contains("WRONG   the configuration file \(file) is gone"))
    #expect(run.output.contains("swift-tgtadm config save --force writes what runs"))
    #expect(!run.output.contains("the daemon misses it"), "it is said once")
    #expect(run.output.contains("1 wrong, "))
  }

  @Test("A file that was edited is advice, with the next command")
  func editedFile() async {
    let run = await DoctorTests.wrong { state in
      state.status.configurationFileState = .edited
      state.status.problems = [
        StatusProblem("the file was edited", file: "/f", remedy: "swift-tgtadm config diff")
      ]
    }
    #expect(run.output.contains("advice  the file was edited\n"))
    #expect(run.output.contains("do:   swift-tgtadm config diff\n"))
    #expect(run.code == 0)
  }

  @Test("Media that could not be compared with the file are not passed; a bad file is told once")
  func unknownMedia() async {
    let file = "/nowhere/targets.json"
    func run(_ error: AdministrationError, _ arguments: [String] = []) async -> Run {
      let daemon = DoctorTests.healthy { state in
        state.status.configurationFile = file
        state.differenceFailure = error
      }
      return await AdministrationCommandsTests.run(["doctor"] + arguments, daemon)
    }
    let passed = "ok      media are where the configuration says"
    let told = "WRONG   media could not be compared with the configuration file: "
    let busy = await run(AdministrationError(.unavailable, "it is busy"))
    #expect(busy.output.contains(told + "it is busy\n"))
    #expect(busy.output.contains("do:   look again, later: swift-tgtadm config diff\n"))
    #expect(!busy.output.contains(passed) && busy.code == 1)
    let invalid = AdministrationError(.invalid, "it is not valid", remedy: "mend it")
    let known = await run(invalid)
    #expect(!known.output.contains(passed) && !known.output.contains(told))
    let other = await run(invalid, ["--config", "/nowhere/other.json"])
    #expect(other.output.contains(told + "it is not valid\n"))
    #expect(other.output.contains("do:   mend it\n"))
  }

  private static let newcomer = "iqn.2026-11.com.example:new"

  /// What doctor tells of a login that was refused.
  private static func refusal(
    _ reason: String, _ target: String? = Samples.target, by initiator: String = newcomer,
    _ adjust: (inout FakeDaemon.State) -> Void = { _ in }
  ) async -> Run {
    await DoctorTests.wrong { state in
      state.status.refusedLogins = [
        RefusedLoginResource(
          initiator: initiator, target: target, address: "192.0.2.9", reason: reason,
          message: "the log's words", count: 3, at: Samples.now)
      ]
      adjust(&state)
    }
  }

  @Test("A refused login is advice: who, where, why, and the command that lets it in")
  func refusedLogin() async {
    let run = await Self.refusal("notFound")
    let rest = "acl add --target \(Samples.target) --address 192.0.2.9 -- \(Self.newcomer)"
    #expect(
      run.output.contains(
        "advice  refused 3 times: \(Self.newcomer) at \(Samples.target) from 192.0.2.9\n"
          + "        why:  the log's words; last at 2026-11-21 06:44:14Z\n"
          + "        do:   if it may: swift-tgtadm \(rest)\n"))
    #expect(run.code == 0)
    let strange = await Self.refusal("notFound", "iqn.2026-11.com.example:none")
    #expect(strange.output.contains("there is no such target (swift-tgtadm target list)"))
    let entry = AccessEntryResource(initiator: Self.newcomer, addresses: ["192.0.2.7"])
    let elsewhere = await Self.refusal("notFound") { $0.targets[0].acl[0] = entry }
    #expect(
      elsewhere.output.contains(
        "its entry is for other addresses; to add this one: swift-tgtadm \(rest)\n"))
    // A second entry would let it in without what the first one asks for.
    let restrictions: [(inout AccessEntryResource) -> Void] = [
      { $0.readOnly = true }, { $0.chapUsers = ["u"] }, { $0.luns = [] },
    ]
    for restrict in restrictions {
      var entry = entry
      restrict(&entry)
      let restricted = await Self.refusal("notFound") { [entry] in $0.targets[0].acl[0] = entry }
      #expect(!restricted.output.contains("swift-tgtadm acl add --target"))
      #expect(restricted.output.contains("add 192.0.2.9 to the entry's \"addresses\""))
    }
    let pasted = await AdministrationCommandsTests.run(rest)
    #expect(pasted.code == 0)
    #expect(
      pasted.output == "\(Self.newcomer) from 192.0.2.9 may log in to \(Samples.target)\n")
  }

  @Test(
    "No command is offered with a name that a stranger made up",
    arguments: [
      "any", "--force", "-h", "node1", "192.0.2.7", "iqn.evil", "eui.12", "naa.any",
      "iqn.2026-11.com.example:n\u{1B}ew", "iqn.2026-11.com.example:a b",
      "iqn.2026-11.com.example:$(reboot)", "iqn.2026-11.com.example:n\u{43E}de1",
    ])
  func strangeName(_ name: String) async {
    for entries in [[], [AccessEntryResource(initiator: name, addresses: ["198.51.100.0/24"])]] {
      let run = await Self.refusal("notFound", by: name) { $0.targets[0].acl += entries }
      #expect(!run.output.contains("swift-tgtadm acl add --target"))
      #expect(run.output.contains("do:   its name is no well-formed iSCSI name"))
      #expect(run.output.contains("find who is at 192.0.2.9; "))
    }
  }

  @Test("Of a wrong secret doctor names the user and both ends")
  func refusedSecret() async {
    let run = await Self.refusal("authentication")
    #expect(
      run.output.contains("swift-tgtadm chap add --target \(Samples.target) iscsiadm --replace\n"))
    #expect(run.output.contains("iscsiadm -m node -T \(Samples.target) | grep node.session.auth"))
    let discovery = await Self.refusal("authentication", nil)
    #expect(discovery.output.contains("discovery wants a CHAP user"))
    #expect(await Self.refusal("outOfResources").output.contains("swift-tgtadm session list"))
  }
}
