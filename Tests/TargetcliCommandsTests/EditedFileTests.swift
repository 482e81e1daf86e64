import TargetConfig
import Testing

@testable import TargetcliCommands

/// A saveconfig.json of ours that was edited lets nobody do more than before.
struct EditedFileTests {
  private struct Edited {
    var configuration: TargetConfiguration
    var notes: String

    func target(_ name: String = Bench.iqn) throws -> TargetConfiguration.Target {
      try #require(configuration.target(named: name))
    }
  }

  /// With the stores a and b in memory and the file z.
  private func bench(_ targets: String, portals: String = #"["0.0.0.0:3260"]"#) throws -> Bench {
    try Bench(
      """
      {"portals": \(portals),
       "stores": {
         "a": {"memory": true, "size": "64MiB",
           "naa": "6000c29a1b2c3d4e5f60718293a4b501", "serial": "s-a"},
         "b": {"memory": true, "size": "64MiB",
           "naa": "6000c29a1b2c3d4e5f60718293a4b502", "serial": "s-b"},
         "z": {"file": "/srv/z.img", "size": "10MiB", "readOnly": true,
           "naa": "6000c29a1b2c3d4e5f60718293a4b503", "serial": "s-z"}},
       "targets": [\(targets)]}
      """)
  }

  private func imported(
    _ bench: Bench, _ edit: (inout String) -> Void
  ) async throws -> Edited {
    await bench.all("saveconfig /tmp/saved.json")
    let saved = try #require(bench.paper.files["/tmp/saved.json"])
    var text = saved
    edit(&text)
    try #require(text != saved)
    let imported = try ConfigurationImport.read(
      text: text, fileName: "saved.json", format: .saveconfig)
    return Edited(
      configuration: try ConfigurationLoader.look(at: imported.text, file: nil),
      notes: imported.notes.map(\.description).joined(separator: "\n"))
  }

  /// Nothing that says who gets in.
  private func retag(_ text: inout String) {
    text = text.replacing("\"tag\" : 1", with: "\"tag\" : 2")
  }

  private func rename(_ text: inout String) {
    text = text.replacing("\"wwn\" : \"\(Bench.iqn)\"", with: "\"wwn\" : \"\(Bench.iqn).new\"")
  }

  // MARK: Addresses

  private static let restricted = """
    {"name": "\(Bench.iqn)", "luns": [{"lun": 1, "store": "a"}],
     "acl": [{"initiator": "\(Bench.node)", "addresses": ["192.0.2.5/32"]},
       {"initiator": "\(Bench.node)2"}]}
    """

  @Test("An initiator with addresses is left out of a target that got another name, with a word")
  func renamedTarget() async throws {
    let edited = try await imported(try bench(Self.restricted)) { rename(&$0) }
    let target = try edited.target(Bench.iqn + ".new")
    #expect(target.acl.map(\.initiator) == ["\(Bench.node)2"])
    #expect(edited.notes.contains("\"\(Bench.node)\" was let in from some addresses only"))
  }

  @Test("An initiator that is written with a capital letter keeps its addresses")
  func capital() async throws {
    let name = "IQN\(Bench.node.dropFirst(3))"
    let edited = try await imported(try bench(Self.restricted)) { text in
      text = text.replacing(
        "\"node_wwn\" : \"\(Bench.node)\"", with: "\"node_wwn\" : \"\(name)\"")
    }
    let entry = try #require(try edited.target().acl.first { $0.initiator == Bench.node })
    #expect(entry.addresses.map(\.description) == ["192.0.2.5"])
  }

  // MARK: Everybody

  private static let listed = """
    {"name": "\(Bench.iqn)", "luns": [{"lun": 1, "store": "a"}, {"lun": 2, "store": "b"}],
     "acl": [{"initiator": "any", "luns": [{"lun": 1, "store": "a"}]}]}
    """

  @Test("Everybody else keeps a list of LUNs, and gets in no more where it cannot be kept")
  func everybodyLUNs() async throws {
    let bench = try bench(Self.listed)
    let before = try bench.target
    let edited = try await imported(bench) { retag(&$0) }
    #expect(try edited.target().acl == before.acl && !edited.target().isOpenToAny)
    let renamed = try await imported(bench) { rename(&$0) }
    let target = try renamed.target(Bench.iqn + ".new")
    #expect(target.acl.isEmpty && !target.isOpenToAny)
    #expect(renamed.notes.contains("everybody else had LUNs or users of their own"))
  }

  @Test("Users of everybody else are not replaced by those of the target: nobody gets in by them")
  func everybodyUsers() async throws {
    let bench = try bench(
      """
      {"name": "\(Bench.iqn)", "luns": [{"lun": 1, "store": "a"}],
       "chap": [{"user": "t", "secret": "a-long-secret-1"}],
       "acl": [{"initiator": "any", "chap": [{"user": "e", "secret": "a-long-secret-2"}]}]}
      """)
    let edited = try await imported(bench) { retag(&$0) }
    #expect(try edited.target().acl.isEmpty && !edited.target().isOpenToAny)
    #expect(edited.notes.contains("everybody else had LUNs or users of their own"))
  }

  @Test("A target without users keeps its mutual user for those of its initiators")
  func mutualUser() async throws {
    let bench = try bench(
      """
      {"name": "\(Bench.iqn)", "luns": [{"lun": 1, "store": "a"}],
       "mutualChap": {"user": "m", "secret": "a-long-secret-3"},
       "acl": [{"initiator": "\(Bench.node)",
         "chap": [{"user": "n", "secret": "a-long-secret-1"}]}]}
      """)
    let before = try bench.target
    let edited = try await imported(bench) { retag(&$0) }
    #expect(try edited.target().mutualChap == before.mutualChap && before.mutualChap != nil)
    #expect(try edited.target().acl == before.acl)
  }

  @Test("Everybody else keeps a list of LUNs over disable, enable and write protection")
  func liveEverybody() async throws {
    let bench = try bench(Self.listed)
    let tpg = "/iscsi/\(Bench.iqn)/tpg1"
    let before = try bench.target.acl
    await bench.all("\(tpg) disable")
    #expect(try bench.target.acl.isEmpty)
    await bench.all("\(tpg) enable")
    #expect(try bench.target.acl == before)
    await bench.all(
      "\(tpg) set attribute demo_mode_write_protect=1",
      "\(tpg) set attribute demo_mode_write_protect=0")
    let after = try bench.target
    #expect(after.acl.first?.luns == before.first?.luns && !after.isOpenToAny)
  }

  // MARK: LUNs

  @Test("A list of LUNs stays one where it is that of the target, with those LIO cannot show")
  func lists() async throws {
    let bench = try bench(
      """
      {"name": "\(Bench.iqn)", "luns": [{"lun": 1, "store": "a"}],
       "acl": [{"initiator": "\(Bench.node)", "luns": [{"lun": 1, "store": "a"}]},
         {"initiator": "\(Bench.node)2",
          "luns": [{"lun": 1, "store": "a"}, {"lun": 2, "store": "b"}]}]}
      """)
    let before = try bench.target
    let edited = try await imported(bench) { retag(&$0) }
    #expect(try edited.target().acl == before.acl)
    let renamed = try await imported(bench) { rename(&$0) }
    let target = try renamed.target(Bench.iqn + ".new")
    #expect(target.acl.map { $0.luns?.map(\.number) } == [[1], [1]])
  }

  @Test("A store that got another name stays read-only; one that got another path, too, is told")
  func renamedStore() async throws {
    let bench = try bench(
      """
      {"name": "\(Bench.iqn)", "luns": [{"lun": 1, "store": "z"}], "initiators": "any"}
      """)
    func rename(_ text: inout String) {
      text = text.replacing("\"name\" : \"z\"", with: "\"name\" : \"y\"")
        .replacing("\"/backstores/fileio/z\"", with: "\"/backstores/fileio/y\"")
    }
    let edited = try await imported(bench) { rename(&$0) }
    #expect(edited.configuration.store(named: "y")?.readOnly == true)
    #expect(!edited.notes.contains("stores that were read-only"))
    let moved = try await imported(bench) { text in
      rename(&text)
      text = text.replacing("\"dev\" : \"/srv/z.img\"", with: "\"dev\" : \"/srv/y.img\"")
    }
    #expect(moved.notes.contains("stores that were read-only and are here no more"))
  }

  @Test("A read-only LUN stays so under another number, with a word; one that went is told")
  func renumberedLUN() async throws {
    let bench = try bench(
      """
      {"name": "\(Bench.iqn)", "luns": [{"lun": 1, "store": "a", "readOnly": true}],
       "initiators": "any"}
      """)
    let edited = try await imported(bench) { text in
      text = text.replacing("\"index\" : 1", with: "\"index\" : 5")
    }
    let lun = TargetConfiguration.LUN(number: 5, store: "a", readOnly: true)
    #expect(try edited.target().luns == [lun])
    #expect(edited.notes.contains("LUN 5 stays read-only"))
    let lost = try await imported(bench) { text in
      text = text.replacing("\"/backstores/ramdisk/a\"", with: "\"/backstores/ramdisk/b\"")
    }
    #expect(lost.notes.contains("that were read-only and are here no more: 1 (\"a\")"))
  }

  @Test("Who only reads does so in a target that got another name, of LUNs to come, too")
  func renamedReader() async throws {
    let bench = try bench(
      """
      {"name": "\(Bench.iqn)", "luns": [{"lun": 1, "store": "a", "readOnly": true}],
       "acl": [{"initiator": "\(Bench.node)", "readOnly": true}]}
      """)
    let edited = try await imported(bench) { rename(&$0) }
    let entry = try #require(try edited.target(Bench.iqn + ".new").acl.first)
    #expect(entry.readOnly && entry.luns == nil)
    #expect(edited.notes.contains("may have been one that only reads"))
  }

  // MARK: Portals

  @Test("An access state follows its portals into the groups that they are split into")
  func splitGroup() async throws {
    let portals = """
      [{"address": "192.0.2.1:3260", "group": 4}, {"address": "192.0.2.2:3260", "group": 4}]
      """
    let bench = try bench(
      """
      {"name": "\(Bench.iqn)", "portalGroups": [{"tag": 4, "state": "standby"}],
       "luns": [{"lun": 1, "store": "a"}], "initiators": "any"},
      {"name": "\(Bench.iqn)2", "portalGroups": [4], "luns": [{"lun": 1, "store": "b"}],
       "initiators": "any"}
      """, portals: portals)
    // The other target loses the second portal.
    let edited = try await imported(bench) { text in
      let address = "\"ip_address\" : \"192.0.2.2\""
      if let last = text.ranges(of: address).last {
        text.replaceSubrange(last, with: "\"ip_address\" : \"192.0.2.1\"")
      }
    }
    #expect(Set(edited.configuration.portals.map(\.group)).count == 2)
    let access = try edited.target().groupAccess
    #expect(access.map(\.state) == [.standby, .standby])
    #expect(Set(access.map(\.group)) == Set(edited.configuration.portals.map(\.group)))
  }
}
