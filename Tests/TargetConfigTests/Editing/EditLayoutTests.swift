import Testing

@testable import TargetConfig

/// The text after an edit, or the error as printed.
private func edited(_ text: String, _ edits: ConfigurationEdit...) -> String {
  do throws(ConfigurationEditError) {
    var text = try ConfigurationText(text)
    for edit in edits { try text.apply(edit) }
    return text.text
  } catch {
    return "error: \(error)"
  }
}

private func path(_ text: String) -> ConfigurationPath {
  (try? ConfigurationPath(parsing: text)) ?? ConfigurationPath([.key("not a path")])
}

@Suite("Layout of edits")
struct EditLayoutTests {
  private static let lun = ConfigurationValue.object([
    .init("lun", .integer(2)), .init("store", .text("b")),
  ])

  @Test("A new element stands on a line of its own, and with a comma, where the last one does")
  func appendedLine() {
    let text = """
      {
        "targets": [
          // the first
          {"name": "a"}, // demo

          // no more
        ],
      }
      """
    #expect(
      edited(text, .insert(path("targets"), .object([.init("name", .text("b"))]))) == """
        {
          "targets": [
            // the first
            {"name": "a"}, // demo
            {"name": "b"},

            // no more
          ],
        }
        """)
  }

  @Test("Without a trailing comma in the file none is written")
  func plainJSON() {
    let text = "{\n\t\"a\": 1, // one\n\t\"b\": {} // two\n}\n"
    #expect(
      edited(
        text,
        .set(path("c"), .list([.object([.init("d", .object([.init("e", .list([]))]))])]))
      )
        == "{\n\t\"a\": 1, // one\n\t\"b\": {}, // two\n\t\"c\": [\n\t\t{\n\t\t\t\"d\": {\"e\": []}\n\t\t}\n\t]\n}\n"
    )
  }

  @Test("A list on one line stays on one line up to 100 columns, then begins the next")
  func oneLine() {
    #expect(
      edited("{\"luns\": [{\"lun\": 1}]}", .insert(path("luns"), Self.lun))
        == "{\"luns\": [{\"lun\": 1}, {\"lun\": 2, \"store\": \"b\"}]}")
    let long = String(repeating: "x", count: 70)
    #expect(
      edited("{\n  \"luns\": [\"\(long)\"],\n}", .insert(path("luns"), Self.lun))
        == "{\n  \"luns\": [\"\(long)\",\n    {\"lun\": 2, \"store\": \"b\"}],\n}")
  }

  @Test("What is put into empty brackets is laid out as the examples are")
  func emptyBrackets() {
    #expect(
      edited("{\n  \"luns\": [],\n}", .insert(path("luns"), Self.lun))
        == "{\n  \"luns\": [{\"lun\": 2, \"store\": \"b\"}],\n}")
    #expect(
      edited(
        "{\n  \"stores\": {},\n}",
        .set(path("stores.a"), .object([.init("memory", .boolean(true))])))
        == "{\n  \"stores\": {\n    \"a\": {\"memory\": true},\n  },\n}")
    #expect(
      edited("{}", .set(path("targets"), .list([.object([.init("luns", .list([Self.lun]))])])))
        == """
        {
          "targets": [
            {
              "luns": [{"lun": 2, "store": "b"}]
            }
          ]
        }
        """)
    #expect(
      edited("{a: [\n    // none yet\n  ]}", .insert(path("a"), .integer(1)))
        == "{a: [\n    // none yet\n    1\n  ]}")
  }

  @Test("Line ends and quotes are those of the file")
  func style() {
    #expect(
      edited(
        "{\r\n  a: 'x',\r\n}\r\n",
        .set(path("b"), .object([.init("c", .text("it's")), .init("d e", .null)])))
        == "{\r\n  a: 'x',\r\n  b: {c: 'it\\'s', 'd e': null},\r\n}\r\n")
    #expect(
      edited("{'a': 'x'}", .set(path("b"), .text("y"))) == "{'a': 'x', 'b': 'y'}")
    #expect(
      edited("{\"a\": 'x', \"b\": 1}", .set(path("b"), .text("y"))) == "{\"a\": 'x', \"b\": 'y'}")
  }

  @Test("An element takes its own comments with it and leaves every other")
  func removal() {
    let text = """
      [ // of the bracket
        // far away

        // of one
        /* of one */
        1, // of one
        // of two
        2, 3, /* of four */ 4 /* of four */, // of four
        5 // of five
        // of nobody
      ]
      """
    func without(_ indices: Int...) -> String {
      edited(text, indices[0], indices.dropFirst())
    }
    func edited(_ text: String, _ first: Int, _ rest: ArraySlice<Int>) -> String {
      guard var result = try? ConfigurationText(text) else { return "unreadable" }
      for index in [first] + rest {
        try? result.apply(.remove(ConfigurationPath([.index(index)])))
      }
      return result.text
    }
    #expect(without(0) == text.replacing("  // of one\n  /* of one */\n  1, // of one\n", with: ""))
    // The comment may be about the whole line: it stays.
    #expect(without(1) == text.replacing("2, 3", with: "3"))
    #expect(without(2) == text.replacing("2, 3,", with: "2,"))
    #expect(
      without(3) == text.replacing(" /* of four */ 4 /* of four */, // of four", with: ""))
    #expect(
      without(4)
        == text.replacing("/, // of four\n  5 // of five", with: "/ // of four"))
    #expect(without(4, 3, 2, 1, 0) == "[ // of the bracket\n  // far away\n\n  // of nobody\n]")
  }

  @Test("Members of one line go with one comma and one space")
  func removalInLine() {
    #expect(
      edited("{ \"a\": 1, \"b\": 2, \"c\": 3 }", .remove(path("b"))) == "{ \"a\": 1, \"c\": 3 }")
    #expect(edited("{ \"a\": 1, \"b\": 2 }", .remove(path("b"))) == "{ \"a\": 1 }")
    #expect(edited("{ \"a\": 1, \"b\": 2 }", .remove(path("a"))) == "{ \"b\": 2 }")
    #expect(edited("{\"a\": 1,}", .remove(path("a"))) == "{}")
    #expect(edited("[\n  1,\n  2]", .remove(path("[1]"))) == "[\n  1]")
    #expect(edited("[\n  1, // one\n  2]", .remove(path("[1]"))) == "[\n  1 // one\n  ]")
    #expect(edited("[\n    1\n  , 2\n  , 3\n]", .remove(path("[2]"))) == "[\n    1\n  , 2\n]")
  }

  @Test("A value is replaced where it stands")
  func replacement() {
    let text = "{\"stores\": {\"a.b\": {\"size\": /* big */ \"1GiB\" /* enough */}}}"
    #expect(
      edited(text, .set(path("stores[\"a.b\"].size"), .text("2GiB")))
        == text.replacing("1GiB", with: "2GiB"))
    #expect(edited(text, .set(path("stores[\"a.b\"].size"), .text("1GiB"))) == text)
  }

  @Test("Paths name elements by a member")
  func matches() {
    let text = "{\"targets\": [{\"name\": \"a\"}, {\"name\": \"b.c\", \"luns\": [{\"lun\": 3}]}]}"
    #expect(
      edited(text, .remove(path("targets[name=b.c].luns[lun=3]")))
        == text.replacing("{\"lun\": 3}", with: ""))
    let parsed = path("targets[name=\"[::1]:3260\"].a[0][\"b c\"]")
    #expect(
      parsed.steps == [
        .key("targets"), .match(key: "name", value: "[::1]:3260"), .key("a"), .index(0),
        .key("b c"),
      ])
    #expect("\(parsed)" == "targets[name=\"[::1]:3260\"].a[0][\"b c\"]")
    for text in ["a.", "a[", "a[x]", "a[-1]", "a[0", "a]b[", "[\"a", "a[b=\"c]", "a..b", "a[1]b"] {
      #expect(throws: ConfigurationEditError.self) { try ConfigurationPath(parsing: text) }
    }
  }

  @Test(
    "An edit that cannot be names the path and leaves the text alone",
    arguments: [
      (.remove(path("b")), "b: there is no such key"),
      (.remove(path("a[4]")), "a[4]: there is no such element: the list has 1"),
      (.remove(path("a[x=1]")), "a: no element has the \"x\" \"1\""),
      (.remove(path("a[secret=hush]")), "a: no element has the \"secret\" that secret"),
      (.remove(ConfigurationPath()), "the whole configuration cannot be removed"),
      (.insert(path("a"), .null, index: 2), "a: has 1 elements: none can stand at 2"),
      (.insert(path("a"), .null, index: -1), "a: has 1 elements: none can stand at -1"),
      (.insert(path("a[0]"), .null), "a[0]: is a number, not a list"),
      (.set(path("a.b"), .null), "a: is a list, not an object"),
      (.add(path("a"), .null), "a: is there already"),
      (.add(path("a[0]"), .null), "a[0]: does not end with a key"),
    ] as [(ConfigurationEdit, String)])
  func errors(edit: ConfigurationEdit, sentence: String) {
    #expect(edited("{\"a\": [1]}", edit) == "error: \(sentence)")
  }

  @Test("A value nested too deeply for the reader is refused")
  func depth() {
    var value = ConfigurationValue.null
    for _ in 0..<30 { value = .list([value]) }
    #expect(edited("{}", .set(path("a"), value)).hasPrefix("{"))
    #expect(
      edited("{}", .set(path("a"), .list([value])))
        == "error: the value is nested deeper than 32 levels")
  }

  @Test("Values to be written show nothing of themselves")
  func redaction() {
    let value = ConfigurationValue.object([.init("secret", .text("hush"))])
    var dumped = "\(path("chap[secret=hush]")) "
    if let text = try? ConfigurationText("{\"secret\": \"hush\"}") { dump(text, to: &dumped) }
    dump(ConfigurationEdit.set(path("a"), value), to: &dumped)
    #expect(!dumped.contains("hush"))
    #expect(!"\(ConfigurationEdit.set(path("a"), value))".contains("hush"))
  }
}
