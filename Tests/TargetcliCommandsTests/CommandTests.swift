import AdministrationModel
import TargetConfig
import Testing

@testable import TargetcliCommands

/// Backstores, targets, portals and settings.
struct CommandTests {
  private static let tpg = "/iscsi/\(Bench.iqn)/tpg1"

  // MARK: Backstores

  @Test("A backstore takes its parameters by place and by name")
  func parameters() async throws {
    let bench = try Bench()
    bench.paper.kinds["/dev/sdb"] = .device
    await bench.all(
      "/backstores/block create name=b dev=/dev/sdb wwn=60014050-abcd readonly=true",
      "/backstores/fileio create f /srv/f.img size=10M write_back=false",
      "/backstores/ramdisk create nullio=true name=n size=1G")
    let configuration = try bench.daemon.configuration
    let block = try #require(configuration.store(named: "b"))
    #expect(block.medium == .block(path: "/dev/sdb"))
    #expect(block.readOnly)
    #expect(block.serial == "60014050-abcd")
    #expect(block.naa?.description == "600140560014050abcd0000000000000")
    let file = try #require(configuration.store(named: "f"))
    #expect(file.cache == .writethrough)
    #expect(file.sizeBytes == 10 << 20)
    #expect(configuration.store(named: "n")?.medium == .null)
  }

  @Test("The cluster agent's names of parameters are understood for both kinds of media")
  func agentsNames() async throws {
    let bench = try Bench()
    bench.paper.kinds["/dev/sdb"] = .device
    await bench.all(
      "/backstores/block create name=b dev=/dev/sdb write_back=false",
      "/backstores/fileio create name=f dev=/srv/f.img size=1M write_back=true")
    #expect(try bench.daemon.configuration.store(named: "b")?.cache == .directsync)
    #expect(try bench.daemon.configuration.store(named: "f")?.cache == .writeback)
  }

  @Test("A file that is there keeps its size, one that is not needs one")
  func sizes() async throws {
    let bench = try Bench()
    bench.paper.kinds["/srv/old.img"] = .file(bytes: 1 << 20)
    let old = await bench("/backstores/fileio create old /srv/old.img 2G")
    #expect(old.output.hasPrefix("/srv/old.img exists, using its size (1048576 bytes) instead\n"))
    #expect(try bench.daemon.configuration.store(named: "old")?.sizeBytes == nil)
    let new = await bench("/backstores/fileio create new /srv/new.img")
    #expect(
      (new.code, new.errors)
        == (1, "Attempting to create file for new fileio backstore, need a size\n"))
  }

  @Test("A relative path means the directory of who typed it, not of the daemon")
  func relative() async throws {
    let bench = try Bench()
    await bench.all("/backstores/fileio create f disks/../f.img 1M")
    let medium = try bench.daemon.configuration.store(named: "f")?.medium
    #expect(medium == .file(path: "/srv/work/f.img"))
  }

  @Test(
    "A backstore that cannot be is refused, and nothing is made",
    arguments: [
      ("/backstores/block create x /srv/file", "Device is not a TYPE_DISK block device"),
      ("/backstores/fileio create x /srv 1G", "Path /srv exists but is not a file"),
      ("/backstores/fileio create x /srv/new 1.5G", "Cannot interpret size, wrong format: 1.5G"),
      ("/backstores/fileio create x /srv/new 1G write_back=maybe", "Syntax error, 'maybe'"),
      ("/backstores/ramdisk create -x 1G", "is not a store name"),
      ("/backstores/ramdisk create x 1000", "1000"),
      ("/backstores/ramdisk create x", "Missing required parameter size"),
      ("/backstores/ramdisk delete x", "No storage object named x."),
      ("/backstores/pscsi create x /dev/sg0", "No such path /backstores/pscsi"),
    ])
  func refusedStores(_ line: String, _ message: String) async throws {
    let bench = try Bench()
    bench.paper.kinds = ["/srv": .directory, "/srv/file": .file(bytes: 4096)]
    let run = await bench(line)
    #expect(run.code == 1)
    #expect(run.errors.contains(message), "\(run.errors)")
    #expect(try bench.daemon.configuration.stores.isEmpty)
  }

  @Test("A name that is taken, a deletion with LUNs: as targetcli does it")
  func deletion() async throws {
    let bench = try Bench()
    await bench.all(
      "backstores/ramdisk create r 64M", "iscsi create \(Bench.iqn)",
      "\(Self.tpg)/luns create /backstores/ramdisk/r", "\(Self.tpg)/acls create \(Bench.node)",
      "\(Self.tpg)/acls/\(Bench.node) delete 0", "\(Self.tpg)/acls/\(Bench.node) create 4 lun0")
    let taken = await bench("backstores/ramdisk create r 64M")
    #expect((taken.code, taken.errors) == (1, "Storage object ramdisk/r exists\n"))
    #expect(await bench("backstores/ramdisk delete r").output == "Deleted storage object r.\n")
    let configuration = try bench.daemon.configuration
    #expect(configuration.stores.isEmpty)
    #expect(configuration.targets.first?.luns.isEmpty == true)
    #expect(configuration.targets.first?.acl.first?.luns?.isEmpty == true)
    #expect(bench.daemon.requests.last?.options.force == true)
  }

  @Test("A LUN of a file makes the backstore first")
  func lunOfFile() async throws {
    let bench = try Bench()
    bench.paper.kinds["/srv/disk.img"] = .file(bytes: 1 << 20)
    await bench.all("iscsi create \(Bench.iqn)")
    let run = await bench("\(Self.tpg)/luns create /srv/disk.img")
    #expect(run.output == "Created storage object srv-disk.img.\nCreated LUN 0.\n")
    let twice = await bench("\(Self.tpg)/luns create /backstores/fileio/srv-disk.img 3")
    #expect(
      twice.errors == "lun for storage object fileio/srv-disk.img already exists\n")
    let none = await bench("\(Self.tpg)/luns create /backstores/fileio/none")
    #expect((none.code, none.errors) == (1, "storage object or path not valid\n"))
    for lun in ["-1", "x", "16384", "70000"] {
      let wrong = await bench("\(Self.tpg)/luns create /srv/disk.img \(lun)")
      #expect(wrong.code == 1 && wrong.errors.hasPrefix("LUN must be 0 to 16383"))
    }
  }

  // MARK: Targets

  @Test("A target without a name gets one as targetcli makes them")
  func newName() async throws {
    let run = await (try Bench())("iscsi create")
    #expect(
      run.output.hasPrefix(
        "Created target iqn.2003-01.org.linux-iscsi.node-1.x8664:sn.0123456789ab.\n"))
  }

  @Test(
    "Names that no initiator would know are refused",
    arguments: [
      "disk", "iqn.disk", "iqn.2023-13.com.example:x", "eui.12", "naa.x", "iqn.2023-02.a_b",
    ])
  func names(_ name: String) async throws {
    let bench = try Bench()
    let run = await bench("iscsi create \(name)")
    #expect((run.code, run.errors) == (1, "WWN not valid as: iqn, naa, eui\n"))
    #expect(try bench.daemon.configuration.targets.isEmpty)
  }

  @Test("Names count without case, and one target has one portal group")
  func oneTarget() async throws {
    let bench = try Bench()
    await bench.all("iscsi create \(Bench.iqn.uppercased().replacing("IQN", with: "iqn"))")
    let twice = await bench("iscsi create \(Bench.iqn)")
    #expect(twice.errors == "This Target already exists in configFS\n")
    #expect(await bench("iscsi/\(Bench.iqn) create 2").code == 1)
    #expect(await bench("iscsi/\(Bench.iqn) create tpg1").errors.hasPrefix("This TPG already"))
    #expect(await bench("iscsi delete \(Bench.iqn)").output == "Deleted Target \(Bench.iqn).\n")
    #expect(await bench("iscsi delete \(Bench.iqn)").code == 1)
  }

  // MARK: Portals

  @Test("A single address takes the place of all addresses that serve nothing else")
  func onePortal() async throws {
    let bench = try Bench()
    await bench.all("iscsi create \(Bench.iqn)")
    #expect(
      await bench("\(Self.tpg)/portals delete 0.0.0.0 3260").output
        == "Deleted network portal 0.0.0.0:3260\n")
    #expect(await bench("ls \(Self.tpg)/portals").output.contains("[Portals: 0]"))
    let run = await bench("\(Self.tpg)/portals create 192.0.2.7")
    #expect(
      run.output == "Using default IP port 3260\nCreated network portal 192.0.2.7:3260.\n")
    #expect(run.errors.contains("0.0.0.0:3260 is taken away"))
    let configuration = try bench.daemon.configuration
    #expect(configuration.portals.map(\.endpoint.description) == ["192.0.2.7:3260"])
    #expect(configuration.targets.first?.portalGroups == configuration.portals.map(\.group))
  }

  @Test("Without a portal nobody gets in, and with one those do who may")
  func noPortal() async throws {
    let bench = try Bench()
    await bench.all(
      "iscsi create \(Bench.iqn)", "\(Self.tpg) set attribute generate_node_acls=1",
      "\(Self.tpg) set attribute demo_mode_write_protect=0")
    #expect(try bench.daemon.configuration.targets.first?.isOpenToAny == true)
    await bench.all("\(Self.tpg)/portals delete 0.0.0.0 3260")
    #expect(try bench.daemon.configuration.targets.first?.isOpenToAny == false)
    await bench.all("\(Self.tpg)/portals create")
    #expect(try bench.daemon.configuration.targets.first?.isOpenToAny == true)
  }

  @Test("All addresses that serve another target stay, and whoever wanted one is told")
  func sharedPortal() async throws {
    let bench = try Bench()
    await bench.all("iscsi create iqn.2023-02.com.example:other", "iscsi create \(Bench.iqn)")
    await bench.all("\(Self.tpg)/portals delete ::0 3260")
    let run = await bench("\(Self.tpg)/portals create 192.0.2.7 3260")
    #expect(run.code == 0)
    #expect(run.errors.contains("cannot stand beside 0.0.0.0:3260, which serves other targets"))
    #expect(try bench.daemon.configuration.portals.count == 2)
  }

  @Test("Targets of several portals have groups of their own")
  func severalPortals() async throws {
    let bench = try Bench(#"{"portals": ["192.0.2.1:3260"]}"#)
    await bench.all("iscsi create \(Bench.iqn)", "\(Self.tpg)/portals delete 192.0.2.1 3260")
    await bench.all(
      "\(Self.tpg)/portals create 192.0.2.7", "\(Self.tpg)/portals create 2001:db8::7 3261")
    let configuration = try bench.daemon.configuration
    #expect(configuration.targets.first?.portalGroups == [2, 3])
    #expect(configuration.portals.map(\.group) == [1, 2, 3])
    let twice = await bench("\(Self.tpg)/portals create 192.0.2.7")
    #expect(twice.errors == "This NetworkPortal already exists in configFS\n")
    for wrong in ["host", "192.0.2.7 0", "192.0.2.7 70000", "192.0.2.7 x"] {
      #expect(await bench("\(Self.tpg)/portals create \(wrong)").code == 1)
    }
  }

  @Test("With a target go the single addresses that served it alone, and no others")
  func portalsOfDeleted() async throws {
    let bench = try Bench(#"{"portals": ["0.0.0.0:3260"]}"#)
    await bench.all(
      "set global auto_add_default_portal=false", "iscsi create \(Bench.iqn)",
      "iscsi create iqn.2023-02.com.example:other", "\(Self.tpg)/portals create 192.0.2.7 3261",
      "\(Self.tpg)/portals create 192.0.2.7 3262",
      "iscsi/iqn.2023-02.com.example:other/tpg1/portals create 192.0.2.7 3262",
      "iscsi delete \(Bench.iqn)")
    let portals = try bench.daemon.configuration.portals.map(\.endpoint.description)
    #expect(portals == ["0.0.0.0:3260", "192.0.2.7:3262"])
    await bench.all("iscsi delete iqn.2023-02.com.example:other")
    #expect(try bench.daemon.configuration.portals.count == 1)
  }

  @Test("A home that cannot be written costs the bookmark, and no command")
  func noHome() async throws {
    let bench = try Bench()
    bench.paper.isReadOnly = true
    #expect(await bench("backstores/ramdisk create r 64M").code == 0)
    #expect(await bench("@last pwd").code == 1)
  }

  // MARK: Settings

  @Test("Parameters are what is negotiated, under the standard's names")
  func sessionParameters() async throws {
    let bench = try Bench()
    await bench.all("iscsi create \(Bench.iqn)")
    let run = await bench(
      "\(Self.tpg) set parameter MaxConnections=2 ImmediateData=No HeaderDigest=CRC32C TargetAlias=a"
    )
    #expect(
      run.output == """
        Parameter MaxConnections is now '2'.
        Parameter ImmediateData is now 'No'.
        Parameter HeaderDigest is now 'CRC32C'.
        Parameter TargetAlias is now 'a'.

        """)
    await bench.all("\(Self.tpg) set attribute default_cmdsn_depth=32")
    let target = try #require(try bench.daemon.configuration.targets.first)
    #expect(target.iscsi.maxConnections == 2 && !target.iscsi.immediateData)
    #expect(target.iscsi.headerDigest == .crc32c && target.iscsi.queueDepth == 32)
    #expect(target.alias == "a")
    #expect(await bench("\(Self.tpg) get parameter MaxConnections").output == "MaxConnections=2 \n")
  }

  @Test(
    "What cannot be is not set, and nothing of the line is",
    arguments: [
      ("\(tpg) set parameter MaxConnections=99", "99"),
      ("\(tpg) set parameter ErrorRecoveryLevel=2", "ErrorRecoveryLevel is 0 here"),
      ("\(tpg) set parameter ImmediateData=perhaps", "is not Yes|No"),
      ("\(tpg) set parameter HeaderDigest=MD5", "is not made of CRC32C and None"),
      ("\(tpg) set attribute generate_node_acls=1 t10_pi=1", "t10_pi is 0 here"),
      ("\(tpg) set attribute generate_node_acls=2", "is not true|false"),
      ("\(tpg) set attribute nonsense=1", "Unknown parameter nonsense in group 'attribute'."),
      ("\(tpg) set nonsense a=1", "Unknown configuration group: nonsense"),
      ("\(tpg) set auth authenticate_target=1", "Parameter authenticate_target is read-only."),
      ("/iscsi set attribute a=1", "Unknown configuration group: attribute"),
      ("/ set global tree_max_depth=x", "is not a number"),
    ])
  func refusedSettings(_ line: String, _ message: String) async throws {
    let bench = try Bench()
    await bench.all("iscsi create \(Bench.iqn)")
    let before = try bench.daemon.configuration
    let run = await bench(line)
    #expect(run.code == 1)
    #expect(run.errors.contains(message), "\(run.errors)")
    #expect(try bench.daemon.configuration == before)
  }

  @Test("Attributes of a backstore: what is a key of the store can be set, the rest is as it is")
  func storeAttributes() async throws {
    let bench = try Bench()
    await bench.all(
      "/backstores/fileio create f /srv/f 1M",
      "/backstores/fileio/f set attribute emulate_tpu=0 emulate_write_cache=0 emulate_caw=1")
    let store = try #require(try bench.daemon.configuration.store(named: "f"))
    #expect(store.discard == .ignore && store.cache == .writethrough)
    #expect(
      await bench("/backstores/fileio/f get attribute emulate_tpu").output == "emulate_tpu=0 \n")
    let wrong = await bench("/backstores/fileio/f set attribute emulate_caw=0")
    #expect(wrong.errors == "emulate_caw is 1 here and cannot be chosen for a storage object.\n")
  }

  @Test("Discovery asks for a user once both halves and enable are there")
  func discovery() async throws {
    let bench = try Bench()
    let first = await bench("iscsi/ set discovery_auth enable=1")
    #expect(first.output == "Parameter enable is now 'True'.\n")
    #expect(first.errors.contains("asks for nothing until userid and password are set"))
    await bench.all("iscsi/ set discovery_auth userid=d")
    #expect(try bench.daemon.configuration.discovery.chap.isEmpty)
    await bench.all("iscsi/ set discovery_auth password=a-long-secret-1")
    #expect(try bench.daemon.configuration.discovery.chap.map(\.user) == ["d"])
    #expect(await bench("ls / 1").output.contains("[1-way disc auth, Targets: 0]"))
    await bench.all("iscsi/ set discovery_auth enable=0")
    #expect(try bench.daemon.configuration.discovery.chap.isEmpty)
    await bench.all("iscsi/ set discovery_auth enable=1")
    #expect(
      try bench.daemon.configuration.discovery.chap.first?.secret == Secret("a-long-secret-1"))
  }

  @Test("Preferences and bookmarks outlive a call; the last creation is a bookmark")
  func preferences() async throws {
    let bench = try Bench()
    await bench.all(
      "set global auto_add_default_portal=false", "iscsi create \(Bench.iqn)",
      "/iscsi bookmarks add i")
    #expect(
      await bench("get global auto_add_default_portal").output.hasPrefix(
        "auto_add_default_portal=false"))
    #expect(await bench("@last pwd").output == "/iscsi/\(Bench.iqn)/tpg1\n")
    #expect(await bench("@i pwd").output == "/iscsi\n")
    #expect(await bench("bookmarks del i").code == 0)
    #expect(await bench("@i pwd").code == 1)
  }

  @Test("Help knows every command of the node, and no others")
  func help() async throws {
    let bench = try Bench()
    #expect(await bench("iscsi/ help").output.contains("  - create [wwn]\n"))
    #expect(await bench("iscsi/ help create").output.contains("create [wwn]"))
    let unknown = await bench("iscsi/ help frobnicate")
    #expect((unknown.code, unknown.errors) == (1, "Cannot find help topic frobnicate.\n"))
    let wrong = await bench("frobnicate now")
    #expect((wrong.code, wrong.errors) == (1, "Command not found frobnicate\n"))
  }
}
