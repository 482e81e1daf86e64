/// The items of a list or an object that was found good: whoever changes one of thousands need not
/// have the others looked at again.
struct KnownItems {
  private var values: [DocumentValue] = []
  private var members: [DocumentMember] = []

  init(_ value: DocumentValue?) {
    switch value?.content {
    case .list(let values): self.values = values
    case .object(let members): self.members = members
    case .null, .boolean, .number, .text, nil: break
    }
  }

  /// Whether an element, one of `count`, says what the known one at its place says. Where elements
  /// came or went before it, the place is counted from the end.
  func has(_ value: DocumentValue, at index: Int, of count: Int) -> Bool {
    let places = [index, index + values.count - count]
    return places.contains {
      values.indices.contains($0) && values[$0].hasSameContent(as: value)
    }
  }

  /// The same of a member.
  func has(_ value: DocumentValue, named name: String, at index: Int, of count: Int) -> Bool {
    place(of: value, named: name, at: index, of: count) != nil
  }

  /// Where that member stands among the known ones.
  func place(
    of value: DocumentValue, named name: String, at index: Int, of count: Int
  ) -> Int? {
    for place in [index, index + members.count - count] where members.indices.contains(place) {
      let known = members[place]
      if known.key.hasSameBytes(as: name), known.value.hasSameContent(as: value) {
        return place
      }
    }
    return nil
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
