import Testing

@testable import TargetConfig

@Suite("Places by name")
struct NamingTests {
  private static let text = """
    {"stores": {"a": {"memory": true, "size": "1MiB"}}, "targets": [
      {"name": "iqn.x:one", "luns": [{"lun": 7, "store": "a"}, {"store": "a"}]},
      {"name": "iqn.x:two", "chap": [{"user": "u", "secret": "hidden"}], "acl": [
        {"initiator": "iqn.x:n", "luns": [{"lun": 0, "store": "a"}], "chap": [{"user": "v"}]}]},
      {"alias": "nameless"}]}
    """

  static let messages = [
    ("targets[1]: nobody can log in", "targets[iqn.x:two]: nobody can log in"),
    (
      "is presented by targets[0].luns[0], targets[1].acl[0].luns[0]: remove them",
      "is presented by targets[iqn.x:one].luns[7], targets[iqn.x:two].acl[iqn.x:n].luns[0]: "
        + "remove them"
    ),
    ("targets[1].chap[0].secret: is short", "targets[iqn.x:two].chap[u].secret: is short"),
    ("targets[1].acl[0].chap[0]", "targets[iqn.x:two].acl[iqn.x:n].chap[v]"),
    ("targets[1].acl[0].addresses[0]", "targets[iqn.x:two].acl[iqn.x:n].addresses[0]"),
  ]

  @Test("Targets, LUNs, entries and users are named", arguments: messages)
  func named(message: String, expected: String) throws {
    #expect(try ConfigurationText(Self.text).naming(placesIn: message) == expected)
  }

  @Test(
    "What has no name, is not there, or is no place stays as it is",
    arguments: [
      "", "no place", "targets[2]: x", "targets[3].luns[0]", "targets[99999999999999999999]",
      "targets[-1]", "targets[", "targets[]", "targets[one]", "targets",
      "stores.a.size: targets[ 0]",
    ])
  func unnamed(message: String) throws {
    #expect(try ConfigurationText(Self.text).naming(placesIn: message) == message)
  }

  @Test("A LUN that lacks its number keeps its index, after the target's name")
  func partly() throws {
    let named = try ConfigurationText(Self.text).naming(placesIn: "targets[0].luns[1].lun: missing")
    #expect(named == "targets[iqn.x:one].luns[1].lun: missing")
  }
}
