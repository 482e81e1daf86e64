import Testing

@testable import TargetConfig

private let lab = """
  {
    "stores": {
      "a": {"memory": true, "size": "1MiB"},
      "b": {"file": "b.img", "size": "64KiB", "serial": "B"},
      "c": {"memory": true, "size": "1MiB"},
    },
    "targets": [
      {"name": "iqn.2026-11.com.example:a", "initiators": "any",
       "luns": [{"lun": 1, "store": "a"}]},
      {"name": "iqn.2026-11.com.example:b", "luns": [{"lun": 1, "store": "b"}]},
      {"name": "iqn.2026-11.com.example:c", "initiators": "any",
       "luns": [{"lun": 1, "store": "c"}]},
    ],
  }
  """

@Suite("What is known already")
struct KnownItemsTests {
  /// What a text means: the configuration and its warnings, or what is wrong with it.
  private struct Meaning: Equatable {
    var configuration: TargetConfiguration?
    var sentences: [String]
  }

  private func meaning(
    _ load: () throws(ConfigurationError) -> LoadedConfiguration
  ) -> Meaning {
    do throws(ConfigurationError) {
      let loaded = try load()
      return Meaning(
        configuration: loaded.configuration, sentences: loaded.warnings.map(\.description))
    } catch {
      return Meaning(configuration: nil, sentences: error.problems.map(\.description))
    }
  }

  @Test(
    "A text read after another means what it means alone, whatever was changed, moved or added",
    arguments: [
      ("1MiB", "2MiB"), ("1MiB", "1 MiB"), ("1MiB", "1MB and"), ("64KiB", "0"),
      ("\"a\": {", "\"new\": {\"null\": true, \"size\": \"1GiB\"}, \"a\": {"),
      ("\"a\": {", "\"c\": {"), ("\"c\": {", "\"d\": {"),
      ("\"b\": {\"file\": \"b.img\", \"size\": \"64KiB\", \"serial\": \"B\"},", ""),
      ("\"b.img\"", "\"/dev/sdb\""), ("\"serial\": \"B\"", "\"serial\": \"\""),
      ("example:b", "example:a"), ("\"initiators\": \"any\"", "\"initiators\": \"all\""),
      ("[{\"lun\": 1, \"store\": \"b\"}]", "[{\"lun\": -1, \"store\": \"none\"}]"),
      ("\"targets\": [", "\"targets\": [{\"name\": \"x\"}, 7, "),
      ("\"stores\": {", "\"stores\": {\"a b\": {\"memory\": true},"),
      ("\"stores\"", "\"state\": \"/x\", \"stores\""), ("{\n  \"stores\"", "// c\n{\n  \"stores\""),
      ("\"stores\": {", "\"disks\": {"),
    ])
  func same(edit: (String, String)) throws {
    let former = try loaded(lab)
    let text = lab.replacing(edit.0, with: edit.1)
    #expect(text != lab)
    let parsed = try ConfigurationText(text)
    let alone = meaning { () throws(ConfigurationError) in
      try ConfigurationLoader.load(
        parsed, fileName: former.fileName, context: former.context.ofText)
    }
    let after = meaning { () throws(ConfigurationError) in
      try ConfigurationLoader.load(
        parsed, fileName: former.fileName, context: former.context.ofText, after: former)
    }
    #expect(after == alone)
  }

  @Test("A value that says the same is known at its place, counted from either end; no other is")
  func places() throws {
    let known = KnownItems(try ConfigurationText("[1, 'a', {\"b\": 2}]").root)
    let other = try ConfigurationText("[0, 1, 'a', {\"b\": 3}]").root.elements
    #expect(
      other.indices.map { known.has(other[$0], at: $0, of: 4) } == [false, true, true, false])
    #expect(!KnownItems(nil).has(other[0], at: 0, of: 4))
  }

  @Test("Values of two texts are the same by their bytes or by what they say; a changed one is not")
  func texts() throws {
    let (one, other) = (
      try ConfigurationText("{a: [1, 'x'], b: 2}"),
      try ConfigurationText("{ 'a': [1, \"x\"], b: 2}")
    )
    let pair = TextPair(first: one.bytes, second: other.bytes)
    #expect(one.root.hasSameContent(as: other.root, in: pair))
    #expect(
      !one.root.hasSameContent(as: try ConfigurationText("{a: [1, 'y'], b: 2}").root, in: pair))
    let same = TextPair(first: one.bytes, second: one.bytes)
    var changed = one.root
    changed.update(at: [0, 1]) { $0.content = .text("y") }
    #expect(!changed.hasSameContent(as: one.root, in: same))
    changed = one.root
    changed.update(at: [0]) { $0.removeChild(at: 0) }
    #expect(!changed.hasSameContent(as: one.root, in: same))
  }
}
