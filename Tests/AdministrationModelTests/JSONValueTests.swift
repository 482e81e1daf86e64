import AdministrationModel
import Foundation
import Testing

@Suite("JSON of the API")
struct JSONValueTests {
  @Test("JSON of any kind comes back as it went")
  func json() throws {
    let text = #"{"a":[1,-2,2.5,true,false,null,"x",[],{}],"b":9223372036854775807,"c":{"d":"é"}}"#
    let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    #expect(value["a"]?.elements.count == 9)
    #expect(value["b"] == .integer(.max))
    #expect(value["a"]?.elements[2] == .number(2.5))
    #expect(value["a"]?.elements[5] == .null)
    #expect(value["c"]?["d"]?.text == "é")
    let again = try JSONDecoder().decode(JSONValue.self, from: try JSONEncoder().encode(value))
    #expect(again == value)
  }
}
