import TargetConfig
import Testing

@testable import TargetcliCommands

/// The mutual user of a target, which its initiators with users of their own have, too.
struct MutualUserTests {
  private static let tpg = "/iscsi/\(Bench.iqn)/tpg1"

  private static let targetUser = """
    "chap": [{"user": "t1", "secret": "a-long-secret-1"}]
    """
  private static let mutualUser = #""mutualChap": {"user": "m", "secret": "a-long-secret-3"}"#

  private func bench(_ access: String) throws -> Bench {
    try Bench(
      """
      {"portals": ["0.0.0.0:3260"], "stores": {"a": {"memory": true, "size": "64MiB"}},
       "targets": [{"name": "\(Bench.iqn)", "luns": [{"lun": 1, "store": "a"}], \(access)}]}
      """)
  }

  private func target(_ bench: Bench) throws -> TargetConfiguration.Target {
    try #require(try bench.daemon.configuration.target(named: Bench.iqn))
  }

  @Test("The target's mutual user stays where initiators are asked for users of their own")
  func ofOthers() async throws {
    for initiator in [Bench.node, "any"] {
      let own = """
        {"initiator": "\(initiator)", "chap": [{"user": "n", "secret": "a-long-secret-1"}]}
        """
      let bench = try bench("\(Self.targetUser), \(Self.mutualUser), \"acl\": [\(own)]")
      await bench.all("\(Self.tpg) set auth userid= password=")
      let target = try target(bench)
      #expect(target.chap.isEmpty && target.mutualChap?.user == "m", "\(initiator)")
      #expect(target.acl.map { $0.chap.map(\.user) } == [["n"]], "\(initiator)")
      #expect(!bench.notes.contains("/auth/"), "\(initiator)")
    }
  }
}
