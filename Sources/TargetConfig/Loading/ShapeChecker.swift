/// Compares a document with the table of keys: unknown and repeated keys, missing ones, types,
/// ranges and formats. What concerns several values at once is the builder's.
struct ShapeChecker {
  var report: ProblemReport
  /// `store.size` for every key met, so that a test can prove the examples complete; nil: they are
  /// not noted.
  private(set) var keysSeen: Set<String>?
  /// What is known stands in the first, what is checked in the second.
  private let texts: TextPair?

  init(report: ProblemReport, notesKeys: Bool = false, texts: TextPair? = nil) {
    self.report = report
    self.texts = texts
    keysSeen = notesKeys ? [] : nil
  }

  /// What is an element of `known` already, which was found good, is not looked at again.
  mutating func check(
    _ node: DocumentNode, against kind: ValueKind, hint: String = "", known: DocumentValue? = nil
  ) {
    guard kind.accepts(node.value.content) else {
      report.error(node, wrongType(node, kind, hint))
      return
    }
    switch kind {
    case .boolean: break
    case .marker:
      if node.boolean != true {
        report.error(node, "false has no meaning here: write true or leave the key out")
      }
    case .integer, .integerChoice, .size: checkNumber(node, kind)
    case .text(let format):
      if let problem = node.text.flatMap({ format.problem(in: $0) }) {
        let shown = format == .secret ? "the secret" : node.value.shown
        report.error(node, "\(shown) \(problem)")
      }
    case .choice(let values):
      if let text = node.text, !values.contains(text) {
        report.error(node, badChoice(text, values, hint))
      }
    case .list(let element):
      let known = KnownItems(known, in: texts)
      let elements = node.elements
      for (index, child) in elements.enumerated()
      where !known.has(child.value, at: index, of: elements.count) {
        check(child, against: element)
      }
    case .map(let names, let element): checkMap(node, names, element, KnownItems(known, in: texts))
    case .object(let shape): checkObject(node, shape, known)
    case .either(let kinds):
      if let first = kinds.first(where: { $0.accepts(node.value.content) }) {
        check(node, against: first, hint: hint)
      }
    }
  }

  private mutating func checkNumber(_ node: DocumentNode, _ kind: ValueKind) {
    let shown = node.value.shown
    switch kind {
    case .integer(let range):
      guard let integer = node.integer, range.contains(integer) else {
        report.error(node, "\(shown) is not \(kind.expectation)")
        return
      }
    case .integerChoice(let values):
      guard let integer = node.integer, values.contains(integer) else {
        report.error(node, "\(shown) is not \(kind.expectation)")
        return
      }
    case .size(let range):
      do throws(ByteSize.ParseError) {
        let bytes = try node.parseSize()
        guard !range.contains(bytes) else { return }
        let end =
          range.upperBound == ByteSize.bytesMax ? "8EiB" : ByteSize.description(range.upperBound)
        let start = ByteSize.description(range.lowerBound)
        report.error(node, "\(shown) is not a size from \(start) to \(end)")
      } catch {
        report.error(node, "\(shown) \(error.sentence)")
      }
    default: break
    }
  }

  private mutating func checkMap(
    _ node: DocumentNode, _ names: TextFormat, _ element: ValueKind, _ known: KnownItems
  ) {
    reportDuplicates(node)
    let members = node.members
    for (index, (name, child)) in members.enumerated()
    where !known.has(child.value, named: name, at: index, of: members.count) {
      if let problem = names.problem(in: name) { report.error(child, "\(name.quoted) \(problem)") }
      check(child, against: element)
    }
  }

  private mutating func checkObject(
    _ node: DocumentNode, _ shape: ObjectShape, _ known: DocumentValue?
  ) {
    reportDuplicates(node)
    for (name, child) in node.members {
      guard let key = shape.key(named: name) else {
        report.error(child, unknownKey(name, shape))
        continue
      }
      if keysSeen != nil { keysSeen?.insert("\(shape.name).\(name)") }
      check(child, against: key.kind, hint: key.hint, known: known?.member(name))
    }
    for key in shape.keys where key.isRequired && node[key.name] == nil {
      report.error(node, "the key \(key.name.quoted) is missing: \(key.meaning)")
    }
    for group in shape.exactlyOne {
      let present = group.filter { node[$0] != nil }.map(\.quoted)
      if present.isEmpty {
        let choices = group.map(\.quoted).joined(orBefore: "or")
        report.error(node, "one of the keys \(choices) is missing")
      } else if present.count > 1 {
        report.error(node, "\(present.joined(orBefore: "and")) exclude each other: keep one")
      }
    }
  }

  /// JSON parsers differ in which duplicate wins; an administrator must never have to know.
  private mutating func reportDuplicates(_ node: DocumentNode) {
    guard node.value.hasDuplicateKeys else { return }
    var firstLines: [String: Int] = [:]
    for (name, child) in node.members {
      if let line = firstLines[name] {
        report.error(child, "the key stands here a second time, after line \(line): keep one")
      } else {
        firstLines[name] = child.line
      }
    }
  }

  private func unknownKey(_ name: String, _ shape: ObjectShape) -> String {
    let names = shape.keys.map(\.name)
    if let meant = EditDistance.suggestion(for: name, among: names) {
      return "unknown key, did you mean \(meant.quoted)?"
    }
    return "unknown key (keys here: \(names.joined(separator: ", ")))"
  }

  private func badChoice(_ text: String, _ values: [String], _ hint: String) -> String {
    var sentence = "\(text.quoted) is not \(ValueKind.choice(values).expectation)"
    if let meant = EditDistance.suggestion(for: text, among: values), values.count > 1 {
      sentence += "; did you mean \(meant.quoted)?"
    }
    return hint.isEmpty ? sentence : "\(sentence): \(hint)"
  }

  private func wrongType(_ node: DocumentNode, _ kind: ValueKind, _ hint: String) -> String {
    let found = kind.mayShow ? node.value.shown : node.value.kindName
    var sentence = "expected \(kind.expectation), found \(found)"
    if !hint.isEmpty { sentence += ": \(hint)" }
    guard case .text(let text) = node.value.content, hint.isEmpty else { return sentence }
    // The commonest slip: a number or truth value in quotes.
    switch kind {
    case .boolean where text == "true" || text == "false",
      .integer where Int64(text) != nil, .integerChoice where Int64(text) != nil:
      return sentence + ": leave out the quotes"
    default: return sentence
    }
  }
}

extension DocumentNode {
  /// A size as number or text.
  func parseSize() throws(ByteSize.ParseError) -> UInt64 {
    if let text { return try ByteSize.parse(text) }
    guard let integer, let bytes = UInt64(exactly: integer) else {
      throw ByteSize.ParseError(sentence: "is not a size: write a whole number of bytes")
    }
    return bytes
  }

  /// The size, or nil when the checker has reported what is wrong with it.
  var sizeBytes: UInt64? { try? parseSize() }

  /// The whole number, or nil when the checker has reported what is wrong with it.
  var int: Int? { integer.flatMap { Int(exactly: $0) } }
}
