import AdministrationModel
import Foundation
import Synchronization
import TargetConfig
import Testing

@testable import TargetcliCommands

struct ConfigurationTests {
  private static let tpg = "/iscsi/\(Bench.iqn)/tpg1"

  private func full() async throws -> Bench {
    let bench = try Bench()
    bench.paper.kinds["/dev/sdb"] = .device
    await bench.all(
      "backstores/block create b /dev/sdb wwn=60014050-abcd",
      "backstores/fileio create f /srv/f.img 10M write_back=false",
      "backstores/ramdisk create r 64M", "iscsi create \(Bench.iqn)",
      "\(Self.tpg)/luns create /backstores/block/b",
      "\(Self.tpg)/luns create /backstores/fileio/f 7",
      "\(Self.tpg)/acls create \(Bench.node)",
      "\(Self.tpg)/acls/\(Bench.node) set auth userid=u password=a-long-secret-1",
      "\(Self.tpg)/acls/\(Bench.node) set auth mutual_userid=t mutual_password=a-long-secret-2",
      "\(Self.tpg)/acls/\(Bench.node) delete 7", "\(Self.tpg)/acls/\(Bench.node) create 9 lun7 1",
      "\(Self.tpg) set parameter MaxConnections=2",
      "iscsi/ set discovery_auth userid=d password=a-long-secret-3 enable=1")
    return bench
  }

  @Test("saveconfig FILE writes a saveconfig.json that comes back as the same configuration")
  func roundTrip() async throws {
    let bench = try await full()
    let before = try bench.daemon.configuration
    let saved = await bench("saveconfig /tmp/saved.json")
    #expect(
      saved.output == """
        Configuration saved to /etc/swift-tgtd/targets.json
        Configuration saved to /tmp/saved.json

        """)
    let text = try #require(bench.paper.files["/tmp/saved.json"])
    #expect(text.hasPrefix("{\n  \"fabric_modules\" : ["))
    bench.paper.kinds["/srv/f.img"] = .file(bytes: 10 << 20)
    let present = await bench("restoreconfig /tmp/saved.json")
    #expect(present.errors == "storageobjects or targets present, not restoring\n")
    let run = await bench("restoreconfig /tmp/saved.json clear_existing=True")
    #expect(run.output == "Configuration restored from /tmp/saved.json\n")
    #expect(!run.errors.contains("is not known"))
    let after = try bench.daemon.configuration
    #expect(after.targets.map(\.name) == before.targets.map(\.name))
    #expect(after.targets.first?.luns == before.targets.first?.luns)
    #expect(after.targets.first?.acl == before.targets.first?.acl)
    #expect(after.targets.first?.iscsi.maxConnections == 2)
    #expect(after.discovery == before.discovery)
    #expect(after.portals == before.portals)
    #expect(after.stores.map(\.name) == ["b", "f", "r"])
    #expect(after.stores.map(\.medium) == before.stores.map(\.medium))
    #expect(after.stores.map(\.cache) == before.stores.map(\.cache))
    #expect(after.stores.map(\.vendor) == before.stores.map(\.vendor))
    #expect(after.stores.map(\.product) == before.stores.map(\.product))
    #expect(after.store(named: "b")?.naa == before.store(named: "b")?.naa)
    #expect(after.store(named: "b")?.serial == "60014050-abcd")
    #expect(after.targets == before.targets)
  }

  @Test("A target of LIO's is reached through its own portals, and not through others of here")
  func otherPortals() async throws {
    let bench = try Bench(#"{"portals": [{"address": "192.0.2.7:3260", "group": 1}]}"#)
    bench.paper.files["/tmp/lio.json"] = Self.lio([Bench.iqn: "192.0.2.1"])
    await bench.all("restoreconfig /tmp/lio.json")
    let configuration = try bench.daemon.configuration
    #expect(configuration.portals.map(\.group) == [1, 2])
    let target = try #require(configuration.target(named: Bench.iqn))
    #expect(target.portalGroups == [2] && target.isOpenToAny)
  }

  /// Open targets of LIO's, each with one portal.
  private static func lio(_ addresses: KeyValuePairs<String, String>) -> String {
    let targets = addresses.map { name, address in
      """
      {"fabric": "iscsi", "wwn": "\(name)", "tpgs": [{"tag": 1, "enable": true,
        "attributes": {
          "authentication": 0, "generate_node_acls": 1, "demo_mode_write_protect": 0},
        "luns": [{"index": 0, "storage_object": "/backstores/ramdisk/r"}],
        "portals": [{"ip_address": "\(address)", "port": 3260}]}]}
      """
    }
    return """
      {"storage_objects": [{"name": "r", "plugin": "ramdisk", "size": 67108864, "wwn": "w-1"}],
       "targets": [\(targets.joined(separator: ", "))]}
      """
  }

  @Test("A target of LIO's is not restored where it would be reached through others of one group")
  func sharedGroup() async throws {
    let second = Bench.iqn + "2"
    let alone = Self.lio([Bench.iqn: "10.0.0.1"])
    let apart = Self.lio([Bench.iqn: "10.0.0.1", second: "192.168.1.1"])
    for file in [alone, apart] {
      let bench = try Bench(#"{"portals": ["10.0.0.1:3260", "192.168.1.1:3260"]}"#)
      bench.paper.files["/tmp/lio.json"] = file
      let before = try bench.daemon.configuration
      let run = await bench("restoreconfig /tmp/lio.json clear_existing=True")
      #expect(run.code == 1 && run.output == "")
      #expect(
        run.errors.hasPrefix(
          "\(Bench.iqn) would be reached at 192.168.1.1:3260, too, which the file does not name"))
      #expect(run.errors.contains("swift-tgtadm portal add ADDRESS --group NUMBER"))
      #expect(try bench.daemon.configuration == before && bench.daemon.requests.isEmpty)
    }
    let bench = try Bench(
      #"{"portals": ["10.0.0.1:3260", {"address": "192.168.1.1:3260", "group": 2}]}"#)
    bench.paper.files["/tmp/lio.json"] = apart
    await bench.all("restoreconfig /tmp/lio.json")
    #expect(try bench.daemon.configuration.targets.map(\.portalGroups) == [[1], [2]])
  }

  @Test("A group of ours that has more portals here is told, and one of another number is refused")
  func grownGroup() async throws {
    let saved = try Bench(
      """
      {"portals": ["10.0.0.1:3260"], "stores": {"r": {"memory": true, "size": "64MiB"}},
       "targets": [{"name": "\(Bench.iqn)", "portalGroups": [1], "initiators": "any",
         "luns": [{"lun": 1, "store": "r"}]}]}
      """)
    await saved.all("saveconfig /tmp/saved.json")
    for group in [1, 7] {
      let bench = try Bench(
        """
        {"portals": [{"address": "10.0.0.1:3260", "group": \(group)},
           {"address": "192.168.1.1:3260", "group": \(group)}]}
        """)
      bench.paper.files = saved.paper.files
      let run = await bench("restoreconfig /tmp/saved.json")
      #expect(run.code == (group == 1 ? 0 : 1))
      #expect(
        run.errors.contains(
          group == 1
            ? "Note: \(Bench.iqn) is reached at 192.168.1.1:3260, too: its portal group has more"
            : "\(Bench.iqn) would be reached at 192.168.1.1:3260, too"))
      #expect(try bench.daemon.configuration.targets.count == (group == 1 ? 1 : 0))
    }
  }

  @Test("Where a store is not there yet, it comes back under the identity it was saved with")
  func identityElsewhere() async throws {
    let bench = try await full()
    await bench.all("saveconfig /tmp/saved.json")
    let other = try Bench()
    other.paper.files = bench.paper.files
    other.paper.kinds = bench.paper.kinds
    other.paper.kinds["/srv/f.img"] = .file(bytes: 10 << 20)
    await other.all("restoreconfig /tmp/saved.json")
    let store = try other.daemon.configuration.store(named: "f")
    #expect(store?.naa?.description == FakeDaemon.generatedWWID)
    #expect(store?.serial == "serial-of-f")
  }

  @Test("Secrets in files stay there, and portals keep their groups, over a restoration")
  func filesAndGroups() async throws {
    let path = "/var/tmp/targetcli-secret-\(UInt64.random(in: 0 ... .max))"
    try "a-long-secret-9\n".write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let text = """
      {"portals": [{"address": "192.0.2.1:3260", "group": 4}, {"address": "192.0.2.2:3260", "group": 9},
         {"address": "192.0.2.3:3260", "group": 7}],
       "stores": {"r": {"memory": true, "size": "64MiB"}},
       "targets": [{"name": "\(Bench.iqn)", "portalGroups": [4, 9],
         "luns": [{"lun": 1, "store": "r"}],
         "acl": [{"initiator": "\(Bench.node)", "chap": [{"user": "u", "secret": {"file": "\(path)"}}]}]},
        {"name": "\(Bench.iqn)2", "portalGroups": [7, 9], "luns": [{"lun": 1, "store": "r"}],
         "initiators": "any"}]}
      """
    let bench = try Bench(text)
    let before = try bench.daemon.configuration
    await bench.all(
      "saveconfig /tmp/saved.json", "restoreconfig /tmp/saved.json clear_existing=True")
    let after = try bench.daemon.configuration
    #expect(after.targets.map(\.portalGroups) == [[4, 9], [7, 9]])
    #expect(after.portals == before.portals)
    let user = after.targets.first?.acl.first?.chap.first
    #expect(user == before.targets.first?.acl.first?.chap.first)
    #expect(user?.secretFile == path)
    // Elsewhere the portals are made anew, in groups of the same numbers.
    let other = try Bench(#"{"portals": [{"address": "192.0.2.7:3260", "group": 2}]}"#)
    other.paper.files = bench.paper.files
    await other.all("restoreconfig /tmp/saved.json")
    let there = try other.daemon.configuration
    #expect(there.targets.map(\.portalGroups) == [[4, 9], [7, 9]])
    #expect(there.portals.map(\.group) == [2, 4, 9, 7])
    // A number that others have is not shared with them.
    let taken = try Bench(#"{"portals": [{"address": "192.0.2.7:3260", "group": 4}]}"#)
    taken.paper.files = bench.paper.files
    await taken.all("restoreconfig /tmp/saved.json")
    #expect(try taken.daemon.configuration.targets.map(\.portalGroups) == [[1, 9], [7, 9]])
  }

  @Test("Targets without portals, and disabled ones, come back with whom they would let in")
  func closedTargets() async throws {
    let bench = try await full()
    let other = "iqn.2023-02.com.example:other"
    await bench.all(
      "set global auto_add_default_portal=false", "iscsi create \(other)",
      "/iscsi/\(other)/tpg1/acls create \(Bench.node)", "\(Self.tpg) disable")
    let before = await bench("ls /iscsi").output
    await bench.all(
      "saveconfig /tmp/saved.json", "restoreconfig /tmp/saved.json clear_existing=True")
    #expect(await bench("ls /iscsi").output == before)
    #expect(try bench.daemon.configuration.targets.allSatisfy { $0.acl.isEmpty })
    await bench.all("\(Self.tpg) enable", "/iscsi/\(other)/tpg1/portals create 0.0.0.0")
    let acls = try bench.daemon.configuration.targets.map { $0.acl.map(\.initiator) }
    #expect(acls == [[Bench.node], [Bench.node]])
    let users = try #require(try bench.target.acl.first)
    #expect(users.chap.map(\.user) == ["u"] && users.mutualChap?.user == "t")
  }

  @Test("An initiator that waits for its user waits again after a restoration")
  func withheld() async throws {
    let bench = try await full()
    let waiting = "iqn.2023-02.com.example:node2.init"
    await bench.all(
      "\(Self.tpg) set attribute authentication=1", "\(Self.tpg)/acls create \(waiting)")
    let before = await bench("ls /iscsi").output
    await bench.all(
      "saveconfig /tmp/saved.json", "restoreconfig /tmp/saved.json clear_existing=True")
    #expect(await bench("ls /iscsi").output == before)
    #expect(try bench.daemon.configuration.targets.first?.acl.map(\.initiator) == [Bench.node])
    await bench.all("\(Self.tpg)/acls/\(waiting) set auth userid=w password=a-long-secret-4")
    #expect(
      try bench.daemon.configuration.targets.first?.acl.map(\.initiator)
        == [Bench.node, waiting])
  }

  @Test("A restoration is one transaction: a file that cannot be leaves everything as it was")
  func failedRestoration() async throws {
    let bench = try await full()
    let before = try bench.daemon.configuration
    bench.paper.files["/tmp/wrong.json"] = "{\"targets\": ["
    #expect(await bench("restoreconfig /tmp/wrong.json clear_existing=true").code == 1)
    #expect(try bench.daemon.configuration == before)
    let none = await bench("restoreconfig /tmp/none.json")
    #expect((none.code, none.output) == (0, "Restore file /tmp/none.json not found\n"))
  }

  @Test("clearconfig wants to be sure, and then leaves nothing but portals")
  func clearing() async throws {
    let bench = try await full()
    let unsure = await bench("clearconfig")
    #expect(
      (unsure.code, unsure.errors) == (1, "As a precaution, confirm=True needs to be set\n"))
    #expect(await bench("clearconfig confirm=True").output == "All configuration cleared\n")
    let configuration = try bench.daemon.configuration
    #expect(configuration.stores.isEmpty && configuration.targets.isEmpty)
    #expect(configuration.discovery.chap.isEmpty)
    #expect(!configuration.portals.isEmpty)
    #expect(bench.notes == "")
  }

  @Test("saveconfig says who is not saved, because it waits for half a user")
  func unsaved() async throws {
    let bench = try await full()
    await bench.all(
      "\(Self.tpg) set attribute authentication=1",
      "\(Self.tpg)/acls create iqn.2023-02.com.example:node2.init")
    let run = await bench("saveconfig")
    #expect(run.errors.contains("not saved"))
    #expect(run.errors.contains("iqn.2023-02.com.example:node2.init"))
    #expect(run.code == 0)
  }

  @Test("saveconfig says that users are asked for, where nobody has one to show it")
  func unsavedAuthentication() async throws {
    let bench = try Bench()
    await bench.all("iscsi create \(Bench.iqn)")
    #expect(await bench("saveconfig").errors.isEmpty)
    await bench.all("\(Self.tpg) set attribute authentication=1")
    #expect(
      await bench("saveconfig").errors
        == "Note: not saved, and known only while the daemon runs, of \(Bench.iqn): that users are "
        + "asked for (authentication=1). After a restart who waits has to be set anew.\n")
    await bench.all(
      "\(Self.tpg)/acls create \(Bench.node)",
      "\(Self.tpg)/acls/\(Bench.node) set auth userid=u password=a-long-secret-1")
    #expect(await bench("saveconfig").errors.isEmpty)
  }

  @Test("A target of LIO's that asks for users does so where nobody has one yet")
  func askingTarget() async throws {
    let bench = try Bench(#"{"portals": ["192.0.2.1:3260"]}"#)
    bench.paper.files["/tmp/lio.json"] = Self.lio([Bench.iqn: "192.0.2.1"])
      .replacing(
        "\"authentication\": 0, \"generate_node_acls\": 1",
        with: "\"authentication\": 1, \"generate_node_acls\": 0")
    await bench.all("restoreconfig /tmp/lio.json", "\(Self.tpg)/acls create \(Bench.node)")
    #expect(try bench.target.acl.isEmpty)
    await bench.all(
      "\(Self.tpg)/acls/\(Bench.node) set auth userid=u password=a-long-secret-1")
    #expect(try bench.target.acl.map(\.initiator) == [Bench.node])
  }

  /// With a target of LIO's, and in it an ACL without a user that is asked otherwise than others.
  private func exception(isAsked: Bool, isEnabled: Bool = true) async throws -> Bench {
    let bench = try Bench(#"{"portals": ["192.0.2.1:3260"]}"#)
    let attributes = #"{"authentication": \#(isAsked ? 1 : 0)}"#
    let acl = #"{"node_wwn": "\#(Bench.node)", "attributes": \#(attributes)}"#
    bench.paper.files["/tmp/lio.json"] = Self.lio([Bench.iqn: "192.0.2.1"])
      .replacing(
        "\"authentication\": 0, \"generate_node_acls\": 1",
        with: "\"authentication\": \(isAsked ? 0 : 1), \"generate_node_acls\": 0"
      )
      .replacing("\"enable\": true", with: "\"enable\": \(isEnabled)")
      .replacing("\"portals\": [", with: "\"node_acls\": [\(acl)], \"portals\": [")
    await bench.all("restoreconfig /tmp/lio.json")
    return bench
  }

  @Test("An ACL of LIO's that asks for a user by itself lets nobody in without one, at any change")
  func askingACL() async throws {
    let bench = try await exception(isAsked: true)
    await bench.all("\(Self.tpg)/acls create \(Bench.node)2")
    #expect(try !bench.target.acl.map(\.initiator).contains(Bench.node))
    await bench.all("\(Self.tpg)/acls/\(Bench.node) set auth userid=u password=a-long-secret-1")
    let entry = try bench.target.acl.first { $0.initiator == Bench.node }
    #expect(entry?.chap.map(\.user) == ["u"])
  }

  @Test("An ACL of LIO's that asks for no user lets in without one, and no newcomer does")
  func exemptACL() async throws {
    for isEnabled in [true, false] {
      let bench = try await exception(isAsked: false, isEnabled: isEnabled)
      if !isEnabled {
        #expect(try bench.target.acl.isEmpty)
        await bench.all("\(Self.tpg) enable")
      }
      await bench.all("\(Self.tpg)/acls create \(Bench.node)2")
      #expect(try bench.target.acl.map(\.initiator) == [Bench.node])
    }
  }

  @Test("Without a configuration file saveconfig fails unless it is given one")
  func noFile() async throws {
    let bench = try Bench()
    bench.daemon.state.withLock { $0.configurationFile = nil }
    #expect(await bench("saveconfig").code == 1)
    #expect(await bench("saveconfig /tmp/x.json").code == 0)
  }

  @Test("sessions lists who is logged in, with a word on each in detail")
  func sessions() async throws {
    let bench = try await full()
    #expect(await bench("sessions").output == "(no open sessions)\n")
    var session = SessionResource(
      id: 3, initiator: Bench.node, target: Bench.iqn, since: Timestamp(secondsSinceEpoch: 0))
    session.initiatorAlias = "node1"
    session.user = "u"
    session.luns = [0, 9]
    session.connections = [
      ConnectionResource(
        cid: 0, localAddress: "192.0.2.1:3260", remoteAddress: "192.0.2.7:50000",
        since: Timestamp(secondsSinceEpoch: 0))
    ]
    bench.daemon.state.withLock { $0.sessions = [session] }
    let list = "alias: node1\tsid: 3 type: Normal session-state: LOGGED_IN\n"
    #expect(await bench("sessions").output == list)
    #expect(
      await bench("sessions detail 3").output == list + """
            name: \(Bench.node) (authenticated)
            mapped-lun: 0 backstore: block/b mode: rw
            mapped-lun: 9 backstore: fileio/f mode: r
            address: 192.0.2.7:50000 (TCP)  cid: 0 connection-state: LOGGED_IN

        """)
    #expect(await bench("sessions list 4").errors == "no session found with sid 4\n")
    #expect(await bench("sessions list x").errors == "sid must be a number, 'x' given\n")
    #expect(await bench("sessions all").errors == "action must be one of: list, detail\n")
  }

  @Test("info tells the values of a node")
  func info() async throws {
    let bench = try await full()
    #expect(
      await bench("/backstores/fileio/f info").output == """
        aio: False
        dev: /srv/f.img
        name: f
        plugin: fileio
        size: 10485760
        write_back: False
        wwn: serial-of-f

        """)
    #expect(await bench("\(Self.tpg) info").output == "enable: True\ntag: 1\n")
    #expect(
      await bench("/iscsi/\(Bench.iqn) info").output == "fabric: iscsi\nwwn: \(Bench.iqn)\n")
  }
}
