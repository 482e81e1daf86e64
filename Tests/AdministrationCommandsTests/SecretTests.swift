import AdministrationModel
import Foundation
import Synchronization
import Testing

@testable import AdministrationCommands

@Suite("Secrets")
struct SecretTests {
  private static let secret = "sehr-geheim-123"
  private static let arguments = ["chap", "add", "--target", "iqn.t", "node1"]

  private static func wanted(_ secret: String) -> Change {
    .addCHAPUser(
      Change.UserAddition(
        CredentialSpecification(user: "node1", secret: SecretText(secret)),
        at: CredentialPlace(target: "iqn.t")))
  }

  private static func file(_ text: String) throws -> String {
    let path = NSTemporaryDirectory() + "secret-\(UInt64.random(in: 0 ... .max))"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    return path
  }

  @Test("A secret is typed twice, unseen")
  func typed() async {
    let console = TestConsole(hidden: [Self.secret, Self.secret], canAsk: true)
    let run = await run(Self.arguments, console: console)
    #expect(run.daemon.changes == [Self.wanted(Self.secret)])
    #expect(run.errors == "Secret of node1: The same again: ")
    #expect(run.output == "iqn.t has the user node1\n")
  }

  @Test("--replace changes the secret of a user in one request, and makes one that is missing")
  func replaced() async {
    let place = CredentialPlace(target: "iqn.t")
    let node = "iqn.2026-11.com.example:n"
    func changes(_ arguments: [String], users: [String], ofEntry: [String] = []) async -> [Change] {
      let daemon = FakeDaemon { state in
        var target = TargetResource(name: "iqn.t")
        target.chapUsers = users
        var entry = AccessEntryResource(initiator: node)
        entry.chapUsers = ofEntry
        target.acl = [entry]
        state.targets = [target]
      }
      let run = await run(
        Self.arguments + ["--replace"] + arguments, daemon,
        console: TestConsole(input: [Self.secret]))
      #expect(run.code == 0, "\(run.errors)")
      #expect(daemon.state.withLock { $0.requests.count } == 1)
      return daemon.changes
    }
    #expect(await changes([], users: ["other"]) == [Self.wanted(Self.secret)])
    let removal = Change.removeCHAPUser(
      Change.UserName("node1", at: place, allowingOpenAccess: true))
    #expect(await changes([], users: ["node1"]) == [removal, Self.wanted(Self.secret)])
    let list: JSONValue = [["user": "node1", "secret": .text(Self.secret)]]
    let key = EntryKey(initiator: node)
    #expect(
      await changes(["--initiator", node], users: [], ofEntry: ["node1"])
        == [.setACLEntry(Change.EntryKeys(target: "iqn.t", key, ["chap": list]))])
  }

  @Test("Two different secrets, or giving up, change nothing", arguments: [["a", "b"], [nil], []])
  func mistyped(hidden: [String?]) async {
    let run = await run(Self.arguments, console: TestConsole(hidden: hidden, canAsk: true))
    #expect(run.daemon.calls.isEmpty)
    #expect(run.errors.contains("nothing was changed"))
    #expect(run.code == 65)
  }

  @Test("A secret is one line of standard input")
  func piped() async {
    let run = await run(Self.arguments, console: TestConsole(input: [Self.secret]))
    #expect(run.daemon.changes == [Self.wanted(Self.secret)])
    #expect(run.errors.isEmpty)
  }

  @Test("More than one line of standard input is no secret")
  func pipedLines() async {
    let run = await run(Self.arguments, console: TestConsole(input: [Self.secret, "more"]))
    #expect(run.code == 65)
    #expect(run.daemon.calls.isEmpty)
    #expect(
      run.errors
        == "swift-tgtadm: standard input: more than one line: a secret is one line alone\n")
  }

  @Test("No input is no secret")
  func nothing() async {
    let run = await run(Self.arguments)
    #expect(run.code == 65)
    #expect(run.daemon.calls.isEmpty)
  }

  @Test("A secret is the one line of a file", arguments: ["", "\n", "\r\n"])
  func fromFile(end: String) async throws {
    let path = try Self.file(Self.secret + end)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let run = await run(Self.arguments + ["--secret-file", path])
    #expect(run.daemon.changes == [Self.wanted(Self.secret)])
    #expect(run.errors.isEmpty)
  }

  @Test("A file that others can read is used, with the command against that")
  func exposedFile() async throws {
    let path = try Self.file(Self.secret)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    let run = await run(Self.arguments + ["--secret-file", path])
    #expect(run.errors == "swift-tgtadm: warning: \(path) has mode 0644: chmod 600 \(path)\n")
    #expect(run.code == 0)
  }

  @Test(
    "What is no secret is refused without showing it",
    arguments: ["", "\n", "sehr\ngeheim", "sehr\0geheim", "sehr\u{7F}geheim"])
  func badSecrets(text: String) async throws {
    let path = try Self.file(text)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let run = await run(Self.arguments + ["--secret-file", path])
    #expect(run.code == 65)
    #expect(run.daemon.calls.isEmpty)
    #expect(!run.errors.contains("geheim"))
  }

  @Test("A file that is not there ends with 66")
  func missingFile() async {
    let run = await run(Self.arguments + ["--secret-file", "/nowhere/secret"])
    #expect(run.code == 66)
    #expect(
      run.errors
        == "swift-tgtadm: /nowhere/secret: cannot be opened: No such file or directory\n")
  }

  @Test("--by-reference lets the configuration name the file")
  func reference() async {
    let run = await run(
      Self.arguments + ["--mutual", "--secret-file", "/etc/s", "--by-reference"])
    let credential = CredentialSpecification(user: "node1", secretFile: "/etc/s")
    #expect(
      run.daemon.changes == [
        .setMutualCHAP(Change.UserAddition(credential, at: CredentialPlace(target: "iqn.t")))
      ])
    #expect(run.output == "iqn.t answers as node1\n")
  }

  @Test("No command takes a secret as an argument")
  func noArgument() async {
    for option in ["--secret", "--password", "--chap-secret"] {
      let run = await run(Self.arguments + [option, Self.secret])
      #expect(run.code == 64)
      #expect(run.daemon.calls.isEmpty)
    }
    #expect(await run(Self.arguments + [Self.secret]).code == 64)
  }

  @Test("The secret is in no output and no error, also where the daemon refuses")
  func notShown() async {
    for json in [[], ["--json"]] {
      let daemon = FakeDaemon { $0.failure = AdministrationError(.conflict, "user node1 exists") }
      for daemon in [daemon, FakeDaemon()] {
        let run = await run(
          Self.arguments + json, daemon, console: TestConsole(input: [Self.secret]))
        #expect(!(run.output + run.errors).contains(Self.secret))
      }
    }
  }

  @Test("Users of an entry and of discovery are told apart")
  func places() async {
    let entry = await run(
      ["chap", "add", "--target", "iqn.t", "--initiator", "iqn.n", "--address", "::1", "u"],
      console: TestConsole(input: ["x"]))
    guard case .addCHAPUser(let addition)? = entry.daemon.changes.first else {
      Issue.record("no user was added")
      return
    }
    let key = EntryKey(initiator: "iqn.n", addresses: ["::1"])
    #expect(addition.place == CredentialPlace(target: "iqn.t", entry: key))
    let wrong = [
      ["chap", "add", "u"], ["chap", "add", "--discovery", "--target", "t", "u"],
      ["chap", "add", "--discovery", "--initiator", "n", "u"],
      ["chap", "add", "--target", "t", "--address", "::1", "u"],
      ["chap", "remove", "--target", "t"],
    ]
    for arguments in wrong {
      #expect(await run(arguments).code == 64, "\(arguments)")
    }
  }
}
