import TargetConfig
import Testing

@testable import TargetcliCommands

/// The mutual user of a target, which its initiators with users of their own have, too.
struct MutualUserTests {
  private static let tpg = "/iscsi/\(Bench.iqn)/tpg1"
  private static let acl = "\(tpg)/acls/\(Bench.node)"

  private static let targetUser = """
    "chap": [{"user": "t1", "secret": "a-long-secret-1"}]
    """
  private static let mutualUser = #""mutualChap": {"user": "m", "secret": "a-long-secret-3"}"#
  private static let own = """
    {"initiator": "\(Bench.node)", "chap": [{"user": "n", "secret": "a-long-secret-1"}]}
    """

  private func bench(_ access: String) throws -> Bench {
    try Bench(serving: "a", to: access)
  }

  @Test("The target's mutual user stays where initiators are asked for users of their own")
  func ofOthers() async throws {
    for initiator in [Bench.node, "any"] {
      let own = """
        {"initiator": "\(initiator)", "chap": [{"user": "n", "secret": "a-long-secret-1"}]}
        """
      let bench = try bench("\(Self.targetUser), \(Self.mutualUser), \"acl\": [\(own)]")
      await bench.all("\(Self.tpg) set auth userid= password=")
      let target = try bench.target
      #expect(target.chap.isEmpty && target.mutualChap?.user == "m", "\(initiator)")
      #expect(target.acl.map { $0.chap.map(\.user) } == [["n"]], "\(initiator)")
      #expect(!bench.notes.contains("/auth/"), "\(initiator)")
    }
  }

  @Test("The mutual user of a target waits with the last initiator that had a user")
  func waits() async throws {
    let setting = "\(Self.acl) set auth userid=n password=a-long-secret-1"
    let ways: [(shutting: String, opening: [String])] = [
      ("\(Self.tpg) disable", ["\(Self.tpg) enable"]),
      ("\(Self.acl) set auth userid= password=", [setting]),
      (
        "\(Self.tpg)/acls delete \(Bench.node)",
        ["\(Self.tpg)/acls create \(Bench.node)", setting]
      ),
    ]
    for (shutting, opening) in ways {
      let bench = try bench("\(Self.mutualUser), \"acl\": [\(Self.own)]")
      let before = try bench.target
      await bench.all(shutting)
      let shut = try bench.target
      #expect(shut.acl.isEmpty && shut.mutualChap == nil, "\(shutting)")
      let shown = await bench("\(Self.tpg) get auth mutual_userid")
      #expect(shown.output == "mutual_userid=m \n", "\(shutting)")
      let saved = await bench("saveconfig")
      #expect(saved.errors.contains("the mutual user of the target"), "\(shutting)")
      for line in opening { await bench.all(line) }
      #expect(try bench.target == before, "\(shutting)")
      #expect(!bench.notes.contains("a-long-secret"), "\(shutting)")
    }
  }

  @Test("The mutual user of a target without users is set and cleared as that of tpg1")
  func isSet() async throws {
    let bench = try bench("\(Self.mutualUser), \"acl\": [\(Self.own)]")
    await bench.all("\(Self.tpg) set auth mutual_userid=m2")
    #expect(try bench.target.mutualChap?.user == "m2")
    await bench.all("\(Self.tpg) set auth mutual_userid= mutual_password=")
    #expect(try bench.target.mutualChap == nil && !bench.target.acl.isEmpty)
    #expect(!bench.notes.contains("m2"))
  }

  @Test("The target's mutual user comes back, though its user went while nobody got in")
  func ofDisabled() async throws {
    let bench = try bench(
      "\(Self.targetUser), \(Self.mutualUser), \"acl\": [\(Self.own)]")
    await bench.all(
      "\(Self.tpg) disable", "\(Self.tpg) set auth userid= password=", "\(Self.tpg) enable")
    let target = try bench.target
    #expect(target.chap.isEmpty && target.mutualChap?.user == "m")
    #expect(target.acl.map { $0.chap.map(\.user) } == [["n"]])
  }
}
