import Testing

@testable import TargetConfig

private let name = EditSample.name
private let n1 = EditSample.n1

@Suite("Edits of stores and portals")
struct StoreEditTests {
  @Test("A store is added in one line behind the others, and removed with its comments")
  func addAndRemove() throws {
    var store = NewStore(.file(path: "/srv/c.img"), size: "64MiB")
    store.cache = .directsync
    let added = try edited { text throws(ConfigurationEditError) in
      try text.addStore("c", store)
    }
    let line =
      "    \"c\": {\"file\": \"/srv/c.img\", \"size\": \"64MiB\", \"cache\": \"directsync\"},\n"
    #expect(added == sample("\"/dev/md0\"},\n", "\"/dev/md0\"},\n" + line))
    #expect(
      try edited(added) { text throws(ConfigurationEditError) in try text.removeStore("c") }
        == sample)
    #expect(
      try edited { text throws(ConfigurationEditError) in try text.removeStore("b") }
        == sample(
          "    // The second.\n    \"b\": {\"memory\": true, \"size\": \"1MiB\"},\n", ""))
  }

  @Test("The first store of a file makes the map")
  func firstStore() throws {
    let text = try edited("{}\n") { text throws(ConfigurationEditError) in
      try text.addStore("a", NewStore(.memory, size: "1MiB"))
    }
    #expect(
      text == "{\n  \"stores\": {\n    \"a\": {\"memory\": true, \"size\": \"1MiB\"}\n  }\n}\n")
  }

  @Test("A store that is presented, there already or unknown is left alone")
  func refusals() throws {
    #expect(
      try edited { text throws(ConfigurationEditError) in try text.removeStore("a") }
        == "stores.a: is presented by targets[0].luns[0]: remove these LUNs first")
    #expect(
      try edited { text throws(ConfigurationEditError) in try text.addStore("a", NewStore(.null)) }
        == "stores.a: there is a store of that name already")
    #expect(
      try edited { text throws(ConfigurationEditError) in try text.removeStore("z") }
        == "stores: no store named \"z\" (stores: a, b, disk)")
  }

  @Test("Of what is there already it is told what to do about it")
  func remedies() throws {
    func remedy(
      _ edit: (inout ConfigurationText) throws(ConfigurationEditError) -> Void
    ) throws -> String? {
      var text = try ConfigurationText(sample)
      do throws(ConfigurationEditError) { try edit(&text) } catch { return error.remedy }
      return nil
    }
    let store = try remedy { text throws(ConfigurationEditError) in
      try text.addStore("a", NewStore(.null))
    }
    #expect(
      store
        == "take another name, or remove that one first; swift-tgtadm store show a tells what it "
        + "is")
    let target = try remedy { text throws(ConfigurationEditError) in
      try text.addTarget(NewTarget(name: name))
    }
    #expect(
      target
        == "take another name, or remove that one first; swift-tgtadm target show \(name) tells "
        + "what it is")
    let portal = try remedy { text throws(ConfigurationEditError) in
      try text.addPortal(NewPortal(address: "192.0.2.1"))
    }
    #expect(portal == "for another group remove it first; swift-tgtadm portal list shows them")
    let entry = try remedy { text throws(ConfigurationEditError) in
      try text.addACLEntry(NewAccessEntry(AccessEntryName(initiator: "any")), target: name)
    }
    #expect(entry == "remove it first; swift-tgtadm acl list shows them")
  }

  @Test("Of many names that there are, those most like the one that there is not are shown")
  func nearestNames() {
    let names = (10...30).map { "disk\($0)" } + ["quorum"]
    let sentence = Absence.sentence("store", "quorun", of: names)
    #expect(sentence.hasPrefix("no store named \"quorun\" (stores: quorum, disk10, "))
    #expect(sentence.hasSuffix(" and 14 more)"))
    #expect(Absence.sentence("store", "a", of: []) == "no store named \"a\" (there are no stores)")
  }

  @Test("A size changes in place; a device keeps its own")
  func size() throws {
    #expect(
      try edited { text throws(ConfigurationEditError) in try text.setStoreSize("2MiB", of: "a") }
        == sample("\"1MiB\"}, // first", "\"2MiB\"}, // first"))
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.setStoreSize("2MiB", of: "disk")
      } == "stores.disk.size: the size of a block device is its own")
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.setStore("serail", .text("x"), of: "a")
      } == "stores.a.serail: unknown key, did you mean \"serial\"?")
    let described = try edited { text throws(ConfigurationEditError) in
      try text.setStore("serial", .text("S1"), of: "a")
    }
    #expect(described == sample("\"1MiB\"}, // first", "\"1MiB\", \"serial\": \"S1\"}, // first"))
    #expect(
      try edited(described) { text throws(ConfigurationEditError) in
        try text.setStore("serial", nil, of: "a")
      } == sample)
  }

  @Test("Portals are compared as addresses, whatever their spelling")
  func portals() throws {
    let added = try edited { text throws(ConfigurationEditError) in
      try text.addPortal(NewPortal(address: "[2001:db8::1]:3260", group: 2))
    }
    #expect(
      added
        == sample(
          "[\"192.0.2.1:3260\"]",
          "[\"192.0.2.1:3260\", {\"address\": \"[2001:db8::1]:3260\", \"group\": 2}]"))
    #expect(
      try edited(added) { text throws(ConfigurationEditError) in
        try text.removePortal("[2001:DB8:0::1]")
      } == sample)
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.addPortal(NewPortal(address: "192.0.2.1"))
      } == "portals[0]: 192.0.2.1:3260 is a portal already")
    #expect(
      try edited { text throws(ConfigurationEditError) in try text.removePortal("192.0.2.9") }
        == "portals: 192.0.2.9:3260 is no portal (portals: 192.0.2.1:3260)")
  }

  @Test("The standard portals go on when one is added to a file that names none")
  func standardPortals() throws {
    #expect(
      try edited("{}") { text throws(ConfigurationEditError) in
        try text.addPortal(NewPortal(address: "192.0.2.1:3261"))
      } == "{\n  \"portals\": [\"0.0.0.0:3260\", \"[::]:3260\", \"192.0.2.1:3261\"]\n}")
    #expect(
      try edited("{}") { text throws(ConfigurationEditError) in
        try text.removePortal("[::]:3260")
      } == "{\n  \"portals\": [\"0.0.0.0:3260\"]\n}")
  }
}

@Suite("Edits of targets")
struct TargetEditTests {
  @Test("A target is written as the examples are, and goes without a trace")
  func target() throws {
    var target = NewTarget(name: "iqn.2026-11.com.example:u")
    target.luns = [NewLUN(number: 1, store: "b", readOnly: true)]
    target.chap = [NewCredential(user: "u", secret: .text(Secret("replace-me-uuu-u")))]
    target.acl = [NewAccessEntry(AccessEntryName(initiator: n1, addresses: ["192.0.2.7"]))]
    let added = try edited { text throws(ConfigurationEditError) in try text.addTarget(target) }
    let block = """
          {
            "name": "iqn.2026-11.com.example:u",
            "luns": [{"lun": 1, "store": "b", "readOnly": true}],
            "chap": [{"user": "u", "secret": "replace-me-uuu-u"}],
            "acl": [
              {"initiator": "iqn.2026-11.com.example:n1", "addresses": ["192.0.2.7"]},
            ],
          },

      """
    #expect(added == sample("      ],\n    },\n", "      ],\n    },\n" + block))
    #expect(
      try edited(added) { text throws(ConfigurationEditError) in
        try text.removeTarget("iqn.2026-11.com.example:U")
      } == sample)
    #expect(
      try edited { text throws(ConfigurationEditError) in try text.addTarget(NewTarget(name: name))
      }
        == "targets[0]: there is a target of that name already")
    #expect(
      try edited { text throws(ConfigurationEditError) in try text.removeTarget("iqn.z") }
        == "targets: no target named \"iqn.z\" (targets: IQN.2026-11.com.example:t)")
  }

  @Test("A LUN number is given once, to a store that is there")
  func luns() throws {
    let added = try edited { text throws(ConfigurationEditError) in
      try text.addLUN(NewLUN(number: 3, store: "b"), target: name)
    }
    #expect(
      added
        == sample("\"store\": \"a\"}]", "\"store\": \"a\"}, {\"lun\": 3, \"store\": \"b\"}]"))
    #expect(
      try edited(added) { text throws(ConfigurationEditError) in
        try text.removeLUN(3, target: name)
      } == sample)
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.addLUN(NewLUN(number: 1, store: "b"), target: name)
      } == "targets[0].luns: LUN 1 is taken by store \"a\"")
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.addLUN(NewLUN(number: 16384, store: "b"), target: name)
      } == "targets[0].luns: LUN 16384 cannot be: the last is 16383")
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.addLUN(NewLUN(number: 2, store: "z"), target: name)
      } == "stores: no store named \"z\" (stores: a, b, disk)")
    #expect(
      try edited { text throws(ConfigurationEditError) in try text.removeLUN(9, target: name) }
        == "targets[0].luns: there is no LUN 9 (LUNs: 1)")
  }

  @Test("An entry gets a LUN only when it has LUNs of its own: else it would lose the target's")
  func entryLUNs() throws {
    let any = AccessEntryName(initiator: "any")
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.addLUN(NewLUN(number: 0, store: "b"), target: name, entry: any)
      } == sample("\"luns\": []", "\"luns\": [{\"lun\": 0, \"store\": \"b\"}]"))
    let rack = AccessEntryName(initiator: n1, addresses: ["192.0.2.0/24"])
    let refused = try edited { text throws(ConfigurationEditError) in
      try text.addLUN(NewLUN(number: 0, store: "b"), target: name, entry: rack)
    }
    #expect(refused.hasPrefix("targets[0].acl[0].luns: this entry shows the target's LUNs"))
  }

  @Test("Entries are named by initiator and, where that is not enough, addresses")
  func entries() throws {
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.removeACLEntry(AccessEntryName(initiator: n1), target: name)
      } == "targets[0].acl: 2 entries are for \"\(n1)\": name the addresses too")
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.removeACLEntry(AccessEntryName(initiator: "iqn.z"), target: name)
      }
        == "targets[0].acl: no entry for \"iqn.z\" (entries: \(n1) from 192.0.2.0/24, "
        + "\(n1) from 198.51.100.7, any)")
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.removeACLEntry(
          AccessEntryName(initiator: n1, addresses: ["192.0.2.0/24"]), target: name)
      }
        == sample(
          "        // Rack 1.\n        {\"initiator\": \"\(n1)\", \"addresses\": [\"192.0.2.0/24\"]},\n",
          ""))
    let n2 = NewAccessEntry(AccessEntryName(initiator: "iqn.2026-11.com.example:n2"))
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.addACLEntry(n2, target: name, index: 99)
      }
        == "targets[0].acl: index 99 cannot be: it is from 0 to 3, which is behind all entries")
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.addACLEntry(n2, target: name, index: 0)
      }
        == sample(
          "        // Rack 1.\n",
          "        {\"initiator\": \"iqn.2026-11.com.example:n2\"},\n        // Rack 1.\n"))
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.addACLEntry(
          NewAccessEntry(AccessEntryName(initiator: n1, addresses: ["198.51.100.7/32"])),
          target: name)
      }
        == "targets[0].acl[1]: there is an entry for \"\(n1) from 198.51.100.7/32\" already")
  }
}

@Suite("The place of an entry in an access list that is not there yet")
struct EntryPlaceTests {
  private let entry = NewAccessEntry(AccessEntryName(initiator: "iqn.2026-11.com.example:n2"))

  @Test("The first place can be named; any other is refused as in a list that is there")
  func places() throws {
    let before = try ConfigurationText("{\"targets\": [{\"name\": \"\(name)\"}]}")
    for index in [-5, 1] {
      var text = before
      do throws(ConfigurationEditError) {
        try text.addACLEntry(entry, target: name, index: index)
        Issue.record("\(index) is no place")
      } catch {
        #expect(error.sentence == "index \(index) cannot be: there are no entries yet, so it is 0")
      }
    }
    var text = before
    try text.addACLEntry(entry, target: name, index: 0)
    #expect(text.text.contains("\"initiator\": \"iqn.2026-11.com.example:n2\""))
  }
}
