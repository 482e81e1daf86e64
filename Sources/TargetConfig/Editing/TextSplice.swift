/// One place of a text that changes: those bytes give way to others.
struct TextSplice: Equatable {
  var range: Range<Int>
  var text: String

  init(_ range: Range<Int>, _ text: String = "") {
    self.range = range
    self.text = text
  }

  init(at position: Int, _ text: String) { self.init(position..<position, text) }

  /// Changes several places at once. Those at one position come in the order given; what two of
  /// them take away goes once.
  static func apply(_ splices: [TextSplice], to bytes: [UInt8]) -> [UInt8] {
    let ordered = splices.enumerated().sorted {
      ($0.element.range.lowerBound, $0.offset) < ($1.element.range.lowerBound, $1.offset)
    }
    var out: [UInt8] = []
    out.reserveCapacity(splices.reduce(bytes.count) { $0 + $1.text.utf8.count })
    var position = 0
    for (_, splice) in ordered {
      out += bytes[position..<max(position, splice.range.lowerBound)]
      out += splice.text.utf8
      position = max(position, splice.range.upperBound)
    }
    out += bytes[position...]
    return out
  }
}

// MARK: Removal

extension ContainerLayout {
  /// Removes an item with its comma, the comment lines directly above it and the comments behind it
  /// on its line. A comment above a line that it shares with the next item stays: it may mean both.
  func removal(at index: Int) -> [TextSplice] {
    let before = gap(before: index)
    let after = gap(before: index + 1)
    let sharesLine = index + 1 < items.count && !after.hasLineBreak
    let leading = (sharesLine ? [] : before.own) + before.inline
    let start = leading.first?.extent.lowerBound ?? items[index].lowerBound
    var ranges = [start..<items[index].upperBound]
    ranges += after.trailing.map(\.extent)
    var splices: [TextSplice] = []
    if let comma = after.comma {
      ranges.append(comma)
    } else if let comma = before.comma, index > 0 {
      // The item before becomes the last, and the list has no trailing comma.
      if bytes.skippingBlanks(from: comma.upperBound) >= start {
        ranges.append(comma)
      } else {
        splices.append(TextSplice(lone(comma)))
      }
    }
    splices += joined(ranges).map { range in
      let last = before.trivia.last { piece in
        piece.extent.upperBound <= range.lowerBound && piece.kind != .blank
          && piece.kind != .lineBreak
      }
      let mayJoinLines = range.contains(start) && last?.kind != .lineComment
      return TextSplice(cleaned(range, mayJoinLines: mayJoinLines))
    }
    return splices
  }

  /// Ranges that only spaces part become one.
  private func joined(_ ranges: [Range<Int>]) -> [Range<Int>] {
    let ordered = ranges.sorted { $0.lowerBound < $1.lowerBound }
    return ordered.reduce(into: []) { result, range in
      if let last = result.last, bytes.skippingBlanks(from: last.upperBound) >= range.lowerBound {
        result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
  }

  private func isLineStart(_ position: Int) -> Bool {
    position == 0 || Trivia.isLineBreak(bytes[position - 1])
  }

  private func isLineEnd(_ position: Int) -> Bool {
    position == bytes.count || Trivia.isLineBreak(bytes[position])
  }

  /// A comma that goes alone; with its line when it has one to itself.
  private func lone(_ comma: Range<Int>) -> Range<Int> {
    let left = bytes.skippingBlanks(before: comma.lowerBound)
    let right = bytes.skippingBlanks(from: comma.upperBound)
    guard isLineStart(left), isLineEnd(right) else { return comma }
    return left..<bytes.skippingLineBreak(from: right)
  }

  /// A range with the blanks around it that nothing needs once it is gone: its line when it was
  /// alone there, else the space on one side of it.
  private func cleaned(_ range: Range<Int>, mayJoinLines: Bool) -> Range<Int> {
    let left = bytes.skippingBlanks(before: range.lowerBound)
    let right = bytes.skippingBlanks(from: range.upperBound)
    if isLineEnd(right) {
      return isLineStart(left)
        ? left..<bytes.skippingLineBreak(from: right) : left..<range.upperBound
    }
    guard right == close else { return range.lowerBound..<right }
    guard isLineStart(left) else { return left..<range.upperBound }
    guard mayJoinLines, left > 0 else { return range.lowerBound..<right }
    // The bracket closed the line of the last item; so it does for the one before.
    let isPair =
      left > 1 && bytes[left - 1] == UInt8(ascii: "\n") && bytes[left - 2] == UInt8(ascii: "\r")
    return bytes.skippingBlanks(before: left - (isPair ? 2 : 1))..<range.upperBound
  }
}
