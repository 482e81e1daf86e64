import AdministrationModel
import TargetConfig
import Testing

@testable import TargetcliCommands

/// Where users are asked for, taking one away lets nobody in without.
struct ProofTests {
  private static let tpg = "/iscsi/\(Bench.iqn)/tpg1"
  private static let acl = "\(tpg)/acls/\(Bench.node)"
  private static let second = "\(Bench.node)2"

  private func bench(_ access: String) throws -> Bench {
    try Bench(serving: "a", to: access)
  }

  private func initiators(_ bench: Bench) throws -> [String?] {
    try bench.target.acl.map(\.initiator)
  }

  // MARK: Users of the target

  private static let targetUser = """
    "chap": [{"user": "t1", "secret": "a-long-secret-1"}]
    """
  private static let listed = #""acl": [{"initiator": "\#(Bench.node)"}]"#

  @Test(
    "A target's user that is cleared leaves nobody in, whether or not authentication=1 was set",
    arguments: [true, false])
  func targetUserCleared(isSet: Bool) async throws {
    let bench = try bench("\(Self.targetUser), \(Self.listed)")
    if isSet { await bench.all("\(Self.tpg) set attribute authentication=1") }
    #expect(try initiators(bench) == [Bench.node])
    await bench.all("\(Self.tpg) set auth userid= password=")
    let target = try bench.target
    #expect(target.chap.isEmpty && target.acl.isEmpty && !target.isOpenToAny)
    #expect(bench.notes.contains("targetcli/target/\(Bench.iqn)/acl/\(Bench.node)/0="))
    let shown = await bench("\(Self.tpg) get attribute authentication")
    #expect(shown.output == "authentication=1 \n")
    await bench.all("\(Self.acl) set auth userid=n password=a-long-secret-2")
    #expect(try bench.target.acl.map { $0.chap.map(\.user) } == [["n"]])
  }

  @Test("Everybody is shut out with the only user of the target, until authentication=0")
  func everybody() async throws {
    let bench = try bench("\(Self.targetUser), \"initiators\": \"any\"")
    let run = await bench("\(Self.tpg) set auth userid= password=")
    #expect(run.code == 0)
    #expect(
      run.errors
        == "Note: users are asked for here (authentication=1): who has none waits for one.\n")
    #expect(try !bench.target.isOpenToAny && bench.target.acl.isEmpty)
    await bench.all("\(Self.tpg) set attribute authentication=0")
    #expect(try bench.target.isOpenToAny)
  }

  @Test("Half of a target's user is not cleared", arguments: ["password=", "userid="])
  func half(_ half: String) async throws {
    let bench = try bench("\(Self.targetUser), \(Self.listed)")
    await bench.all("\(Self.tpg) set attribute authentication=1")
    let before = try bench.target
    let run = await bench("\(Self.tpg) set auth \(half)")
    #expect(run.code == 1)
    #expect(run.errors.hasPrefix("A user of the target itself cannot be half: set userid and"))
    #expect(try bench.target == before && !before.acl.isEmpty)
  }

  @Test("Whoever is still asked for another user of the target stays")
  func otherUser() async throws {
    let users = """
      "chap": [{"user": "t1", "secret": "a-long-secret-1"},
        {"user": "t2", "secret": "a-long-secret-2"}],
      "mutualChap": {"user": "m", "secret": "a-long-secret-3"}, "initiators": "any"
      """
    let bench = try bench("\(users), \(Self.listed)")
    await bench.all(
      "\(Self.tpg) set attribute authentication=1", "\(Self.tpg) set auth userid= password=")
    let target = try bench.target
    #expect(target.chap.map(\.user) == ["t2"] && target.mutualChap?.user == "m")
    #expect(target.acl.map(\.initiator) == [Bench.node] && target.isOpenToAny)
  }

  @Test("A mutual user of an initiator that is asked for the target's user comes and goes with it")
  func ownMutualUser() async throws {
    let mutual = #""mutualChap": {"user": "m", "secret": "a-long-secret-3"}"#
    let listed = "\"acl\": [{\"initiator\": \"\(Bench.node)\", \(mutual)}]"
    let bench = try bench("\(Self.targetUser), \(listed)")
    let before = try bench.target
    await bench.all("\(Self.tpg) disable")
    #expect(try bench.target.acl.isEmpty)
    await bench.all("\(Self.tpg) enable")
    #expect(try bench.target == before && before.acl.map(\.mutualChap?.user) == ["m"])
    #expect(!bench.notes.contains("/acl/"))
    await bench.all("\(Self.acl) set auth mutual_userid= mutual_password=")
    #expect(try bench.target.acl.map(\.mutualChap) == [nil])
  }

  @Test("A mutual user that waits is sent once another program gives the target a user")
  func waitingMutualUser() async throws {
    let bench = try bench(Self.listed)
    await bench.all("\(Self.tpg) set auth mutual_userid=m mutual_password=a-long-secret-3")
    #expect(try bench.target.mutualChap == nil)
    let user = CredentialSpecification(user: "t1", secret: SecretText("a-long-secret-1"))
    let addition = Change.UserAddition(user, at: CredentialPlace(target: Bench.iqn))
    try await bench.elsewhere(.addCHAPUser(addition))
    await bench.all("\(Self.tpg)/acls create \(Self.second)")
    #expect(try bench.target.mutualChap?.user == "m")
    #expect(try bench.target.chap.map(\.user) == ["t1"])
    #expect(!bench.notes.contains("/auth/"))
  }

  @Test("Discovery keeps its mutual user while another user of it is asked for")
  func discovery() async throws {
    let bench = try Bench(
      """
      {"discovery": {"chap": [{"user": "d1", "secret": "a-long-secret-1"},
        {"user": "d2", "secret": "a-long-secret-2"}],
        "mutualChap": {"user": "m", "secret": "a-long-secret-3"}}}
      """)
    let run = await bench("iscsi/ set discovery_auth userid= password=")
    #expect(run.code == 0 && run.errors.isEmpty)
    let discovery = try bench.daemon.configuration.discovery
    #expect(discovery.chap.map(\.user) == ["d2"] && discovery.mutualChap?.user == "m")
  }

  @Test("Discovery with several users is not disabled: one of them alone would be kept")
  func discoveryOfSeveral() async throws {
    let bench = try Bench(
      """
      {"discovery": {"chap": [{"user": "d1", "secret": "a-long-secret-1"},
        {"user": "d2", "secret": "a-long-secret-2"}],
        "mutualChap": {"user": "m", "secret": "a-long-secret-3"}}}
      """)
    let before = try bench.daemon.configuration.discovery
    let run = await bench("iscsi/ set discovery_auth enable=0")
    #expect(run.code == 1)
    #expect(
      run.errors == "Several users are set for discovery here, of which targetcli would keep one: "
        + "take the others away with swift-tgtadm first.\n")
    let discovery = try bench.daemon.configuration.discovery
    #expect(discovery == before && discovery.chap.map(\.user) == ["d1", "d2"])
    #expect(discovery.mutualChap?.user == "m" && bench.notes.isEmpty)
  }

  // MARK: Users of others

  private static let own = """
    {"initiator": "\(Bench.node)", "chap": [{"user": "n", "secret": "a-long-secret-1"}]}
    """

  @Test(
    "An initiator whose user is cleared waits, though authentication was never set",
    arguments: ["userid= password=", "password=", "userid="])
  func ownUser(_ clearing: String) async throws {
    let bench = try bench("\"acl\": [\(Self.own)]")
    await bench.all("\(Self.acl) set auth \(clearing)")
    #expect(try bench.target.acl.isEmpty)
    await bench.all("\(Self.tpg) set attribute authentication=0")
    #expect(try initiators(bench) == [Bench.node])
  }

  @Test("Everybody waits whose user is cleared", arguments: ["userid= password=", "password="])
  func everybodysUser(_ clearing: String) async throws {
    let bench = try bench(
      """
      "acl": [{"initiator": "any", "chap": [{"user": "e", "secret": "a-long-secret-1"}]}]
      """)
    await bench.all("\(Self.tpg) set auth \(clearing)")
    #expect(try bench.target.acl.isEmpty && !bench.target.isOpenToAny)
  }

  @Test("Nobody new gets in without a user where the others are asked for theirs")
  func newcomers() async throws {
    for line in ["/acls create \(Self.second)", " set attribute generate_node_acls=1"] {
      let bench = try bench("\"acl\": [\(Self.own)]")
      await bench.all(Self.tpg + line)
      #expect(try initiators(bench) == [Bench.node], "\(line)")
    }
  }

  private static let asking =
    "Note: users are asked for here (authentication=1): who has none waits for one.\n"

  @Test("That users are asked for is not forgotten with the last initiator that had one")
  func lastACL() async throws {
    let bench = try bench("\"acl\": [\(Self.own)]")
    let run = await bench("\(Self.tpg)/acls delete \(Bench.node)")
    #expect(run.code == 0 && run.output == "Deleted Node ACL \(Bench.node).\n")
    #expect(run.errors == Self.asking)
    await bench.all("\(Self.tpg)/acls create \(Bench.node)")
    #expect(try bench.target.acl.isEmpty)
    let shown = await bench("\(Self.tpg) get attribute authentication")
    #expect(shown.output == "authentication=1 \n")
    await bench.all("\(Self.acl) set auth userid=n password=a-long-secret-1")
    #expect(try bench.target.acl.map { $0.chap.map(\.user) } == [["n"]])
  }

  @Test("That users are asked for is not forgotten when only everybody had one, and is shut out")
  func lastEverybody() async throws {
    let bench = try bench(
      """
      "acl": [{"initiator": "any", "chap": [{"user": "e", "secret": "a-long-secret-1"}]}]
      """)
    let before = try bench.target
    let run = await bench("\(Self.tpg) set attribute generate_node_acls=0")
    #expect(run.code == 0 && run.errors == Self.asking)
    await bench.all("\(Self.tpg)/acls create \(Self.second)")
    #expect(try bench.target.acl.isEmpty && !bench.target.isOpenToAny)
    await bench.all(
      "\(Self.tpg)/acls delete \(Self.second)", "\(Self.tpg) set attribute generate_node_acls=1")
    #expect(try bench.target == before)
  }

  @Test("Deleting the last initiator with a user shuts out nobody who gets in without one")
  func lastACLOfMixed() async throws {
    let bench = try bench("\"acl\": [\(Self.own), {\"initiator\": \"\(Self.second)\"}]")
    let run = await bench("\(Self.tpg)/acls delete \(Bench.node)")
    #expect(run.code == 0 && run.errors.isEmpty)
    #expect(try initiators(bench) == [Self.second])
  }

  @Test("A newcomer waits for a user where some are asked for theirs and others are not")
  func newcomerOfMixed() async throws {
    let third = "\(Bench.node)3"
    let bench = try bench("\"acl\": [\(Self.own), {\"initiator\": \"\(Self.second)\"}]")
    let before = try bench.target
    let run = await bench("\(Self.tpg)/acls create \(third)")
    #expect(run.code == 0)
    #expect(run.errors == "Note: users are asked for here, and \(third) waits for one.\n")
    #expect(try bench.target == before)
    await bench.all("\(Self.tpg) disable", "\(Self.tpg) enable")
    #expect(try bench.target == before)
    // Another program lets it in: it waits again once targetcli changes the target.
    let entry = AccessEntrySpecification(initiator: third)
    let change = Change.addACLEntry(Change.EntryAddition(target: Bench.iqn, entry))
    try await bench.elsewhere(change)
    await bench.all("\(Self.tpg)/acls delete \(Self.second)")
    #expect(try initiators(bench) == [Bench.node])
    await bench.all("\(Self.tpg)/acls/\(third) set auth userid=t password=a-long-secret-2")
    #expect(try bench.target.acl.map { $0.chap.map(\.user) } == [["n"], ["t"]])
    #expect(!bench.notes.contains("/acl/"))
  }

  @Test("A newcomer that waits gets in with authentication=0, once nobody has a user")
  func newcomerLetIn() async throws {
    let bench = try bench("\"acl\": [\(Self.own), {\"initiator\": \"\(Self.second)\"}]")
    await bench.all(
      "\(Self.tpg)/acls create \(Bench.node)3", "\(Self.tpg)/acls delete \(Bench.node)",
      "\(Self.tpg) set attribute authentication=0")
    #expect(try initiators(bench) == [Self.second, "\(Bench.node)3"])
  }

  @Test("That users are asked for is not forgotten while a newcomer waits for one")
  func newcomerRemembers() async throws {
    let bench = try bench("\"acl\": [\(Self.own), {\"initiator\": \"\(Self.second)\"}]")
    await bench.all(
      "\(Self.tpg)/acls create \(Bench.node)3", "\(Self.tpg)/acls delete \(Bench.node)")
    #expect(try initiators(bench) == [Self.second])
    let opening = await bench("\(Self.tpg) set attribute generate_node_acls=1")
    #expect(opening.code == 1)
    #expect(opening.errors.contains("whoever has no ACL would get in without one, as"))
    let run = await bench("\(Self.tpg)/acls create \(Bench.node)4")
    #expect(run.errors == "Note: users are asked for here, and \(Bench.node)4 waits for one.\n")
    #expect(try initiators(bench) == [Self.second])
    let last = await bench("\(Self.tpg)/acls delete \(Self.second)")
    #expect(last.code == 0 && last.errors == Self.asking)
    await bench.all("\(Self.tpg)/acls create \(Bench.node)5")
    #expect(try bench.target.acl.isEmpty && !bench.target.isOpenToAny)
  }

  @Test("A newcomer waits, too, once the last that had a user, or waited for one, is deleted")
  func newcomerAfterwards() async throws {
    let third = "\(Bench.node)3"
    for isThere in [true, false] {
      let bench = try bench("\"acl\": [\(Self.own), {\"initiator\": \"\(Self.second)\"}]")
      if isThere { await bench.all("\(Self.tpg)/acls create \(third)") }
      await bench.all("\(Self.tpg)/acls delete \(Bench.node)")
      if isThere { await bench.all("\(Self.tpg)/acls delete \(third)") }
      let run = await bench("\(Self.tpg)/acls create \(third)")
      #expect(run.errors == "Note: users are asked for here, and \(third) waits for one.\n")
      #expect(try initiators(bench) == [Self.second])
      await bench.all("\(Self.tpg) set attribute authentication=0")
      #expect(try initiators(bench) == [Self.second, third])
    }
  }

  @Test("No newcomer waits, and gets in all the same, where whoever has no ACL does")
  func newcomerAmongEverybody() async throws {
    let bench = try bench("\"acl\": [\(Self.own)], \"initiators\": \"any\"")
    let before = try bench.target
    let run = await bench("\(Self.tpg)/acls create \(Self.second)")
    #expect(run.code == 1)
    #expect(run.errors.contains("\(Self.second) would get in without one, as whoever has no ACL"))
    #expect(try bench.target == before && bench.notes.isEmpty)
  }

  private static let users = """
    "chap": [{"user": "n1", "secret": "a-long-secret-1"},
      {"user": "n2", "secret": "a-long-secret-2"}]
    """

  @Test(
    "Where several users are set, none is lost: what would leave one is refused",
    arguments: [(Bench.node, Bench.node), ("any", "whoever has no ACL")])
  func severalUsers(initiator: String, words: String) async throws {
    let bench = try bench("\"acl\": [{\"initiator\": \"\(initiator)\", \(Self.users)}]")
    let before = try bench.target
    let place = initiator == "any" ? Self.tpg : Self.acl
    for line in ["\(Self.tpg) disable", "\(place) set auth userid=x"] {
      let run = await bench(line)
      #expect(run.code == 1, "\(line)")
      #expect(
        run.errors == "Several users are set for \(words) here, of which targetcli would keep one: "
          + "take the others away with swift-tgtadm first.\n")
      #expect(try bench.target == before && bench.notes.isEmpty, "\(line)")
    }
    await bench.all("\(Self.tpg)/acls create \(Self.second)")
    #expect(try bench.target.acl == before.acl)
  }

  @Test("An initiator with several users is deleted with all of them")
  func severalUsersDeleted() async throws {
    let bench = try bench("\"acl\": [{\"initiator\": \"\(Bench.node)\", \(Self.users)}]")
    await bench.all("\(Self.tpg)/acls delete \(Bench.node)")
    #expect(try bench.target.acl.isEmpty && !bench.notes.contains("/acl/"))
  }

  @Test("A user is not cleared where that would shut out who gets in without one")
  func mixed() async throws {
    let bench = try bench("\"acl\": [\(Self.own), {\"initiator\": \"\(Self.second)\"}]")
    let before = try bench.target
    let run = await bench("\(Self.acl) set auth userid= password=")
    #expect(run.code == 1)
    #expect(
      run.errors == "Users are asked for here, and \(Bench.node) would get in without one, as "
        + "\(Self.second) can already: set attribute authentication=1 first, which lets in nobody "
        + "without a user.\n")
    #expect(try bench.target == before)
    await bench.all("\(Self.tpg) set attribute authentication=1")
    #expect(try initiators(bench) == [Bench.node])
    await bench.all("\(Self.acl) set auth userid= password=")
    #expect(try bench.target.acl.isEmpty)
  }
}
