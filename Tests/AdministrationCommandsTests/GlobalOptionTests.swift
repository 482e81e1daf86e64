import AdministrationModel
import Synchronization
import Testing

@testable import AdministrationCommands

@Suite("Options of every command")
struct GlobalOptionTests {
  static let lines = [
    "--json store list", "store --json list", "store list --json", "--json --socket /s store list",
    "store --socket=/s list --json",
  ]

  @Test("They stand before the command's name or behind it", arguments: lines)
  func place(line: String) async {
    let run = await run(line)
    #expect(run.code == 0)
    #expect(run.output == "[\n\n]\n")
    let socket = run.daemon.state.withLock { $0.socketPath }
    #expect(socket == (line.contains("/s") ? "/s" : "/run/swift-tgtd/admin.sock"))
  }

  @Test("Commands about files have --json in both places, too")
  func files() async {
    let path = "/nowhere/\(UInt64.random(in: 0 ... .max)).json"
    for line in ["--json config check \(path)", "config check \(path) --json"] {
      let run = await run(line)
      #expect(run.output.contains("\"valid\" : false"))
      #expect(run.code == 78)
    }
  }

  @Test("The program's help and its manual page have them")
  func help() async {
    let help = await run("--help").output
    #expect(help.contains("--socket <path>") && help.contains("--json"))
    let manual = await run("manual").output
    #expect(manual.contains(".SH OPTIONS\n"))
    #expect(manual.split(separator: ".SH COMMANDS")[0].contains(".B \\-\\-socket <path>"))
  }
}
