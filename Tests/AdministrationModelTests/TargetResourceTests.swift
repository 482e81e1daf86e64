import AdministrationModel
import Testing

@Suite("Entries of a target")
struct TargetResourceTests {
  @Test("An entry is found by its name in any case, and by its addresses where several have it")
  func entry() throws {
    var target = TargetResource(name: "iqn.2026-11.com.example:one")
    let node = "iqn.2026-11.com.example:node1"
    target.acl = [
      AccessEntryResource(initiator: "any", addresses: ["10.0.0.0/8"]),
      AccessEntryResource(initiator: node),
      AccessEntryResource(initiator: "any", addresses: ["10.0.0.1", "10.0.0.2"]),
    ]
    #expect(try target.entry(EntryKey(initiator: node.uppercased())) == target.acl[1])
    let key = EntryKey(initiator: "any", addresses: ["10.0.0.2", "10.0.0.1"])
    #expect(try target.entry(key) == target.acl[2])
    let ambiguous = #expect(throws: AdministrationError.self) {
      try target.entry(EntryKey(initiator: "any"))
    }
    #expect(ambiguous?.code == .conflict && ambiguous?.message.hasPrefix("2 entries of") == true)
    let missing = #expect(throws: AdministrationError.self) {
      try target.entry(EntryKey(initiator: "iqn.2026-11.com.example:node2"))
    }
    #expect(missing?.code == .notFound)
  }
}
