import AdministrationModel
import TargetConfig
import Testing

@testable import TargetcliCommands

/// The commands of the cluster guides, word by word, each in a process of its own.
struct GuideTests {
  static let commands = [
    "backstores/fileio create sdb /var/lib/iscsi_disks/sdb.img 2G",
    "iscsi/ create iqn.2023-02.com.example:blocks",
    "iscsi/iqn.2023-02.com.example:blocks/tpg1/luns/ create /backstores/fileio/sdb/",
    "iscsi/iqn.2023-02.com.example:blocks/tpg1/acls/ create iqn.2023-02.com.example:node1.init",
    "iscsi/iqn.2023-02.com.example:blocks/tpg1/acls/iqn.2023-02.com.example:node1.init set auth userid=username",
    "iscsi/iqn.2023-02.com.example:blocks/tpg1/acls/iqn.2023-02.com.example:node1.init set auth password=password",
    "saveconfig",
  ]

  static let answers = [
    "Created fileio sdb with size 2147483648\n",
    """
    Created target iqn.2023-02.com.example:blocks.
    Created TPG 1.
    Global pref auto_add_default_portal=true
    Created default portal listening on all IPs (0.0.0.0), port 3260.

    """,
    "Created LUN 0.\n",
    """
    Created Node ACL for iqn.2023-02.com.example:node1.init
    Created mapped LUN 0.

    """,
    "Parameter userid is now 'username'.\n",
    "Parameter password is now 'password'.\n",
    "Configuration saved to /etc/swift-tgtd/targets.json\n",
  ]

  @Test("The guides' commands answer as targetcli does")
  func answers() async throws {
    let bench = try Bench()
    for (command, answer) in zip(Self.commands, Self.answers) {
      let run = await bench(command)
      #expect(run.code == 0, "\(command): \(run.errors)")
      #expect(run.output == answer)
      #expect(run.errors == "")
    }
    #expect(bench.daemon.saves == 1)
  }

  @Test("The guides' commands make a target that asks that node for CHAP")
  func configuration() async throws {
    let bench = try Bench()
    for command in Self.commands { await bench(command) }
    let configuration = try bench.daemon.configuration
    let store = try #require(configuration.stores.first)
    #expect(store.medium == .file(path: "/var/lib/iscsi_disks/sdb.img"))
    #expect(store.sizeBytes == 2 << 30)
    #expect(store.product == "sdb")
    let target = try #require(configuration.target(named: Bench.iqn))
    #expect(target.luns == [TargetConfiguration.LUN(number: 0, store: "sdb")])
    #expect(target.portalGroups == [1])
    #expect(!target.isOpenToAny)
    let entry = try #require(target.acl.first)
    #expect(entry.initiator == Bench.node)
    #expect(entry.chap.map(\.user) == ["username"])
    #expect(entry.chap.first?.secret == Secret("password"))
    #expect(entry.luns == nil)
    #expect(!bench.notes.contains("username"))
  }

  @Test("Nothing but saveconfig writes the configuration file")
  func runtimeOnly() async throws {
    let bench = try Bench()
    for command in Self.commands { await bench(command) }
    #expect(!bench.daemon.requests.isEmpty)
    #expect(!bench.daemon.requests.contains { !$0.options.runtimeOnly })
  }

  @Test("The interactive session serves a disk to everybody who asks, and saves at the end")
  func interactiveSession() async throws {
    let bench = try Bench()
    bench.paper.kinds["/dev/loop7"] = .device
    bench.paper.isInteractive = true
    let name = "iqn.2003-01.org.linux-iscsi.node-1.x8664:sn.0123456789ab"
    let run = await bench.shell(
      "cd /backstores/block", "create lun0 /dev/loop7", "cd /iscsi", "create",
      "cd \(name)/tpg1/luns", "create /backstores/block/lun0",
      "set attribute authentication=0 demo_mode_write_protect=0 generate_node_acls=1 cache_dynamic_acls=1",
      "ls", "saveconfig", "exit")
    #expect(run.code == 0)
    for text in [
      "targetcli shell version 1.2.3", "/> ", "/backstores/block> ",
      "Created block storage object lun0 using /dev/loop7.\n", "Created target \(name).\n",
      "Created TPG 1.\n", "Created LUN 0.\n", "Parameter authentication is now '0'.\n",
      "Parameter demo_mode_write_protect is now '0'.\n",
      "Parameter generate_node_acls is now '1'.\n", "Parameter cache_dynamic_acls is now '1'.\n",
      "[block/lun0 (/dev/loop7) (default_tg_pt_gp)]",
      "Global pref auto_save_on_exit=true\n",
    ] {
      #expect(run.output.contains(text), "\(text)")
    }
    #expect(run.errors.contains("cache_dynamic_acls is kept, and without effect"))
    let target = try #require(try bench.daemon.configuration.target(named: name))
    #expect(target.isOpenToAny)
    #expect(target.acl.isEmpty)
    #expect(bench.daemon.saves == 2)
  }

  @Test("The option tells the program's own version, the command that of the daemon")
  func versions() async throws {
    let bench = try Bench()
    for option in ["--version", "-v"] {
      #expect(await bench(option).output == "targetcli version \(Version.text) (swift-tgtd)\n")
    }
    #expect(await bench("version").output == "targetcli version 1.2.3 (swift-tgtd)\n")
  }

  @Test("Commands from a pipe run without prompts; comments and failures do not end them")
  func pipe() async throws {
    let bench = try Bench()
    let run = await bench.shell(
      "# a comment", "", "/iscsi create \(Bench.iqn)", "/nowhere ls", "pwd")
    #expect(run.code == 0)
    #expect(run.output.contains("Created target \(Bench.iqn)."))
    #expect(!run.output.contains("> "))
    #expect(run.output.contains("\n/\n"))
    #expect(run.errors == "No such path /nowhere\n")
    #expect(bench.daemon.saves == 1)
  }

  @Test("The cluster agent's order with CHAP never leaves a door open")
  func agent() async throws {
    let bench = try Bench()
    await bench.all(
      "/iscsi set global auto_add_default_portal=false", "/iscsi create \(Bench.iqn)")
    #expect(try !bench.target.isOpenToAny)
    await bench.all(
      "/iscsi/\(Bench.iqn)/tpg1/portals create 192.0.2.7 3260",
      "/iscsi/\(Bench.iqn)/tpg1/ set attribute authentication=1 generate_node_acls=0",
      "/iscsi/\(Bench.iqn)/tpg1/acls create \(Bench.node)")
    #expect(try bench.target.acl.isEmpty)
    let acl = "/iscsi/\(Bench.iqn)/tpg1/acls/\(Bench.node)"
    await bench.all("\(acl) set auth userid=u")
    #expect(try bench.target.acl.isEmpty)
    await bench.all("\(acl) set auth password=a-long-secret-1")
    #expect(try bench.target.acl.map { $0.chap.map(\.user) } == [["u"]])
    #expect(!bench.notes.contains("a-long-secret-1"))
    #expect(
      try bench.daemon.configuration.portals.map(\.endpoint.description) == ["192.0.2.7:3260"])
  }
}
