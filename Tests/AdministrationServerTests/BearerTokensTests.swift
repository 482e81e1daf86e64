import AdministrationModel
import Foundation
import HTTPTypes
import Testing

@testable import AdministrationServer

@Suite("Bearer tokens")
struct BearerTokensTests {
  @Test("Bearer tokens open, one of several, and nothing near them does")
  func tokens() throws {
    let tokens = try #require(
      BearerTokens(text: "# for the panel\nfirst-token\r\n\n  second-token  \n"))
    #expect(tokens.count == 2)
    for right in ["first-token", "second-token"] { #expect(tokens.right(of: right.utf8) == .all) }
    for wrong in [
      "", "first-toke", "first-tokens", "First-token", "# for the panel", "first-token\0",
    ] {
      #expect(tokens.right(of: wrong.utf8) == nil)
    }
    #expect(BearerTokens(text: "")?.right(of: "".utf8) == nil)
  }

  @Test("A bearer token comes in the field of HTTP that is for it")
  func bearer() throws {
    let authorization = try Self.authorization("all-of-it-0123456789\nmetrics only-numbers-0123")
    let service = RequestService(
      administrator: FakeAdministrator(), hub: EventHub(), limits: APILimits())
    func code(
      _ value: String?, _ method: HTTPRequest.Method = .get, _ path: String = "/v1/status"
    ) -> AdministrationError.Code? {
      var head = HTTPRequest(method: method, scheme: nil, authority: nil, path: path)
      head.headerFields[.authorization] = value
      let right = service.right(for: head)
      return authorization.problem(with: head, needing: right)?.code
    }
    let all = "all-of-it-0123456789"
    #expect(code("Bearer \(all)") == nil)
    #expect(code("bearer \(all)") == nil)
    for wrong in [nil, "", "Bearer", "Bearer x", "Basic \(all)", "Bearer \(all) \(all)"] {
      #expect(code(wrong) == .unauthorized)
    }
    let numbers = "Bearer only-numbers-0123"
    #expect(code(numbers, .get, "/v1/metrics") == nil)
    #expect(code(numbers, .get, "/v1/metrics?x") == nil)
    #expect(code("Bearer metrics", .get, "/v1/metrics") == .unauthorized)
    for path in ["/v1/status", "/v1/metrics/", "/v1/config?secrets=1", "/v1//metrics"] {
      #expect(code(numbers, .get, path) == .forbidden)
    }
    #expect(code(numbers, .post, "/v1/metrics") == .forbidden)
  }

  /// Of a listener with these tokens.
  private static func authorization(_ tokens: String) throws -> Authorization {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    return .bearer(
      NetworkAccess(
        try NetworkListener(try NetworkTests.files(token: tokens, in: directory))))
  }

  @Test("Of a token that is there twice the greater right counts; other words are no rights")
  func rights() throws {
    let tokens = try #require(BearerTokens(text: "metrics twice\ntwice\nmetrics numbers"))
    #expect(tokens.right(of: "twice".utf8) == .all)
    #expect(tokens.right(of: "numbers".utf8) == .metrics)
    for text in ["read token", "metrics two tokens", "a b c"] {
      #expect(BearerTokens(text: text) == nil)
    }
  }

  @Test("What remains of tokens is what their file still names, with no more right than before")
  func remains() throws {
    let tokens = try #require(BearerTokens(text: "one\ntwo\nmetrics three\nmetrics four"))
    let left = tokens.remaining(in: "metrics two\n# one\nthree\nread four\nmetrics\nnew")
    #expect(left.count == 2)
    #expect(left.right(of: "two".utf8) == .metrics)
    #expect(left.right(of: "three".utf8) == .metrics)
    for gone in ["one", "four", "new", "metrics", ""] {
      #expect(left.right(of: gone.utf8) == nil)
    }
    #expect(tokens.remaining(in: "").count == 0)
  }
}
