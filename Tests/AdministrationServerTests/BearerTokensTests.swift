import AdministrationModel
import HTTPTypes
import Testing

@testable import AdministrationServer

@Suite("Bearer tokens")
struct BearerTokensTests {
  @Test("Bearer tokens open, one of several, and nothing near them does")
  func tokens() {
    let tokens = BearerTokens(text: "# for the panel\nfirst-token\r\n\n  second-token  \n")
    #expect(tokens.count == 2)
    for right in ["first-token", "second-token"] { #expect(tokens.contains(right.utf8)) }
    for wrong in [
      "", "first-toke", "first-tokens", "First-token", "# for the panel", "first-token\0",
    ] {
      #expect(!tokens.contains(wrong.utf8))
    }
    #expect(!BearerTokens(text: "").contains("".utf8))
  }

  @Test("A bearer token comes in the field of HTTP that is for it")
  func bearer() {
    let authorization = Authorization.bearer(BearerTokens(text: "secret"))
    func code(_ value: String?) -> AdministrationError.Code? {
      var head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/")
      head.headerFields[.authorization] = value
      return authorization.problem(with: head)?.code
    }
    #expect(code("Bearer secret") == nil)
    #expect(code("bearer secret") == nil)
    for wrong in [nil, "", "Bearer", "Bearer x", "Basic secret", "Bearer secret secret"] {
      #expect(code(wrong) == .unauthorized)
    }
  }
}
