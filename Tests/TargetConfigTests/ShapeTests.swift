import Testing

@testable import TargetConfig

@Suite("Keys, types and ranges")
struct ShapeTests {
  @Test("All problems of a file are reported together, by line")
  func together() {
    let text = """
      {
        "engin": "auto",
        "reactors": 0,
        "stores": {
          "resource": {"file": "resource.img", "size": "200GiB"},
          "quorum1": {"file": "q.img", "size": 1000, "cashe": "none"},
        },
        "targets": [
          {
            "name": "iqn.2026-11.com.example:clu", "initiators": "any",
            "luns": [
              {"lun": 0, "store": "resource"},
              {"lun": 1, "store": "quorum1"},
              {"lun": 2, "store": "quorum2"},
              {"lun": 1, "stor": "quorum1"},
            ],
          },
        ],
      }
      """
    #expect(
      problems(text) == [
        #"targets.json:2: engin: unknown key, did you mean "engine"?"#,
        #"targets.json:3: reactors: 0 is not a whole number from 1 to 256"#,
        #"targets.json:6: stores.quorum1.cashe: unknown key, did you mean "cache"?"#,
        #"targets.json:6: stores.quorum1.size: 1000 is not a multiple of the block size 512, the next is 1024"#,
        #"targets.json:14: targets[0].luns[2].store: no store named "quorum2" (stores: resource, quorum1)"#,
        #"targets.json:15: targets[0].luns[3].stor: unknown key, did you mean "store"?"#,
        #"targets.json:15: targets[0].luns[3]: the key "store" is missing: The name of a store."#,
      ])
  }

  @Test("An unknown key that resembles nothing lists the keys there are")
  func unknownKey() {
    #expect(
      problems("{\"admin\": {\n\"password\": 1}}") == [
        "targets.json:2: admin.password: unknown key (keys here: socket, group, listener)"
      ])
  }

  @Test("A key that stands twice in an object is an error that names both lines")
  func duplicateKey() {
    #expect(
      problems("{\"state\": \"a\",\n\"state\": \"b\"}") == [
        "targets.json:2: state: the key stands here a second time, after line 1: keep one"
      ])
    #expect(
      problems("{\"stores\": {\n\"a\": {\"file\": \"x\"},\n\"a\": {\"file\": \"y\"}}}") == [
        "targets.json:3: stores.a: the key stands here a second time, after line 2: keep one"
      ])
  }

  @Test(
    "A wrong type, number or word says what is expected",
    arguments: [
      ("{targets: {}}", "targets.json:1: targets: expected a list [...], found an object"),
      ("[]", "targets.json:1: expected an object {...}, found a list"),
      ("{engine: null}", #"targets.json:1: engine: expected "auto", "uring" or "aio", found null"#),
      (
        "{engine: 'urin'}",
        #"targets.json:1: engine: "urin" is not "auto", "uring" or "aio"; did you mean "uring"?"#
      ),
      (
        "{iscsi: {queueDepth: '64'}}",
        #"targets.json:1: iscsi.queueDepth: expected a whole number from 1 to 512, found "64": leave out the quotes"#
      ),
      (
        "{iscsi: {queueDepth: 1.5}}",
        "targets.json:1: iscsi.queueDepth: 1.5 is not a whole number from 1 to 512"
      ),
      (
        "{iscsi: {maxOutstandingR2T: 9}}",
        "targets.json:1: iscsi.maxOutstandingR2T: 9 is not a whole number from 1 to 8"
      ),
      (
        "{iscsi: {queueDepth: 513}}",
        "targets.json:1: iscsi.queueDepth: 513 is not a whole number from 1 to 512"
      ),
      (
        "{limits: {connections: 65535, sessions: 65535}}",
        "targets.json:1: limits.sessions: 65535 is not a whole number from 1 to 65534"
      ),
      (
        "{iscsi: {immediateData: 'yes'}}",
        #"targets.json:1: iscsi.immediateData: expected true or false, found "yes""#
      ),
      ("{memory: '1KiB'}", #"targets.json:1: memory: "1KiB" is not a size from 16MiB to 1TiB"#),
      ("{memory: -1}", "targets.json:1: memory: -1 is not a size: write a whole number of bytes"),
      (
        "{portals: [5]}",
        #"targets.json:1: portals[0]: expected text, an address and port like "0.0.0.0:3260" or "[::]:3260" or an object {...}, found a number"#
      ),
      (
        "{portals: [{group: 1}]}",
        #"targets.json:1: portals[0]: the key "address" is missing: IPv4 "address:port" or IPv6 "[address]:port"; without port, 3260. Host names are not looked up."#
      ),
      ("{state: 'a\\nb'}", #"targets.json:1: state: "a\nb" contains a control character"#),
    ])
  func wrongValues(text: String, message: String) {
    #expect(problems(text) == [message])
  }

  @Test("No message shows what stands where a secret or a list of users belongs")
  func secretsStayHidden() {
    let text = """
      {"discovery": {"chap": "hidden-hidden", "mutualChap": {"user": "u", "secret": 12345678901}}}
      """
    #expect(
      problems(text) == [
        "targets.json:1: discovery.chap: expected a list [...], found text",
        "targets.json:1: discovery.mutualChap.secret: expected text, a secret of at least 12 bytes "
          + "or an object {...}, found a number",
      ])
  }

  @Test("A file full of mistakes shows a hundred and counts the rest")
  func manyProblems() {
    let text = "{" + (0..<250).map { "nothingLikeIt\($0): 1," }.joined() + "}"
    let found = problems(text)
    #expect(found.count == 101)
    #expect(found.last == "targets.json: and 150 more problems")
  }

  @Test("An empty configuration is valid and gives the defaults")
  func empty() throws {
    let configuration = try loaded("{}").configuration
    #expect(configuration == TargetConfiguration())
    #expect(configuration.portals.map(\.endpoint.description) == ["0.0.0.0:3260", "[::]:3260"])
  }
}
