import Testing

@testable import TargetConfig

@Suite("Import of saveconfig.json")
struct SaveconfigImportTests {
  private static let sample = ImportSample.saveconfig
  private static let name = "iqn.2003-01.org.linux-iscsi.host:sn.1"

  private func sample() throws -> Import { try Import(Self.sample, .saveconfig) }

  @Test("The WWID is LIO's: 6001405 and 25 hexadecimal digits of the wwn; the serial is the wwn")
  func identity() throws {
    let store = try sample().store("disk1")
    #expect(store.naa?.description == "6001405f6a4c1c22f5b4b0d9b5e0a1b2")
    #expect(store.serial == "f6a4c1c2-2f5b-4b0d-9b5e-0a1b2c3d4e5f")
    #expect(store.vendor == "LIO-ORG")
    #expect(store.product == "disk1")
    #expect(LIOIdentity.naa(serial: "aaaa-bbzz") == "6001405aaaabb0000000000000000000")
  }

  @Test("cache, block size, discard, read-only and product follow plugin and attributes")
  func stores() throws {
    let result = try sample()
    let disk = try result.store("disk1")
    #expect(disk.medium == .file(path: "/srv/iscsi/disk1.img"))
    #expect(disk.cache == .writeback)
    #expect(disk.discard == .unmap)
    let data = try result.store("data")
    #expect(data.medium == .block(path: "/dev/vg0/data"))
    #expect(data.blockSize == 4096)
    #expect(data.discard == .ignore)
    #expect(data.readOnly)
    #expect(data.product == "IBLOCK")
    let scratch = try result.store("scratch")
    #expect(scratch.medium == .memory)
    #expect(scratch.sizeBytes == 64 << 20)
  }

  @Test("A file without write_back is written through")
  func writeThrough() throws {
    let result = try Import(
      """
      {"storage_objects": [{"plugin": "fileio", "name": "a", "dev": "/srv/a", "wwn": "1",
        "write_back": false}], "targets": []}
      """, .saveconfig)
    #expect(try result.store("a").cache == .writethrough)
  }

  @Test("Mapped LUNs keep their numbers and their write protection, CHAP both its directions")
  func access() throws {
    let target = try sample().target(Self.name)
    #expect(target.luns.map(\.number) == [0, 1])
    #expect(target.chap.isEmpty)
    let entry = try #require(target.acl.first)
    #expect(target.acl.count == 1)
    #expect(entry.initiator == "iqn.2026-11.com.example:node1")
    #expect(entry.luns?.map(\.number) == [5, 6])
    #expect(entry.luns?.map(\.readOnly) == [false, true])
    #expect(entry.chap.first?.secret == Secret("secret-of-node1"))
    #expect(entry.mutualChap?.user == "target")
  }

  @Test("With authentication on, an ACL without a user lets nobody in")
  func noUser() throws {
    let result = try sample()
    let line = line(of: "example:nouser", in: Self.sample)
    #expect(result.notes(line: line, "has no CHAP user"))
  }

  @Test("generate_node_acls lets everybody in, write-protected as demo_mode_write_protect says")
  func demoMode() throws {
    let result = try sample()
    let target = try result.target("iqn.2003-01.org.linux-iscsi.host:demo")
    #expect(target.acl.map(\.initiator) == [nil])
    #expect(target.acl.map(\.readOnly) == [true])
    #expect(target.acl.flatMap(\.chap).isEmpty)
    let left = line(of: "left-over-secret", in: Self.sample)
    #expect(result.notes(line: left, "authentication is off"))
  }

  @Test("demo mode with authentication asks everybody for the portal group's user")
  func demoModeWithUsers() throws {
    let target = try Import(
      """
      {"storage_objects": [], "targets": [{"fabric": "iscsi", "wwn": "iqn.2026-11.com.example:t",
       "tpgs": [{"enable": true, "tag": 1, "chap_userid": "u", "chap_password": "secret-secret",
         "attributes": {"generate_node_acls": 1, "demo_mode_write_protect": 0},
         "node_acls": [{"node_wwn": "iqn.2026-11.com.example:n", "mapped_luns": [],
           "attributes": {"authentication": 0}}],
         "portals": [{"ip_address": "[::0]", "port": 3260}]}]}]}
      """, .saveconfig)
    let found = try target.target("iqn.2026-11.com.example:t")
    #expect(found.acl.map(\.initiator) == ["iqn.2026-11.com.example:n", nil])
    #expect(found.acl.map { $0.chap.map(\.user) } == [[], ["u"]])
    #expect(!found.isOpenToAny && found.chap.isEmpty)
    // LIO's :: takes IPv4 too.
    let portals = target.configuration.portals.map(\.endpoint.description)
    #expect(portals == ["[::]:3260", "0.0.0.0:3260"])
  }

  @Test("An initiator whose ACL is lost does not get in by demo mode")
  func lostACL() throws {
    let result = try Import(
      """
      {"targets": [{"fabric": "iscsi", "wwn": "iqn.2026-11.com.example:t",
       "tpgs": [{"enable": true, "tag": 1, "attributes": {"generate_node_acls": 1,
         "authentication": 0}, "node_acls": [{"node_wwn": "bad name"}],
         "portals": [{"ip_address": "10.0.0.1", "port": 3260}]}]}]}
      """, .saveconfig)
    let target = try result.target("iqn.2026-11.com.example:t")
    #expect(target.acl.isEmpty && !target.isOpenToAny)
    #expect(result.notes(line: 1, "was open to everybody else too"))
  }

  @Test("Portals of different targets become groups that the targets name")
  func portals() throws {
    let result = try sample()
    let portals = result.configuration.portals
    #expect(
      portals.map(\.endpoint.description)
        == ["192.168.90.140:3260", "[2001:db8::140]:3260", "0.0.0.0:3261"])
    #expect(portals.map(\.group) == [1, 1, 2])
    #expect(try result.target(Self.name).portalGroups == [1])
    #expect(try result.target("iqn.2003-01.org.linux-iscsi.host:demo").portalGroups == [2])
  }

  @Test("A portal beside the wildcard of another target is told and goes into it")
  func wildcard() throws {
    func target(_ name: String, _ address: String) -> String {
      """
      {"fabric": "iscsi", "wwn": "iqn.2026-11.com.example:\(name)", "tpgs": [{"enable": true,
        "tag": 1, "attributes": {"generate_node_acls": 1, "authentication": 0,
        "demo_mode_write_protect": 0}, "portals": [{"ip_address": "\(address)", "port": 3260}]}]}
      """
    }
    let result = try Import(
      "{\"targets\": [\(target("a", "10.0.0.1")), \(target("b", "0.0.0.0"))]}", .saveconfig)
    #expect(result.configuration.portals.map(\.endpoint.description) == ["0.0.0.0:3260"])
    #expect(result.configuration.targets.map(\.portalGroups) == [nil, nil])
    #expect(result.configuration.targets.map(\.isOpenToAny) == [true, true])
    #expect(result.notes.contains { $0.contains("cannot stand beside 0.0.0.0:3260") })
  }

  @Test("Discovery asks for the user of the fabric")
  func discovery() throws {
    let discovery = try sample().configuration.discovery
    #expect(discovery.chap.map(\.user) == ["disc"])
  }

  @Test("LIO's own defaults are not carried over, what was chosen is")
  func negotiation() throws {
    let iscsi = try sample().target(Self.name).iscsi
    #expect(iscsi.maxRecvDataSegmentLength == 256 << 10)
    #expect(iscsi.headerDigest == .crc32c)
    #expect(iscsi.queueDepth == 32)
  }

  @Test(
    "Each loss has its note with its line",
    arguments: [
      ("\"name\": \"image\"", "one of \"user\""), ("\"plugin\": \"pscsi\"", "one of \"pscsi\""),
      ("\"name\": \"scratch\"", "is memory"), ("\"index\": 2", "left out with"),
      ("\"attributes\": {\"block_size\": 512", "emulate_caw 0, queue_depth 128"),
      ("\"authentication\": 1", "cache_dynamic_acls 1, login_timeout 30"),
      ("iqn.2026-11.com.example:node1", ""), ("ErrorRecoveryLevel", "always 0"),
      ("2001:db8::140", "one of iSER"), ("\"tag\": 2", "one set of LUNs"),
      ("\"fabric\": \"vhost\"", "here is only iSCSI"),
    ])
  func losses(words: String, note: String) throws {
    let result = try sample()
    guard !note.isEmpty else {
      #expect(result.notes.contains { $0.contains("nopin_timeout 20") })
      return
    }
    #expect(result.notes(line: line(of: words, in: Self.sample), note), "\(result.notes)")
  }

  @Test(
    "What is no saveconfig.json is an error with its line",
    arguments: [
      ("[]", "file:1: expected an object"), ("{}", "file:1: has neither"),
      ("{\"targets\": [\n{", "file:2: "),
      (
        "{\"stores\": {}, \"targets\": [{\"name\": \"iqn.2026-11.com.example:t\"}]}",
        "file:1: is a configuration of swift-tgtd already"
      ),
      (String(repeating: "[", count: 100_000), "file:1: nested deeper than 32 levels"),
    ])
  func broken(text: String, problem: String) {
    #expect(importProblem(text, .saveconfig)?.hasPrefix(problem) == true)
  }

  @Test("Two objects with one wwn keep it for the first only")
  func sharedIdentity() throws {
    let result = try Import(
      """
      {"storage_objects": [
      {"plugin": "block", "name": "a", "dev": "/dev/a", "wwn": "12"},
      {"plugin": "block", "name": "b", "dev": "/dev/b", "wwn": "12"}], "targets": []}
      """, .saveconfig)
    #expect(try result.store("a").naa != nil)
    #expect(try result.store("b").naa == nil)
    #expect(try result.store("b").serial == nil)
    #expect(result.notes(line: 3, "is also that of the store \"a\""))
  }

  @Test("An entry for any initiator, and one whose addresses are not known, let nobody in")
  func unknownAddresses() throws {
    let name = "iqn.2026-11.com.example:disk"
    let node = "iqn.2026-11.com.example:node"
    let result = try Import(
      """
      {"storage_objects": [], "targets": [{"fabric": "iscsi", "wwn": "\(name)", "tpgs": [{
      "portals": [{"ip_address": "0.0.0.0", "port": 3260}],
      "attributes": {"authentication": 0, "generate_node_acls": 1}, "node_acls": [
      {"node_wwn": "any"},
      {"node_wwn": "\(node)1"},
      {"node_wwn": "\(node)2"}]}]}],
      "swift-tgtd": {"addresses": {"\(name) \(node)1": "", "\(name) \(node)2": "192.0.2.1, 2001:db8::/64"},
      "portalGroups": {"0.0.0.0:3260": "x"}}}
      """, .saveconfig)
    let target = try result.target(name)
    #expect(target.acl.map(\.initiator) == ["\(node)2"])
    #expect(target.acl.first?.addresses.map(\.description) == ["192.0.2.1", "2001:db8::/64"])
    #expect(!target.isOpenToAny)
    #expect(result.notes(line: 4, "is no initiator of LIO"))
    #expect(result.notes(line: 5, "from some addresses only"))
    #expect(result.notes(line: 8, "is not a portal with the number of its group"))
  }

  @Test("The fingerprint is of the values: order and spacing do not count, numbers and lists do")
  func fingerprint() {
    let one = LIOIdentity.fingerprint(of: #"{"a": [1, 2], "b": {"c": true, "d": null}}"#)
    #expect(one != nil)
    #expect(
      LIOIdentity.fingerprint(of: #"{"b":{"d":null,"c":true},"a":[1,2],"swift-tgtd":1}"#) == one)
    for other in [
      #"{"a": [2, 1], "b": {"c": true, "d": null}}"#, #"{"a": [1, 2], "b": {"c": true}}"#,
      #"{"a": [1, "2"], "b": {"c": true, "d": null}}"#, #"{"a": [1, 2, "b"]}"#,
    ] {
      #expect(LIOIdentity.fingerprint(of: other) != one, "\(other)")
    }
    #expect(LIOIdentity.fingerprint(of: "{") == nil)
  }
}
