import AdministrationModel
import TargetConfig
import Testing

@testable import TargetcliCommands

/// Who gets in, by what LIO's attributes say.
struct AccessTests {
  private static let tpg = "/iscsi/\(Bench.iqn)/tpg1"
  private static let acl = "\(tpg)/acls/\(Bench.node)"

  private func bench() async throws -> Bench {
    let bench = try Bench()
    await bench.all("backstores/ramdisk create r 64M", "iscsi create \(Bench.iqn)")
    await bench.all("\(Self.tpg)/luns create /backstores/ramdisk/r")
    return bench
  }

  @Test("A new target lets nobody in")
  func closed() async throws {
    let target = try await bench().target
    #expect(target.acl.isEmpty && !target.isOpenToAny && target.chap.isEmpty)
  }

  @Test("generate_node_acls alone lets everybody read")
  func readOnly() async throws {
    let bench = try await bench()
    await bench.all("\(Self.tpg) set attribute generate_node_acls=1")
    let target = try bench.target
    #expect(!target.isOpenToAny)
    #expect(target.acl.map(\.initiator) == [nil])
    #expect(target.acl.map(\.readOnly) == [true])
    await bench.all("\(Self.tpg) set attribute demo_mode_write_protect=0")
    #expect(try bench.target.isOpenToAny)
    #expect(try bench.target.acl.isEmpty)
    await bench.all("\(Self.tpg) set attribute generate_node_acls=0")
    #expect(try !bench.target.isOpenToAny)
  }

  @Test("An initiator of the list stands before the entry for everybody")
  func order() async throws {
    let bench = try await bench()
    await bench.all(
      "\(Self.tpg) set attribute generate_node_acls=1", "\(Self.tpg)/acls create \(Bench.node)")
    #expect(try bench.target.acl.map(\.initiator) == [Bench.node, nil])
    #expect(try bench.target.acl.map(\.readOnly) == [false, true])
  }

  @Test("authentication=1 shuts out everybody without a user, and brings them back with one")
  func withheld() async throws {
    let bench = try await bench()
    await bench.all(
      "\(Self.tpg)/acls create \(Bench.node)", "\(Self.tpg) set attribute authentication=1")
    #expect(try bench.target.acl.isEmpty)
    #expect(await bench("ls \(Self.tpg)/acls").output.contains(Bench.node))
    await bench.all("\(Self.tpg) set attribute generate_node_acls=1")
    #expect(try bench.target.acl.isEmpty && !bench.target.isOpenToAny)
    await bench.all("\(Self.acl) set auth password=secret-of-node userid=node")
    #expect(try bench.target.acl.map { $0.chap.map(\.user) } == [["node"]])
    await bench.all("\(Self.tpg) set auth userid=all password=secret-of-all")
    #expect(try bench.target.acl.map { $0.chap.map(\.user) } == [["node"], ["all"]])
    #expect(!bench.notes.contains("secret-of"))
  }

  @Test("authentication=0 brings back who waits for a user")
  func unwithheld() async throws {
    let bench = try await bench()
    await bench.all(
      "\(Self.tpg) set attribute authentication=1", "\(Self.tpg)/acls create \(Bench.node)",
      "\(Self.tpg) set attribute authentication=0")
    #expect(try bench.target.acl.map(\.initiator) == [Bench.node])
  }

  @Test("authentication=0 is refused while somebody has a user: here users are always asked for")
  func noLie() async throws {
    let bench = try await bench()
    await bench.all(
      "\(Self.tpg)/acls create \(Bench.node)",
      "\(Self.acl) set auth userid=u password=a-long-secret-1")
    let run = await bench("\(Self.tpg) set attribute authentication=0")
    #expect(run.code == 1)
    #expect(run.errors.hasPrefix("Users that are set are always asked for here"))
    #expect(try bench.target.acl.map(\.chap.count) == [1])
    await bench.all(
      "\(Self.acl) set auth userid= password=", "\(Self.tpg) set attribute authentication=0")
    #expect(try bench.target.acl.map(\.chap.count) == [0])
  }

  @Test("A new name keeps the secret, a new secret the name")
  func halves() async throws {
    let bench = try await bench()
    await bench.all(
      "\(Self.tpg)/acls create \(Bench.node)",
      "\(Self.acl) set auth userid=one password=a-long-secret-1",
      "\(Self.acl) set auth userid=two")
    let first = try #require(try bench.target.acl.first?.chap.first)
    #expect(first.user == "two" && first.secret == Secret("a-long-secret-1"))
    await bench.all("\(Self.acl) set auth password=a-long-secret-2")
    let second = try #require(try bench.target.acl.first?.chap.first)
    #expect(second.user == "two" && second.secret == Secret("a-long-secret-2"))
  }

  @Test("Mutual CHAP comes when both of its halves and the user are there, in any order")
  func mutual() async throws {
    let bench = try await bench()
    await bench.all(
      "\(Self.tpg)/acls create \(Bench.node)",
      "\(Self.acl) set auth mutual_password=the-other-way-1",
      "\(Self.acl) set auth userid=u", "\(Self.acl) set auth mutual_userid=target",
      "\(Self.acl) set auth password=a-long-secret-1")
    let entry = try #require(try bench.target.acl.first)
    #expect(entry.chap.map(\.user) == ["u"])
    #expect(entry.mutualChap?.user == "target")
    #expect(!bench.notes.contains("the-other-way-1"))
    await bench.all("\(Self.acl) set auth mutual_userid= mutual_password=")
    #expect(try bench.target.acl.first?.mutualChap == nil)
  }

  @Test("get auth shows secrets, and nothing else does")
  func secrets() async throws {
    let bench = try await bench()
    await bench.all(
      "\(Self.tpg)/acls create \(Bench.node)",
      "\(Self.acl) set auth userid=u password=a-long-secret-1")
    #expect(await bench("\(Self.acl) get auth password").output == "password=a-long-secret-1 \n")
    #expect(await bench("\(Self.acl) get auth").output.contains("password=a-long-secret-1"))
    for line in ["ls", "\(Self.acl) info", "\(Self.acl) status", "sessions detail", "saveconfig"] {
      let run = await bench(line)
      #expect(!(run.output + run.errors).contains("a-long-secret-1"), "\(line)")
    }
    #expect(!bench.paper.files.values.contains { $0.contains("a-long-secret-1") })
  }

  @Test("A disabled portal group lets nobody in, and an enabled one the same as before")
  func disabled() async throws {
    let bench = try await bench()
    await bench.all(
      "\(Self.tpg)/acls create \(Bench.node)",
      "\(Self.acl) set auth userid=u password=a-long-secret-1")
    let before = try bench.target
    #expect(await bench("\(Self.tpg) disable").output == "The TPGT has been disabled.\n")
    #expect(try bench.target.acl.isEmpty)
    #expect(bench.daemon.requests.last?.options.now == true)
    #expect(await bench("\(Self.tpg) disable").output == "The TPGT is already disabled.\n")
    #expect(await bench("ls \(Self.tpg)").output.contains("[disabled]"))
    #expect(await bench("\(Self.tpg) enable").output == "The TPGT has been enabled.\n")
    #expect(try bench.target == before)
    #expect(!bench.notes.contains("a-long-secret-1"))
  }

  @Test("What waits is noted with the daemon, in one request with the change, and in no file")
  func noted() async throws {
    let bench = try await bench()
    bench.paper.isReadOnly = true
    await bench.all(
      "\(Self.tpg)/acls create \(Bench.node)", "\(Self.tpg) disable",
      "\(Self.acl) set auth userid=u")
    let disabling = try #require(bench.daemon.requests.first { $0.options.now })
    let kinds = disabling.changes.map { if case .setNote = $0 { "note" } else { "change" } }
    #expect(Set(kinds) == ["note", "change"])
    #expect(bench.notes.contains("targetcli/target/\(Bench.iqn)/acl/\(Bench.node)/0="))
    #expect(bench.paper.files.keys.sorted() == ["/root/.targetcli/prefs.json"])
    await bench.all("\(Self.tpg) enable", "\(Self.acl) set auth password=a-long-secret-1")
    #expect(try bench.target.acl.map { $0.chap.map(\.user) } == [["u"]])
  }

  @Test("An initiator that waits keeps as many LUNs of its own as it has")
  func longNote() async throws {
    let bench = try await bench()
    await bench.all("\(Self.tpg)/acls create \(Bench.node) add_mapped_luns=False")
    for number in 1...60 { await bench.all("\(Self.acl) create \(number) 0") }
    let before = try bench.target
    await bench.all("\(Self.tpg) disable")
    #expect(try bench.target.acl.isEmpty)
    await bench.all("\(Self.tpg) enable")
    #expect(try bench.target == before)
    #expect(!bench.notes.contains("/acl/"))
  }

  @Test("Notes of a target that another program has removed do not wait for the next of its name")
  func staleNotes() async throws {
    let bench = try await bench()
    await bench.all("\(Self.tpg)/acls create \(Bench.node)", "\(Self.tpg) disable")
    try await bench.elsewhere(.removeTarget(Change.TargetName(Bench.iqn)))
    await bench.all("iscsi create \(Bench.iqn)")
    #expect(!bench.notes.contains("/acl/"))
    #expect(!(await bench("ls \(Self.tpg)").output.contains("[disabled]")))
  }

  @Test("A target that another program made anew is another: nobody is shut out or let in with it")
  func targetMadeAnew() async throws {
    let bench = try await bench()
    let second = "\(Bench.node)2"
    await bench.all("\(Self.tpg)/acls create \(Bench.node)", "\(Self.tpg) disable")
    try await bench.elsewhere(.removeTarget(Change.TargetName(Bench.iqn)))
    var target = TargetSpecification(name: Bench.iqn)
    target.acl = [AccessEntrySpecification(initiator: second)]
    try await bench.elsewhere(.addTarget(target))
    await bench.all("\(Self.tpg)/luns create /backstores/ramdisk/r", "\(Self.tpg) enable")
    #expect(try bench.target.acl.map(\.initiator) == [second])
  }

  @Test("Secrets in files with relative paths keep nobody from changing a target")
  func secretsInFiles() async throws {
    let bench = try Bench(
      """
      {"portals": ["0.0.0.0:3260", "[::]:3260"], "stores": {"r": {"memory": true, "size": "64MiB"}},
       "targets": [{"name": "\(Bench.iqn)", "luns": [{"lun": 1, "store": "r"}],
         "acl": [{"initiator": "\(Bench.node)",
           "chap": [{"user": "node", "secret": {"file": "secret.cluster"}}]}]}]}
      """)
    await bench.all(
      "\(Self.tpg) get attribute authentication", "\(Self.tpg) get parameter MaxBurstLength",
      "\(Self.tpg) set parameter MaxConnections=2", "\(Self.tpg) get auth",
      "\(Self.acl) get auth userid", "saveconfig /tmp/x.json")
    await bench.all("\(Self.tpg) disable")
    #expect(try bench.daemon.configuration.targets.first?.acl.isEmpty == true)
    await bench.all("\(Self.tpg) enable")
    let user = try bench.daemon.configuration.targets.first?.acl.first?.chap.first
    #expect(user?.secretFile == "/etc/swift-tgtd/secret.cluster", "and not its text")
  }

  @Test("What the daemon refuses leaves the notes as they were")
  func refused() async throws {
    let bench = try await bench()
    await bench.all("\(Self.tpg)/acls create \(Bench.node)", "\(Self.acl) set auth userid=u")
    let notes = bench.notes
    bench.daemon.fail(AdministrationError(.conflict, "not now", remedy: "later"))
    let run = await bench("\(Self.acl) set auth password=a-long-secret-1")
    #expect((run.code, run.errors) == (1, "not now\n  what to do: later\n"))
    #expect(bench.notes == notes)
  }

  // MARK: Mapped LUNs

  @Test("An initiator sees LUNs under numbers of its own, some for reading only")
  func mapped() async throws {
    let bench = try await bench()
    await bench.all(
      "backstores/ramdisk create s 64M",
      "\(Self.tpg)/acls create \(Bench.node) add_mapped_luns=False")
    #expect(try bench.target.acl.first?.luns == [])
    #expect(await bench("\(Self.acl) create 7 lun0 1").output == "Created Mapped LUN 7.\n")
    #expect(
      await bench("\(Self.acl) create 3 /backstores/ramdisk/s").output
        == "Created LUN 1.\nCreated Mapped LUN 3.\n")
    let luns = try #require(try bench.target.acl.first?.luns)
    #expect(luns.map(\.number) == [3, 7])
    #expect(luns.map(\.store) == ["s", "r"])
    #expect(luns.map(\.readOnly) == [false, true])
    #expect(await bench("\(Self.acl) delete 7").output == "Deleted Mapped LUN 7.\n")
    #expect(try bench.target.acl.first?.luns?.map(\.number) == [3])
    let twice = await bench("\(Self.acl) create 3 0")
    #expect((twice.code, twice.errors) == (1, "This MappedLUN already exists in configFS\n"))
  }

  @Test("A new LUN comes to every initiator, or to none where that is asked for")
  func newLUNs() async throws {
    let bench = try await bench()
    await bench.all(
      "backstores/ramdisk create s 64M", "backstores/ramdisk create t 64M",
      "\(Self.tpg)/acls create \(Bench.node)")
    let added = await bench("\(Self.tpg)/luns create /backstores/ramdisk/s 5")
    #expect(
      added.output == "Created LUN 5.\nCreated LUN 5->5 mapping in node ACL \(Bench.node)\n")
    #expect(try bench.target.acl.first?.luns == nil)
    await bench.all("\(Self.tpg)/luns create /backstores/ramdisk/t add_mapped_luns=false")
    #expect(try bench.target.luns.map(\.number).sorted() == [0, 1, 5])
    #expect(try bench.target.acl.first?.luns?.map(\.number) == [0, 5])
    #expect(await bench("\(Self.tpg)/luns delete lun0").output == "Deleted LUN 0.\n")
    #expect(try bench.target.acl.first?.luns?.map(\.number) == [5])
  }

  @Test("A deleted initiator is shut out at once")
  func deletedACL() async throws {
    let bench = try await bench()
    await bench.all("\(Self.tpg)/acls create \(Bench.node)")
    #expect(
      await bench("\(Self.tpg)/acls delete \(Bench.node)").output
        == "Deleted Node ACL \(Bench.node).\n")
    #expect(try bench.target.acl.isEmpty)
    #expect(bench.daemon.requests.last?.options.now == true)
  }
}
