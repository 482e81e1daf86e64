/// What is to be inserted into an object or a list.
struct NewItem {
  /// nil for elements of a list.
  var key: String?
  var value: ConfigurationValue
  var writer: ValueWriter

  func text(column: Int, indentation: String) -> String {
    writer.item(key, value, column: column, indentation: indentation)
  }

  /// On a line of its own.
  func text(indentation: String) -> String {
    text(column: indentation.count, indentation: indentation)
  }
}

extension ContainerLayout {
  /// Inserts an item before the one at `index`, or behind all. It copies its neighbour: a line of
  /// its own where the neighbour has one, and a trailing comma where the last item has one.
  func insertion(of item: NewItem, at index: Int, isRoot: Bool) -> [TextSplice] {
    if items.isEmpty { return firstItem(item, isRoot: isRoot) }
    return index < items.count ? [inserted(item, before: index)] : appended(item)
  }

  private func inserted(_ item: NewItem, before index: Int) -> TextSplice {
    let gap = gap(before: index)
    let lead = (gap.own + gap.inline).first?.extent.lowerBound ?? items[index].lowerBound
    if gap.nextBeginsLine {
      let indentation = bytes.indentation(at: items[index].lowerBound)
      let text = indentation + item.text(indentation: indentation) + "," + item.writer.lineBreak
      return TextSplice(at: bytes.lineStart(at: lead), text)
    }
    let text = item.text(
      column: bytes.column(at: lead), indentation: bytes.indentation(at: items[index].lowerBound))
    return TextSplice(at: lead, text + ", ")
  }

  // MARK: Behind the last item

  private func appended(_ item: NewItem) -> [TextSplice] {
    guard let last = items.indices.last else { return [] }
    let before = gap(before: last)
    let after = gap(before: items.count)
    let tail = after.tail.last { $0.kind != .blank }
    let end = tail?.extent.upperBound ?? items[last].upperBound
    // Behind a comment on the same line the item would take the comment over.
    let isBehindComment = after.comma == nil ? tail?.kind == .lineComment : tail?.isComment == true
    if before.nextBeginsLine || isBehindComment {
      let indentation =
        before.nextBeginsLine
        ? bytes.indentation(at: items[last].lowerBound)
        : bytes.indentation(at: extent.lowerBound) + item.writer.unit
      return line(item, indentation, end: end, last: last, comma: after.comma)
    }
    return sameLine(item, end: end, last: last, comma: after.comma)
  }

  private func line(
    _ item: NewItem, _ indentation: String, end: Int, last: Int, comma: Range<Int>?
  ) -> [TextSplice] {
    let text = item.writer.lineBreak + indentation + item.text(indentation: indentation)
    let lineEnd = bytes.skippingBlanks(from: end)
    let end = lineEnd == bytes.lineEnd(at: end) ? lineEnd : end
    if comma != nil { return [TextSplice(at: end, text + ",")] }
    return [TextSplice(at: items[last].upperBound, ","), TextSplice(at: end, text)]
  }

  private func sameLine(
    _ item: NewItem, end: Int, last: Int, comma: Range<Int>?
  ) -> [TextSplice] {
    let width = item.writer.inlineItem(item.key, item.value).unicodeScalars.count
    let column = bytes.column(at: end) + 2
    let isOneLine = bytes.lineStart(at: items[last].lowerBound) == bytes.lineStart(at: end)
    if isOneLine, column + width + bytes.remainder(at: end) > ValueWriter.columnMax {
      let indentation = bytes.indentation(at: extent.lowerBound) + item.writer.unit
      return line(item, indentation, end: end, last: last, comma: comma)
    }
    let indentation = bytes.indentation(at: items[last].lowerBound)
    let text = item.text(column: column, indentation: indentation)
    if let comma { return [TextSplice(at: comma.upperBound, " \(text),")] }
    return [TextSplice(at: end, ", \(text)")]
  }

  // MARK: Into empty brackets

  private func firstItem(_ item: NewItem, isRoot: Bool) -> [TextSplice] {
    let interior = extent.lowerBound + 1..<close
    let trivia = Trivia.scan(bytes, interior)
    let outer = bytes.indentation(at: extent.lowerBound)
    if let lastBreak = trivia.lastIndex(where: { $0.kind == .lineBreak }),
      !trivia[lastBreak...].contains(where: \.isComment)
    {
      let comment = trivia.first {
        $0.isComment && $0.extent.lowerBound > bytes.lineEnd(at: extent.lowerBound)
      }
      let indentation =
        comment.map { bytes.indentation(at: $0.extent.lowerBound) } ?? outer + item.writer.unit
      let text = indentation + item.text(indentation: indentation)
      let comma = item.writer.hasTrailingCommas ? "," : ""
      return [
        TextSplice(at: trivia[lastBreak].extent.upperBound, text + comma + item.writer.lineBreak)
      ]
    }
    if let comment = trivia.last(where: \.isComment) {
      let position = comment.extent.upperBound
      let text = item.text(column: bytes.column(at: position) + 1, indentation: outer)
      return [TextSplice(at: position, " " + text)]
    }
    let start = bytes.column(at: interior.lowerBound)
    let line = item.writer.inlineItem(item.key, item.value)
    let width = line.unicodeScalars.count + bytes.remainder(at: interior.lowerBound)
    let whole: ConfigurationValue =
      item.key.map { .object([.init($0, item.value)]) } ?? .list([item.value])
    if !isRoot, item.writer.isShort(whole), start + width <= ValueWriter.columnMax {
      return [TextSplice(at: interior.lowerBound, (interior.isEmpty ? "" : " ") + line)]
    }
    let text = item.text(indentation: outer + item.writer.unit)
    let lines = item.writer.bracketed("", [text], "", indentation: outer)
    return [TextSplice(interior, lines)]
  }
}
