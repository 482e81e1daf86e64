import Bytes

@testable import TargetConfig

/// Writes JSON5 files as many hands would: tidy ones and wild ones, comments in every place.
struct RandomDocument {
  var generator: SplitMix64
  private let isTidy: Bool
  private let density: Int
  private let lineBreak: String
  private let unit: String
  private let hasTrailingCommas: Bool
  private let isCommaFirst: Bool

  init(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    isTidy = Int.random(in: 0..<3, using: &generator) > 0
    density = Int.random(in: 0...3, using: &generator)
    lineBreak = ["\n", "\n", "\r\n", "\r"].randomElement(using: &generator) ?? "\n"
    unit = ["  ", "    ", "\t", ""].randomElement(using: &generator) ?? "  "
    hasTrailingCommas = Bool.random(using: &generator)
    isCommaFirst = Int.random(in: 0..<8, using: &generator) == 0
    self.generator = generator
  }

  mutating func chance(_ part: Int, of whole: Int) -> Bool {
    Int.random(in: 0..<whole, using: &generator) < part
  }

  mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[Int.random(in: 0..<choices.count, using: &generator)]
  }

  mutating func text() -> String {
    let head = chance(1, of: 10) ? "\u{FEFF}" : ""
    return head + blanks() + container(depth: 0, indentation: "", isObject: !chance(1, of: 6))
      + blanks()
  }

  // MARK: Values

  private mutating func value(depth: Int, indentation: String) -> String {
    if depth < 4, chance(2, of: 5) {
      return container(
        depth: depth, indentation: indentation, isObject: Bool.random(using: &generator))
    }
    return scalar()
  }

  private mutating func scalar() -> String {
    pick([
      "1", "-0x1F", "+.5", "1e3", "true", "false", "null", "\"\"", "'it\\'s'", "\"// no comment\"",
      "\"/* , } ] */\"", "'\\u00e4\\\"'", "\"ü💾\"", "\"a\\\n  b\"", "\"iqn.2026-11.com.example:a\"",
    ])
  }

  private mutating func key(_ index: Int) -> String {
    pick([
      "k\(index)", "\"k\(index)\"", "'k\(index)'", "\"k \(index), {\"", "'k\\'\(index)'",
      "\"é\(index)\"", "$_\(index)",
    ])
  }

  private mutating func item(
    _ index: Int, depth: Int, indentation: String, isObject: Bool
  ) -> String {
    let value = value(depth: depth + 1, indentation: indentation)
    return isObject ? key(index) + blanks() + ":" + (isTidy ? " " : blanks()) + value : value
  }

  private mutating func container(depth: Int, indentation: String, isObject: Bool) -> String {
    let count = pick([0, 1, 1, 2, 3, 4])
    let inner = indentation + unit
    let isVertical = isTidy && chance(2, of: 3)
    let items = (0..<count).map {
      item($0, depth: depth, indentation: inner, isObject: isObject)
    }
    let body = isVertical ? lines(items, inner, indentation) : run(items)
    return (isObject ? "{" : "[") + body + (isObject ? "}" : "]")
  }

  // MARK: Layout

  /// One item on each line.
  private mutating func lines(_ items: [String], _ inner: String, _ outer: String) -> String {
    var out = trailingComment() + lineBreak
    for (index, item) in items.enumerated() {
      out += blankAndCommentLines(inner)
      let isLast = index == items.count - 1
      let comma = isLast ? (hasTrailingCommas ? "," : "") : ","
      if isCommaFirst {
        out += inner + (index > 0 ? ", " : "") + item + trailingComment()
        if isLast, hasTrailingCommas { out += lineBreak + inner + "," }
      } else if chance(1, of: 8) {
        out += inner + "/* inline */ " + item + " /* before */" + comma + trailingComment()
      } else {
        out += inner + item + comma + trailingComment()
      }
      // Sometimes two on a line, or the bracket on the line of the last.
      if chance(isLast ? 1 : 0, of: 6), !out.hasSuffix("x") { return out + " " }
      out +=
        !isLast && !isCommaFirst && chance(1, of: 6) && !endsInLineComment(out) ? " " : lineBreak
    }
    return out + blankAndCommentLines(inner) + outer
  }

  /// Whether the last line of generated text is inside a line comment. Ours all end so.
  private func endsInLineComment(_ text: String) -> Bool { text.hasSuffix("x") }

  private mutating func blankAndCommentLines(_ indentation: String) -> String {
    var out = ""
    while density > 0, chance(density, of: 6) {
      out += pick([
        lineBreak, indentation + "// own" + lineBreak, indentation + "/* own */" + lineBreak,
        indentation + "/* own\(lineBreak)  two */ // x" + lineBreak,
      ])
    }
    return out
  }

  private mutating func trailingComment() -> String {
    guard chance(density, of: 6) else { return "" }
    return pick([" // x", " /* y */", " /* y\(lineBreak) z */", "// x", " /* y */ // x"])
  }

  private mutating func run(_ items: [String]) -> String {
    var out = blanks()
    for (index, item) in items.enumerated() {
      let isLast = index == items.count - 1
      out += item + blanks()
      if !isLast || hasTrailingCommas { out += "," + (isTidy ? " " : "") + blanks() }
    }
    return out
  }

  private mutating func blanks() -> String {
    guard !isTidy else { return "" }
    var out = ""
    while chance(density, of: 5) {
      out += pick([
        " ", "  ", "\t", lineBreak, lineBreak + unit, "/**/", "/* , */", "// }" + lineBreak,
        "/*\(lineBreak)*/",
      ])
    }
    return out
  }

  // MARK: Edits

  mutating func newValue(depth: Int = 0) -> ConfigurationValue {
    switch Int.random(in: 0..<(depth < 3 ? 7 : 4), using: &generator) {
    case 0: .integer(Int64.random(in: -9...1 << 40, using: &generator))
    case 1: .boolean(Bool.random(using: &generator))
    case 2: .text(pick(["", "plain", "quo\"te's\\", "\u{1}\n\r\t\u{2028}", "// x", "ü💾"]))
    case 3: .null
    case 4: .list((0..<pick([0, 1, 2, 30])).map { _ in newValue(depth: depth + 1) })
    default:
      .object(
        (0..<pick([0, 1, 2, 3])).map { .init("n\($0)", newValue(depth: depth + 1)) })
    }
  }

  /// The path of a random value in a document.
  mutating func path(in root: DocumentValue) -> (ConfigurationPath, DocumentValue) {
    var path = ConfigurationPath()
    var value = root
    while !value.children.isEmpty, path.steps.isEmpty || chance(2, of: 3) {
      let index = Int.random(in: 0..<value.children.count, using: &generator)
      if case .object(let members) = value.content {
        path = path.appending(members[index].key)
      } else {
        path = path.appending(.index(index))
      }
      value = value.children[index]
    }
    return (path, value)
  }

  mutating func edit(of root: DocumentValue) -> ConfigurationEdit {
    let (path, value) = path(in: root)
    switch (Int.random(in: 0..<4, using: &generator), value.content) {
    case (0, _) where !path.steps.isEmpty: return .remove(path)
    case (1...2, .object):
      return .add(
        path.appending(pick(["new", "n e w ", "n'ew"]) + "\(generator.next())"), newValue())
    case (1...2, .list(let elements)):
      let index = chance(1, of: 2) ? nil : Int.random(in: 0...elements.count, using: &generator)
      return .insert(path, newValue(), index: index)
    default: return .set(path, newValue())
    }
  }
}
