import AdministrationModel
import Synchronization
import Testing

@testable import AdministrationCommands

/// A console that remembers, and answers what it was told to.
final class TestConsole: Console {
  struct State {
    var output = ""
    var errors = ""
    var input: [String] = []
    var hidden: [String?] = []
    var writesLeft = Int.max
  }

  let state: Mutex<State>
  let isTerminal: Bool
  let canAsk: Bool
  var hasColors: Bool { isTerminal }
  var rows: Int? { isTerminal ? 6 : nil }
  var columns: Int? { isTerminal ? width : nil }
  private let width: Int

  init(
    input: [String] = [], hidden: [String?] = [], isTerminal: Bool = false, canAsk: Bool = false,
    width: Int = 60
  ) {
    self.width = width
    state = Mutex(State(input: input, hidden: hidden))
    self.isTerminal = isTerminal
    self.canAsk = canAsk
  }

  var output: String { state.withLock { $0.output } }
  var errors: String { state.withLock { $0.errors } }

  func write(_ text: String) -> Bool {
    state.withLock {
      $0.writesLeft -= 1
      guard $0.writesLeft >= 0 else { return false }
      $0.output += text
      return true
    }
  }
  func complain(_ text: String) { state.withLock { $0.errors += text } }
  func readLine() -> String? {
    state.withLock { $0.input.isEmpty ? nil : $0.input.removeFirst() }
  }
  func readHidden() -> String? {
    state.withLock { $0.hidden.isEmpty ? nil : $0.hidden.removeFirst() }
  }
}

/// A machine of paper.
struct PaperMachine: Machine {
  var texts: [String: String] = [:]
  var files: [String: FileFacts] = [:]
  var linked: [String: [String]] = [:]
  var listed: [String: [String]] = [:]
  var uringRefusal: Int32 = 0
  var isClockSynchronized: Bool? = true
  var secondsSinceEpoch: Int64 = 1_795_243_454

  func text(of path: String) -> String? { texts[path] }
  func facts(of path: String) -> FileFacts? { files[path] }
  func links(in directory: String) -> [String]? { linked[directory] }
  func names(in directory: String) -> [String] { listed[directory] ?? [] }

  static let standard = PaperMachine(
    texts: [
      "/proc/net/fib_trie": """
      Local:
           |-- 127.0.0.1
              /32 host LOCAL
           |-- 192.0.2.7
              /32 host LOCAL
           |-- 192.0.2.255
              /32 link BROADCAST
      """
    ])
}

/// What a run of the program left.
struct Run {
  var code: Int32
  var output: String
  var errors: String
  var daemon: FakeDaemon
}

func run(
  _ arguments: [String], _ daemon: FakeDaemon = FakeDaemon(), console: TestConsole = TestConsole(),
  machine: PaperMachine = .standard, environment: [String: String] = [:]
) async -> Run {
  var invocation = Invocation(console: console, environment: environment)
  invocation.connect = { path, _ in
    daemon.state.withLock { $0.socketPath = path }
    return daemon
  }
  invocation.machine = machine
  invocation.sleep = { duration in daemon.state.withLock { $0.slept.append(duration) } }
  let code = await Program.run(arguments, in: invocation)
  return Run(code: code, output: console.output, errors: console.errors, daemon: daemon)
}

func run(_ line: String, _ daemon: FakeDaemon = FakeDaemon()) async -> Run {
  await run(line.split(separator: " ").map(String.init), daemon)
}
