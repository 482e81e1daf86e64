import AdministrationModel
import Foundation
import Testing

@Suite("Changes on the wire")
struct ChangeCodingTests {
  static let entry = EntryKey(
    initiator: "iqn.2026-11.com.example:node1", addresses: ["192.0.2.0/24"])
  static let all: [Change] = [
    .addStore(StoreSpecification(name: "a", kind: .file, path: "/srv/a.img", sizeBytes: 1 << 40)),
    .removeStore(Change.StoreName("a")), .resizeStore(Change.StoreSize("a", sizeBytes: 4096)),
    .setStore(Change.StoreKeys("a", ["cache": "none", "naa": .null, "readOnly": true])),
    .addTarget(TargetSpecification(name: "iqn.2026-11.com.example:disk1")),
    .removeTarget(Change.TargetName("t")), .setTarget(Change.TargetKeys("t", ["alias": "x"])),
    .addLUN(Change.LUNAddition(target: "t", LUNSpecification(store: "a"))),
    .removeLUN(Change.LUNName(target: "t", entry: entry, lun: 16383)),
    .addACLEntry(Change.EntryAddition(target: "t", AccessEntrySpecification(initiator: "any"))),
    .removeACLEntry(Change.EntryName(target: "t", entry)),
    .setACLEntry(Change.EntryKeys(target: "t", entry, ["luns": [["lun": 1, "store": "a"]]])),
    .addCHAPUser(
      Change.UserAddition(
        CredentialSpecification(user: "u", secret: SecretText("123456789adm")), at: .discovery)),
    .removeCHAPUser(
      Change.UserName("u", at: CredentialPlace(target: "t"), allowingOpenAccess: true)),
    .setMutualCHAP(
      Change.UserAddition(
        CredentialSpecification(user: "u", secretFile: "/etc/secret"),
        at: CredentialPlace(target: "t", entry: entry))),
    .clearMutualCHAP(.discovery), .addPortal(PortalSpecification(address: "[::]:3260", group: 2)),
    .removePortal(Change.PortalName("192.0.2.7:3260")),
    .setNote(NoteSpecification(key: "tgt/tid/1", value: "iqn.a", mustBeNew: true)),
  ]

  @Test("Come back as they went")
  func roundTrip() throws {
    let data = try JSONEncoder().encode(ChangeList(Self.all))
    #expect(try JSONDecoder().decode(ChangeList.self, from: data).changes == Self.all)
  }

  @Test("Have each name once, and the payload that the name says")
  func names() throws {
    var names: [String] = []
    for change in Self.all {
      let members = try JSONDecoder().decode(
        [String: JSONValue].self, from: try JSONEncoder().encode(change))
      names += members.keys
      let name = try #require(Change.Name(rawValue: members.keys.first ?? ""))
      let payload = try JSONEncoder().encode(members[name.rawValue])
      #expect(throws: Never.self) { try JSONDecoder().decode(name.payload, from: payload) }
    }
    #expect(Set(names) == Set(Change.Name.allCases.map(\.rawValue)))
    #expect(names.count == Change.Name.allCases.count)
  }

  @Test("Look like this")
  func golden() throws {
    let text = #"{"changes":[{"addLUN":{"target":"t","lun":{"store":"a"}}}]}"#
    let list = try JSONDecoder().decode(ChangeList.self, from: Data(text.utf8))
    #expect(
      list.changes == [.addLUN(Change.LUNAddition(target: "t", LUNSpecification(store: "a")))])
  }

  @Test(
    "That are two at once or none are refused",
    arguments: [
      #"{"changes":[{}]}"#, #"{"changes":[{"explode":{}}]}"#,
      #"{"changes":[{"removeStore":{"name":"a"},"removeTarget":{"name":"t"}}]}"#,
    ])
  func refused(text: String) {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(ChangeList.self, from: Data(text.utf8))
    }
  }
}
