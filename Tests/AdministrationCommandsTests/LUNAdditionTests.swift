import AdministrationModel
import Synchronization
import Testing

@testable import AdministrationCommands

@Suite("The one line that does the common thing")
struct LUNAdditionTests {
  private static let line = "lun add --target \(Samples.target) --file /srv/a.img --size 100GiB"

  private static func daemon() -> FakeDaemon {
    FakeDaemon { state in
      state.targets = [Samples.resource]
      state.stores = [Samples.store]
    }
  }

  @Test("Store, target and LUN are made in one transaction, the number is the daemon's choice")
  func everything() async {
    let run = await run(Self.line + " --initiator \(Samples.node)")
    var target = TargetSpecification(name: Samples.target)
    target.ifMissing = true
    target.acl = [AccessEntrySpecification(initiator: Samples.node)]
    #expect(
      run.daemon.changes == [
        .addStore(
          StoreSpecification(name: "a", kind: .file, path: "/srv/a.img", sizeBytes: 100 << 30)),
        .addTarget(target),
        .addLUN(Change.LUNAddition(target: Samples.target, LUNSpecification(store: "a"))),
      ])
    #expect(run.daemon.state.withLock { $0.requests.count } == 1)
    #expect(
      run.output == """
        Target  iqn.2026-11.com.example:disk1 (new)
        LUN     1 (new)
        Store   a (new): /srv/a.img, 100 GiB
        WWID    6000c29a1b2c3d4e5f60718293a4b5c6
        Access  iqn.2026-11.com.example:node1

        On the node:
          iscsiadm -m discovery -t sendtargets -p 192.0.2.7:3260
          iscsiadm -m node -T iqn.2026-11.com.example:disk1 -p 192.0.2.7:3260 --login
          ls -l /dev/disk/by-id/wwn-0x6000c29a1b2c3d4e5f60718293a4b5c6

        """)
    #expect(run.errors.isEmpty)
  }

  @Test("Without --initiator and --any it says that nobody may log in, and how to allow it")
  func nobody() async {
    let output = await run(Self.line).output
    #expect(output.contains("Access  nobody\n"))
    #expect(output.contains("Nobody may log in yet"))
    #expect(output.contains("swift-tgtadm acl add --target \(Samples.target) "))
  }

  @Test("It never asks for all stores, of which there may be thousands")
  func fewCalls() async {
    let run = await run(Self.line)
    #expect(!run.daemon.calls.contains("stores *"))
    #expect(!run.daemon.calls.contains("targets *"))
  }

  @Test("What is there is used")
  func existing() async {
    let run = await run("lun add --target \(Samples.target) --store a --lun 5", Self.daemon())
    #expect(
      run.daemon.changes == [
        .addLUN(Change.LUNAddition(target: Samples.target, LUNSpecification(lun: 5, store: "a")))
      ])
    #expect(run.output.contains("LUN     5 (new)\n"))
    #expect(run.output.contains("Store   a, 100 GiB\n"))
  }

  @Test("Given again it changes nothing and tells the same")
  func again() async {
    let daemon = FakeDaemon()
    _ = await run(Self.line, daemon)
    let second = await run(Self.line, daemon)
    #expect(daemon.state.withLock { $0.requests.count } == 1)
    #expect(second.output.contains("LUN     1\n"))
    #expect(second.output.contains("WWID    6000c29a1b2c3d4e5f60718293a4b5c6\n"))
    #expect(second.code == 0)
  }

  @Test("A file that a store of another name has is that store")
  func knownFile() async {
    let daemon = FakeDaemon { state in
      var store = Samples.store
      store.name = "quorum"
      state.stores = [store]
    }
    let run = await run(Self.line + " --any", daemon)
    let last = daemon.state.withLock { $0.requests.last?.changes.last }
    #expect(
      last == .addLUN(Change.LUNAddition(target: Samples.target, LUNSpecification(store: "quorum")))
    )
    #expect(run.code == 0)
  }

  @Test("Another file of the same name gets a store of another name")
  func sameName() async {
    let run = await run("lun add --target iqn.t --file /other/a.img --size 1GiB", Self.daemon())
    #expect(
      run.daemon.changes.first
        == .addStore(
          StoreSpecification(name: "a-2", kind: .file, path: "/other/a.img", sizeBytes: 1 << 30)))
  }

  @Test("Where very many stores have such a name, it asks for one")
  func manySameNames() async {
    let daemon = FakeDaemon { state in
      for number in 1...20 {
        let name = number == 1 ? "a" : "a-\(number)"
        state.stores.append(StoreResource(name: name, kind: .file, path: "/srv/\(number)"))
      }
    }
    let run = await run("lun add --target iqn.t --file /other/a.img --size 1GiB", daemon)
    #expect(run.code == 1)
    #expect(daemon.calls.count == 16)
    #expect(run.errors.contains("give another name with --store"))
  }

  @Test("A store of the name that was asked for and another medium is refused")
  func otherMedium() async {
    let run = await run("lun add --target iqn.t --file /other/a.img --store a", Self.daemon())
    #expect(run.code == 1)
    #expect(run.daemon.changes.isEmpty)
    #expect(run.errors.hasPrefix("swift-tgtadm: store a is at /srv/a.img\n"))
  }

  @Test("A store of a smaller size is refused, with the command that resizes it")
  func largerSize() async {
    let run = await run("lun add --target iqn.t --file /srv/a.img --size 200GiB", Self.daemon())
    #expect(run.code == 1)
    #expect(run.daemon.changes.isEmpty)
    #expect(run.errors.contains("store a has 100 GiB, not 200 GiB"))
    #expect(
      run.errors.hasSuffix("leave out --size, or swift-tgtadm store resize a --size 200GiB\n"))
  }

  @Test("Nobody is advised to cut off data", arguments: ["1GiB", "0"])
  func smallerSize(size: String) async {
    let run = await run("lun add --target iqn.t --store a --size \(size)", Self.daemon())
    #expect(run.code == 1)
    #expect(run.daemon.changes.isEmpty)
    #expect(run.errors.hasSuffix("  what to do: leave out --size\n"), "\(run.errors)")
  }

  @Test("With --for, a target that is not there is what is missing, not its entry")
  func entryOfNoTarget() async {
    let run = await run("lun add --for iqn.n --target iqn.none --store a", Self.daemon())
    #expect(run.code == 1)
    #expect(run.daemon.changes.isEmpty)
    #expect(run.errors.hasPrefix("swift-tgtadm: no target named \"iqn.none\""))
  }

  @Test("Of two entries for one initiator the addresses tell, and its name is shown once")
  func twoEntries() async {
    let daemon = Self.daemon()
    daemon.state.withLock { state in
      var second = AccessEntryResource(initiator: Samples.node, addresses: ["198.51.100.1"])
      second.luns = [LUNResource(lun: 4, store: "a")]
      state.targets[0].acl.append(second)
    }
    let line = "lun add --target \(Samples.target) --store a --for \(Samples.node)"
    #expect(await run(line, daemon).errors.contains("2 entries of \(Samples.target) are for"))
    let named = await run(line + " --address 198.51.100.1", daemon)
    #expect(named.code == 0 && daemon.changes.isEmpty)
    #expect(named.output.contains("LUN     4\n"))
    #expect(named.output.contains("Access  \(Samples.node)\n"))
  }

  static let contradictions: [(String, String)] = [
    ("--store a --size 200MiB", "store a has 100 GiB, not 200 MiB"),
    ("--store a --block-size 4096", "store a has block size 512, not 4096"),
    ("--file /srv/a.img --block-size 4096", "store a has block size 512, not 4096"),
    ("--file /srv/a.img --cache writethrough", "store a has cache none, not writethrough"),
    ("--store a --discard ignore", "store a has discard unmap, not ignore"),
    (
      "--store a --naa 60000000000000000000000000000001",
      "store a has NAA identifier 6000c29a1b2c3d4e5f60718293a4b5c6, "
        + "not 60000000000000000000000000000001"
    ),
    ("--store a --serial S2", "store a has serial number S1, not S2"),
    ("--store a --block /srv/a.img", "store a (/srv/a.img) is of kind file, not block"),
    ("--store a --read-only", "LUN 1 of \(Samples.target) is writable, not read-only"),
  ]

  @Test("What is there otherwise than an option says is refused", arguments: contradictions)
  func contradiction(options: String, words: String) async {
    let run = await run("lun add --target \(Samples.target) \(options)", Self.daemon())
    #expect(run.code == 1)
    #expect(run.daemon.changes.isEmpty)
    #expect(run.output.isEmpty)
    #expect(run.errors.hasPrefix("swift-tgtadm: \(words): nothing was changed\n"))
    #expect(run.errors.contains("what to do: leave out --"))
  }

  @Test("A block device that is the file of a store of another name is refused")
  func blockOfFile() async {
    let run = await run("lun add --target iqn.t --block /srv/a.img", Self.daemon())
    #expect(run.code == 1)
    #expect(run.errors.contains("store a (/srv/a.img) is of kind file, not block"))
    #expect(run.daemon.state.withLock { $0.targets.count } == 1)
  }

  @Test("Options that say what the store has change nothing")
  func sameValues() async {
    let run = await run(
      "lun add --target \(Samples.target) --store a --file /srv/a.img --size 100GiB"
        + " --block-size 512 --cache none --discard unmap --serial S1"
        + " --naa 6000C29A1B2C3D4E5F60718293A4B5C6", Self.daemon())
    #expect(run.code == 0)
    #expect(run.daemon.changes.isEmpty)
    #expect(run.output.contains("LUN     1\n"))
  }

  @Test("What cannot be known of a store is not taken as said")
  func unknownValue() async {
    let daemon = Self.daemon()
    daemon.state.withLock { $0.stores[0].serial = nil }
    let run = await run("lun add --target \(Samples.target) --store a --serial S1", daemon)
    #expect(run.code == 1)
    #expect(run.errors.contains("whether store a has serial number S1 is not known now"))
  }

  @Test("A read-only LUN beside a writable one of the store is found again by its number")
  func readOnlyBeside() async {
    let daemon = Self.daemon()
    let line = "lun add --target \(Samples.target) --store a --lun 2 --read-only"
    #expect(await run(line, daemon).code == 0)
    #expect(
      daemon.changes == [
        .addLUN(
          Change.LUNAddition(
            target: Samples.target, LUNSpecification(lun: 2, store: "a", readOnly: true)))
      ])
    daemon.state.withLock { $0.targets[0].luns[1].readOnly = true }
    #expect(await run(line, daemon).output.contains("LUN     2\n"))
    #expect(daemon.changes.count == 1)
  }

  @Test("Nodes that are not in the access list yet come into it")
  func newNodes() async {
    let run = await run(
      "lun add --target \(Samples.target) --memory --size 1MiB --initiator \(Samples.node)"
        + " --initiator iqn.new --any", Self.daemon())
    #expect(
      Array(run.daemon.changes.dropFirst().prefix(2)) == [
        .addACLEntry(
          Change.EntryAddition(
            target: Samples.target, AccessEntrySpecification(initiator: "iqn.new"))),
        .setTarget(Change.TargetKeys(Samples.target, ["initiators": "any"])),
      ])
  }

  @Test("A refusal of the daemon is told, and nothing is tried again")
  func refused() async {
    let daemon = FakeDaemon()
    daemon.state.withLock {
      $0.failure = AdministrationError(.storeFailed, "/srv/a.img: No space left on device")
    }
    let run = await run(Self.line, daemon)
    #expect(run.code == 1)
    #expect(run.errors == "swift-tgtadm: /srv/a.img: No space left on device\n")
  }

  @Test("--dry-run shows what would change")
  func dryRun() async {
    let run = await run(Self.line + " --dry-run")
    #expect(run.daemon.options?.dryRun == true)
    #expect(run.output.hasPrefix("Nothing was done; it would change:\n"))
  }

  @Test("An announced address and the target's portal groups count for the node's commands")
  func portals() async {
    let daemon = FakeDaemon { state in
      var announced = PortalResource(address: "10.0.0.1:3260", group: 2)
      announced.advertise = "198.51.100.1:3260"
      state.portals = [PortalResource(address: "192.0.2.9:3260"), announced]
      var target = Samples.resource
      target.portalGroups = [2]
      state.targets = [target]
      state.stores = [Samples.store]
    }
    let output = await run("lun show --target \(Samples.target) 1", daemon).output
    #expect(output.contains("-p 198.51.100.1:3260"))
    #expect(!output.contains("192.0.2.9"))
  }

  @Test("Commands that are shown run nothing else when they are pasted")
  func pasting() async {
    let daemon = FakeDaemon { state in
      state.portals.append(PortalResource(address: "192.0.2.9:3260"))
      state.targets = [Samples.resource]
      state.stores = [Samples.store]
    }
    let shown = await run("lun show --target \(Samples.target) 1", daemon).output
    let commands = shown.split(separator: "\n").filter { $0.hasPrefix("  ") }
    #expect(commands.contains("  # it is also at 192.0.2.9:3260"))
    for command in commands {
      let words = command.prefix { $0 != "#" }
      #expect(!words.contains { "$(;|&`".contains($0) }, "\(command)")
    }
    #expect(!(await run("target add iqn.t").output.contains("$(")))
  }

  @Test("Names that a shell would take apart are quoted")
  func quoting() async {
    let output = await run(["target", "add", "iqn.a'; rm -rf /"]).output
    #expect(output.contains("--target 'iqn.a'\\''; rm -rf /' INITIATOR\n"))
  }
}
