/// An object or a list as it stands in the text.
struct ContainerLayout {
  let bytes: [UInt8]
  /// With both brackets.
  let extent: Range<Int>
  /// Members from the key to the end of the value; elements.
  let items: [Range<Int>]
  let isObject: Bool

  /// nil for a plain value.
  init?(_ bytes: [UInt8], _ value: DocumentValue) {
    self.bytes = bytes
    extent = value.extent
    switch value.content {
    case .null, .boolean, .number, .text: return nil
    case .list(let values):
      items = values.map(\.extent)
      isObject = false
    case .object(let members):
      items = members.map { $0.keyExtent.lowerBound..<$0.value.extent.upperBound }
      isObject = true
    }
  }

  /// Where the closing bracket stands.
  var close: Int { extent.upperBound - 1 }

  /// What stands before the item at `index`; of the index behind all, what stands before the
  /// bracket.
  func gap(before index: Int) -> Gap {
    let start = index > 0 ? items[index - 1].upperBound : extent.lowerBound + 1
    let end = index < items.count ? items[index].lowerBound : close
    return Gap(bytes, start..<end, hasPrevious: index > 0, hasNext: index < items.count)
  }

  /// The first line break between items. Those inside of values may be others.
  var lineBreak: String? {
    for index in 0...items.count {
      if let piece = gap(before: index).trivia.first(where: { $0.kind == .lineBreak }) {
        return String(decoding: bytes[piece.extent], as: UTF8.self)
      }
    }
    return nil
  }

  /// What one level adds to the indentation, where an item shows it.
  var indentationUnit: String? {
    let outer = bytes.indentation(at: extent.lowerBound)
    for index in items.indices where gap(before: index).nextBeginsLine {
      let inner = bytes.indentation(at: items[index].lowerBound)
      if inner.hasPrefix(outer), inner != outer { return String(inner.dropFirst(outer.count)) }
    }
    return nil
  }
}

extension [UInt8] {
  /// Where the line of a position begins.
  func lineStart(at position: Int) -> Int {
    self[..<position].lastIndex(where: Trivia.isLineBreak).map { $0 + 1 } ?? 0
  }

  /// The end of the line of a position, before its line break.
  func lineEnd(at position: Int) -> Int {
    self[position...].firstIndex(where: Trivia.isLineBreak) ?? count
  }

  /// The spaces and tabs at the beginning of the line of a position.
  func indentation(at position: Int) -> String {
    let start = lineStart(at: position)
    return String(decoding: self[start..<position].prefix(while: Self.isBlank), as: UTF8.self)
  }

  /// How many characters the line of a position has before it.
  func column(at position: Int) -> Int { Self.width(self[lineStart(at: position)..<position]) }

  /// How many characters the line of a position has from there on.
  func remainder(at position: Int) -> Int { Self.width(self[position..<lineEnd(at: position)]) }

  /// The position before the spaces and tabs that stand before `position`.
  func skippingBlanks(before position: Int) -> Int {
    self[..<position].lastIndex { !Self.isBlank($0) }.map { $0 + 1 } ?? 0
  }

  /// The position behind the spaces and tabs that stand at `position`.
  func skippingBlanks(from position: Int) -> Int {
    self[position...].firstIndex { !Self.isBlank($0) } ?? count
  }

  /// The position behind the line break that stands at `position`.
  func skippingLineBreak(from position: Int) -> Int {
    guard position < count, Trivia.isLineBreak(self[position]) else { return position }
    let isPair =
      self[position] == UInt8(ascii: "\r") && position + 1 < count
      && self[position + 1] == UInt8(ascii: "\n")
    return position + (isPair ? 2 : 1)
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  /// UTF-8 continuation bytes (10xxxxxx) do not start a character.
  private static func width(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.count { $0 & 0xC0 != 0x80 }
  }
}
