// Edits of the values alone. What an edit of the text must come to is told by them.

extension DocumentValue {
  /// Whether both say the same, wherever they stand. Text counts byte by byte, numbers as spelled.
  /// `texts`: those that this one and the other stand in.
  func hasSameContent(as other: DocumentValue, in texts: TextPair? = nil) -> Bool {
    if let texts, texts.haveSameBytes(extent, other.extent) { return true }
    return switch (content, other.content) {
    case (.null, .null): true
    case (.boolean(let a), .boolean(let b)): a == b
    case (.number(let a), .number(let b)): a.spelling == b.spelling
    case (.text(let a), .text(let b)): a.hasSameBytes(as: b)
    case (.list(let a), .list(let b)):
      a.count == b.count && zip(a, b).allSatisfy { $0.hasSameContent(as: $1, in: texts) }
    case (.object(let a), .object(let b)):
      a.count == b.count
        && zip(a, b).allSatisfy {
          $0.key.hasSameBytes(as: $1.key) && $0.value.hasSameContent(as: $1.value, in: texts)
        }
    default: false
    }
  }

  /// The members or elements; none of a plain value.
  var children: [DocumentValue] {
    switch content {
    case .null, .boolean, .number, .text: []
    case .list(let values): values
    case .object(let members): members.map(\.value)
    }
  }

  /// Changes the value that those positions among members and elements lead to. Neither it nor what
  /// it is in stands in any file then.
  mutating func update(at positions: ArraySlice<Int>, _ body: (inout DocumentValue) -> Void) {
    defer { extent = 0..<0 }
    guard let position = positions.first else {
      body(&self)
      return
    }
    switch content {
    case .list(var values) where values.indices.contains(position):
      values[position].update(at: positions.dropFirst(), body)
      content = .list(values)
    case .object(var members) where members.indices.contains(position):
      members[position].value.update(at: positions.dropFirst(), body)
      content = .object(members)
    default: break
    }
  }

  /// Inserts a member, which has a key, or an element, which has none.
  mutating func insertChild(_ value: DocumentValue, key: String?, at position: Int) {
    switch content {
    case .list(var values) where position <= values.count:
      values.insert(value, at: position)
      content = .list(values)
    case .object(var members) where position <= members.count:
      members.insert(DocumentMember(key: key ?? "", line: 0, value: value), at: position)
      content = .object(members)
    default: break
    }
  }

  mutating func removeChild(at position: Int) {
    switch content {
    case .list(var values) where values.indices.contains(position):
      values.remove(at: position)
      content = .list(values)
    case .object(var members) where members.indices.contains(position):
      members.remove(at: position)
      content = .object(members)
    default: break
    }
  }
}

extension String {
  /// Not as `==` has it, to which canonically equivalent texts are the same. A loop over spans, for
  /// a change compares whole configurations, and `elementsEqual` takes three times as long.
  func hasSameBytes(as other: String) -> Bool {
    let (own, others) = (utf8.span, other.utf8.span)
    guard own.count == others.count else { return false }
    for index in own.indices where own[index] != others[index] { return false }
    return true
  }
}
