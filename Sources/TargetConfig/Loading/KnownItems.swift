/// The items of a list or an object that was found good: whoever changes one of thousands need not
/// have the others looked at again.
struct KnownItems {
  private var values: [DocumentValue] = []
  private var members: [DocumentMember] = []
  private let texts: TextPair?

  /// `texts`: those that it and what is looked up stand in.
  init(_ value: DocumentValue?, in texts: TextPair? = nil) {
    self.texts = texts
    switch value?.content {
    case .list(let values): self.values = values
    case .object(let members): self.members = members
    case .null, .boolean, .number, .text, nil: break
    }
  }

  /// Whether an element, one of `count`, says what the known one at its place says. Where elements
  /// came or went before it, the place is counted from the end.
  func has(_ value: DocumentValue, at index: Int, of count: Int) -> Bool {
    isSame(value, at: index) || isSame(value, at: index + values.count - count)
  }

  private func isSame(_ value: DocumentValue, at place: Int) -> Bool {
    values.indices.contains(place) && values[place].hasSameContent(as: value, in: texts)
  }

  /// The same of a member.
  func has(_ value: DocumentValue, named name: String, at index: Int, of count: Int) -> Bool {
    place(of: value, named: name, at: index, of: count) != nil
  }

  /// Where that member stands among the known ones.
  func place(
    of value: DocumentValue, named name: String, at index: Int, of count: Int
  ) -> Int? {
    let fromEnd = index + members.count - count
    if isSame(value, named: name, at: index) { return index }
    return isSame(value, named: name, at: fromEnd) ? fromEnd : nil
  }

  private func isSame(_ value: DocumentValue, named name: String, at place: Int) -> Bool {
    members.indices.contains(place) && members[place].key.hasSameBytes(as: name)
      && members[place].value.hasSameContent(as: value, in: texts)
  }
}

extension DocumentValue {
  /// The first member of that name; nil when this is no object or has none.
  func member(_ name: String) -> DocumentValue? {
    guard case .object(let members) = content else { return nil }
    return members.first { $0.key == name }?.value
  }

  func position(of name: String) -> Int? {
    guard case .object(let members) = content else { return nil }
    return members.firstIndex { $0.key == name }
  }

  /// None when this is no list.
  var elements: [DocumentValue] { if case .list(let values) = content { values } else { [] } }

  /// Nil when this is no text.
  var text: String? { if case .text(let text) = content { text } else { nil } }

  var hasDuplicateKeys: Bool {
    guard case .object(let members) = content else { return false }
    // Most objects have few members, which are quicker compared with each other than hashed.
    guard members.count > 16 else {
      for (index, member) in members.enumerated() {
        for other in members[..<index] where other.key == member.key { return true }
      }
      return false
    }
    return Set(members.lazy.map(\.key)).count < members.count
  }
}
