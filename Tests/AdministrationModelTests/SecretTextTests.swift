import AdministrationModel
import Testing

@Suite("Secrets of the API")
struct SecretTextTests {
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
}
