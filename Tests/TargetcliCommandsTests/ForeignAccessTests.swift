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
    #expect(try bench.target.acl.isEmpty)
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
        #expect(try bench.target.acl.isEmpty, "\(line)")
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
    #expect(try Set(bench.target.acl.map(\.initiator)) == [Bench.node, Self.second])
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
    let before = try bench.target.acl
    await bench.all("\(Self.tpg)/acls create \(Bench.node)")
    #expect(try bench.target.acl.isEmpty)
    await bench.all("\(Self.tpg)/acls delete \(Bench.node)", "\(Self.tpg) enable")
    #expect(try bench.target.acl == before && before.map(\.chap.count) == [1])
  }

  @Test("Who waits with a user does not get in without, though another program let it in so")
  func merged() async throws {
    let bench = try bench(
      """
      "acl": [{"initiator": "\(Bench.node)", "chap": [{"user": "u", "secret": "a-long-secret-1"}]}]
      """)
    let before = try bench.target
    await bench.all("\(Self.tpg) disable")
    try await admit(Bench.node, bench)
    await bench.all("\(Self.tpg) enable")
    #expect(try bench.target == before)
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
      let target = try bench.target
      #expect(target.acl.isEmpty && !target.isOpenToAny)
    }
  }

  // MARK: Whom another program shuts out

  @Test("An initiator that another program removed stays out, though half a user of it waited")
  func removed() async throws {
    for half in ["userid=u", "mutual_userid=m mutual_password=a-long-secret-3"] {
      let bench = try bench(
        """
        "acl": [{"initiator": "\(Bench.node)", "addresses": ["192.0.2.5"], "readOnly": true,
          "luns": [{"lun": 1, "store": "a"}]}]
        """)
      await bench.all("\(Self.tpg)/acls/\(Bench.node) set auth \(half)")
      #expect(try bench.target.acl.count == 1 && bench.notes.contains("/acl/\(Bench.node)/0="))
      let key = EntryKey(initiator: Bench.node, addresses: ["192.0.2.5"])
      try await bench.elsewhere(.removeACLEntry(Change.EntryName(target: Bench.iqn, key)))
      await bench.all("\(Self.tpg)/luns delete lun2")
      #expect(try bench.target.acl.isEmpty, "\(half)")
      #expect(!bench.notes.contains("/acl/"), "\(half)")
    }
  }

  @Test(
    "Everybody whom another program shut out stays out, though generate_node_acls=1 was set",
    arguments: ["0", "1"])
  func closed(writeProtect: String) async throws {
    let bench = try bench()
    await bench.all(
      "\(Self.tpg) set attribute generate_node_acls=1 demo_mode_write_protect=\(writeProtect)")
    if writeProtect == "1" {
      let key = EntryKey(initiator: "any")
      try await bench.elsewhere(.removeACLEntry(Change.EntryName(target: Bench.iqn, key)))
    } else {
      #expect(try bench.target.isOpenToAny)
      try await bench.elsewhere(
        .setTarget(Change.TargetKeys(Bench.iqn, ["initiators": .null])))
    }
    await bench.all("\(Self.tpg)/luns delete lun2")
    #expect(try bench.target.acl.isEmpty && !bench.target.isOpenToAny)
    let shown = await bench("\(Self.tpg) get attribute generate_node_acls")
    #expect(shown.output == "generate_node_acls=0 \n")
  }

  // MARK: Several entries of one initiator

  private static let places = """
    "acl": [{"initiator": "\(Bench.node)", "addresses": ["192.0.2.1"],
        "chap": [{"user": "u", "secret": "a-long-secret-1"}]},
      {"initiator": "\(Bench.node)", "addresses": ["192.0.2.2"],
        "chap": [{"user": "u", "secret": "a-long-secret-2"}]}]
    """

  @Test("Entries of one initiator wait each with its own secret of the same user")
  func secrets() async throws {
    let bench = try bench(Self.places)
    let before = try bench.target
    await bench.all("\(Self.tpg) disable")
    #expect(try bench.target.acl.isEmpty)
    await bench.all("\(Self.tpg) enable")
    #expect(try bench.target == before && before.acl.count == 2)
  }

  @Test("An entry of an initiator waits, though another of the same initiator is let in")
  func entryBesideAnother() async throws {
    let bench = try bench(
      """
      "acl": [{"initiator": "\(Bench.node)", "addresses": ["192.0.2.1"],
          "chap": [{"user": "u", "secret": "a-long-secret-1"}]},
        {"initiator": "\(Bench.node)", "addresses": ["192.0.2.2"], "readOnly": true}]
      """)
    await bench.all("\(Self.tpg) set attribute authentication=1", "\(Self.tpg) disable")
    #expect(bench.notes.contains("192.0.2.1") && bench.notes.contains("192.0.2.2"))
    await bench.all("\(Self.tpg) enable")
    #expect(try bench.target.acl.map { $0.addresses.map(\.description) } == [["192.0.2.1"]])
    #expect(bench.notes.contains("192.0.2.2"))
  }

  private static let overlapping = """
    "acl": [{"initiator": "any", "addresses": ["192.0.2.0/24"], "readOnly": true},
      {"initiator": "\(Bench.node)"}]
    """

  @Test("Who waits comes back before whom it stood before, as the first that matches decides")
  func comesBack() async throws {
    let bench = try bench(Self.overlapping)
    let before = try bench.target
    // The note of the half user is the first.
    await bench.all(
      "\(Self.tpg)/acls/\(Bench.node) set auth userid=u", "\(Self.tpg) disable",
      "\(Self.tpg) enable")
    #expect(try bench.target == before)
    #expect(!bench.notes.contains(#""order""#))
  }

  @Test("An entry that alone waits comes back to its place among the others")
  func placeAmongOthers() async throws {
    let bench = try bench(
      """
      "acl": [{"initiator": "\(Bench.node)", "addresses": ["192.0.2.1"], "readOnly": true},
        {"initiator": "any", "addresses": ["192.0.2.0/24"],
          "chap": [{"user": "e", "secret": "a-long-secret-5"}]}]
      """)
    await bench.all("\(Self.tpg) set attribute authentication=1")
    #expect(try bench.target.acl.map(\.initiator) == [nil])
    await bench.all("\(Self.tpg)/acls/\(Bench.node) set auth userid=u password=a-long-secret-1")
    #expect(try bench.target.acl.map(\.initiator) == [Bench.node, nil])
    #expect(try bench.target.acl.map(\.readOnly) == [true, false])
  }

  @Test("An entry comes back, though another program lets its initiator in from more addresses")
  func widerEntry() async throws {
    let bench = try bench(
      #""acl": [{"initiator": "\#(Bench.node)", "addresses": ["192.0.2.1"], "readOnly": true}]"#)
    await bench.all("\(Self.tpg) disable")
    try await admit(Bench.node, bench)
    await bench.all("\(Self.tpg) enable")
    #expect(try bench.target.acl.map(\.readOnly) == [true, false])
  }

  @Test("A change of an initiator's entry from anywhere leaves its entry for one address alone")
  func entryFromAnywhere() async throws {
    for initiator in [Bench.node, "any"] {
      let users = #""chap": [{"user": "u", "secret": "a-long-secret-1"}]"#
      let access = """
        "acl": [{"initiator": "\(initiator)", "addresses": ["192.0.2.1"], \(users)},
          {"initiator": "\(initiator)",
            "luns": [{"lun": 1, "store": "a"}, {"lun": 2, "store": "b"}]}]
        """
      let bench = try bench(access)
      await bench.all("\(Self.tpg)/luns delete lun2")
      #expect(try bench.target.acl.map { $0.luns?.map(\.store) } == [nil, ["a"]], "\(initiator)")
      await bench.all("\(Self.tpg) set attribute authentication=1")
      let left = try bench.target.acl
      #expect(left.map { $0.addresses.map(\.description) } == [["192.0.2.1"]], "\(initiator)")
    }
  }

  @Test("An initiator of the list stands before another program's entry for everybody")
  func order() async throws {
    let bench = try bench()
    try await admit("any", bench)
    await bench.all("\(Self.tpg)/acls create \(Bench.node)")
    #expect(try bench.target.acl.map(\.initiator) == [Bench.node, nil])
  }
}
