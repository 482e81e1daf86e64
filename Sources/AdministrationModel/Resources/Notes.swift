/// A short text that a program keeps with the daemon for as long as that runs: what its users know
/// and the configuration has no word for. The daemon only keeps it.
public struct NoteResource: Codable, Sendable, Equatable {
  /// Begins with the name of the program: `tgt/tid/1`.
  public var key: String
  /// nil where it is secret, and secrets were not asked for.
  public var value: String?
  public var isSecret: Bool

  public init(key: String, value: String?, isSecret: Bool = false) {
    self.key = key
    self.value = value
    self.isSecret = isSecret
  }
}

/// A note to write or to erase.
public struct NoteSpecification: Codable, Sendable, Equatable {
  public var key: String
  /// nil erases the note, whether it is there or not.
  public var value: SecretText?
  public var isSecret: Bool?
  /// A note of that key is a conflict: who writes first has it.
  public var mustBeNew: Bool?

  public init(key: String, value: String?, isSecret: Bool? = nil, mustBeNew: Bool? = nil) {
    self.key = key
    self.value = value.map { SecretText($0) }
    self.isSecret = isSecret
    self.mustBeNew = mustBeNew
  }
}

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
}
