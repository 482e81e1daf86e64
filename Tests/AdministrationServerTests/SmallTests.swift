import AdministrationModel
import HTTPTypes
import Testing

@testable import AdministrationServer

@Suite("Small parts of the server")
struct SmallTests {
  @Test("Dates are those of HTTP")
  func date() {
    #expect(
      HTTPDate.string(Timestamp(secondsSinceEpoch: 784_111_777)) == "Sun, 06 Nov 1994 08:49:37 GMT")
  }

  @Test(
    "Percent-encoding is undone, or refused",
    arguments: [
      ("a%2Fb", "a/b"), ("%5b::%5D", "[::]"), ("%c3%a9+", "é+"), ("", ""), ("%", nil), ("%4", nil),
      ("%zz", nil), ("%ff", nil), ("a%00", nil), ("%+1", nil),
    ] as [(String, String?)])
  func percent(text: String, decoded: String?) {
    #expect(PercentEncoding.decode(text) == decoded)
  }

  @Test("Names in messages cannot move the cursor, and have an end")
  func shown() {
    #expect("a\u{1B}[2Jb\u{202E}".shown == "\"a?[2Jb?\"")
    #expect(String(repeating: "x", count: 10_000).shown.count == 243)
  }

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
