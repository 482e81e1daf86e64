import Glibc
import Testing

@testable import TargetConfig

@Suite("Examples, schema and summary")
struct ExampleTests {
  @Test("The schema in conf is the one that the table of keys gives")
  func schema() throws {
    let path = "\(confDirectory)/targets.schema.json"
    #expect(
      try contents(path) == ConfigurationSchema.json(),
      "write it anew: UPDATE_SCHEMA=1 swift test --filter schemaUpdate")
  }

  @Test("The schema is written anew on request", .enabled(if: getenv("UPDATE_SCHEMA") != nil))
  func schemaUpdate() throws {
    let file = open("\(confDirectory)/targets.schema.json", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    try #require(file >= 0)
    defer { close(file) }
    let bytes = Array(ConfigurationSchema.json().utf8)
    #expect(write(file, bytes, bytes.count) == bytes.count)
  }

  @Test(
    "Every example loads without errors and warns of nothing",
    arguments: ["targets.json", "targets.cluster.json", "targets.example.json"])
  func examples(name: String) throws {
    let loaded = try loadExample(name)
    #expect(loaded.warnings.map(\.path) == [])
  }

  @Test("The demo configuration needs no copy: it holds no secrets and loads in place")
  func demo() throws {
    let loaded = try ConfigurationLoader.load("\(confDirectory)/targets.json")
    #expect(loaded.configuration.portals.map(\.endpoint.description) == ["127.0.0.1:3260"])
    #expect(loaded.configuration.stores.first?.sizeBytes == 1 << 30)
    #expect(loaded.configuration.stores.first?.medium == .file(path: "\(confDirectory)/demo.img"))
  }

  @Test("The complete example has every key of the table")
  func completeExample() throws {
    let text = try contents("\(confDirectory)/targets.example.json")
    let root = DocumentNode(root: try DocumentReader.read(Array(text.utf8)))
    var checker = ShapeChecker(report: ProblemReport(file: "example"), notesKeys: true)
    checker.check(root, against: .object(.configuration))
    let seen = try #require(checker.keysSeen)
    #expect(seen.symmetricDifference(allKeys(.object(.configuration))) == [])
  }

  @Test("The complete example's \"iscsi\" shows the defaults")
  func exampleDefaults() throws {
    let configuration = try loadExample("targets.example.json").configuration
    #expect(configuration.iscsi == .standard)
    #expect(configuration.limits == .standard)
  }

  @Test("Each default in the table is a value that the key accepts")
  func defaults() throws {
    for shape in [
      ObjectShape.configuration, .portal, .store, .negotiation, .limits, .admin, .adminListener,
    ] {
      for key in shape.keys {
        let content: DocumentValue.Content
        switch key.standard {
        case .none, .described: continue
        case .boolean(let value): content = .boolean(value)
        case .integer(let value): content = .number(DocumentNumber(spelling: "\(value)"))
        case .text(let value): content = .text(value)
        }
        var checker = ShapeChecker(report: ProblemReport(file: "table"))
        let value = DocumentValue(content: content, line: 1)
        checker.check(DocumentNode(path: key.name, line: 1, value: value), against: key.kind)
        #expect(checker.report.errors.map(\.description) == [])
      }
    }
  }

  @Test("In the cluster example each quorum disk is open to its two nodes at their addresses only")
  func cluster() throws {
    let configuration = try loadExample("targets.cluster.json").configuration
    let prefix = "iqn.2026-11.com.example:clu-xlu-"
    let quorum1 = try #require(configuration.target(named: prefix + "quorum1"))
    #expect(quorum1.acl.map(\.initiator) == [prefix + "node1", prefix + "node2"])
    #expect(
      quorum1.acl.map { $0.addresses.map(\.description) } == [["192.168.90.11"], ["192.168.90.12"]])
    #expect(quorum1.luns.map(\.store) == ["quorum1"])
    #expect(quorum1.chap.map(\.user) == ["iscsiadm"])
    #expect(configuration.targets.filter(\.isOpenToAny) == [])
    let secrets = configuration.targets.flatMap(\.chap).map(\.secret.bytes)
    #expect(Set(secrets).count == 3)
  }

  @Test("The summary aligns, tells who may log in and how, and shows no secret")
  func summary() throws {
    let text = """
      {"portals": ["127.0.0.1:3260", {"address": "[::1]:3260", "group": 2, "advertise": "san:3260"}],
       "stores": {"resource": {"file": "/srv/r.img", "size": "200GiB"},
         "q": {"file": "/srv/q.img", "size": "64MiB", "cache": "directsync", "naa": "6001405000000000000000000000abcd"}},
       "targets": [{"name": "iqn.2026-11.com.example:t", "luns": [{"lun": 1, "store": "resource"}],
         "chap": [{"user": "iscsiadm", "secret": "hidden"}],
         "acl": [{"initiator": "iqn.2026-11.com.example:n", "addresses": ["192.0.2.0/24"],
           "luns": [{"lun": 0, "as": "q", "readOnly": true}]}],
         "initiators": "any"}]}
      """
    #expect(
      ConfigurationSummary.text(try loaded(text)) == """
        portals
          127.0.0.1:3260  group 1
          [::1]:3260      group 2  announced as san:3260

        stores
          resource  file  200GiB  cache writeback   512-byte blocks                                          /srv/r.img
          q         file  64MiB   cache directsync  512-byte blocks  wwn-0x6001405000000000000000000000abcd  /srv/q.img

        target iqn.2026-11.com.example:t
          lun 1: resource
          iqn.2026-11.com.example:n from 192.0.2.0/24 may log in, CHAP user iscsiadm
            sees lun 0: q, read-only
          anybody else may log in, CHAP user iscsiadm

        daemon
          discovery  without authentication
          state      /var/lib/swift-tgtd
          engine     auto
          reactors   one for each CPU
          memory     a quarter of the memory, at most 1GiB

        warnings
          targets.json:5: targets[0].chap[0].secret: the secret has 6 bytes: RFC 7143 §9.2.1 asks for at least 12, some initiators refuse less

        """)
  }

  /// From a copy of mode 0600 with the secret file beside it, as an administrator would have it.
  func loadExample(_ name: String) throws -> LoadedConfiguration {
    let directory = try TemporaryDirectory()
    try directory.write("secret.other", "replace-this-secret-7\n")
    let file = try directory.write(name, try contents("\(confDirectory)/\(name)"))
    return try ConfigurationLoader.load(file)
  }

  private func allKeys(_ kind: ValueKind) -> Set<String> {
    switch kind {
    case .object(let shape):
      shape.keys.reduce(into: []) {
        $0.insert("\(shape.name).\($1.name)")
        $0.formUnion(allKeys($1.kind))
      }
    case .list(let element), .map(_, let element): allKeys(element)
    case .either(let kinds): kinds.reduce(into: []) { $0.formUnion(allKeys($1)) }
    default: []
    }
  }
}
