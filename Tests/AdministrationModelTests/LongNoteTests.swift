import AdministrationModel
import Testing

@Suite("Notes of any length")
struct LongNoteTests {
  /// What a daemon has after `changes`, which may hold at most 1024 bytes each.
  private static func kept(_ changes: [Change], after old: [NoteResource] = []) -> [NoteResource] {
    var notes = old
    for case .setNote(let note) in changes {
      notes.removeAll { $0.key == note.key }
      guard let value = note.value?.reveal else { continue }
      #expect(value.utf8.count <= 1024)
      notes.append(NoteResource(key: note.key, value: value, isSecret: note.isSecret ?? false))
    }
    return notes
  }

  @Test("A text comes back whole, whatever its length", arguments: [0, 1, 999, 1000, 1001, 4321])
  func roundTrip(_ count: Int) {
    let note = LongNote(
      key: "p/x/1", text: String(repeating: "ä€", count: count / 2), isSecret: true)
    let notes = Self.kept(note.changes(from: nil))
    #expect(LongNote.all(in: notes.reversed(), below: "p/") == [note])
    #expect(LongNote.all(in: notes, below: "q/").isEmpty)
    #expect(note.changes(from: note).isEmpty)
    #expect(Self.kept(note.erasure, after: notes).isEmpty)
  }

  @Test("A shorter text leaves nothing of a longer one")
  func shorter() {
    let long = LongNote(key: "p/x", text: String(repeating: "a", count: 3000))
    let short = LongNote(key: "p/x", text: "b")
    let notes = Self.kept(short.changes(from: long), after: Self.kept(long.changes(from: nil)))
    #expect(notes.map(\.key) == ["p/x/0"] && notes.first?.value == "b")
  }

  @Test("A text of which a part is missing or not told is none")
  func incomplete() {
    let note = LongNote(key: "p/x", text: String(repeating: "a", count: 3000))
    var notes = Self.kept(note.changes(from: nil))
    notes[1].value = nil
    #expect(LongNote.all(in: notes, below: "p/").isEmpty)
    notes.remove(at: 1)
    #expect(LongNote.all(in: notes, below: "p/").isEmpty)
  }
}
