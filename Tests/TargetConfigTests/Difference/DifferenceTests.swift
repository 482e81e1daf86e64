import Foundation
import Testing

@testable import TargetConfig

private let before = """
  {
    "portals": ["192.0.2.1:3260", {"address": "[2001:db8::1]:3260", "group": 2}],
    "stores": {
      "a": {"memory": true, "size": "1MiB"},
      "b": {"memory": true, "size": "1MiB"},
    },
    "targets": [
      {
        "name": "iqn.2026-11.com.example:t",
        "luns": [{"lun": 1, "store": "a"}, {"lun": 2, "store": "b"}],
        "chap": [
          {"user": "one", "secret": "replace-me-one-1"}, {"user": "two", "secret": "replace-me-two-2"},
        ],
        "acl": [
          {"initiator": "iqn.2026-11.com.example:n1", "addresses": ["192.0.2.0/24", "2001:db8::/64"]},
          {"initiator": "iqn.2026-11.com.example:n2"},
          {"initiator": "any", "addresses": ["198.51.100.0/24"], "luns": [{"lun": 0, "store": "a"}]},
        ],
      },
      {"name": "iqn.2026-11.com.example:u", "initiators": "any"},
    ],
  }
  """

private func difference(
  _ old: String = before, _ changes: (String, String)...
) throws -> ConfigurationDifference {
  var new = old
  for (piece, replacement) in changes {
    #expect(new.contains(piece))
    new = new.replacing(piece, with: replacement)
  }
  return ConfigurationDifference(
    from: try loaded(old).configuration, to: try loaded(new).configuration)
}

@Suite("Differences")
struct DifferenceTests {
  @Test("A configuration does not differ from itself")
  func same() throws {
    let difference = try difference()
    #expect(difference.isEmpty)
    #expect(difference.description == "no differences\n")
  }

  @Test("Order without meaning is no difference")
  func order() throws {
    let difference = try difference(
      before,
      (
        "\"192.0.2.1:3260\", {\"address\": \"[2001:db8::1]:3260\", \"group\": 2}",
        "{\"address\": \"[2001:db8:0::1]:3260\", \"group\": 2}, \"192.0.2.1\""
      ),
      ("\"192.0.2.0/24\", \"2001:db8::/64\"", "\"2001:db8::/64\", \"192.0.2.0/24\""),
      (
        "{\"lun\": 1, \"store\": \"a\"}, {\"lun\": 2, \"store\": \"b\"}",
        "{\"lun\": 2, \"store\": \"b\"}, {\"lun\": 1, \"store\": \"a\"}"
      ),
      ("\"1MiB\"},\n    \"b\"", "1048576, \"physicalBlockSize\": 4096},\n    \"b\""),
      // Nobody is both n1 and n2: which comes first does not matter.
      (
        "        {\"initiator\": \"iqn.2026-11.com.example:n2\"},\n", ""
      ),
      (
        "\"acl\": [\n", "\"acl\": [\n        {\"initiator\": \"iqn.2026-11.com.example:n2\"},\n"
      ))
    #expect(difference.description == "no differences\n")
  }

  @Test("The order of entries that somebody matches both of is a difference")
  func accessOrder() throws {
    let any =
      "        {\"initiator\": \"any\", \"addresses\": [\"198.51.100.0/24\"], \"luns\": [{\"lun\": 0, \"store\": \"a\"}]},\n"
    let difference = try difference(
      before, (any, ""), ("\"acl\": [\n", "\"acl\": [\n" + any))
    #expect(
      difference.description == """
        ~ targets[iqn.2026-11.com.example:t].acl  \
        iqn.2026-11.com.example:n2 before any from 198.51.100.0/24 -> \
        any from 198.51.100.0/24 before iqn.2026-11.com.example:n2

        """)
  }

  @Test("What came, went and changed is told in aligned lines")
  func lines() throws {
    let difference = try difference(
      before,
      ("\"192.0.2.1:3260\", ", ""),
      (
        "\"a\": {\"memory\": true, \"size\": \"1MiB\"}",
        "\"a\": {\"memory\": true, \"size\": \"2MiB\"}"
      ),
      (
        "    \"b\": {\"memory\": true, \"size\": \"1MiB\"},\n",
        "    \"b\": {\"memory\": true, \"size\": \"512KiB\"},\n    \"c\": {\"file\": \"/srv/c.img\"},\n"
      ),
      (", {\"lun\": 2, \"store\": \"b\"}", ", {\"lun\": 3, \"store\": \"c\", \"readOnly\": true}"),
      ("{\"lun\": 1, \"store\": \"a\"}", "{\"lun\": 1, \"store\": \"b\"}"),
      ("    {\"name\": \"iqn.2026-11.com.example:u\", \"initiators\": \"any\"},\n", ""),
      (
        "\n  ],\n}",
        "\n  ],\n  \"reactors\": 2, \"logLevel\": \"debug\", \"limits\": {\"sessions\": 9},\n}"
      ))
    let t = "targets[iqn.2026-11.com.example:t]"
    #expect(
      difference.description == """
        - portals[192.0.2.1:3260]                           group 1  (interrupts its users)
        ~ stores.a.size                                     1MiB -> 2MiB
        ~ stores.b.size                                     1MiB -> 512KiB  (cuts off 512KiB, interrupts its users)
        + stores.c                                          file /srv/c.img, cache writeback
        ~ \(t).luns[1].store  a -> b  (interrupts its users)
        - \(t).luns[2]        store b  (interrupts its users)
        + \(t).luns[3]        store c, read-only
        - targets[iqn.2026-11.com.example:u]                no LUNs, any initiator  (interrupts its users)
        ~ limits.sessions                                   1024 -> 9  (needs a restart)
        ~ reactors                                          one for each CPU -> 2  (needs a restart)
        ~ logLevel                                          info -> debug

        """)
    #expect(difference.changes(needing: .restart).map(\.path) == ["limits.sessions", "reactors"])
  }

  @Test("No secret is shown, in lines, in JSON or by dump")
  func secrets() throws {
    let difference = try difference(
      before, ("replace-me-one-1", "replaced-one-1"),
      (
        "{\"user\": \"two\", \"secret\": \"replace-me-two-2\"},\n",
        "{\"user\": \"2\", \"secret\": \"replaced-two-2\"},\n"
      ),
      ("\"acl\"", "\"mutualChap\": {\"user\": \"m\", \"secret\": \"replaced-mutual\"}, \"acl\""))
    #expect(
      difference.description == """
        ~ targets[iqn.2026-11.com.example:t].chap[one].secret  <redacted>
        - targets[iqn.2026-11.com.example:t].chap[two]
        + targets[iqn.2026-11.com.example:t].chap[2]
        + targets[iqn.2026-11.com.example:t].mutualChap        user "m"

        """)
    var dumped = ""
    dump(difference, to: &dumped)
    #expect(!dumped.contains("replace"))
  }

  @Test("What targets inherit is told once; what one says itself is told of it")
  func negotiation() throws {
    let general = try difference(
      before, ("\"portals\"", "\"iscsi\": {\"queueDepth\": 64}, \"portals\""))
    #expect(general.description == "~ iscsi.queueDepth  128 -> 64\n")
    let own = try difference(
      before, ("\"initiators\"", "\"iscsi\": {\"maxBurstLength\": \"64KiB\"}, \"initiators\""))
    #expect(
      own.description == """
        ~ targets[iqn.2026-11.com.example:u].iscsi.maxBurstLength    1MiB -> 64KiB
        ~ targets[iqn.2026-11.com.example:u].iscsi.firstBurstLength  256KiB -> 64KiB

        """)
  }

  @Test("Entries, their users, their LUNs and closing a target are told apart")
  func access() throws {
    let entry = "targets[iqn.2026-11.com.example:t].acl[any from 198.51.100.0/24]"
    let difference = try difference(
      before,
      (
        "[{\"lun\": 0, \"store\": \"a\"}]}", "[{\"lun\": 0, \"store\": \"b\"}], \"readOnly\": true}"
      ),
      (
        "{\"initiator\": \"iqn.2026-11.com.example:n2\"}",
        "{\"initiator\": \"iqn.2026-11.com.example:n3\"}"
      ),
      (
        ", \"initiators\": \"any\"",
        ", \"acl\": [{\"initiator\": \"any\", \"chap\": [{\"user\": \"c\", \"secret\": \"replace-me-ccc\"}]}]"
      ))
    #expect(
      difference.changes.map { "\($0.kind) \($0.path) \($0.application)" } == [
        "removed targets[iqn.2026-11.com.example:t].acl[iqn.2026-11.com.example:n2] reopen",
        "changed \(entry).luns[0].store reopen",
        "changed \(entry).readOnly live",
        "added targets[iqn.2026-11.com.example:t].acl[iqn.2026-11.com.example:n3] live",
        "added targets[iqn.2026-11.com.example:u].acl[any] live",
        "changed targets[iqn.2026-11.com.example:u].initiators reopen",
      ])
  }

  @Test("Every key of the file that the model holds makes a difference")
  func complete() throws {
    // The annotated example sets every key; against the defaults each must show.
    let example = try ExampleTests().loadExample("targets.example.json").configuration
    var changed = example
    changed.stateDirectory = "/elsewhere"
    changed.engine = .aio
    changed.reactorCount = 3
    changed.memoryBytes = nil
    changed.logLevel = .trace
    changed.admin.socket = "/elsewhere/socket"
    changed.admin.group = nil
    changed.admin.listener = nil
    changed.limits = .init(connections: 1, sessions: 2, pendingLogins: 3, loginTimeoutSeconds: 4)
    changed.discovery = .init()
    let paths = ConfigurationDifference(from: example, to: changed).changes.map(\.path)
    #expect(
      paths == [
        "discovery.chap[disc]", "discovery.mutualChap", "limits.connections", "limits.sessions",
        "limits.pendingLogins", "limits.loginTimeout", "admin.socket", "admin.group",
        "admin.listener", "state", "engine", "reactors", "memory", "logLevel",
      ])
    let everything = ConfigurationDifference(from: TargetConfiguration(), to: example)
    let back = ConfigurationDifference(from: example, to: TargetConfiguration())
    #expect(everything.changes.count == back.changes.count)
    #expect(
      everything.changes.count { $0.kind == .added } == back.changes.count { $0.kind == .removed })
  }

  @Test("The fields compared are those that the model has")
  func fields() {
    func labels(_ value: Any) -> [String] { Mirror(reflecting: value).children.compactMap(\.label) }
    // A field more needs its comparison; then it belongs into these lists.
    #expect(
      labels(TargetConfiguration.Store(name: "", medium: .null)) == [
        "name", "medium", "sizeBytes", "blockSize", "physicalBlockSize", "cache", "discard",
        "queueDepth", "readOnly", "thinThresholdPercent", "thinAvailableThresholdPercent", "naa",
        "serial", "vendor", "product",
        "removable", "rotationRate", "servesLongCommands", "servesReferrals",
      ])
    #expect(
      labels(TargetConfiguration.Target(name: "")) == [
        "name", "alias", "portalGroups", "groupAccess", "explicitAlua", "luns", "chap",
        "mutualChap", "acl", "isOpenToAny", "iscsi",
      ])
    #expect(
      labels(TargetConfiguration.AccessEntry(initiator: nil)) == [
        "initiator", "addresses", "chap", "mutualChap", "luns", "readOnly",
      ])
    #expect(
      labels(TargetConfiguration()) == [
        "portals", "stores", "targets", "discovery", "admin", "iscsi", "limits", "stateDirectory",
        "engine", "reactorCount", "memoryBytes", "logLevel",
      ])
    let other = TargetConfiguration.Negotiation.differing
    #expect(
      TargetConfiguration.Negotiation.standard.differences(to: other).count
        == labels(other).count)
  }

  @Test("JSON tells change, path, values and what it takes")
  func json() throws {
    let difference = try difference(
      before,
      (
        "\"a\": {\"memory\": true, \"size\": \"1MiB\"}",
        "\"a\": {\"memory\": true, \"size\": \"2MiB\"}"
      ),
      ("replace-me-one-1", "replaced-one-1"))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(difference), as: UTF8.self)
    #expect(
      text == """
        {"changes":[\
        {"application":"live","change":"changed","new":"2MiB","old":"1MiB","path":"stores.a.size"},\
        {"application":"live","change":"changed",\
        "path":"targets[iqn.2026-11.com.example:t].chap[one].secret"}]}
        """)
  }
}

extension TargetConfiguration.Negotiation {
  /// Differs from the standard in every field.
  fileprivate static var differing: Self {
    var value = standard
    value.headerDigest = .crc32c
    value.dataDigest = .none
    value.maxRecvDataSegmentLength += 1
    value.maxBurstLength += 1
    value.firstBurstLength += 1
    value.initialR2T.toggle()
    value.immediateData.toggle()
    value.maxOutstandingR2T -= 1
    value.maxConnections += 1
    value.defaultTime2WaitSeconds += 1
    value.defaultTime2RetainSeconds += 1
    value.queueDepth += 1
    value.nopIntervalSeconds += 1
    value.nopTimeoutSeconds += 1
    return value
  }
}
