/// A piece of what stands between values: nothing in it changes what the file says.
struct Trivia: Equatable {
  enum Kind { case blank, lineBreak, lineComment, blockComment, comma }

  var kind: Kind
  /// A line comment ends before its line break.
  var extent: Range<Int>

  var isComment: Bool { kind == .lineComment || kind == .blockComment }

  /// Takes apart the bytes between two values that the reader has accepted.
  static func scan(_ bytes: [UInt8], _ range: Range<Int>) -> [Trivia] {
    var trivia: [Trivia] = []
    var position = range.lowerBound
    while position < range.upperBound {
      let (kind, count) = first(bytes[position..<range.upperBound])
      trivia.append(Trivia(kind: kind, extent: position..<position + count))
      position += count
    }
    return trivia
  }

  /// The kind and the length of the first piece, at least one byte.
  private static func first(_ bytes: ArraySlice<UInt8>) -> (Kind, Int) {
    let next = bytes.dropFirst().first
    switch bytes.first {
    case UInt8(ascii: ","): return (.comma, 1)
    case UInt8(ascii: "\n"): return (.lineBreak, 1)
    case UInt8(ascii: "\r"): return (.lineBreak, next == UInt8(ascii: "\n") ? 2 : 1)
    case UInt8(ascii: "/") where next == UInt8(ascii: "/"):
      return (.lineComment, bytes.prefix { !isLineBreak($0) }.count)
    case UInt8(ascii: "/"):
      var end = bytes.startIndex + 2
      while end + 1 < bytes.endIndex,
        bytes[end] != UInt8(ascii: "*") || bytes[end + 1] != UInt8(ascii: "/")
      {
        end += 1
      }
      return (.blockComment, min(end + 2, bytes.endIndex) - bytes.startIndex)
    default:
      let count = bytes.prefix { byte in
        !isLineBreak(byte) && byte != UInt8(ascii: ",") && byte != UInt8(ascii: "/")
      }.count
      return (.blank, max(count, 1))
    }
  }

  static func isLineBreak(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
  }
}

/// What stands before, between and behind the items of an object or list, and whose it is:
///
///     a, // trailing: of the item before
///
///     // kept: a blank line parts it from both
///
///     // own: of the item behind
///     /* inline: of the item behind */ b
struct Gap {
  var extent: Range<Int>
  var trivia: [Trivia]
  var comma: Range<Int>?
  /// Comments on the line on which the item before ends.
  var trailing: [Trivia] = []
  /// Comments on lines of their own, directly above the item behind.
  var own: [Trivia] = []
  /// Comments on the line of the item behind, before it.
  var inline: [Trivia] = []
  /// Whether the item behind is the first of its line.
  var nextBeginsLine = false

  var hasLineBreak: Bool { trivia.contains { $0.kind == .lineBreak } }

  /// What follows the comma, or where there is none the item before, on its line.
  var tail: ArraySlice<Trivia> {
    let start = trivia.firstIndex { $0.kind == .comma } ?? trivia.startIndex
    return trivia[start...].prefix { $0.kind != .lineBreak }
  }

  init(_ bytes: [UInt8], _ extent: Range<Int>, hasPrevious: Bool, hasNext: Bool) {
    self.extent = extent
    trivia = Trivia.scan(bytes, extent)
    comma = trivia.first { $0.kind == .comma }?.extent
    if hasPrevious { findTrailing(hasNext: hasNext) }
    if hasNext { findLeading(hasPrevious: hasPrevious) }
  }

  private mutating func findTrailing(hasNext: Bool) {
    var afterComma: [Trivia] = []
    var sawComma = false
    for piece in trivia {
      switch piece.kind {
      case .blank: continue
      case .comma: sawComma = true
      case .lineComment, .blockComment:
        if sawComma { afterComma.append(piece) } else { trailing.append(piece) }
      case .lineBreak:
        trailing += afterComma
        return
      }
    }
    // Without a line break these stand before the next item, on its line.
    if !hasNext { trailing += afterComma }
  }

  private mutating func findLeading(hasPrevious: Bool) {
    var rest = trivia[...]
    if hasPrevious, let comma = rest.firstIndex(where: { $0.kind == .comma }) {
      rest = rest[(comma + 1)...]
    }
    var lines = rest.split(omittingEmptySubsequences: false) { $0.kind == .lineBreak }
    inline = (lines.popLast() ?? []).filter(\.isComment)
    nextBeginsLine = !lines.isEmpty
    // The first line is that of the item or bracket before.
    for line in lines.dropFirst().reversed() {
      let comments = line.filter(\.isComment)
      if comments.isEmpty { break }
      own = comments + own
    }
  }
}
