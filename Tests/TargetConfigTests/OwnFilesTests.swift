import Testing

@testable import TargetConfig

@Suite("The daemon's own files are no media, by their paths")
struct OwnFilesTests {
  /// The problems of a text that stands in /etc/swift-tgtd/targets.json.
  private func problems(ofFile text: String) throws -> [String] {
    var context = LoadingContext(
      directory: "/etc/swift-tgtd", permissions: .unchecked,
      filePath: "/etc/swift-tgtd/targets.json"
    ).ofText
    // Files of secrets may be missing.
    context.isForElsewhere = true
    let text = try ConfigurationText(Array(text.utf8))
    do throws(ConfigurationError) {
      _ = try ConfigurationLoader.load(text, fileName: "targets.json", context: context)
      return []
    } catch {
      return error.problems.map(\.description)
    }
  }

  private static let own = """
    "state": "/srv/state", "admin": {"socket": "/run/a.sock", "listener": {
      "address": "192.0.2.1", "certificate": "a.pem", "key": "a.key", "tokens": "/etc/tokens"}}
    """

  @Test(
    "A store in the state directory, or on a file of the daemon, is a conflict with what to do",
    arguments: [
      ("/srv/state", #"in the state directory "/srv/state""#),
      ("/srv/state/reservations/.spare", #"in the state directory "/srv/state""#),
      ("/srv/other/../state/wipes/new.img", #"in the state directory "/srv/state""#),
      ("targets.json", "the configuration file"),
      ("targets.json~", "the copy of the configuration file"),
      ("targets.json.rejected-2026-11-22T10:00:00Z", "a rejected copy of the configuration file"),
      (".targets.json.swift-tgtd", "the temporary file of the configuration"),
      ("a.pem", "the certificate of admin.listener"),
      ("a.key", "the key of admin.listener"),
      ("/etc/tokens", "the tokens of admin.listener"),
      ("/run/a.sock", "the administration socket"),
    ])
  func ownFiles(path: String, role: String) throws {
    let resolved = FilePath.resolve(path, against: "/etc/swift-tgtd")
    let text = "{\"stores\": {\n\"a\": {\"file\": \"\(path)\", \"size\": \"1MiB\"}},\n\(Self.own)}"
    #expect(
      try problems(ofFile: text) == [
        "targets.json:2: stores.a.file: \"\(resolved)\" is \(role), and initiators could read it "
          + "and write over it: give the store another path"
      ])
  }

  @Test("A store on the file of a secret is refused, whoever's secret it is")
  func secrets() throws {
    let user = #"{"user": "u", "secret": {"file": "/etc/none/secret"}}"#
    let store = #""stores": {"a": {"file": "/etc/none/secret", "size": "1MiB"}}"#
    let name = #""name": "iqn.2026-11.com.example:t", "initiators": "any""#
    for users in [
      "\"discovery\": {\"chap\": [\(user)]}",
      "\"targets\": [{\(name), \"chap\": [\(user)]}]",
      "\"targets\": [{\(name), \"mutualChap\": \(user)}]",
      "\"targets\": [{\(name), \"acl\": [{\"initiator\": \"any\", \"chap\": [\(user)]}]}]",
    ] {
      let found = try problems(ofFile: "{\(store), \(users)}")
      let sentence = "stores.a.file: \"/etc/none/secret\" is the file of a secret"
      #expect(found.contains { $0.contains(sentence) }, "\(found)")
    }
  }

  @Test("What only begins like one of them, or lies beside it, is a medium like any other")
  func neighbors() throws {
    for path in [
      "/srv/state2", "/srv/state.img", "/srv", "/srv/state/a.img", "/srv/state/locks",
      "targets.json2", "targets.json.rejected", "/etc/tokens.d/a",
    ] {
      let text = "{\"stores\": {\"a\": {\"file\": \"\(path)\", \"size\": \"1MiB\"}}, \(Self.own)}"
      #expect(try problems(ofFile: text) == [], "\(path)")
    }
  }

  @Test("A store that was good is judged again when another file becomes the daemon's")
  func afterChange() throws {
    let stores = #""stores": {"a": {"file": "/srv/state/lock", "size": "1MiB"}}"#
    let before = try loaded("{\(stores)}")
    let text = try ConfigurationText(Array("{\(stores), \"state\": \"/srv/state\"}".utf8))
    let refusal = #expect(throws: ConfigurationRefusal.self) { try before.replaced(by: text) }
    guard case .invalid(let error)? = refusal else {
      Issue.record("not refused for what it says")
      return
    }
    #expect(error.problems.map(\.kind) == [.conflict])
    #expect(error.description.contains("is in the state directory \"/srv/state\""))
  }
}
