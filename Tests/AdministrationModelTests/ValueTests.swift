import AdministrationModel
import Foundation
import Testing

@Suite("Values of the API")
struct ValueTests {
  @Test("Secrets show themselves in no description")
  func secrets() {
    let credential = CredentialSpecification(user: "u", secret: SecretText("opensesame"))
    let change = Change.addCHAPUser(Change.UserAddition(credential, at: .discovery))
    let keys = Change.setTarget(
      Change.TargetKeys("t", ["chap": [["user": "u", "secret": "opensesame"]]]))
    let apply = ConfigurationSpecification(text: "opensesame")
    for value: any Sendable in [credential, change, keys, apply] {
      var dumped = ""
      dump(value, to: &dumped)
      #expect(!"\(value)\(String(reflecting: value))\(dumped)".contains("opensesame"))
    }
    #expect(credential.secret?.reveal == "opensesame")
  }

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

  @Test("Errors are one object with code, message, path and remedy")
  func error() throws {
    let error = AdministrationError(
      .inUse, "LUN 1 is in use", path: "targets[t].luns[1]", remedy: "--force", users: ["iqn.x"])
    let members = try JSONDecoder().decode(
      JSONValue.self, from: try JSONEncoder().encode(ErrorDocument(error)))
    #expect(
      members == [
        "error": [
          "code": "inUse", "message": "LUN 1 is in use", "path": "targets[t].luns[1]",
          "remedy": "--force", "users": ["iqn.x"],
        ]
      ])
    #expect(error.description == "targets[t].luns[1]: LUN 1 is in use (--force)")
  }

  @Test("Every error code has a status of HTTP that is an error")
  func statuses() {
    for code in AdministrationError.Code.allCases { #expect((400..<600).contains(code.status)) }
    #expect(AdministrationError.Code.inUse.status == 409)
    #expect(AdministrationError.Code.storeFailed.status == 422)
  }

  @Test("Percentiles lie within the bucket that holds them")
  func percentiles() {
    var histogram = LatencyHistogram(boundsMicroseconds: [100, 200, 400], counts: [50, 40, 8, 2])
    #expect(histogram.count == 100)
    #expect(histogram.percentileMicroseconds(0.5) == 100)
    #expect(histogram.percentileMicroseconds(0.7) == 150)
    #expect(histogram.percentileMicroseconds(0.98) == 400)
    #expect(histogram.percentileMicroseconds(0.99) == 400)
    #expect(histogram.percentileMicroseconds(7) == 400)
    histogram.counts = [0, 0, 0, 0]
    #expect(histogram.percentileMicroseconds(0.5) == nil)
    #expect(LatencyHistogram(boundsMicroseconds: [], counts: []).percentileMicroseconds(0.5) == nil)
  }

  @Test("A histogram since an earlier one has what came between")
  func since() {
    let earlier = LatencyHistogram(boundsMicroseconds: [10], counts: [1, 2], sumMicroseconds: 30)
    let later = LatencyHistogram(boundsMicroseconds: [10], counts: [4, 2], sumMicroseconds: 50)
    #expect(later.since(earlier).counts == [3, 0])
    #expect(later.since(earlier).sumMicroseconds == 20)
    let other = LatencyHistogram(boundsMicroseconds: [20], counts: [1, 1])
    #expect(later.since(other) == later)
  }
}
