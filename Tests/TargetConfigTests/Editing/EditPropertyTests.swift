import Testing

@testable import TargetConfig

@Suite("Edits of random files")
struct EditPropertyTests {
  @Test(
    "An edit changes the value it names and no byte that is not its own",
    arguments: [0, 1_000_000, 2_000_000, 3_001_400] as [UInt64])
  func edits(firstSeed: UInt64) {
    for seed in firstSeed..<firstSeed + 750 {
      var document = RandomDocument(seed: seed)
      let before = document.text()
      do throws(ConfigurationEditError) {
        var text = try ConfigurationText(before)
        for _ in 0..<3 {
          let edit = document.edit(of: text.root)
          if let complaint = try Self.complaint(edit, &text) {
            Issue.record("seed \(seed): \(complaint)")
            return
          }
        }
      } catch {
        Issue.record("seed \(seed): \(error)")
        return
      }
    }
  }

  @Test("A damaged file is refused, or edited as what it still says")
  func damage() {
    var edits = 0
    for seed in 0..<1500 as Range<UInt64> {
      var document = RandomDocument(seed: seed)
      var bytes = Array(document.text().utf8)
      for _ in 0..<document.pick([1, 2, 5]) where !bytes.isEmpty {
        let junk = document.pick([
          ",", "{", "}", "[", "]", "\"", "'", "/", "*", ":", "\n", "\r", "\\", "\u{A0}", "\u{FEFF}",
          "\u{B}",
          "",
        ])
        let position = document.pick(Array(bytes.indices))
        bytes.replaceSubrange(position...position, with: junk.utf8)
      }
      do throws(ConfigurationEditError) {
        var text = try ConfigurationText(String(decoding: bytes, as: UTF8.self))
        try text.apply(document.edit(of: text.root))
        edits += 1
      } catch {
        if error.kind == .inconsistent { Issue.record("seed \(seed): \(error)") }
      }
    }
    #expect(edits > 100, "damage that leaves nothing to edit proves nothing")
  }

  /// Applies an edit; what is wrong with the result, or nil.
  private static func complaint(
    _ edit: ConfigurationEdit, _ text: inout ConfigurationText
  ) throws(ConfigurationEditError) -> String? {
    let old = text
    let plan = try old.plan(edit)
    try text.apply(edit)
    switch edit {
    case .set(let path, _):
      let extent = try old.place(path.steps[...]).node.value.extent
      guard plan.splices.allSatisfy({ $0.range == extent }) else { return "set elsewhere" }
    case .remove(let path):
      let place = try old.place(path.steps[...])
      let parent = place.ancestors[place.ancestors.count - 2]
      let position = place.positions.last ?? 0
      guard let layout = ContainerLayout(old.bytes, parent) else { return "no container" }
      return removalComplaint(plan.splices, position, layout)
    case .add(let path, _):
      return try insertionComplaint(plan, path, path.steps.dropLast(), old, text)
    case .insert(let path, _, let index):
      let count = try old.place(path.steps[...]).node.elements.count
      return try insertionComplaint(
        plan, path.appending(.index(index ?? count)), path.steps[...], old, text)
    }
    return nil
  }

  /// Nothing may go but blanks inside empty brackets, and removing what came must give the old
  /// file.
  private static func insertionComplaint(
    _ plan: ConfigurationText.Plan, _ item: ConfigurationPath,
    _ container: ArraySlice<ConfigurationPath.Step>, _ old: ConfigurationText,
    _ new: ConfigurationText
  ) throws(ConfigurationEditError) -> String? {
    for splice in plan.splices where !splice.range.isEmpty {
      guard old.bytes[splice.range].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else {
        return "an insertion took something away"
      }
    }
    guard try !old.place(container).node.value.children.isEmpty else { return nil }
    var back = new
    try back.apply(.remove(item))
    return back.bytes == old.bytes ? nil : "not undone by a removal: \(old.text)\n=>\n\(new.text)"
  }

  /// Beside the item only blanks, one comma and comments of its own may go.
  private static func removalComplaint(
    _ splices: [TextSplice], _ position: Int, _ layout: ContainerLayout
  ) -> String? {
    let item = layout.items[position]
    let isLast = position == layout.items.count - 1
    let start = position > 0 ? layout.items[position - 1].upperBound : layout.extent.lowerBound + 1
    let end = isLast ? layout.close : layout.items[position + 1].lowerBound
    var removed = Set<Int>()
    for splice in splices {
      guard splice.text.isEmpty else { return "a removal added something" }
      removed.formUnion(splice.range)
    }
    guard item.allSatisfy({ removed.contains($0) }) else { return "something of the item stays" }
    guard removed.allSatisfy((start..<end).contains) else {
      return "something of another item went"
    }
    let trivia = Trivia.scan(layout.bytes, start..<item.lowerBound)
    let behind = Trivia.scan(layout.bytes, item.upperBound..<end)
    var commas = 0
    for piece in trivia + behind where piece.extent.contains(where: { removed.contains($0) }) {
      let isWhole = piece.extent.allSatisfy { removed.contains($0) }
      switch piece.kind {
      case .blank, .lineBreak: continue
      case .comma: commas += 1
      case .lineComment, .blockComment:
        guard isWhole else { return "half a comment went" }
        let isAbove = piece.extent.upperBound <= item.lowerBound
        let between =
          isAbove
          ? trivia.filter { $0.extent.lowerBound >= piece.extent.upperBound }
          : behind.filter { $0.extent.upperBound <= piece.extent.lowerBound }
        if isAbove, hasBlankLine(between) { return "a comment beyond a blank line went" }
        if isAbove, between.contains(where: { $0.kind == .comma }) {
          return "a comment of the item before went"
        }
        if !isAbove, between.contains(where: { $0.kind == .lineBreak }) {
          return "a comment of a later line went"
        }
        if !isAbove, !isLast, between.contains(where: { $0.kind == .comma }),
          !behind.contains(where: { $0.kind == .lineBreak })
        {
          return "a comment of the next item went"
        }
      }
    }
    return commas > 1 ? "two commas went" : nil
  }

  private static func hasBlankLine(_ trivia: [Trivia]) -> Bool {
    var isBlank = false
    for piece in trivia where piece.kind != .blank {
      if piece.kind == .lineBreak, isBlank { return true }
      isBlank = piece.kind == .lineBreak
    }
    return false
  }
}
