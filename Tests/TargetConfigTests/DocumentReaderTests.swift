import Testing

@testable import TargetConfig

@Suite("JSON5 reader")
struct DocumentReaderTests {
  @Test("Comments, trailing commas, unquoted keys, single quotes and a byte order mark are read")
  func relaxations() throws {
    let text = """
      \u{FEFF}// first
      {
        /* several
           lines */ engine: 'aio', // behind
        "portals": ["127.0.0.1",],
        limits: {loginTimeout: +0x1E, connections: 1e3},
      }
      """
    let configuration = try loaded(text).configuration
    #expect(configuration.engine == .aio)
    #expect(configuration.portals.map(\.endpoint.description) == ["127.0.0.1:3260"])
    #expect(configuration.limits.loginTimeoutSeconds == 30)
    #expect(configuration.limits.connections == 1000)
  }

  @Test("Escapes mean what JSON5 says, surrogate pairs included")
  func escapes() throws {
    let text =
      #"{"targets": [{"name": "iqn.2026-11.com.example:\x61\u0062", "alias": "\ud83d\udcbe \'\"\/", "initiators": "any"}]}"#
    let target = try #require(try loaded(text).configuration.targets.first)
    #expect(target.name == "iqn.2026-11.com.example:ab")
    #expect(target.alias == "\u{1F4BE} '\"/")
  }

  @Test(
    "A syntax error names line and column and what to do",
    arguments: [
      ("", "targets.json:1:1: the file is empty: write {} for a configuration without targets"),
      (
        "// nothing\n",
        "targets.json:2:1: the file is empty: write {} for a configuration without targets"
      ),
      ("{} {}", "targets.json:1:4: found \"{\" after the end of the configuration"),
      (
        "{\n  \"engine\" \"aio\"\n}",
        "targets.json:2:12: expected \":\" after the key \"engine\", found \"\\\"\""
      ),
      (
        "{\n  engine: 'aio'\n  state: 'x'}",
        "targets.json:3:3: expected \",\" or \"}\" after the value of \"engine\", found \"s\""
      ),
      ("{\n  engine: aio}", "targets.json:2:11: aio is not a value: put text into quotes"),
      (
        "{memory: 64MiB}",
        "targets.json:1:10: 64MiB is not a number: put text, and sizes with a unit, into quotes"
      ),
      (
        "{memory: 0123}",
        "targets.json:1:10: 0123 is not a number: put text, and sizes with a unit, into quotes"
      ),
      ("{memory: NaN}", "targets.json:1:10: a number must be finite"),
      (
        "{portals: [\n'a' 'b']}",
        "targets.json:2:5: expected \",\" or \"]\" in the list, found \"'\""
      ),
      (
        "{portals: [",
        "targets.json:1:12: expected \"]\", found the end of the file (the \"[\" of line 1 is not closed)"
      ),
      (
        "{\n\n",
        "targets.json:3:1: expected a key or \"}\", found the end of the file (the \"{\" of line 1 is not closed)"
      ),
      ("{a: 'öö', b: 'x\n'}", "targets.json:1:14: the text is not closed at the end of the line"),
      ("{a: 'x", "targets.json:1:5: the text is not closed"),
      ("{a: '\\ud800'}", "targets.json:1:6: half of a surrogate pair"),
      ("{a: '\\u12g4'}", "targets.json:1:6: the escape needs 4 hexadecimal digits"),
      ("{a: '\\1'}", "targets.json:1:6: a backslash before a digit is not an escape"),
      ("{ /* x", "targets.json:1:3: the comment is not closed with */"),
      ("{ / x", "targets.json:1:3: expected // or /* to begin a comment"),
      ("{,}", "targets.json:1:2: expected a key or \"}\", found \",\""),
      ("{a:}", "targets.json:1:4: expected a value, found \"}\""),
    ])
  func syntaxErrors(text: String, message: String) {
    #expect(problems(text) == [message])
  }

  @Test("32 levels are read and the 33rd is refused, so that no file exhausts the stack")
  func depth() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(problems(deep) == ["targets.json:1:33: nested deeper than 32 levels"])
  }

  @Test("Every beginning of a valid file is refused with an error, never a trap")
  func truncations() throws {
    let text = try contents("\(confDirectory)/targets.example.json")
    let bytes = Array(text.utf8)
    for count in stride(from: 0, to: bytes.count - 2, by: 7) {
      #expect(throws: DocumentSyntaxError.self) { try DocumentReader.read(Array(bytes[..<count])) }
    }
  }

  @Test("Bytes that are not UTF-8 are refused with their line")
  func encoding() throws {
    let error = #expect(throws: DocumentSyntaxError.self) {
      try DocumentReader.read(Array("{\n'a': '".utf8) + [0xFF] + Array("'}".utf8))
    }
    #expect(error?.line == 2)
    #expect(error?.sentence == "the file is not UTF-8 text")
  }

  @Test("A file over 4 MiB is refused")
  func length() {
    let text = "{}" + String(repeating: " ", count: 4 << 20)
    #expect(problems(text) == ["targets.json: is larger than 4MiB"])
  }
}
