import AdministrationModel
import Foundation
import Testing

@testable import AdministrationCommands

@Suite("Errors and exit codes")
struct FailureTests {
  private static func refusing(_ error: AdministrationError) -> FakeDaemon {
    FakeDaemon { $0.failure = error }
  }

  @Test("Who uses what would go is named, with what to do")
  func inUse() async {
    let error = AdministrationError(
      .inUse, "LUN 1 is in use by 1 session", path: "targets[iqn.t].luns[1]",
      remedy: "log them out, or give --force", users: ["iqn.n\u{1B} from 192.0.2.7:50000"])
    let run = await run("lun remove --target iqn.t 1", Self.refusing(error))
    #expect(
      run.errors == """
        swift-tgtadm: targets[iqn.t].luns[1]: LUN 1 is in use by 1 session
          iqn.n\\u{1b} from 192.0.2.7:50000
          what to do: log them out, or give --force

        """)
    #expect(run.output.isEmpty)
    #expect(run.code == 1)
  }

  @Test("Of a place in a request the key is shown, which is the word that was written")
  func requestPath() async {
    let error = AdministrationError(.invalid, "is no name", path: "changes[0].addTarget.name")
    let errors = await run("target add x", Self.refusing(error)).errors
    #expect(errors == "swift-tgtadm: name: is no name\n")
  }

  @Test("What is missing from a collection is said without its path, which stays for programs")
  func missing() async {
    let error = AdministrationError(.notFound, "there is no session \"9\"", path: "sessions")
    #expect(
      await run("session kill 9", Self.refusing(error)).errors
        == "swift-tgtadm: there is no session \"9\"\n")
    #expect(await run("session kill 9 --json", Self.refusing(error)).errors.contains("\"path\""))
  }

  static let conflicts: [(line: String, remedy: String)] = [
    ("store remove a", "--force removes them"), ("chap remove --target t u", "--allow-open"),
    ("chap remove --discovery u", "--allow-open"),
  ]

  @Test("Where something stands in the way, the option that helps is named", arguments: conflicts)
  func conflict(line: String, remedy: String) async {
    let errors = await run(line, Self.refusing(AdministrationError(.conflict, "no"))).errors
    #expect(errors.hasPrefix("swift-tgtadm: no\n  what to do: ") && errors.contains(remedy))
    let told = AdministrationError(.conflict, "no", remedy: "this")
    #expect(await run(line, Self.refusing(told)).errors.hasSuffix("  what to do: this\n"))
  }

  @Test("--version says the version on standard output")
  func version() async {
    let run = await run("--version")
    #expect(run.output == "swift-tgtadm \(Version.text)\n")
    #expect(run.code == 0)
  }

  @Test("With --json an error is the API's, on standard error")
  func json() async throws {
    let error = AdministrationError(.conflict, "it is there", path: "stores.a", remedy: "look")
    let run = await run("store list --json", Self.refusing(error))
    #expect(run.output.isEmpty)
    let document = try JSONDecoder().decode(ErrorDocument.self, from: Data(run.errors.utf8))
    #expect(document == ErrorDocument(error))
  }

  static let codes: [(AdministrationError.Code, Int32)] = [
    (.invalid, 1), (.notFound, 1), (.conflict, 1), (.inUse, 1), (.fileChanged, 1),
    (.needsRestart, 1), (.tooLarge, 1), (.storeFailed, 1), (.methodNotAllowed, 1),
    (.unavailable, 69), (.unanswered, 69), (.internal, 70), (.forbidden, 77), (.unauthorized, 77),
  ]

  @Test("The exit code tells what kind of no it was", arguments: codes)
  func code(code: AdministrationError.Code, exit: Int32) async {
    let run = await run("status", Self.refusing(AdministrationError(code, "no")))
    #expect(run.code == exit)
  }

  @Test("Without a daemon each command ends with 69 and says what to look at")
  func unreachable() async {
    let path = "/nowhere/\(UInt64.random(in: 0 ... .max)).sock"
    let origins: [([String], [String: String], String)] = [
      (["--socket", path], [:], "--socket"),
      ([], ["SWIFT_TGTD_SOCKET": path], "SWIFT_TGTD_SOCKET in the environment"),
    ]
    for (arguments, environment, origin) in origins {
      let console = TestConsole()
      let invocation = Invocation(console: console, environment: environment)
      let code = await Program.run(["status"] + arguments, in: invocation)
      #expect(code == 69)
      #expect(
        console.errors == "swift-tgtadm: cannot connect to \(path): there is no such socket\n"
          + "  what to do: see whether \(origin) names the right path; "
          + "if so: systemctl status swift-tgtd\n")
    }
  }

  @Test("An empty --socket is wrong usage, and nobody is asked")
  func emptySocket() async {
    let run = await AdministrationCommandsTests.run(["status", "--socket", ""])
    #expect(run.code == 64 && run.daemon.calls.isEmpty)
    #expect(run.errors.hasPrefix("swift-tgtadm: --socket is empty: "))
  }

  static let unknownCommands: [(line: String, words: String)] = [
    ("lun ad", "no command named \"ad\" (commands: add, remove, list, show, resize)"),
    ("--json --socket /s lun ad --target t", "no command named \"ad\" (commands: add, "),
    ("--socket=/s --json lun ad", "no command named \"ad\" (commands: add, "),
    ("statsu", "no command named \"statsu\" (commands: stat"),
  ]

  @Test("A command that there is not is told with those that there are", arguments: unknownCommands)
  func unknownCommand(line: String, words: String) async {
    let run = await run(line)
    #expect(run.code == 64 && run.daemon.calls.isEmpty)
    #expect(run.errors.hasPrefix("swift-tgtadm: \(words)"), "\(run.errors)")
    #expect(!run.errors.contains("manual"))
  }

  @Test("No option of every command is there but those behind which a command's name is looked for")
  func globalOptions() {
    func properties(of options: Any) -> [String] {
      Mirror(reflecting: options).children.compactMap(\.label)
    }
    #expect(properties(of: GlobalOptions()) == ["_socket", "_output"])
    #expect(properties(of: OutputOptions()) == ["_json"])
    #expect(GlobalOptions.optionWithValue == "--socket" && GlobalOptions.flag == "--json")
  }

  @Test("CHAP users stand with a target or with discovery, and not with both")
  func twoPlaces() async {
    let both = await run("chap add --target t --discovery u")
    #expect(both.errors.hasPrefix("swift-tgtadm: give --target or --discovery, not both\n"))
    let none = await run("chap add u")
    #expect(none.errors.hasPrefix("swift-tgtadm: give --target or --discovery\n"))
  }

  static let wrong = [
    "foo", "target", "lun add", "lun add --target t", "lun add --target t --file /a --block /b",
    "lun add --target t --for n --store a --any", "lun remove --target t x",
    "lun add --target t --file /a --size 10G", "store add a", "store resize a --size -1",
    "stats --interval 0", "stats --count 3", "stats --watch --count 0", "events --count 0",
    "config diff one", "config diff one two three", "session kill x", "acl add --target t",
    "chap add --target t u --by-reference", "portal add a:1 --group 70000",
    "lun show --target t --address 192.0.2.7 1",
    "store add a --memory", "acl add --target t any --index=-1",
  ]

  @Test("Wrong arguments end with 64 on standard error and ask nothing", arguments: wrong)
  func usage(line: String) async {
    let run = await run(line)
    #expect(run.daemon.calls.isEmpty)
    if line == "target" {
      #expect(run.code == 0)
    } else {
      #expect(run.code == 64)
      #expect(run.errors.hasPrefix("swift-tgtadm: "))
      #expect(run.output.isEmpty)
    }
  }

  static let unknownWords: [(option: String, all: [String])] = [
    ("--cache foo", ["writeback", "none", "writethrough", "directsync"]),
    ("--discard foo", ["unmap", "ignore"]), ("--block-size 1024", ["512", "4096"]),
  ]

  @Test(
    "A word that an option does not know is wrong usage, told with those it knows",
    arguments: unknownWords, ["store add a --memory", "lun add --target t --memory"])
  func unknownWord(_ item: (option: String, all: [String]), command: String) async {
    let run = await run("\(command) \(item.option)")
    #expect(run.code == 64 && run.daemon.calls.isEmpty)
    for word in item.all { #expect(run.errors.contains("'\(word)'"), "\(run.errors)") }
  }

  @Test("An address in place of an initiator's name is refused with what does it")
  func addressAsName() async {
    for line in [
      "acl add --target t 192.0.2.7", "target add t --initiator 192.0.2.7",
      "lun add --target t --memory --initiator 192.0.2.7",
    ] {
      let run = await run(line)
      #expect(run.code == 64 && run.daemon.calls.isEmpty)
      #expect(run.errors.hasPrefix("swift-tgtadm: 192.0.2.7 is an address, not the name"))
      #expect(run.errors.contains("--address 192.0.2.7"))
    }
    #expect(await run("acl remove --target t 192.0.2.7").code == 0, "one that is there")
  }

  @Test("A size without a clear unit is refused with both that it may mean")
  func ambiguousSize() async {
    let errors = await run("store resize a --size 10G").errors
    #expect(errors.contains("\"10GiB\" (powers of 1024) or \"10GB\" (powers of 1000)"))
  }

  @Test("Every command has help on standard output, with exit codes where it does something")
  func help() async {
    let commands = [
      "target add", "target remove", "target list", "target show", "lun add", "lun remove",
      "lun list", "lun show", "lun resize", "store add", "store remove", "store list",
      "store show", "store resize", "acl add", "acl remove", "acl list", "chap add",
      "chap remove", "chap list", "portal add", "portal remove", "portal list", "session list",
      "session show", "session logout", "session kill", "reservation list", "reservation show",
      "reservation clear", "stats", "events", "config show", "config diff", "config reload",
      "config save", "config check", "config import", "config export", "status", "doctor",
    ]
    for command in commands {
      let run = await run(command + " --help")
      #expect(run.code == 0, "\(command)")
      #expect(run.output.contains("EXIT CODES"), "\(command)")
      #expect(run.output.contains("--json"), "\(command)")
      #expect(run.errors.isEmpty)
    }
  }

  @Test("The program's help teaches: examples, exit codes, completion")
  func overview() async {
    let output = await run("--help").output
    for word in ["EXAMPLES", "EXIT CODES", "SWIFT_TGTD_SOCKET", "--generate-completion-script"] {
      #expect(output.contains(word))
    }
  }

  @Test("The manual page has every command that the help has, and no request of roff by accident")
  func manual() async throws {
    let run = await run("manual")
    #expect(run.code == 0)
    #expect(run.output.hasPrefix(".TH SWIFT-TGTADM 8 "))
    for text in [
      ".SS \"swift\\-tgtadm lun add \\-\\-target <iqn>\"", ".SH EXIT CODES",
      ".B \\-\\-secret\\-file <path>", ".SS \"swift\\-tgtadm session kill <id>\"",
    ] {
      #expect(run.output.contains(text), "\(text)")
    }
    let requests: Set = ["TH", "SH", "SS", "TP", "B", "BR", "PP", "nf", "fi"]
    for line in run.output.split(separator: "\n") where line.hasPrefix(".") {
      #expect(requests.contains(String(line.dropFirst().prefix { $0 != " " })), "\(line)")
    }
    #expect(!run.output.contains(".SS \"swift\\-tgtadm manual"))
    let isASCII = run.output.allSatisfy { $0.isASCII }
    #expect(isASCII)
  }

  /// A command's name and its lines that show how it is called, out of the manual page.
  private static func examples(of section: Substring) -> (command: String, lines: [String]) {
    let plain = section.replacing("\\(dq", with: "\"").replacing("\\-", with: "-")
      .replacing("\\e\n", with: " ").replacing("\\e", with: "\\")
    let lines = plain.split(separator: "\n")
    let title = String(lines.first ?? "").replacing("\"", with: "")
    let name = title.split(separator: " ").prefix { !"<[-".contains($0.first ?? "<") }
      .joined(separator: " ")
    let calls = lines.filter { $0.hasPrefix("  ") }.compactMap { line in
      line.firstRange(of: "swift-tgtadm ").map { String(line[$0.lowerBound...]) }
    }
    return (name, calls)
  }

  @Test("Every command that the help lists has examples of itself, which are no wrong arguments")
  func examples() async {
    let sections = await run("manual").output.split(separator: ".SS ").dropFirst()
    #expect(sections.count >= 41)
    // What is asked fails, so that no example gets as far as to a file.
    let refusal = AdministrationError(.internal, "no")
    for section in sections {
      #expect(section.contains(".B EXAMPLES\n"), "\(section.prefix(40))")
      let (command, lines) = Self.examples(of: section)
      #expect(lines.contains { $0.hasPrefix(command) }, "\(command)")
      for line in lines where command != "swift-tgtadm config import" {
        let words = line.prefix { $0 != "|" }.split(separator: " ").dropFirst()
          .map { String($0).replacing("'", with: "") }
        let console = TestConsole(canAsk: true)
        let run = await AdministrationCommandsTests.run(
          words, FakeDaemon { $0.failure = refusal }, console: console)
        #expect(run.code != 64, "\(line): \(run.errors)")
      }
    }
  }

  @Test("Exit codes stand in the order of their numbers")
  func exitCodes() async {
    for command in ["chap add", "config export", "config reload", "lun list"] {
      let codes = await run(command + " --help").output.split(separator: "EXIT CODES\n")[1]
        .split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.hasPrefix("  ") }
        .compactMap { Int($0.split(separator: " ").first ?? "") }
      #expect(codes.count >= 6 && codes == codes.sorted(), "\(command): \(codes)")
    }
  }

  @Test("There is completion for three shells", arguments: ["bash", "zsh", "fish"])
  func completion(shell: String) async {
    let run = await run("--generate-completion-script \(shell)")
    #expect(run.code == 0)
    #expect(run.output.contains("reservation"))
  }
}
