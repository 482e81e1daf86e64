import TargetConfig
import Testing

@testable import TargetcliCommands

/// What LIO has no words for, saved and restored.
struct RestorationTests {
  private static let other = "iqn.2023-02.com.example:other"

  /// Every key of a store and of a target that saveconfig.json has no place for.
  private static let everything = """
    {"portals": [{"address": "192.0.2.1:3260", "group": 4, "advertise": "disks.example.com:3260"},
       {"address": "192.0.2.2:3260", "group": 9}],
     "iscsi": {"maxBurstLength": "512KiB", "nopInterval": 7},
     "stores": {
       "z": {"file": "/srv/z.img", "size": "10MiB", "readOnly": true, "queueDepth": 77,
         "removable": true, "cache": "directsync", "thinThreshold": "80%",
         "thinAvailableThreshold": "9%", "referrals": true, "longCommands": true,
         "physicalBlockSize": 8192, "rotationRate": 7200,
         "naa": "6000c29a1b2c3d4e5f60718293a4b501", "serial": "s-z"},
       "b": {"block": "/dev/sdb", "cache": "directsync", "readOnly": true,
         "naa": "6000c29a1b2c3d4e5f60718293a4b502", "serial": "s-b"},
       "a": {"memory": true, "size": "64MiB", "discard": "ignore", "rotationRate": "none",
         "vendor": "ACME", "product": "RAM",
         "naa": "6000c29a1b2c3d4e5f60718293a4b503", "serial": "s-a"}},
     "targets": [
       {"name": "\(Bench.iqn)", "alias": "disks", "explicitAlua": true,
        "portalGroups": [{"tag": 4, "state": "standby", "preferred": true}, 9],
        "luns": [{"lun": 1, "store": "z"}, {"lun": 2, "store": "a", "readOnly": true}],
        "chap": [{"user": "one", "secret": "a-long-secret-1"},
          {"user": "two", "secret": "a-long-secret-2"}],
        "mutualChap": {"user": "back", "secret": "a-long-secret-3"},
        "acl": [
          {"initiator": "\(Bench.node)", "addresses": ["192.0.2.1/32"],
           "chap": [{"user": "three", "secret": "a-long-secret-4"},
             {"user": "four", "secret": "a-long-secret-5"}]},
          {"initiator": "\(Bench.node)", "addresses": ["192.0.2.5/32"], "readOnly": true},
          {"initiator": "\(Bench.node)2", "addresses": ["198.51.100.0/25"],
           "luns": [{"lun": 7, "store": "a", "readOnly": false}]},
          {"initiator": "any", "addresses": ["203.0.113.0/24", "2001:db8::/32"]}],
        "iscsi": {"queueDepth": 33, "nopTimeout": 9, "headerDigest": "crc32c"}},
       {"name": "\(other)", "portalGroups": [9], "luns": [{"lun": 1, "store": "b"}],
        "acl": [{"initiator": "any", "readOnly": true}]}],
     "discovery": {"chap": [{"user": "five", "secret": "a-long-secret-6"},
         {"user": "six", "secret": "a-long-secret-7"}],
       "mutualChap": {"user": "self", "secret": "a-long-secret-8"}}}
    """

  private func saved() async throws -> Bench {
    let bench = try Bench(Self.everything)
    bench.paper.kinds["/srv/z.img"] = .file(bytes: 10 << 20)
    bench.paper.kinds["/dev/sdb"] = .device
    await bench.all("saveconfig /tmp/saved.json")
    return bench
  }

  /// As an editor of LIO's part would leave it.
  private func edited(_ bench: Bench) throws {
    let text = try #require(bench.paper.files["/tmp/saved.json"])
    let edited = text.replacing("\"tag\" : 1", with: "\"tag\" : 2")
    try #require(edited != text)
    bench.paper.files["/tmp/saved.json"] = edited
  }

  @Test("Whatever the configuration says comes back the same from saveconfig FILE")
  func everything() async throws {
    let bench = try await saved()
    let before = try bench.daemon.configuration
    let run = await bench("restoreconfig /tmp/saved.json clear_existing=True")
    #expect((run.code, run.errors) == (0, ""))
    let after = try bench.daemon.configuration
    for (store, former) in zip(after.stores, before.stores) { #expect(store == former) }
    for (target, former) in zip(after.targets, before.targets) { #expect(target == former) }
    #expect(after == before)
  }

  @Test("It comes back the same where nothing was, under the same portals")
  func elsewhere() async throws {
    let bench = try await saved()
    let before = try bench.daemon.configuration
    let other = try Bench(#"{"portals": [{"address": "192.0.2.7:3260", "group": 2}]}"#)
    other.paper.files = bench.paper.files
    other.paper.kinds = bench.paper.kinds
    await other.all("restoreconfig /tmp/saved.json")
    let after = try other.daemon.configuration
    #expect(after.stores == before.stores)
    #expect(after.targets == before.targets)
    #expect(after.discovery == before.discovery)
    #expect(Array(after.portals.dropFirst()) == before.portals)
  }

  @Test("A file that is missing is not made anew by a restoration")
  func missingFile() async throws {
    let bench = try await saved()
    bench.paper.kinds["/srv/z.img"] = nil
    await bench.all("restoreconfig /tmp/saved.json clear_existing=True")
    #expect(try bench.daemon.configuration.store(named: "z")?.sizeBytes == nil)
  }

  @Test("In a file that was edited, initiators keep their addresses or are left out, with a word")
  func editedAccess() async throws {
    let bench = try await saved()
    try edited(bench)
    let run = await bench("restoreconfig /tmp/saved.json clear_existing=True")
    #expect(run.code == 0)
    #expect(run.errors.contains("this file was edited"))
    #expect(run.errors.contains("\"\(Bench.node)\" was let in from some addresses only"))
    let target = try bench.target
    for entry in target.acl { #expect(!entry.addresses.isEmpty, "\(entry.initiator ?? "any")") }
    #expect(!target.acl.contains { $0.initiator == Bench.node })
    #expect(!target.isOpenToAny)
  }

  @Test("In a file that was edited, stores keep what LIO has no words for")
  func editedStores() async throws {
    let bench = try await saved()
    try edited(bench)
    await bench.all("restoreconfig /tmp/saved.json clear_existing=True")
    let store = try #require(try bench.daemon.configuration.store(named: "z"))
    #expect(store.readOnly && store.removable && store.queueDepth == 77)
    #expect(store.cache == .directsync && store.physicalBlockSize == 8192)
    #expect(store.thinThresholdPercent == 80 && store.thinAvailableThresholdPercent == 9)
    #expect(store.servesReferrals && store.servesLongCommands && store.rotationRate == 7200)
  }

  @Test("In a file that was edited, targets keep what LIO has no words for")
  func editedTargets() async throws {
    let bench = try await saved()
    let before = try bench.daemon.configuration
    try edited(bench)
    let run = await bench("restoreconfig /tmp/saved.json clear_existing=True")
    #expect(!run.errors.contains("not kept"), "\(run.errors)")
    let target = try bench.target
    let former = try #require(before.target(named: Bench.iqn))
    #expect(target.groupAccess == former.groupAccess && target.explicitAlua)
    #expect(target.portalGroups == former.portalGroups && target.luns == former.luns)
    #expect(target.chap == former.chap && target.mutualChap == former.mutualChap)
    #expect(target.iscsi == former.iscsi && target.alias == former.alias)
    // One initiator that has two entries is not in LIO's words.
    #expect(target.acl == former.acl.filter { $0.initiator != Bench.node })
    let other = try bench.daemon.configuration.target(named: Self.other)
    #expect(other?.acl == before.target(named: Self.other)?.acl)
    #expect(try bench.daemon.configuration.discovery == before.discovery)
  }

  @Test(
    "Users behind a first that was edited go, and portals that went take their states; each told")
  func lostUsers() async throws {
    let bench = try await saved()
    let text = try #require(bench.paper.files["/tmp/saved.json"])
    bench.paper.files["/tmp/saved.json"] =
      text
      .replacing("\"chap_userid\" : \"one\"", with: "\"chap_userid\" : \"uno\"")
      .replacing("\"discovery_userid\" : \"five\"", with: "\"discovery_userid\" : \"cinque\"")
      .replacing("\"ip_address\" : \"192.0.2.1\"", with: "\"ip_address\" : \"192.0.2.11\"")
    let run = await bench("restoreconfig /tmp/saved.json clear_existing=True")
    #expect(run.errors.contains("further CHAP users of \"\(Bench.iqn)\" that are not kept"))
    #expect(run.errors.contains("as the first one is another now: \"two\""))
    #expect(run.errors.contains("as the first one is another now: \"six\""))
    #expect(run.errors.contains("as their portals are not here: group 4 standby"))
    let target = try bench.target
    #expect(target.chap.isEmpty && target.groupAccess.isEmpty && !target.isOpenToAny)
    #expect(try bench.daemon.configuration.discovery.chap.map(\.user) == ["cinque"])
  }

  @Test("A file whose notes cannot be understood changes nothing")
  func damagedNotes() async throws {
    let bench = try await saved()
    let before = try bench.daemon.configuration
    let text = try #require(bench.paper.files["/tmp/saved.json"])
    bench.paper.files["/tmp/saved.json"] = text.replacing("\"notes\" :", with: "\"nodes\" :")
    #expect(await bench("restoreconfig /tmp/saved.json clear_existing=True").code == 1)
    #expect(try bench.daemon.configuration == before)
  }

  @Test("saveconfig FILE tells whom LIO would let in from everywhere")
  func remark() async throws {
    let bench = try Bench(Self.everything)
    let run = await bench("saveconfig /tmp/saved.json")
    #expect(run.errors.contains("it would let these in to \(Bench.iqn) from everywhere"))
  }
}
