/// A text of any length in notes of a bounded one: `KEY/0`, `KEY/1`, and so on.
public struct LongNote: Sendable, Equatable {
  public var key: String
  public var text: String
  public var isSecret: Bool

  public init(key: String, text: String, isSecret: Bool = false) {
    self.key = key
    self.text = text
    self.isSecret = isSecret
  }

  /// A note holds at most 1024 bytes.
  static let partBytesMax = 1000

  /// Those whose keys begin with `prefix`, in the order in which they came. What was not made here,
  /// and secrets that were not asked for, are left out.
  public static func all(in notes: [NoteResource], below prefix: String) -> [LongNote] {
    var keys: [String] = []
    var parts: [String: [Int: NoteResource]] = [:]
    for note in notes where note.key.hasPrefix(prefix) {
      guard let slash = note.key.lastIndex(of: "/"),
        let number = Int(note.key[note.key.index(after: slash)...])
      else { continue }
      let key = String(note.key[..<slash])
      if parts[key] == nil { keys.append(key) }
      parts[key, default: [:]][number] = note
    }
    return keys.compactMap { key in
      let parts = parts[key] ?? [:]
      var text = ""
      for number in 0..<parts.count {
        guard let part = parts[number]?.value else { return nil }
        text += part
      }
      return LongNote(key: key, text: text, isSecret: parts[0]?.isSecret ?? false)
    }
  }

  /// Nothing where `old` says the same.
  public func changes(from old: LongNote?) -> [Change] {
    guard old != self else { return [] }
    let parts = parts
    let surplus = old.map { $0.parts.indices.dropFirst(parts.count) } ?? 0..<0
    return parts.enumerated().map { number, part in
      .setNote(NoteSpecification(key: "\(key)/\(number)", value: part, isSecret: isSecret))
    } + surplus.map { erasure(of: $0) }
  }

  public var erasure: [Change] { parts.indices.map { erasure(of: $0) } }

  private func erasure(of number: Int) -> Change {
    .setNote(NoteSpecification(key: "\(key)/\(number)", value: nil))
  }

  /// Never empty, and no character is in two of them.
  private var parts: [String] {
    var parts = [""]
    var count = 0
    for scalar in text.unicodeScalars {
      let width = UTF8.width(scalar)
      if count + width > Self.partBytesMax {
        parts.append("")
        count = 0
      }
      parts[parts.endIndex - 1].unicodeScalars.append(scalar)
      count += width
    }
    return parts
  }
}
