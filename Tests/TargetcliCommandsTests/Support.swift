import AdministrationModel
import ConfigurationChanges
import Synchronization
import TargetConfig
import Testing

@testable import TargetcliCommands

/// Files and a terminal of paper.
final class PaperSurroundings: Surroundings {
  var output = ""
  var errors = ""
  var input: [String] = []
  var files: [String: String] = [:]
  /// What is there besides files with a text.
  var kinds: [String: FileKind] = [:]
  var isReadOnly = false
  var isInteractive = false
  var hasColors = false
  var columns: Int?
  let hostName = "Node_1.example.com"
  let architecture = "x86_64"
  let currentDirectory = "/srv/work"

  func write(_ text: String) { output += text }
  func complain(_ text: String) { errors += text }
  func readLine(prompt: String) -> String? {
    if isInteractive { output += prompt }
    return input.isEmpty ? nil : input.removeFirst()
  }
  func randomDigits(_ count: Int) -> String { String("0123456789abcdef".prefix(count)) }
  func text(of path: String) throws(ExecutionError) -> String? { files[path] }
  func replace(_ path: String, by text: String) throws(ExecutionError) {
    if isReadOnly { throw ExecutionError("\(path): cannot be created: Permission denied") }
    files[path] = text
  }
  func remove(_ path: String) { files[path] = nil }
  func kind(of path: String) -> FileKind? {
    kinds[path] ?? files[path].map { .file(bytes: UInt64($0.utf8.count)) }
  }
}

/// A daemon and a person, through as many calls of the program as a test makes.
final class Bench {
  let daemon: FakeDaemon
  let paper = PaperSurroundings()

  static let iqn = "iqn.2023-02.com.example:blocks"
  static let node = "iqn.2023-02.com.example:node1.init"

  init(_ text: String = #"{"portals": ["0.0.0.0:3260", "[::]:3260"]}"#) throws {
    daemon = try FakeDaemon(text)
  }

  /// With the target `iqn`, whose LUNs from 1 on are stores in memory of these names, and which
  /// lets in whom `access` says: keys of a target.
  convenience init(serving stores: String..., to access: String) throws {
    let sizes = stores.enumerated().map { index, store in
      #""\#(store)": {"memory": true, "size": "64MiB", "naa": "6000c29a1b2c3d4e5f60718293a4b5d\#(index)"}"#
    }
    let luns = stores.enumerated().map { index, store in
      #"{"lun": \#(index + 1), "store": "\#(store)"}"#
    }
    try self.init(
      """
      {"portals": ["0.0.0.0:3260"], "stores": {\(sizes.joined(separator: ", "))},
       "targets": [{"name": "\(Bench.iqn)", "luns": [\(luns.joined(separator: ", "))], \(access)}]}
      """)
  }

  var session: Session {
    Session(daemon, paper, preferencesPath: "/root/.targetcli/prefs.json")
  }

  struct Run {
    var code: Int32
    var output: String
    var errors: String
  }

  /// One call of the program. A line of its own is a call, too.
  func run(_ arguments: [String]) async -> Run {
    (paper.output, paper.errors) = ("", "")
    var session = session
    let code = await Program.run(arguments, &session)
    return Run(code: code, output: paper.output, errors: paper.errors)
  }

  @discardableResult
  func callAsFunction(_ line: String) async -> Run {
    await run(line.split(separator: " ").map(String.init))
  }

  /// Calls that all succeed.
  func all(_ lines: String..., sourceLocation: SourceLocation = #_sourceLocation) async {
    for line in lines {
      let run = await self(line)
      #expect(run.code == 0, "\(line): \(run.errors)", sourceLocation: sourceLocation)
    }
  }

  /// Lines typed into one shell.
  func shell(_ lines: String...) async -> Run {
    paper.input = lines
    return await run([])
  }

  /// What another program changes.
  func elsewhere(_ changes: Change...) async throws {
    _ = try await daemon.change(ChangeRequest(changes))
  }

  /// The target `iqn`, as the daemon has it.
  var target: TargetConfiguration.Target {
    get throws { try #require(try daemon.configuration.target(named: Bench.iqn)) }
  }

  /// All that the daemon keeps for targetcli.
  var notes: String {
    daemon.state.withLock { state in
      state.notes.resources(withSecrets: true).map { "\($0.key)=\($0.value ?? "")\n" }.joined()
    }
  }
}
