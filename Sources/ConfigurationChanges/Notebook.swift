public import AdministrationModel

/// All notes, in the order in which their keys came. They live in the memory of the daemon and are
/// bounded, so that no program fills it.
public struct Notebook: Sendable {
  private struct Note: Sendable {
    var value: SecretText
    var isSecret: Bool
    var place: UInt64
  }

  public static let keyBytesMax = 512
  public static let valueBytesMax = 1024
  public static let countMax = 1 << 16

  private var notes: [String: Note] = [:]
  private var placeNext: UInt64 = 0

  public init() {}

  /// Of notes that somebody was told, with their secrets: one without is left out.
  public init(_ resources: [NoteResource]) throws(AdministrationError) {
    for note in resources where note.value != nil {
      try set(NoteSpecification(key: note.key, value: note.value, isSecret: note.isSecret))
    }
  }

  public var count: Int { notes.count }

  public func resources(withSecrets: Bool) -> [NoteResource] {
    notes.sorted { $0.value.place < $1.value.place }.map { key, note in
      NoteResource(
        key: key, value: note.isSecret && !withSecrets ? nil : note.value.reveal,
        isSecret: note.isSecret)
    }
  }

  public mutating func set(_ note: NoteSpecification) throws(AdministrationError) {
    guard (1...Self.keyBytesMax).contains(note.key.utf8.count) else {
      throw AdministrationError(
        .invalid, "the key of a note has 1 to \(Self.keyBytesMax) bytes", path: "key")
    }
    guard let value = note.value else {
      notes[note.key] = nil
      return
    }
    guard value.reveal.utf8.count <= Self.valueBytesMax else {
      throw AdministrationError(
        .tooLarge, "a note has at most \(Self.valueBytesMax) bytes", path: "value")
    }
    let former = notes[note.key]
    guard former == nil || note.mustBeNew != true else {
      throw AdministrationError(.conflict, "there is a note \(note.key)", path: "key")
    }
    guard former != nil || notes.count < Self.countMax else {
      throw AdministrationError(
        .unavailable, "there are \(Self.countMax) notes, and no more are kept")
    }
    notes[note.key] = Note(
      value: value, isSecret: note.isSecret ?? false, place: former?.place ?? placeNext)
    if former == nil { placeNext += 1 }
  }

  /// Takes out what goes with targets other than these: one that comes later under the name of one
  /// that is gone is another.
  public mutating func keep(targets names: Set<String>) {
    notes = notes.filter { entry in
      guard let target = Self.target(ofKey: entry.key) else { return true }
      return names.contains(target)
    }
  }

  /// `PROGRAM/target/NAME/...`
  private static func target(ofKey key: String) -> String? {
    let parts = key.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    return parts.count > 3 && parts[1] == "target" ? String(parts[2]) : nil
  }

  /// With the notes among `changes`, whose paths errors begin with.
  public func making(_ changes: [Change]) throws(AdministrationError) -> Notebook {
    var book = self
    for (index, change) in changes.enumerated() {
      guard case .setNote(let note) = change else { continue }
      do throws(AdministrationError) { try book.set(note) } catch {
        var error = error
        error.path = error.path.map { "changes[\(index)].setNote.\($0)" }
        if changes.count > 1 { error.change = index }
        throw error
      }
    }
    return book
  }
}
