import AdministrationModel
import ConfigurationChanges
import TargetConfig
import Testing

@testable import TargetDaemon

private let name = "iqn.2026-11.com.example:t"

/// The text after changes that are made as one.
private func text(_ start: String, _ changes: Change...) throws -> String {
  var text = try ConfigurationText(start)
  try text.make(changes)
  return text.text
}

/// The configuration after changes that are made as one, or the error of the first that fails.
private func changed(
  _ text: String = "{}", _ changes: Change...
) throws -> (configuration: TargetConfiguration, subjects: [ChangeSubject]) {
  let start = try ConfigurationLoader.load(text: text, directory: "/", permissions: .unchecked)
  var subjects: [ChangeSubject] = []
  let result = try start.edited { (text: inout ConfigurationText) throws(ConfigurationEditError) in
    try text.make(changes) { subjects.append($0) }
  }
  return (result.configuration, subjects)
}

private func refusal(_ text: String = "{}", _ change: Change) -> ConfigurationEditError? {
  do {
    var text = try ConfigurationText(text)
    try text.make([change])
    return nil
  } catch {
    return error
  }
}

private func store(_ name: String, _ path: String) -> StoreSpecification {
  StoreSpecification(name: name, kind: .file, path: path, sizeBytes: 64 << 20)
}

@Suite("Changes that administrators ask for")
struct ChangeEditsTests {
  @Test("Target, store and LUN are made in one request, and what is there already is taken")
  func makesAll() throws {
    var target = TargetSpecification(name: name)
    target.ifMissing = true
    target.acl = [AccessEntrySpecification(initiator: "iqn.2026-11.com.example:n1")]
    var one = store("a", "/srv/a.img")
    one.ifMissing = true
    let lun = Change.addLUN(.init(target: name, LUNSpecification(store: "a")))
    let (made, subjects) = try changed("{}", .addTarget(target), .addStore(one), lun)
    #expect(made.targets.map(\.name) == [name])
    #expect(made.targets[0].luns.map(\.number) == [1])
    #expect(made.stores.map(\.sizeBytes) == [64 << 20])
    #expect(subjects == [.target(name), .store("a"), .lun(1, target: name, entry: nil)])

    let (again, others) = try changed(
      "{}", .addTarget(target), .addStore(one), lun, .addTarget(target), .addStore(one),
      .addStore(store("b", "/srv/b.img")),
      .addLUN(.init(target: name, LUNSpecification(store: "b"))))
    #expect(again.targets.count == 1 && again.stores.count == 2)
    #expect(others.last == .lun(2, target: name, entry: nil))
  }

  @Test("A store of that name with another path is not taken for the one asked for")
  func refusesOther() {
    var other = store("a", "/srv/other.img")
    other.ifMissing = true
    let text = #"{"stores": {"a": {"file": "/srv/a.img", "size": "64MiB"}}}"#
    let error = refusal(text, .addStore(other))
    #expect(error?.kind == .conflict)
    #expect(error?.path == "stores.a")
    #expect(error?.sentence == "is another store: /srv/a.img")
  }

  @Test("The lowest free number from 1 on is chosen, in an entry's own list as well")
  func numbers() throws {
    let text = """
      {"stores": {"a": {"memory": true, "size": "1MiB"}, "b": {"memory": true, "size": "1MiB"}},
       "targets": [{"name": "\(name)", "luns": [{"lun": 1, "store": "a"}, {"lun": 3, "store": "b"}],
         "acl": [{"initiator": "iqn.2026-11.com.example:n1", "luns": [{"lun": 0, "store": "a"}]}]}]}
      """
    let entry = EntryKey(initiator: "iqn.2026-11.com.example:n1")
    let (made, subjects) = try changed(
      text, .addLUN(.init(target: name, LUNSpecification(store: "a"))),
      .addLUN(.init(target: name, entry: entry, LUNSpecification(store: "b"))))
    #expect(made.targets[0].luns.map(\.number).sorted() == [1, 2, 3])
    #expect(made.targets[0].acl[0].luns?.map(\.number) == [0, 1])
    #expect(subjects.first == .lun(2, target: name, entry: nil))
  }

  @Test("Keys are set by their names in the file, null takes one away, and others are refused")
  func setsKeys() throws {
    let text = #"{"stores": {"a": {"memory": true, "size": "1MiB", "readOnly": true}}}"#
    let (made, _) = try changed(
      text, .setStore(.init("a", ["readOnly": .null, "queueDepth": 64])))
    #expect(!made.stores[0].readOnly)
    #expect(made.stores[0].queueDepth == 64)
    let unknown = refusal(text, .setStore(.init("a", ["redOnly": true])))
    #expect(unknown?.sentence == "unknown key, did you mean \"readOnly\"?")
    let fraction = refusal(text, .setStore(.init("a", ["queueDepth": .number(1.5)])))
    #expect(fraction?.path == "stores.a.queueDepth")
    #expect(fraction?.sentence == "is not a whole number")
  }

  @Test("A user needs exactly one source of its secret, and no message shows it")
  func credentials() throws {
    let text = #"{"targets": [{"name": "\#(name)", "initiators": "any"}]}"#
    let place = CredentialPlace(target: name)
    let (made, _) = try changed(
      text,
      .addCHAPUser(.init(.init(user: "one", secret: SecretText("a-secret-of-one")), at: place)))
    #expect(made.targets[0].chap.map(\.user) == ["one"])
    var both = CredentialSpecification(user: "two", secret: SecretText("a-secret-of-two"))
    both.secretFile = "/etc/secret"
    let error = refusal(text, .addCHAPUser(.init(both, at: place)))
    #expect(error?.kind == .invalid)
    #expect(error?.sentence.contains("a-secret") == false)
  }

  @Test("A store of memory has no path, one of a file has")
  func media() {
    let memory = StoreSpecification(name: "m", kind: .memory, path: "/x", sizeBytes: 1 << 20)
    #expect(refusal("{}", .addStore(memory))?.sentence == "a memory store takes no path")
    let file = StoreSpecification(name: "f", kind: .file)
    #expect(refusal("{}", .addStore(file))?.sentence == "a file store takes a path")
  }

  @Test("The last user of a target leaves no empty list behind, and one that is replaced its place")
  func lastUser() throws {
    let users = #""chap": [{"user": "u", "secret": "replace-me-u-1"}],"#
    let start = "{\"targets\": [\n  {\n    \(users)\n    \"name\": \"\(name)\",\n  },\n]}\n"
    let place = CredentialPlace(target: name)
    let removal = Change.removeCHAPUser(.init("u", at: place, allowingOpenAccess: true))
    #expect(try text(start, removal) == start.replacing("    \(users)\n", with: ""))
    let other = CredentialSpecification(user: "u", secret: SecretText("replace-me-u-2"))
    #expect(
      try text(start, removal, .addCHAPUser(.init(other, at: place)))
        == start.replacing("me-u-1", with: "me-u-2"))
  }

  @Test("Every error has the path of its value in the configuration")
  func paths() {
    let node = EntryKey(initiator: "iqn.2026-11.com.example:n1")
    let half = JSONValue.number(0.5)
    let text = """
      {"stores": {"a": {"memory": true, "size": "1MiB"}},
       "targets": [{"name": "\(name)", "acl": [{"initiator": "\(node.initiator)"}]}]}
      """
    var wrong = store("b", "/b")
    wrong.cache = "sometimes"
    var nothing = CredentialSpecification(user: "u", secretFile: "/s")
    nothing.secretFile = nil
    var target = TargetSpecification(name: "iqn.2026-11.com.example:new")
    target.chap = [nothing]
    let cases: [(Change, String)] = [
      (.addStore(wrong), "stores.b.cache"),
      (.setStore(.init("a", ["queueDepth": half])), "stores.a.queueDepth"),
      (
        .setTarget(.init(name, ["negotiation": ["queueDepth": half]])),
        "targets[\(name)].negotiation.queueDepth"
      ),
      (
        .setACLEntry(.init(target: name, node, ["readOnly": half])),
        "targets[\(name)].acl[\(node.initiator)].readOnly"
      ),
      (.addTarget(target), "targets[\(target.name)]"),
      (.addCHAPUser(.init(nothing, at: .discovery)), "discovery"),
      (
        .addCHAPUser(.init(nothing, at: CredentialPlace(target: name, entry: node))),
        "targets[\(name)].acl[\(node.initiator)]"
      ),
    ]
    for (change, path) in cases { #expect(refusal(text, change)?.path == path) }
  }
}
