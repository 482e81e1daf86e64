import AdministrationModel
import ConfigurationChanges
import ServiceFixtures
import Testing

@testable import TargetDaemon

@Suite("Notes")
struct NotebookTests {
  private static func written(_ notes: NoteSpecification...) throws -> Notebook {
    var book = Notebook()
    for note in notes { try book.set(note) }
    return book
  }

  @Test("Notes come in the order of their keys' coming, and a new value keeps its place")
  func order() throws {
    let book = try Self.written(
      NoteSpecification(key: "b", value: "1"), NoteSpecification(key: "a", value: "2"),
      NoteSpecification(key: "b", value: "3"))
    #expect(
      book.resources(withSecrets: false)
        == [NoteResource(key: "b", value: "3"), NoteResource(key: "a", value: "2")])
  }

  @Test("A secret note shows its value only to who asks for secrets")
  func secrets() throws {
    let book = try Self.written(NoteSpecification(key: "k", value: "hush", isSecret: true))
    #expect(
      book.resources(withSecrets: false) == [NoteResource(key: "k", value: nil, isSecret: true)])
    #expect(book.resources(withSecrets: true).first?.value == "hush")
    #expect(!"\(book)".contains("hush"))
  }

  @Test("A note that must be new is a conflict where there is one, and changes nothing")
  func conflict() throws {
    var book = try Self.written(NoteSpecification(key: "k", value: "mine"))
    let error = #expect(throws: AdministrationError.self) {
      try book.set(NoteSpecification(key: "k", value: "yours", mustBeNew: true))
    }
    #expect(error?.code == .conflict)
    #expect(book.resources(withSecrets: false).first?.value == "mine")
    try book.set(NoteSpecification(key: "k", value: nil))
    try book.set(NoteSpecification(key: "k", value: "yours", mustBeNew: true))
    #expect(book.resources(withSecrets: false).first?.value == "yours")
  }

  @Test("Keys and values are bounded")
  func bounds() throws {
    var book = Notebook()
    let long = String(repeating: "x", count: Notebook.valueBytesMax)
    try book.set(NoteSpecification(key: "k", value: long))
    #expect(throws: AdministrationError.self) {
      try book.set(NoteSpecification(key: "k", value: long + "x"))
    }
    #expect(throws: AdministrationError.self) {
      try book.set(NoteSpecification(key: "", value: "x"))
    }
    #expect(throws: AdministrationError.self) {
      try book.set(NoteSpecification(key: long, value: "x"))
    }
    #expect(book.count == 1)
  }

  @Test("What is noted of a target goes with it, and nothing else does")
  func targets() throws {
    var book = Notebook()
    let others = ["targetcli/discovery/auth/0", "tgt/tid/1", "target", "x/target", "x/target/one"]
    for key in others + ["x/target/one/a/0", "x/target/two/a", "x/target/one2/a"] {
      try book.set(NoteSpecification(key: key, value: "1"))
    }
    book.keep(targets: ["two"])
    #expect(book.resources(withSecrets: false).map(\.key) == others + ["x/target/two/a"])
  }

  @Test("Of several changes the note that fails is named, and none is written")
  func severalChanges() throws {
    let book = try Self.written(NoteSpecification(key: "k", value: "mine"))
    let error = #expect(throws: AdministrationError.self) {
      _ = try book.making([
        .setNote(NoteSpecification(key: "a", value: "1")),
        .removeStore(Change.StoreName("s")),
        .setNote(NoteSpecification(key: "k", value: "2", mustBeNew: true)),
      ])
    }
    #expect(error?.path == "changes[2].setNote.key" && error?.change == 2)
    let made = try book.making([
      .setNote(NoteSpecification(key: "a", value: "1")),
      .setNote(NoteSpecification(key: "k", value: nil)),
    ])
    #expect(made.resources(withSecrets: false) == [NoteResource(key: "a", value: "1")])
  }
}
