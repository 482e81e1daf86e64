import Testing

@testable import TargetConfig

@Suite("What disks tell of themselves")
struct DiskTests {
  @Test(
    "What disks tell of themselves reaches the store, and is off by default"
  )
  func keys() throws {
    let text = store(
      #""file": "/srv/a", "removable": true, "rotationRate": 7200, "thinThreshold": "80%", "#
        + #""thinAvailableThreshold": "7%", "#
        + #""longCommands": true, "referrals": true"#)
    let disk = try #require(try loaded(text).configuration.stores.first)
    #expect(disk.removable && disk.servesLongCommands && disk.servesReferrals)
    #expect(disk.rotationRate == 7200)
    #expect(disk.thinThresholdPercent == 80 && disk.thinAvailableThresholdPercent == 7)
    let plain = try #require(
      try loaded(store(#""file": "/srv/a", "rotationRate": "none""#)).configuration.stores.first)
    #expect(!plain.servesLongCommands && !plain.servesReferrals)
    #expect(!plain.removable && plain.rotationRate == 1 && plain.thinThresholdPercent == nil)
    #expect(plain.thinAvailableThresholdPercent == nil)
  }

  @Test(
    "A threshold is a share from 1% to 99%",
    arguments: ["thinThreshold", "thinAvailableThreshold"],
    ["0%", "100%", "80", "%", "-5%", "080%", "8 %", "1e1%", "+5%"])
  func shares(key: String, text: String) {
    let found = problems(store("\"file\": \"/srv/a\", \"\(key)\": \"\(text)\""))
    #expect(
      found == [
        "targets.json:2: stores.a.\(key): \"\(text)\" is not a share from 1% to 99%"
      ])
  }

  @Test(
    "A threshold is for files, whose use can be found out",
    arguments: ["thinThreshold", "thinAvailableThreshold"])
  func thresholdOfMemory(key: String) {
    let text = store("\"memory\": true, \"size\": \"1MiB\", \"\(key)\": \"80%\"")
    #expect(
      problems(text) == [
        "targets.json:2: stores.a.\(key): how much of a memory store is used cannot be "
          + "found out: leave the key out"
      ])
  }

  private func groups(_ text: String, second: String = "") -> String {
    """
    {"portals": ["127.0.0.1:3260", {"address": "127.0.0.1:3261", "group": 2}],
    "stores": {"a": {"memory": true, "size": "1MiB"}},
    "targets": [{"name": "iqn.2026-11.com.example:t", "initiators": "any",
      "luns": [{"lun": 0, "store": "a"}], \(text)}\(second)]}
    """
  }

  @Test("A portal group is a tag, or an object with its access state")
  func access() throws {
    let text = groups(
      """
      "portalGroups": [1, {"tag": 2, "state": "standby", "preferred": true}], "explicitAlua": true
      """)
    let target = try #require(try loaded(text).configuration.targets.first)
    #expect(target.portalGroups == [1, 2])
    #expect(
      target.groupAccess == [
        TargetConfiguration.GroupAccess(group: 2, state: .standby, isPreferred: true)
      ])
    #expect(target.explicitAlua)
    #expect(
      problems(groups(#""portalGroups": [{"tag": 3}]"#)) == [
        "targets.json:4: targets[0].portalGroups[0].tag: no portal is in group 3 (groups: 1, 2)"
      ])
    #expect(
      problems(groups(#""portalGroups": [1, {"tag": 1}]"#)) == [
        "targets.json:4: targets[0].portalGroups[1].tag: group 1 stands here twice: keep one"
      ])
  }

  @Test("One store through one group has one state, whatever targets present it")
  func oneState() {
    let other = """
      , {"name": "iqn.2026-11.com.example:u", "initiators": "any",
         "luns": [{"lun": 7, "store": "a"}], "portalGroups": [2]}
      """
    #expect(problems(groups(#""portalGroups": [1]"#, second: other)) == [])
    let standby = groups(#""portalGroups": [{"tag": 2, "state": "standby"}]"#, second: other)
    #expect(
      problems(standby) == [
        "targets.json:5: targets[1].portalGroups: the store \"a\" is active/optimized through "
          + "group 2 here, and standby at iqn.2026-11.com.example:t: give the targets portal "
          + "groups of their own, or one state"
      ])
  }
}
