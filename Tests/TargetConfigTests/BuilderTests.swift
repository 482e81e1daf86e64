import Testing

@testable import TargetConfig

@Suite("Portals and daemon")
struct DaemonRuleTests {
  @Test(
    "Portals are literal addresses with a port",
    arguments: [
      (
        "storage:3260",
        #"is not an IP address with a port: write for example "0.0.0.0:3260" or "[::]:3260" (host names are not looked up)"#
      ),
      ("::1", #"needs brackets: write "[::1]:3260""#),
      ("192.0.2.1:0", #"has no valid port: after the last ":" stands 1 to 65535"#),
      ("192.0.2.1:65536", #"has no valid port: after the last ":" stands 1 to 65535"#),
      ("[192.0.2.1]:3260", #"is not "[IPv6 address]:port""#),
    ])
  func portalSyntax(text: String, sentence: String) {
    #expect(
      problems("{portals: ['\(text)']}") == ["targets.json:1: portals[0]: \"\(text)\" \(sentence)"])
  }

  @Test("Two portals that Linux could not both listen on are an error")
  func overlappingPortals() {
    let text = """
      {"portals": ["0.0.0.0:3260",
        {"address": "192.0.2.1"},
        "[::]:3260", "192.0.2.1:3261",
        "192.0.2.1:3261"]}
      """
    #expect(
      problems(text) == [
        "targets.json:2: portals[1].address: 192.0.2.1:3260 overlaps 0.0.0.0:3260 of line 1: keep one",
        "targets.json:4: portals[4]: 192.0.2.1:3261 overlaps 192.0.2.1:3261 of line 3: keep one",
      ])
  }

  @Test("There are at most 1024 portals")
  func manyPortals() {
    let list = (1...1024).map { "'192.0.2.1:\($0)'" }.joined(separator: ",")
    #expect(problems("{portals: [\(list)]}") == [])
    #expect(
      problems("{portals: [\(list),'192.0.2.1:1025']}") == [
        "targets.json:1: portals: 1025 portals: at most 1024 are possible"
      ])
  }

  @Test("A portal object gives group and announced address")
  func portalObject() throws {
    let text = "{portals: [{address: '[fe80::1%eth0]', group: 0, advertise: 'san.example.com'}]}"
    let portal = try #require(try loaded(text).configuration.portals.first)
    #expect(portal.endpoint.description == "[fe80::1%eth0]:3260")
    #expect(portal.group == 0)
    #expect(portal.advertise?.description == "san.example.com:3260")
    #expect(
      problems("{portals: [{address: '0.0.0.0', advertise: '0.0.0.0'}]}") == [
        "targets.json:1: portals[0].advertise: \"0.0.0.0\" cannot be reached: "
          + "announce an address that initiators can connect to"
      ])
  }

  @Test("Relative paths start at the directory of the file")
  func relativePaths() throws {
    let text =
      "{state: '../state', admin: {socket: './run//admin.sock'}, stores: {a: {file: 'a.img'}}}"
    let configuration = try loaded(text).configuration
    #expect(configuration.stateDirectory == "/etc/state")
    #expect(configuration.admin.socket == "/etc/swift-tgtd/run/admin.sock")
    #expect(configuration.stores.first?.medium == .file(path: "/etc/swift-tgtd/a.img"))
  }

  @Test("An administration interface is taken as it is written, its files from beside the file")
  func admin() throws {
    let text = """
      {admin: {socket: '/run/a.sock', listener: {
        address: '192.0.2.1', certificate: 'admin.pem', key: 'admin.key', tokens: '/etc/tokens'}}}
      """
    #expect(try warnings(text) == [])
    let admin = try loaded(text).configuration.admin
    #expect(admin.socket == "/run/a.sock")
    #expect(admin.listener?.endpoint.description == "192.0.2.1:3261")
    #expect(admin.listener?.certificate == "/etc/swift-tgtd/admin.pem")
    #expect(admin.listener?.key == "/etc/swift-tgtd/admin.key")
    #expect(admin.listener?.tokens == "/etc/tokens")
  }

  @Test("Bounds that contradict each other are errors")
  func contradictions() {
    let text = """
      {"memory": "16MiB", "reactors": 16,
       "iscsi": {"maxBurstLength": "128KiB", "firstBurstLength": "256KiB"},
       "limits": {"connections": 10, "sessions": 11}}
      """
    #expect(
      problems(text) == [
        "targets.json:2: iscsi.firstBurstLength: \"256KiB\" is more than maxBurstLength (128KiB): "
          + "RFC 7143 §13.14 forbids it",
        "targets.json:3: limits.sessions: 11 is more than limits.connections (10): "
          + "each needs a connection",
      ])
    #expect(
      problems("{memory: '16MiB', reactors: 16}") == [
        "targets.json:1: memory: \"16MiB\" is too small: two bursts of 1MiB for each reactor (16) "
          + "need 32MiB"
      ])
  }

  @Test("A target inherits the general negotiation, and an inherited first burst yields")
  func inheritance() throws {
    let text = """
      {"iscsi": {"queueDepth": 32, "dataDigest": "crc32c"},
       "targets": [{"name": "iqn.2026-11.com.example:t", "initiators": "any",
         "iscsi": {"maxBurstLength": "64KiB", "dataDigest": "none"}}]}
      """
    let target = try #require(try loaded(text).configuration.targets.first)
    #expect(target.iscsi.queueDepth == 32)
    #expect(target.iscsi.dataDigest == .none)
    #expect(target.iscsi.maxBurstLength == 65536)
    #expect(target.iscsi.firstBurstLength == 65536)
  }
}

@Suite("Stores")
struct StoreRuleTests {
  @Test("Each medium has the cache that suits it")
  func cacheDefaults() throws {
    let text = """
      {"stores": {"f": {"file": "f"}, "b": {"block": "/dev/md0"},
        "m": {"memory": true, "size": 512}, "d": {"file": "d", "cache": "directsync"}}}
      """
    let stores = try loaded(text).configuration.stores
    #expect(stores.map(\.cache) == [.writeback, .none, .writethrough, .directsync])
    #expect(stores.map(\.blockSize) == [512, nil, 512, 512])
  }

  @Test(
    "A store that cannot be what it says is an error",
    arguments: [
      (
        #""cache": "none""#, 1,
        #"stores.a: one of the keys "file", "block", "memory" or "null" is missing"#
      ),
      (
        #""file": "x", "memory": true"#, 1,
        #"stores.a: "file" and "memory" exclude each other: keep one"#
      ),
      (
        #""memory": false, "size": 512"#, 2,
        "stores.a.memory: false has no meaning here: write true or leave the key out"
      ),
      (
        #""null": true"#, 1,
        #"stores.a: a null store needs a size: write for example "size": "64MiB""#
      ),
      (
        #""memory": true, "size": 512, "cache": "none""#, 2,
        "stores.a.cache: a memory store has nothing to cache: leave the key out"
      ),
      (#""block": "md0""#, 2, #"stores.a.block: "md0" is not absolute: write "/dev/md0""#),
      (
        #""block": "/dev/md0", "size": 512"#, 2,
        "stores.a.size: the size of a block device is its own: leave the key out"
      ),
      (
        #""file": "/dev/md0""#, 2,
        #"stores.a.file: "/dev/md0" is a device: write "block" instead of "file""#
      ),
      (
        #""file": "x", "size": 0"#, 2,
        "stores.a.size: 0 is not a size from 512 to 8EiB"
      ),
      (
        #""file": "x", "size": "1.5KiB", "blockSize": 4096"#, 2,
        #"stores.a.size: "1.5KiB" is not a multiple of the block size 4096, the next is 4096"#
      ),
      (
        #""file": "x", "size": "20G""#, 2,
        #"stores.a.size: "20G" is ambiguous: write "20GiB" (powers of 1024) or "20GB" (powers of 1000)"#
      ),
      (#""file": "x", "blockSize": 768"#, 2, "stores.a.blockSize: 768 is not 512 or 4096"),
      (
        #""file": "x", "blockSize": 4096, "physicalBlockSize": 512"#, 2,
        "stores.a.physicalBlockSize: 512 is less than the block size 4096"
      ),
      (
        #""file": "x", "naa": "5000000000000abc""#, 2,
        #"stores.a.naa: "5000000000000abc" is not an NAA identifier: write 32 hexadecimal digits that begin with 6 (SPC-4 §7.8.6.6.5)"#
      ),
      (
        #""file": "x", "vendor": "MUCHTOOLONG""#, 2,
        #"stores.a.vendor: "MUCHTOOLONG" has 11 bytes: at most 8 are possible"#
      ),
      (
        #""file": "x", "serial": "é""#, 2,
        #"stores.a.serial: "é" has characters that are not printable ASCII (SPC-4 §4.3.1)"#
      ),
    ])
  func wrongStores(keys: String, line: Int, message: String) {
    #expect(problems(store(keys)) == ["targets.json:\(line): \(message)"])
  }

  @Test("Two stores on one path, NAA identifier or serial number are errors")
  func sharedIdentity() {
    let text = """
      {"stores": {
        "a": {"file": "x/../disk.img", "naa": "6001405000000000000000000000ABCD", "serial": "1"},
        "b": {"file": "/etc/swift-tgtd/disk.img"},
        "c": {"file": "c", "naa": "6001405000000000000000000000abcd"},
        "d": {"file": "d", "serial": "1"}}}
      """
    #expect(
      problems(text) == [
        "targets.json:3: stores.b.file: \"/etc/swift-tgtd/disk.img\" is already the medium of the "
          + "store \"a\": two stores on it would destroy each other's data",
        "targets.json:4: stores.c.naa: \"6001405000000000000000000000abcd\" is also the NAA identifier of the store "
          + "\"a\": initiators would take both for one disk",
        "targets.json:5: stores.d.serial: \"1\" is also the serial number of the store \"a\": "
          + "initiators would take both for one disk",
      ])
  }

  @Test("Stores that turn out to be one file are found by inode, with their lines")
  func sharedInode() throws {
    let loaded = try loaded("{stores: {a: {file: 'a'},\nb: {file: 'b'},\nc: {block: '/dev/x'}}}")
    let found = StoreOverlap.problems(
      among: [
        ("a", "inode 7"), ("b", "inode 7"), ("c", "device 7"),
      ], in: loaded)
    #expect(
      found.map(\.description) == [
        "targets.json:2: stores.b.file: \"/etc/swift-tgtd/b\" is the medium of the store \"a\" under "
          + "another name: two stores on it would destroy each other's data"
      ])
  }

  @Test("A store that no target presents is a warning")
  func unused() throws {
    #expect(
      try warnings("{stores: {a: {file: 'a'}}}") == [
        "targets.json:1: stores.a: no target presents this store"
      ])
  }

  @Test("Names of stores are safe as file names")
  func storeNames() {
    #expect(
      problems("{stores: {'../x': {file: 'a'}}}") == [
        "targets.json:1: stores[\"../x\"]: \"../x\" is not a store name: use letters, digits, \"_\", "
          + "\"-\" and \".\", and begin with a letter, digit or \"_\""
      ])
  }

  @Test("Of problems it is known whether two things want to be one, or a value cannot be")
  func kinds() throws {
    let text = """
      {"stores": {
        "a": {"file": "/a", "naa": "6001405000000000000000000000ABCD", "serial": "1"},
        "b": {"file": "/a"}, "c": {"file": "/c", "naa": "6001405000000000000000000000abcd"},
        "d": {"file": "/d", "serial": "1"}, "e": {"file": "/e", "cache": "is also the "}},
       "targets": [{"name": "iqn.2026-11.com.example:a"}, {"name": "iqn.2026-11.com.example:A"}]}
      """
    let error = #expect(throws: ConfigurationError.self) {
      try ConfigurationLoader.load(text: text)
    }
    let kinds = (error?.problems ?? []).map { "\($0.path) \($0.kind)" }
    for path in ["stores.b.file", "stores.c.naa", "stores.d.serial", "targets[1].name"] {
      #expect(kinds.contains("\(path) conflict"))
    }
    #expect(kinds.contains("stores.e.cache invalid"))
  }
}

@Suite("Targets")
struct TargetRuleTests {
  @Test("Two targets of one name are an error, capitals notwithstanding")
  func duplicateNames() {
    let text = """
      {"targets": [{"name": "iqn.2026-11.com.example:a", "initiators": "any"},
        {"name": "iqn.2026-11.com.example:A", "initiators": "any"}]}
      """
    #expect(
      problems(text) == [
        "targets.json:2: targets[1].name: \"iqn.2026-11.com.example:A\" is also the name of the "
          + "target of line 1"
      ])
  }

  @Test(
    "A name that no initiator can use is an error",
    arguments: [
      ("", #""" is empty: write a name like iqn.2026-11.com.example:disk"#),
      (
        "iqn.2026-11.com.example:my disk",
        #""iqn.2026-11.com.example:my disk" contains " ": a name consists of letters, digits, "-", "." and ":" (RFC 7143 §4.2.7.2); did you mean "iqn.2026-11.com.example:my-disk"?"#
      ),
      (
        "iqn.2026-11.com.example:my_disk",
        #""iqn.2026-11.com.example:my_disk" contains "_": a name consists of letters, digits, "-", "." and ":" (RFC 7143 §4.2.7.2); did you mean "iqn.2026-11.com.example:my-disk"?"#
      ),
    ])
  func badNames(name: String, message: String) {
    let text = "{targets: [{name: '\(name)', initiators: 'any'}]}"
    #expect(problems(text) == ["targets.json:1: targets[0].name: \(message)"])
  }

  @Test("A name of 223 bytes is possible, one more is not")
  func nameLength() {
    let name = "iqn.2026-11.com.example:" + String(repeating: "x", count: 199)
    #expect(problems("{targets: [{name: '\(name)', initiators: 'any'}]}") == [])
    let found = problems("{targets: [{name: '\(name)x', initiators: 'any'}]}")
    #expect(found.count == 1)
    #expect(
      found.first?.hasSuffix("has 224 bytes: a name has at most 223 (RFC 7143 §4.2.7.1)") == true)
  }

  @Test(
    "An unusual name is a warning",
    arguments: [
      (
        "disk1",
        #""disk1" does not begin with iqn., eui. or naa. (RFC 7143 §4.2.7): some initiators refuse it"#
      ),
      (
        "iqn.2026-13.com.example:a",
        #""iqn.2026-13.com.example:a" does not have the form iqn.yyyy-mm.reversed.domain:name"#
      ),
      ("eui.0123", #""eui.0123" does not have 16 hexadecimal digits after "eui.""#),
      ("naa.6001405012345678", nil),
      (
        "IQN.2026-11.com.example:a",
        #""IQN.2026-11.com.example:a" has capital letters: it is used as "iqn.2026-11.com.example:a" (RFC 7143 §4.2.7.2)"#
      ),
    ] as [(String, String?)])
  func unusualNames(name: String, message: String?) throws {
    let found = try warnings("{targets: [{name: '\(name)', initiators: 'any'}]}")
    #expect(found == (message.map { ["targets.json:1: targets[0].name: \($0)"] } ?? []))
  }

  @Test("Only ASCII capitals of a name are folded, as at login")
  func folding() {
    #expect(
      ISCSIName.normalized("IQN.2026-11.com.example:\u{C4}\u{130}")
        == "iqn.2026-11.com.example:\u{C4}\u{130}")
  }

  @Test("LUN numbers are unique and at most 16383; readOnly is per LUN")
  func luns() throws {
    let text = target(
      #""luns": [{"lun": 0, "store": "a"},"# + "\n" + #"{"lun": 0, "store": "b"},"# + "\n"
        + #"{"lun": 16384, "store": "b"}]"#)
    #expect(
      problems(text) == [
        "targets.json:4: targets[0].luns[1].lun: LUN 0 is already taken in line 3",
        "targets.json:5: targets[0].luns[2].lun: 16384 is not a whole number from 0 to 16383",
      ])
    let good = try loaded(
      target(#""luns": [{"lun": 16383, "store": "a"}, {"lun": 1, "store": "b", "readOnly": true}]"#)
    )
    let luns = good.configuration.targets.first?.luns
    #expect(luns?.map(\.number) == [16383, 1])
    #expect(luns?.map(\.readOnly) == [false, true])
  }

  @Test("A portal group that no portal is in is an error")
  func portalGroups() {
    #expect(
      problems(target(#""portalGroups": [1, 2]"#)) == [
        "targets.json:3: targets[0].portalGroups[1]: no portal is in group 2 (groups: 1)"
      ])
    #expect(
      problems(target(#""portalGroups": []"#)) == [
        "targets.json:3: targets[0].portalGroups: is empty: name a group, or leave the key out to "
          + "serve all groups"
      ])
  }

  @Test("A target that lets nobody in is a warning")
  func closedTarget() throws {
    #expect(
      try warnings("{targets: [{name: 'iqn.2026-11.com.example:a'}]}") == [
        "targets.json:1: targets[0]: nobody can log in: add entries to \"acl\", or "
          + "\"initiators\": \"any\""
      ])
  }

  @Test("Initiators by name belong into the access list")
  func initiatorsIsOnlyAny() {
    #expect(
      problems("{targets: [{name: 'iqn.2026-11.com.example:a', initiators: ['x']}]}") == [
        "targets.json:1: targets[0].initiators: expected \"any\", found a list: initiators by name "
          + "go into \"acl\""
      ])
  }
}
