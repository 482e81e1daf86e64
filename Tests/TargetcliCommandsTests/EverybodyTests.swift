import AdministrationModel
import TargetConfig
import Testing

@testable import TargetcliCommands

/// Whoever has no entry of its own, where other tools made an entry for it.
struct EverybodyTests {
  private static let tpg = "/iscsi/\(Bench.iqn)/tpg1"

  /// With the stores a and b in memory.
  private func bench(_ access: String) throws -> Bench {
    try Bench(serving: "a", "b", to: access)
  }

  private static let listed = """
    "acl": [{"initiator": "any", "luns": [{"lun": 1, "store": "a"}, {"lun": 2, "store": "b"}]}]
    """

  // MARK: LUNs

  @Test("A LUN that is deleted is gone for everybody", arguments: [true, false])
  func deletedLUN(isEnabled: Bool) async throws {
    let bench = try bench(Self.listed)
    if !isEnabled { await bench.all("\(Self.tpg) disable") }
    await bench.all("\(Self.tpg)/luns delete lun1")
    if !isEnabled { await bench.all("\(Self.tpg) enable") }
    let target = try bench.target
    #expect(target.luns.map(\.number) == [2])
    #expect(target.acl.map { $0.luns?.map(\.store) } == [["b"]])
  }

  @Test("A backstore that goes while nobody gets in keeps nobody out afterwards")
  func deletedStore() async throws {
    let bench = try bench(Self.listed)
    await bench.all("\(Self.tpg) disable", "backstores/ramdisk delete a")
    #expect(!bench.notes.contains(#""store":"a""#))
    await bench.all("\(Self.tpg) enable")
    #expect(try bench.target.acl.map { $0.luns?.map(\.store) } == [["b"]])
  }

  @Test("A LUN that another program removed leaves the list, and a later one of its name is unseen")
  func foreignRemoval() async throws {
    let bench = try bench(Self.listed)
    await bench.all("\(Self.tpg) disable")
    try await bench.elsewhere(
      .removeLUN(Change.LUNName(target: Bench.iqn, lun: 1)), .removeStore(Change.StoreName("a")))
    await bench.all("\(Self.tpg) enable", "backstores/ramdisk create a 64M")
    #expect(try bench.target.acl.map { $0.luns?.map(\.store) } == [["b"]])
  }

  // MARK: Users

  private static let users = """
    "chap": [{"user": "t1", "secret": "a-long-secret-1"},
      {"user": "t2", "secret": "a-long-secret-2"}]
    """

  @Test("The target's users stay all of them, and are not those of an entry")
  func targetUsers() async throws {
    let bench = try bench("\(Self.users), \(Self.listed)")
    let before = try bench.target
    await bench.all("\(Self.tpg) disable", "\(Self.tpg) enable")
    #expect(try bench.target == before)
    await bench.all("\(Self.tpg) set auth userid=t3 password=a-long-secret-3")
    let after = try bench.target
    #expect(Set(after.chap.map(\.user)) == ["t2", "t3"] && after.acl == before.acl)
  }

  @Test("Users of everybody's own beside the target's cannot wait, and are not replaced")
  func ownUsers() async throws {
    let own = """
      "acl": [{"initiator": "any", "chap": [{"user": "e", "secret": "a-long-secret-5"}]}]
      """
    let bench = try bench("\(Self.users), \(own)")
    let before = try bench.target
    for line in ["disable", "set attribute generate_node_acls=0"] {
      let run = await bench("\(Self.tpg) \(line)")
      #expect(run.code == 1)
      #expect(
        run.errors.hasSuffix(
          "Whoever has no ACL has the user e of its own here, beside the users of the target, which "
            + "cannot be kept: take its entry or the user e away with swift-tgtadm first.\n"))
    }
    #expect(try bench.target == before && bench.notes.isEmpty)
    await bench.all("\(Self.tpg) set attribute demo_mode_write_protect=1")
    let after = try bench.target
    #expect(after.acl.map(\.readOnly) == [true])
    #expect(after.chap == before.chap && after.acl.map(\.chap) == before.acl.map(\.chap))
  }

  @Test("A mutual user of everybody's own beside the target's users cannot wait either")
  func ownMutualUser() async throws {
    let own = """
      "acl": [{"initiator": "any", "mutualChap": {"user": "m", "secret": "a-long-secret-5"}}]
      """
    let bench = try bench("\(Self.users), \(own)")
    let before = try bench.target
    for line in ["disable", "set attribute generate_node_acls=0"] {
      let run = await bench("\(Self.tpg) \(line)")
      #expect(run.code == 1)
      #expect(run.errors.contains("Whoever has no ACL has the user m of its own here, beside"))
    }
    #expect(try bench.target == before && bench.notes.isEmpty)
    await bench.all("\(Self.tpg)/luns delete lun1")
    #expect(try bench.target.acl == before.acl)
  }

  @Test("A disabled portal group is shut, however everybody was let in before")
  func shut() async throws {
    for access in [
      #""acl": [{"initiator": "any"}]"#, #""initiators": "any""#,
      #""initiators": "any", "acl": [{"initiator": "any", "readOnly": true}]"#,
    ] {
      let bench = try bench(access)
      await bench.all("\(Self.tpg) disable")
      let shut = try bench.target
      #expect(shut.acl.isEmpty && !shut.isOpenToAny, "\(access)")
      await bench.all("\(Self.tpg) enable")
      let open = try bench.target
      #expect(open.isOpenToAny != (open.acl.map(\.readOnly) == [true]), "\(access)")
    }
  }
}
