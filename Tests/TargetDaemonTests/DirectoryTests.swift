import ISCSIModel
import Reactor
import Testing

@testable import ISCSITarget
@testable import TargetDaemon

@Suite("Configuration to directory")
struct DirectoryTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func target(_ body: String, more: String = "") throws -> TargetDefinition {
    let loaded = try scratch.load(
      """
      "stores": {
        "rw": {"memory": true, "size": "1MiB"},
        "ro": {"memory": true, "size": "1MiB", "readOnly": true}
      },
      "portals": ["127.0.0.1:3260", {"address": "[::1]:3260", "group": 7}], \(more)
      "targets": [{"name": "iqn.2026-11.com.example:t", \(body)}]
      """)
    return try #require(try TargetDirectory(loaded).targets.first)
  }

  @Test(
    "A LUN is read-only when it, or its store, says so; the entry's own LUNs replace the target's")
  func readOnly() throws {
    let target = try target(
      """
      "luns": [{"lun": 0, "store": "rw"}, {"lun": 1, "store": "ro"},
               {"lun": 2, "store": "rw", "readOnly": true}],
      "acl": [{"initiator": "iqn.2026-11.com.example:a", "readOnly": true},
              {"initiator": "iqn.2026-11.com.example:b", "luns": [{"lun": 5, "as": "ro"}]}]
      """)
    #expect(
      target.units == [
        UnitPresentation(lun: 0, unit: "rw"),
        UnitPresentation(lun: 1, unit: "ro", isReadOnly: true),
        UnitPresentation(lun: 2, unit: "rw", isReadOnly: true),
      ])
    #expect(target.accessEntries[0].isReadOnly && target.accessEntries[0].units == nil)
    #expect(!target.accessEntries[1].isReadOnly)
    #expect(
      target.accessEntries[1].units == [UnitPresentation(lun: 5, unit: "ro", isReadOnly: true)])
    #expect(!target.admitsAnyInitiator)
    #expect(target.portalGroupTags == [1, 7], "all groups, unless it names some")
  }

  @Test("CHAP users, mutual users and address ranges reach the entry they were written on")
  func access() throws {
    let target = try target(
      """
      "initiators": "any", "portalGroups": [7],
      "chap": [{"user": "all", "secret": "123456789abc"}],
      "mutualChap": {"user": "target", "secret": "cba987654321"},
      "acl": [{"initiator": "iqn.2026-11.com.example:A",
               "addresses": ["192.168.90.0/24", "fe80::/10", "::1"],
               "chap": [{"user": "own", "secret": "own-secret-123"}]},
              {"initiator": "any", "addresses": ["10.0.0.0/8"]}]
      """)
    #expect(target.users == [CHAPUser(name: "all", secret: Secret("123456789abc"))])
    #expect(target.mutualUser == CHAPUser(name: "target", secret: Secret("cba987654321")))
    #expect(target.admitsAnyInitiator && target.portalGroupTags == [7])
    let entry = target.accessEntries[0]
    #expect(entry.initiator == "iqn.2026-11.com.example:a", "names compare in lower case")
    #expect(entry.addresses.map(\.description) == ["192.168.90.0/24", "fe80::/10", "::1"])
    #expect(entry.users == [CHAPUser(name: "own", secret: Secret("own-secret-123"))])
    #expect(target.accessEntries[1].initiator == nil)
    #expect(target.accessEntries[1].addresses.map(\.description) == ["10.0.0.0/8"])
  }

  @Test("The first entry whose name and address match decides; \"any\" is for who matches none")
  func rights() throws {
    let loaded = try scratch.load(
      """
      "targets": [{"name": "iqn.2026-11.com.example:t", "initiators": "any", "acl": [
          {"initiator": "iqn.2026-11.com.example:A", "addresses": ["192.0.2.1", "2001:db8::7"]},
          {"initiator": "any", "addresses": ["192.0.2.0/24"]}]},
        {"name": "iqn.2026-11.com.example:closed", "acl": [
          {"initiator": "iqn.2026-11.com.example:a", "addresses": ["192.0.2.1"]}]}]
      """)
    let directory = try TargetDirectory(loaded)
    func right(_ name: String, _ address: String, _ target: Int) throws -> AccessRight? {
      let name = try #require(ISCSIName.normalized("iqn.2026-11.com.example:\(name)"))
      let address = try #require(SocketAddress(address))
      return directory.right(of: name, at: address, to: directory.targets[target])
    }
    #expect(try right("a", "192.0.2.1:1", 0) == .entry(0))
    #expect(try right("A", "[::ffff:192.0.2.1]:1", 0) == .entry(0))
    #expect(try right("a", "[2001:db8::7]:1", 0) == .entry(0))
    #expect(try right("a", "192.0.2.2:1", 0) == .entry(1))
    #expect(try right("b", "192.0.2.1:1", 0) == .entry(1))
    #expect(try right("a", "192.0.3.1:1", 0) == .anyInitiator)
    #expect(try right("a", "192.0.2.1:1", 1) == .entry(0))
    #expect(try right("b", "192.0.2.1:1", 1) == nil)
    #expect(try right("a", "192.0.2.2:1", 1) == nil)
  }

  @Test("Digest policies, lengths, queue depth and NOP times become the session's")
  func negotiation() throws {
    let target = try target(
      """
      "iscsi": {"headerDigest": "crc32c", "dataDigest": "none", "queueDepth": 512,
                "firstBurstLength": "64KiB", "initialR2T": true, "nopInterval": 0}
      """)
    #expect(target.negotiation.headerDigests == [.crc32c])
    #expect(target.negotiation.dataDigests == [.none])
    #expect(target.negotiation.firstBurstLength == 65_536 && target.negotiation.initialR2T)
    #expect(target.session.queueDepth == 512)
    #expect(target.session.nopInterval == Milliseconds(0))
    #expect(target.session.nopTimeout == .seconds(10))
    let standard = try self.target("\"luns\": []")
    #expect(standard.negotiation == NegotiationPolicy())
    #expect(standard.session == SessionPolicy())
  }

  @Test("Discovery users, portals with groups and announced addresses")
  func portals() throws {
    let loaded = try scratch.load(
      """
      "portals": [{"address": "127.0.0.1:3261", "group": 4, "advertise": "disk.example.com:3260"}],
      "discovery": {"chap": [{"user": "d", "secret": "123456789abc"}]}
      """)
    let directory = try TargetDirectory(loaded)
    #expect(directory.portals.map(\.address.description) == ["127.0.0.1:3261"])
    #expect(directory.portals.map(\.groupTag) == [4])
    #expect(directory.portals.map(\.advertised) == ["disk.example.com:3260"])
    #expect(directory.discoveryUsers.map(\.name) == ["d"])
  }

  @Test("An interface that does not exist is named with its place")
  func zone() throws {
    let loaded = try scratch.load("\"portals\": [\n\"[fe80::1%nope0]:3260\"]")
    let error = #expect(throws: DaemonError.self) { try TargetDirectory(loaded) }
    #expect(error?.status == .unavailable)
    #expect(
      error?.description.hasPrefix(
        "targets.json:3: portals[0]: [fe80::1%nope0]:3260 names an interface") == true)
  }
}
