/// The text of a configuration file, to be edited like a person would: what an edit does not
/// concern stays byte for byte, comments, blank lines, line ends and all.
///
/// After each edit the text is read again, and must say what the old one said with the edit
/// applied; else the edit fails and the text stays as it was.
public struct ConfigurationText: Sendable {
  public private(set) var bytes: [UInt8]
  private(set) var root: DocumentValue
  /// A file without a single trailing comma may be meant for readers of plain JSON too.
  private var hasTrailingCommas: Bool

  /// Takes any JSON5 text. Whether it is a good configuration, `ConfigurationLoader` tells.
  public init(_ text: String) throws(ConfigurationEditError) {
    bytes = Array(text.utf8)
    (root, hasTrailingCommas) = try Self.read(bytes)
  }

  init(_ bytes: [UInt8]) throws(DocumentSyntaxError) {
    self.bytes = bytes
    (root, hasTrailingCommas) = try DocumentReader.readWithStyle(bytes)
  }

  public var text: String { String(decoding: bytes, as: UTF8.self) }

  public mutating func apply(_ edit: ConfigurationEdit) throws(ConfigurationEditError) {
    let plan = try plan(edit)
    let changed = TextSplice.apply(plan.splices, to: bytes)
    guard changed.count <= ConfigurationLoader.byteCountMax else {
      throw ConfigurationEditError(
        .invalid, "",
        "the file would be larger than "
          + ByteSize.description(UInt64(ConfigurationLoader.byteCountMax)))
    }
    guard let result = try? DocumentReader.readWithStyle(changed),
      plan.expected.hasSameContent(
        as: result.value, in: TextPair(first: bytes, second: changed))
    else {
      throw ConfigurationEditError(
        .inconsistent, "", "the file cannot be edited safely here: change it by hand")
    }
    bytes = changed
    (root, hasTrailingCommas) = result
  }

  private static func read(
    _ bytes: [UInt8]
  ) throws(ConfigurationEditError) -> (DocumentValue, hasTrailingCommas: Bool) {
    guard bytes.count <= ConfigurationLoader.byteCountMax else {
      throw ConfigurationEditError(
        .unreadable, "",
        "is larger than " + ByteSize.description(UInt64(ConfigurationLoader.byteCountMax)))
    }
    do throws(DocumentSyntaxError) {
      return try DocumentReader.readWithStyle(bytes)
    } catch {
      throw ConfigurationEditError(
        .unreadable, "", "line \(error.line), column \(error.column): \(error.sentence)")
    }
  }
}

extension ConfigurationText: Equatable {
  public static func == (one: Self, other: Self) -> Bool { one.bytes == other.bytes }
}

extension ConfigurationText: CustomStringConvertible, CustomReflectable {
  /// Not the text: it may hold secrets.
  public var description: String { "a configuration of \(bytes.count) bytes" }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}

// MARK: Plans

extension ConfigurationText {
  /// What happens to the text, and what it must say afterwards.
  struct Plan {
    var splices: [TextSplice]
    var expected: DocumentValue
  }

  func plan(_ edit: ConfigurationEdit) throws(ConfigurationEditError) -> Plan {
    switch edit {
    case .set(let path, let value): return try setting(path, value, mayReplace: true)
    case .add(let path, let value): return try setting(path, value, mayReplace: false)
    case .insert(let path, let value, let index):
      let place = try place(path.steps[...])
      guard case .list(let elements) = place.node.value.content else {
        throw place.error(.invalid, "is \(place.node.value.kindName), not a list")
      }
      let index = index ?? elements.count
      guard (0...elements.count).contains(index) else {
        throw place.error(.invalid, "has \(elements.count) elements: none can stand at \(index)")
      }
      return try insertion(of: value, key: nil, at: index, in: place)
    case .remove(let path):
      let place = try place(path.steps[...])
      guard let position = place.positions.last, let parent = place.ancestors.dropLast().last,
        let layout = ContainerLayout(bytes, parent)
      else { throw place.error(.invalid, "the whole configuration cannot be removed") }
      var expected = root
      expected.update(at: place.positions.dropLast()) { $0.removeChild(at: position) }
      return Plan(splices: layout.removal(at: position), expected: expected)
    }
  }

  private func setting(
    _ path: ConfigurationPath, _ value: ConfigurationValue, mayReplace: Bool
  ) throws(ConfigurationEditError) -> Plan {
    guard case .key(let key)? = path.steps.last else {
      guard mayReplace else {
        throw ConfigurationEditError(.invalid, "\(path)", "does not end with a key")
      }
      return try replacement(of: try place(path.steps[...]), by: value)
    }
    let parent = try place(path.steps.dropLast())
    guard case .object(let members) = parent.node.value.content else {
      throw parent.error(.invalid, "is \(parent.node.value.kindName), not an object")
    }
    guard members.contains(where: { $0.key == key }) else {
      return try insertion(of: value, key: key, at: members.count, in: parent)
    }
    let place = try place(path.steps[...])
    guard mayReplace else { throw place.error(.conflict, "is there already") }
    return try replacement(of: place, by: value)
  }

  private func insertion(
    of value: ConfigurationValue, key: String?, at index: Int, in place: Place
  ) throws(ConfigurationEditError) -> Plan {
    try checkDepth(of: value, at: place.positions.count + 1)
    guard let layout = ContainerLayout(bytes, place.node.value) else {
      throw place.error(.invalid, "is \(place.node.value.kindName): nothing can be put into it")
    }
    let writer = writer(in: place)
    let item = NewItem(key: key, value: value, writer: writer)
    var expected = root
    expected.update(at: place.positions[...]) {
      $0.insertChild(value.document, key: key, at: index)
    }
    let splices = layout.insertion(of: item, at: index, isRoot: place.positions.isEmpty)
    return Plan(splices: splices, expected: expected)
  }

  private func replacement(
    of place: Place, by value: ConfigurationValue
  ) throws(ConfigurationEditError) -> Plan {
    try checkDepth(of: value, at: place.positions.count)
    let old = place.node.value
    if old.hasSameContent(as: value.document) { return Plan(splices: [], expected: root) }
    let text = writer(in: place).value(
      value, column: bytes.column(at: old.extent.lowerBound),
      indentation: bytes.indentation(at: old.extent.lowerBound))
    var expected = root
    expected.update(at: place.positions[...]) { $0 = value.document }
    return Plan(splices: [TextSplice(old.extent, text)], expected: expected)
  }

  private func writer(in place: Place) -> ValueWriter {
    ValueWriter(bytes, ancestors: place.ancestors, hasTrailingCommas: hasTrailingCommas)
  }

  private func checkDepth(
    of value: ConfigurationValue, at depth: Int
  ) throws(ConfigurationEditError) {
    guard value.isWithin(levels: DocumentReader.depthMax - depth) else {
      throw ConfigurationEditError(
        .invalid, "", "the value is nested deeper than \(DocumentReader.depthMax) levels")
    }
  }
}

// MARK: Places

extension ConfigurationText {
  /// A value that a path led to.
  struct Place {
    var node: DocumentNode
    /// The positions among members and elements that lead to it.
    var positions: [Int]
    /// From the whole file to the value itself.
    var ancestors: [DocumentValue]

    func error(_ kind: ConfigurationEditError.Kind, _ sentence: String) -> ConfigurationEditError {
      ConfigurationEditError(kind, node.path, sentence)
    }

    mutating func enter(_ child: DocumentNode, _ position: Int) {
      node = child
      positions.append(position)
      ancestors.append(child.value)
    }
  }

  func place(
    _ steps: ArraySlice<ConfigurationPath.Step>
  ) throws(ConfigurationEditError) -> Place {
    var place = Place(node: DocumentNode(root: root), positions: [], ancestors: [root])
    for step in steps {
      let parent = place.node
      switch step {
      case .key(let key):
        guard let position = parent.value.position(of: key), let child = parent.child(at: position)
        else {
          throw ConfigurationEditError(
            .notFound, parent.pathAppending(key), "there is no such key")
        }
        place.enter(child, position)
      case .index(let index):
        guard case .list = parent.value.content, let child = parent.child(at: index) else {
          throw ConfigurationEditError(
            .notFound, "\(parent.path)[\(index)]",
            "there is no such element: the list has \(parent.elements.count)")
        }
        place.enter(child, index)
      case .match(let key, let value):
        let elements = parent.elements
        guard let index = elements.firstIndex(where: { $0[key]?.matches(value) == true }) else {
          let shown = key == "secret" ? "that secret" : value.quoted
          throw ConfigurationEditError(
            .notFound, parent.path, "no element has the \(key.quoted) \(shown)")
        }
        place.enter(elements[index], index)
      }
    }
    return place
  }
}

extension DocumentNode {
  fileprivate func matches(_ value: String) -> Bool {
    if let text { return text == value }
    return integer.map { Int64(value) == $0 } ?? false
  }
}
