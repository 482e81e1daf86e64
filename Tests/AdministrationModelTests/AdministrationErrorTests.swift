import AdministrationModel
import Foundation
import Testing

@Suite("Errors of the API")
struct AdministrationErrorTests {
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
}
