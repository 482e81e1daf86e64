import Glibc
import Testing

@testable import TargetConfig

@Suite("Access")
struct AccessTests {
  private let node1 = "iqn.2026-11.com.example:node1"

  private func first(_ keys: String) throws -> TargetConfiguration.Target {
    try #require(try loaded(target(keys)).configuration.targets.first)
  }

  @Test("An entry's LUN is read-only where the target presents that store so, unless it says false")
  func inheritedReadOnly() throws {
    let target = try first(
      """
      "luns": [{"lun": 1, "store": "a", "readOnly": true}],
      "acl": [{"initiator": "\(node1)", "luns": [{"lun": 0, "as": "a"},
        {"lun": 1, "store": "a", "readOnly": false}, {"lun": 2, "store": "b"}]}]
      """)
    #expect(target.acl.first?.luns?.map(\.readOnly) == [true, false, false])
  }

  @Test(
    "A target is an open door where an unknown initiator needs neither address nor secret",
    arguments: [
      (#""initiators": "any""#, true), (#""acl": [{"initiator": "any"}]"#, true),
      (#""acl": [{"initiator": "any", "addresses": ["10.0.0.0/8"]}]"#, false),
      (#""acl": [{"initiator": "any", "chap": [{"user": "u", "secret": "123456789012"}]}]"#, false),
      (#""initiators": "any", "chap": [{"user": "u", "secret": "123456789012"}]"#, false),
      (#""acl": [{"initiator": "iqn.2026-11.com.example:node1"}]"#, false),
      (
        #""initiators": "any", "acl": [{"initiator": "any", "chap": [{"user": "u", "secret": "123456789012"}]}]"#,
        false
      ),
    ])
  func openDoor(keys: String, isOpen: Bool) throws {
    let text = "{\"targets\": [{\"name\": \"iqn.2026-11.com.example:t\", \(keys)}]}"
    #expect(try loaded(text).configuration.targets.map(\.isOpenDoor) == [isOpen])
  }

  @Test("An entry that an earlier one covers is an error, for it would never be asked")
  func unreachableEntries() {
    let text = target(
      """
      "acl": [{"initiator": "\(node1)", "addresses": ["192.0.2.0/24"]},
        {"initiator": "\(node1)", "addresses": ["192.0.2.7", "192.0.2.128/25"]},
        {"initiator": "\(node1)", "addresses": ["192.0.3.7"]},
        {"initiator": "any"},
        {"initiator": "\(node1)2"}]
      """)
    #expect(
      problems(text) == [
        "targets.json:4: targets[0].acl[1]: is never reached: targets[0].acl[0] of line 3 matches first",
        "targets.json:7: targets[0].acl[4]: is never reached: targets[0].acl[3] of line 6 matches first",
      ])
  }

  @Test(
    "An address that is none, or a network with host bits, says what to write",
    arguments: [
      (
        "192.168.90.7/24",
        #"has bits set behind its prefix: write "192.168.90.0/24" for the network or "192.168.90.7" for the one address"#
      ),
      ("192.168.90.0/33", #"has no valid prefix length: after the "/" stands 0 to 32"#),
      ("2001:db8::/+8", #"has no valid prefix length: after the "/" stands 0 to 128"#),
      (
        "node1",
        #"is not an IP address or network: write for example "192.168.90.7", "192.168.90.0/24" or "2001:db8::/32""#
      ),
      ("fe80::1%eth0", #"names an interface: write the address without "%""#),
    ])
  func badAddresses(text: String, sentence: String) {
    #expect(
      problems(target(#""acl": [{"initiator": "any", "addresses": ["\#(text)"]}]"#)) == [
        "targets.json:3: targets[0].acl[0].addresses[0]: \"\(text)\" \(sentence)"
      ])
  }

  @Test("An empty list of addresses is an error, for it could mean everywhere or nowhere")
  func emptyAddresses() {
    #expect(
      problems(target(#""acl": [{"initiator": "any", "addresses": []}]"#)) == [
        "targets.json:3: targets[0].acl[0].addresses: is empty: name an address, or leave the key "
          + "out to allow every address"
      ])
  }

  @Test("An entry's empty list of users is an error, never a login without authentication")
  func emptyUsers() {
    #expect(
      problems(target(#""acl": [{"initiator": "any", "chap": []}]"#)) == [
        "targets.json:3: targets[0].acl[0].chap: is empty: name a user, or leave the key out for "
          + "the target's users"
      ])
  }

  @Test("A mapped LUN names its store once")
  func storeOrAs() {
    #expect(
      problems(
        target(
          #""acl": [{"initiator": "any", "luns": [{"lun": 0, "as": "a", "store": "a"}, {"lun": 1}]}]"#
        )) == [
          #"targets.json:3: targets[0].acl[0].luns[0]: "store" and "as" exclude each other: keep one"#,
          #"targets.json:3: targets[0].acl[0].luns[1]: one of the keys "store" or "as" is missing"#,
        ])
  }
}

@Suite("Secrets")
struct SecretTests {
  private func text(_ secret: String) -> String {
    "{discovery: {chap: [{user: 'u',\nsecret: \(secret)}]}}"
  }

  /// T-CHAP-7. Refused are those of mutual CHAP that are also incoming ones; short ones are in use.
  @Test("A secret of 11 bytes is a warning, of 12 none; 255 are possible, 256 and none are not")
  func lengths() throws {
    #expect(
      try warnings(text("'12345678901'")) == [
        "targets.json:2: discovery.chap[0].secret: the secret has 11 bytes: RFC 7143 §9.2.1 asks for "
          + "at least 12, some initiators refuse less"
      ])
    #expect(try warnings(text("'1'")).first?.contains("the secret has 1 byte: ") == true)
    #expect(try warnings(text("'123456789012'")) == [])
    #expect(problems(text("'\(String(repeating: "x", count: 255))'")) == [])
    #expect(
      problems(text("'\(String(repeating: "x", count: 256))'")) == [
        "targets.json:2: discovery.chap[0].secret: the secret has 256 bytes: at most 255 are possible"
      ])
    #expect(
      problems(text("''")) == ["targets.json:2: discovery.chap[0].secret: the secret is empty"])
  }

  @Test("An incoming secret that is also an outgoing one, anywhere on the daemon, is an error")
  func reflection() {
    let text = """
      {"discovery": {"chap": [{"user": "d", "secret": "discovery-secret"}],
        "mutualChap": {"user": "t", "secret": "the-same-secret"}},
       "targets": [{"name": "iqn.2026-11.com.example:t", "initiators": "any",
         "chap": [{"user": "u", "secret": "the-same-secret"}]}]}
      """
    #expect(
      problems(text) == [
        "targets.json:2: discovery.mutualChap.secret: is the same secret as "
          + "targets[0].chap[0].secret of line 4: the two directions need different secrets "
          + "(RFC 7143 §9.2.1)"
      ])
  }

  @Test("Mutual CHAP without CHAP is an error")
  func mutualAlone() {
    #expect(
      problems(target(#""mutualChap": {"user": "t", "secret": "123456789012"}"#)) == [
        "targets.json:3: targets[0].mutualChap: needs \"chap\" too: a target proves itself only to "
          + "an initiator that has to prove itself (RFC 7143 §12.1.3)"
      ])
  }

  @Test("A user twice in one list is an error")
  func duplicateUser() {
    #expect(
      problems(
        target(
          #""chap": [{"user": "u", "secret": "123456789012"}, {"user": "u", "secret": "210987654321"}]"#
        )) == [
          "targets.json:3: targets[0].chap[1].user: the user \"u\" stands in this list twice"
        ])
  }

  @Test(
    "A file with secrets that group or others can get at is refused with the chmod to run",
    arguments: [0o644, 0o640, 0o604, 0o602] as [UInt32])
  func openConfiguration(mode: UInt32) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("it's.json", text("'123456789012'"), mode: mode)
    let error = #expect(throws: ConfigurationError.self) { try ConfigurationLoader.load(file) }
    #expect(
      error?.description
        == "\(file):2: discovery.chap[0].secret: \"\(file)\" holds secrets and has mode "
        + "0\(String(mode, radix: 8)), others can get at them: "
        + "run \"chmod 600 '\(directory.path)/it'\\''s.json'\"")
    #expect(try ConfigurationLoader.load(file, permissions: .unchecked).warnings == [])
  }

  @Test(
    "A file with secrets that belongs to neither root nor the daemon's user is refused with the chown",
    .enabled(if: geteuid() == 0))
  func foreignOwner() throws {
    let directory = try TemporaryDirectory()
    let secret = try directory.write("secret", "123456789012")
    let file = try directory.write("targets.json", text("{file: 'secret'}"))
    try #require(chown(secret, 4321, 0) == 0)
    let error = #expect(throws: ConfigurationError.self) { try ConfigurationLoader.load(file) }
    #expect(
      error?.problems.map(\.sentence) == [
        "\"\(secret)\" belongs to user 4321, others can get at the secret: "
          + "run \"chown 0 \(secret)\""
      ])
    let inline = try directory.write("inline.json", text("'123456789012'"))
    try #require(chown(inline, 4321, 0) == 0)
    let other = #expect(throws: ConfigurationError.self) { try ConfigurationLoader.load(inline) }
    #expect(
      other?.problems.map(\.sentence) == [
        "\"\(inline)\" holds secrets and belongs to user 4321, others can get at them: "
          + "run \"chown 0 \(inline)\""
      ])
  }

  @Test("A file of root or of the daemon's own user is safe, with a mode that keeps others out")
  func owners() {
    for owner in [0, 77] as [UInt32] {
      let file = BoundedFile(bytes: [], mode: 0o600, owner: owner)
      #expect(file.exposure(at: "/s", user: 77) == nil)
    }
    let exposure = BoundedFile(bytes: [], mode: 0o644, owner: 78).exposure(at: "/a b", user: 77)
    #expect(exposure == .init(sentence: "belongs to user 78", remedy: "chown 77 '/a b'"))
  }

  @Test("A configuration without secrets may be readable for everybody")
  func openWithoutSecrets() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("targets.json", "{stores: {a: {file: 'a.img'}}}", mode: 0o644)
    let loaded = try ConfigurationLoader.load(file)
    #expect(loaded.configuration.stores.first?.medium == .file(path: "\(directory.path)/a.img"))
  }

  @Test("A secret file gives its one line without the line break")
  func secretFile() throws {
    let directory = try TemporaryDirectory()
    try directory.write("secret", "from-the-file\r\n")
    let file = try directory.write("targets.json", text("{file: 'secret'}"), mode: 0o644)
    let loaded = try ConfigurationLoader.load(file)
    #expect(loaded.configuration.discovery.chap.first?.secret == Secret("from-the-file"))
  }

  /// T-SEC-1.
  @Test("A secret file that is open, missing, empty, long or no file is refused")
  func badSecretFiles() throws {
    let directory = try TemporaryDirectory()
    let open = try directory.write("open", "123456789012", mode: 0o640)
    try directory.write("empty", "\n")
    try directory.write("lines", "one\ntwo\n")
    try directory.write("long", String(repeating: "x", count: 256))
    try directory.write("huge", String(repeating: "x", count: 5000))
    let names = ["open", "missing", "empty", "lines", "long", "huge", "."]
    let users = names.map { "{user: '\($0)', secret: {file: '\($0)'}}" }
    let file = try directory.write(
      "targets.json", "{discovery: {chap: [\n\(users.joined(separator: ",\n"))]}}")
    let error = #expect(throws: ConfigurationError.self) { try ConfigurationLoader.load(file) }
    let expected = [
      "\"\(open)\" has mode 0640, others can get at the secret: run \"chmod 600 \(open)\"",
      "\"\(directory.path)/missing\" cannot be opened: No such file or directory",
      "\"\(directory.path)/empty\" is empty: write the secret into it, one line of 12 to 16 bytes",
      "\"\(directory.path)/lines\" holds more than one line: a secret is one line of 12 to 16 bytes",
      "\"\(directory.path)/long\" holds a secret of 256 bytes: at most 255 are possible",
      "\"\(directory.path)/huge\" is larger than 4KiB",
      "\"\(directory.path)\" is not a regular file",
    ]
    #expect(error?.problems.map(\.sentence) == expected)
    #expect(error?.problems.map(\.line) == Array(2...8))
  }

  @Test("A configuration that cannot be read says why")
  func unreadable() {
    let error = #expect(throws: ConfigurationError.self) {
      try ConfigurationLoader.load("/nonexistent/targets.json")
    }
    #expect(
      error?.description
        == "/nonexistent/targets.json: cannot be opened: No such file or directory")
  }
}
