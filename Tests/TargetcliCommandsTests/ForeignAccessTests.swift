import AdministrationModel
import TargetConfig
import Testing

@testable import TargetcliCommands

/// Whom another program lets in meanwhile: what targetcli says of it holds.
struct ForeignAccessTests {
  private static let tpg = "/iscsi/\(Bench.iqn)/tpg1"
  private static let second = "\(Bench.node)2"
  private static let note = "Note: let in by another program, and not any more: "

  private func bench(_ access: String = #""acl": []"#) throws -> Bench {
    try Bench(serving: "a", "b", to: access)
  }

  private func target(_ bench: Bench) throws -> TargetConfiguration.Target { try bench.target }

  private func admit(_ initiator: String, _ bench: Bench) async throws {
    let entry = AccessEntrySpecification(initiator: initiator)
    let change = Change.addACLEntry(Change.EntryAddition(target: Bench.iqn, entry))
    try await bench.elsewhere(change)
  }

  private static let shutting = ["disable", "set attribute authentication=1"]

  @Test(
    "An initiator that another program let in is gone when targetcli deletes it",
    arguments: shutting)
  func deleted(_ shutting: String) async throws {
    let bench = try bench()
    await bench.all("\(Self.tpg) \(shutting)")
    try await admit(Self.second, bench)
    let run = await bench("\(Self.tpg)/acls delete \(Self.second)")
    #expect((run.code, run.output) == (0, "Deleted Node ACL \(Self.second).\n"))
    #expect(try target(bench).acl.isEmpty)
    #expect(!bench.notes.contains("/acl/"))
  }

  @Test("An initiator that another program let in waits once targetcli changes the target")
  func waiting() async throws {
    for line in [" disable", "/luns delete lun2", "/acls/\(Self.second) delete mapped_lun1"] {
      for shutting in Self.shutting {
        let bench = try bench()
        await bench.all("\(Self.tpg) \(shutting)")
        try await admit(Self.second, bench)
        let run = await bench(Self.tpg + line)
        #expect(run.code == 0 && run.errors == Self.note + Self.second + "\n", "\(line)")
        #expect(try target(bench).acl.isEmpty, "\(line)")
        #expect(bench.notes.contains("/acl/\(Self.second)/0="), "\(line)")
      }
    }
  }

  @Test("An initiator that another program let in stays when the group is enabled")
  func enabled() async throws {
    let bench = try bench(#""acl": [{"initiator": "\#(Bench.node)"}]"#)
    await bench.all("\(Self.tpg) disable")
    try await admit(Self.second, bench)
    await bench.all("\(Self.tpg) enable")
    #expect(try Set(target(bench).acl.map(\.initiator)) == [Bench.node, Self.second])
  }

  @Test("An initiator that another program let in waits with its user and secret")
  func waitingUser() async throws {
    let bench = try bench()
    await bench.all("\(Self.tpg) disable")
    try await admit(Self.second, bench)
    let user = CredentialSpecification(user: "u", secret: SecretText("a-long-secret-1"))
    let place = CredentialPlace(target: Bench.iqn, entry: EntryKey(initiator: Self.second))
    let change = Change.addCHAPUser(Change.UserAddition(user, at: place))
    try await bench.elsewhere(change)
    let before = try target(bench).acl
    await bench.all("\(Self.tpg)/acls create \(Bench.node)")
    #expect(try target(bench).acl.isEmpty)
    await bench.all("\(Self.tpg)/acls delete \(Bench.node)", "\(Self.tpg) enable")
    #expect(try target(bench).acl == before && before.map(\.chap.count) == [1])
  }

  @Test("Who waits with a user does not get in without, though another program let it in so")
  func merged() async throws {
    let bench = try bench(
      """
      "acl": [{"initiator": "\(Bench.node)", "chap": [{"user": "u", "secret": "a-long-secret-1"}]}]
      """)
    let before = try target(bench)
    await bench.all("\(Self.tpg) disable")
    try await admit(Bench.node, bench)
    await bench.all("\(Self.tpg) enable")
    #expect(try target(bench) == before)
  }

  @Test("Everybody whom another program let in is shut out, too", arguments: shutting)
  func everybody(_ shutting: String) async throws {
    let open = Change.setTarget(Change.TargetKeys(Bench.iqn, ["initiators": "any"]))
    for isEntry in [true, false] {
      let bench = try bench()
      await bench.all("\(Self.tpg) \(shutting)")
      if isEntry {
        try await admit("any", bench)
      } else {
        try await bench.elsewhere(open)
      }
      let run = await bench("\(Self.tpg)/luns delete lun2")
      #expect(run.code == 0 && run.errors == Self.note + "whoever has no ACL\n")
      let target = try target(bench)
      #expect(target.acl.isEmpty && !target.isOpenToAny)
    }
  }

  @Test("An initiator of the list stands before another program's entry for everybody")
  func order() async throws {
    let bench = try bench()
    try await admit("any", bench)
    await bench.all("\(Self.tpg)/acls create \(Bench.node)")
    #expect(try target(bench).acl.map(\.initiator) == [Bench.node, nil])
  }
}
