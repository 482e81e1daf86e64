import Testing

@testable import TargetcliCommands

struct LineTests {
  @Test(
    "A line is a path, a command and parameters, each of which may be missing",
    arguments: [
      ("ls", nil, "ls", []),
      ("  ls   /iscsi 2 ", nil, "ls", ["/iscsi", "2"]),
      ("/iscsi", "/iscsi", nil, []),
      ("iscsi/ create iqn.x", "iscsi/", "create", ["iqn.x"]),
      (".. ls", "..", "ls", []),
      ("@last ls", "@last", "ls", []),
      ("create /dev/a=b", nil, "create", ["/dev/a=b"]),
      ("create 'two words' \"\"", nil, "create", ["two words", ""]),
    ] as [(String, String?, String?, [String])])
  func parts(_ text: String, _ path: String?, _ command: String?, _ positional: [String]) throws {
    let line = try #require(CommandLine(text))
    #expect(line.path == path)
    #expect(line.command == command)
    #expect(line.positional == positional)
    #expect(line.named.isEmpty)
  }

  @Test("name=value is a named parameter, whatever is in the value")
  func named() throws {
    let line = try #require(CommandLine("/a/b set auth password=a=b/c userid="))
    #expect(line.path == "/a/b")
    #expect(line.positional == ["auth"])
    #expect(line.named.map(\.name) == ["password", "userid"])
    #expect(line.named.map(\.value) == ["a=b/c", ""])
  }

  @Test("Blank lines and comments say nothing", arguments: ["", "  \t", "# set", "#"])
  func nothing(_ text: String) { #expect(CommandLine(text) == nil) }

  @Test(
    "Paths are those of a file system",
    arguments: [
      ("/", "/"), ("..", "/a"), ("../..", "/"), ("../../..", "/"), (".", "/a/b"), ("c", "/a/b/c"),
      ("c/", "/a/b/c"), ("/c//d/", "/c/d"), ("./../x/./y", "/a/x/y"),
    ])
  func paths(_ text: String, _ whole: String) {
    #expect(NodePath(text, from: NodePath("/a/b")).description == whole)
  }

  @Test("Parameters fill the places that are not named")
  func arguments() throws {
    let signature = CommandSignature("create", taking: ["name", "dev"], optional: ["wwn"], "")
    let line = try #require(CommandLine("create dev=/dev/x one two"))
    let arguments = try Arguments(line, for: signature)
    #expect(arguments["name"] == "one")
    #expect(arguments["dev"] == "/dev/x")
    #expect(arguments["wwn"] == "two")
  }

  @Test(
    "Parameters that are missing, unknown or too many are named",
    arguments: [
      ("create one", "Missing required parameter dev"),
      ("create one two three four", "Unexpected positional parameter 'four'."),
      ("create one two size=3", "Unexpected keyword parameter 'size'."),
    ])
  func wrongArguments(_ text: String, _ message: String) throws {
    let signature = CommandSignature("create", taking: ["name", "dev"], optional: ["wwn"], "")
    let line = try #require(CommandLine(text))
    #expect(throws: ExecutionError(message)) { try Arguments(line, for: signature) }
  }

  @Test(
    "Sizes have units of 1024, whatever their letters",
    arguments: [
      ("512", 512), ("2G", 2 << 30), ("2g", 2 << 30), ("2GB", 2 << 30), ("2GiB", 2 << 30),
      ("10k", 10 << 10), ("3TB", 3 << 40), ("7b", 7),
    ] as [(String, UInt64)])
  func sizes(_ text: String, _ bytes: UInt64) throws { #expect(try ByteCount.parse(text) == bytes) }

  @Test(
    "What is no size is refused",
    arguments: ["", "G", "-1", "1.5G", "2X", "2GG", "0x10", "99999999999999999999", "9999999999T"])
  func wrongSizes(_ text: String) {
    #expect(throws: ExecutionError.self) { try ByteCount.parse(text) }
  }

  @Test(
    "Sizes are shown with one decimal",
    arguments: [
      (512, "512 bytes"), (1024, "1.0KiB"), (2 << 30, "2.0GiB"), (1_610_612_736, "1.5GiB"),
      (UInt64.max, "16.0EiB"),
    ] as [(UInt64, String)])
  func shownSizes(_ bytes: UInt64, _ text: String) { #expect(ByteCount.text(bytes) == text) }

  @Test("A long path in a prompt loses its middle")
  func prompt() {
    let path = NodePath("/iscsi/iqn.2023-02.com.example:blocks/tpg1/luns")
    #expect(path.shortened(to: 30) == "/iscsi/iqn...:blocks/tpg1/luns")
    #expect(NodePath("/iscsi").shortened(to: 30) == "/iscsi")
  }

  @Test(
    "Portals are known by any spelling of their address; all of both families are one",
    arguments: [
      ("192.0.2.7", "192.0.2.7:3260"), ("[2001:db8::1]", "[2001:db8::1]:3260"),
      ("2001:db8:0::1", "[2001:db8::1]:3260"), ("::0", "0.0.0.0:3260"), ("[::]", "0.0.0.0:3260"),
      ("0.0.0.0", "0.0.0.0:3260"),
    ])
  func portalKeys(_ text: String, _ shown: String) throws {
    let key = try #require(PortalKey(address: text, port: 3260))
    #expect("\(key.endpoint)" == shown)
    #expect(PortalKey(path: shown) == key)
  }

  @Test("What is no address is no portal", arguments: ["", "host", "1.2.3", "1.2.3.4:5", "[::1"])
  func noPortals(_ text: String) { #expect(PortalKey(address: text, port: 3260) == nil) }
}
