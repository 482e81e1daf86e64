import AdministrationModel
import Testing

@testable import TargetcliCommands

struct TreeTests {
  @Test("ls of an empty daemon draws targetcli's tree, 80 columns wide")
  func empty() async throws {
    let run = await (try Bench())("ls")
    #expect(
      run.output == """
        o- / ..................................................................... [...]
          o- backstores .......................................................... [...]
          | o- block .............................................. [Storage Objects: 0]
          | o- fileio ............................................. [Storage Objects: 0]
          | o- ramdisk ............................................ [Storage Objects: 0]
          o- iscsi ........................................................ [Targets: 0]

        """)
    #expect(run.code == 0)
  }

  @Test("ls shows how a backstore is accessible through each portal group")
  func accessStates() async throws {
    let bench = try Bench(
      """
      {"portals": [{"address": "127.0.0.1:3260", "group": 1}, {"address": "127.0.0.1:3261", "group": 2}],
       "stores": {"r": {"memory": true, "size": "64MiB"}, "s": {"memory": true, "size": "64MiB"}},
       "targets": [{"name": "\(Bench.iqn)", "luns": [{"lun": 1, "store": "r"}],
         "portalGroups": [1, {"tag": 2, "state": "standby"}]}]}
      """)
    let r = await bench("ls /backstores/ramdisk/r").output
    #expect(
      r.contains("[ALUA state: Active/optimized (portal group 1), Standby (portal group 2)]"))
    #expect(
      await bench("ls /backstores/ramdisk/s").output.contains("[ALUA state: Active/optimized]"))
  }

  @Test("ls shows backstores, LUNs, initiators and portals in their places")
  func whole() async throws {
    let bench = try Bench()
    for command in GuideTests.commands { await bench(command) }
    bench.paper.columns = 120
    let lines = await bench("ls").output.split(separator: "\n").map(String.init)
    #expect(lines.allSatisfy { $0.count == 120 })
    let names = lines.map { line in
      line.split(separator: " ", omittingEmptySubsequences: false)
        .filter { $0.count < 4 || $0.contains { $0 != "." } }.joined(separator: " ")
    }
    #expect(
      names == [
        "o- / [...]",
        "  o- backstores [...]",
        "  | o- block [Storage Objects: 0]",
        "  | o- fileio [Storage Objects: 1]",
        "  | | o- sdb [/var/lib/iscsi_disks/sdb.img (2.0GiB) write-back activated]",
        "  | |   o- alua [ALUA Groups: 1]",
        "  | |     o- default_tg_pt_gp [ALUA state: Active/optimized]",
        "  | o- ramdisk [Storage Objects: 0]",
        "  o- iscsi [Targets: 1]",
        "    o- iqn.2023-02.com.example:blocks [TPGs: 1]",
        "      o- tpg1 [no-gen-acls, auth per-acl]",
        "        o- acls [ACLs: 1]",
        "        | o- iqn.2023-02.com.example:node1.init [1-way auth, Mapped LUNs: 1]",
        "        |   o- mapped_lun0 [lun0 fileio/sdb (rw)]",
        "        o- luns [LUNs: 1]",
        "        | o- lun0 [fileio/sdb (/var/lib/iscsi_disks/sdb.img) (default_tg_pt_gp)]",
        "        o- portals [Portals: 1]",
        "          o- 0.0.0.0:3260 [OK]",
      ])
    #expect(!lines.contains { $0.contains("password") })
  }

  @Test("ls takes a path and a depth, in either order of absence")
  func depth() async throws {
    let bench = try Bench()
    #expect(await bench("ls / 1").output.split(separator: "\n").count == 3)
    #expect(await bench("ls 1").output.split(separator: "\n").count == 3)
    #expect(await bench("backstores/ ls").output.hasPrefix("o- backstores ..."))
    #expect(await bench("ls backstores/block").output.hasPrefix("o- block ..."))
    let wrong = await bench("ls / deep")
    #expect((wrong.code, wrong.errors) == (1, "The tree depth must be a number.\n"))
  }

  @Test("Only a terminal gets colours, and only what is well is green")
  func colors() {
    let node = TreeNode("a", .root, "fine", isHealthy: true, [])
    let plain = TreeText(columns: 20).lines(node)
    #expect(plain == ["o- a ....... [fine]"].map { $0.replacing(".......", with: "........") })
    let colored = TreeText(columns: 20, hasColors: true).lines(node)
    #expect(colored.first?.contains("\u{1B}[32mfine\u{1B}[0m") == true)
  }

  @Test("A name that would steer the terminal is shown, not obeyed")
  func hostile() {
    let node = TreeNode("a\u{1B}[2J", .root, "b\u{202E}", [])
    let line = TreeText(columns: 60).lines(node).joined()
    #expect(!line.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
    #expect(line.contains("a\\u{1b}[2J"))
  }

  @Test(
    "A path that leads nowhere says so and exits with 1",
    arguments: ["/nowhere ls", "ls /iscsi/iqn.x", "cd /backstores/pscsi", "@mark ls"])
  func nowhere(_ line: String) async throws {
    let run = await (try Bench())(line)
    #expect(run.code == 1)
    #expect(run.errors.hasPrefix("No such "))
    #expect(run.output == "")
  }

  @Test("A star carries a command out at every child")
  func star() async throws {
    let run = await (try Bench())("/backstores/* status")
    #expect(
      run.output == """
        Status for /backstores/block: Storage Objects: 0
        Status for /backstores/fileio: Storage Objects: 0
        Status for /backstores/ramdisk: Storage Objects: 0

        """)
  }

  @Test("Paths need neither their first nor their last slash")
  func slashes() async throws {
    let bench = try Bench()
    let outputs = [
      await bench("/backstores/block/ ls"), await bench("backstores/block ls"),
      await bench("/backstores/block ls"), await bench("ls backstores/block/"),
    ].map(\.output)
    #expect(Set(outputs).count == 1)
  }
}
