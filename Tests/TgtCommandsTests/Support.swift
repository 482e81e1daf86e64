import AdministrationModel
import Foundation
import Synchronization

@testable import TgtCommands

/// A terminal that remembers, and answers what it was told to.
final class TestTerminal: Terminal {
  struct State {
    var output = ""
    var errors = ""
    var input: [String] = []
  }

  let state = Mutex(State())

  var output: String { state.withLock { $0.output } }
  var errors: String { state.withLock { $0.errors } }

  func write(_ text: String) { state.withLock { $0.output += text } }
  func complain(_ text: String) { state.withLock { $0.errors += text } }
  func readLine() -> String? {
    state.withLock { $0.input.isEmpty ? nil : $0.input.removeFirst() }
  }
}

/// Files of paper.
struct PaperFiles: FileProbe {
  var kinds: [String: FileKind] = [:]
  var held: Set<String> = []

  func kind(of path: String) -> FileKind { kinds[path] ?? LocalFiles().kind(of: path) }
  func isHeldBySystem(_ path: String) -> Bool { held.contains(path) }
  func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "/here/" + path }
  var hostName: String { "node1.example.com" }
  var isRoot: Bool { true }
}

/// What a run of a program left.
struct Run {
  var code: Int32
  var output: String
  var errors: String
}

/// Programs with one daemon, and disks of 32 to 72 MiB that nobody has to make.
struct Bench {
  static let directory = "/disks"
  static let sizes: [String: UInt64] = Dictionary(
    uniqueKeysWithValues: zip("abcdef", 4...9).map {
      ("\(directory)/\($0).img", UInt64($1) * 8 << 20)
    })

  let daemon: ConfiguredAdministrator
  let targetsConf: TargetsConfFiles
  var files = PaperFiles()
  var input: [String] = []

  init(_ daemon: ConfiguredAdministrator? = nil) throws {
    self.daemon = try daemon ?? ConfiguredAdministrator()
    targetsConf = try TargetsConfFiles()
    self.daemon.state.withLock { $0.sizes = Self.sizes }
    for path in Self.sizes.keys { files.kinds[path] = .regular }
  }

  func run(
    _ program: @escaping ([String], Surroundings) async -> Int32, _ arguments: [String]
  ) async -> Run {
    let terminal = TestTerminal()
    terminal.state.withLock { $0.input = input }
    let daemon = daemon
    let surroundings = Surroundings(
      terminal: terminal, environment: ["SWIFT_TGTD_SOCKET": "/socket"],
      connect: { path in
        precondition(path == "/socket" || path == "/socket.7", "the socket \(path)")
        return daemon
      }, files: files)
    let code = await program(arguments, surroundings)
    return Run(code: code, output: terminal.output, errors: terminal.errors)
  }

  func tgtadm(_ line: String) async -> Run {
    await run(Tgtadm.run, words(line))
  }

  func admin(_ line: String) async -> Run {
    await run(TgtAdmin.run, words(line))
  }

  /// A session of an initiator that stays until it is ended.
  func logIn(_ id: UInt64 = 1, to target: String = "iqn.2026-11.com.example:one") {
    daemon.state.withLock { state in
      var session = SessionResource(
        id: id, initiator: "iqn.2008-11.org.linux-kvm", target: target,
        since: ConfiguredAdministrator.now)
      session.connections = [
        ConnectionResource(
          cid: 0, localAddress: "127.0.0.1:3260", remoteAddress: "127.0.0.1:50000",
          since: ConfiguredAdministrator.now)
      ]
      state.sessions.append(session)
    }
  }
}

/// Words as a shell takes them, with quotes around a part and without anything else.
func words(_ line: String) -> [String] {
  var words: [String] = []
  var word: String?
  var isQuoted = false
  for character in line {
    switch character {
    case "\"", "'":
      isQuoted.toggle()
      word = word ?? ""
    case " " where !isQuoted:
      if let done = word { words.append(done) }
      word = nil
    default: word = (word ?? "") + String(character)
    }
  }
  return words + (word.map { [$0] } ?? [])
}
