import Foundation
import Testing

@testable import AdministrationServer

@Suite("Tokens that are withdrawn")
struct WithdrawalTests {
  private static let other = "another-token-0123456789"

  /// A server with two tokens, and what it answers to each.
  private static func run(
    _ body: (Bench, AdministrationServer.NetworkEndpoint, (String) async throws -> Int) async throws
      -> Void
  ) async throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let endpoint = try NetworkTests.files(token: "\(NetworkTests.token)\n\(other)", in: directory)
    try await Bench.run {
      $0.network = endpoint
    } _: { bench in
      let port = try #require(bench.server.networkPort)
      try await body(bench, endpoint) { token in
        try RawConnection.parse(
          try await NetworkTests.ask(port, "Authorization: Bearer \(token)\r\n")
        ).status
      }
    }
  }

  @Test("They open nothing although another line, or the certificate, is no good")
  func bad() async throws {
    try await Self.run { bench, endpoint, status in
      try Data("read nonsense\n\(Self.other)\nnew-token-0123456789\n".utf8).write(
        to: URL(fileURLWithPath: endpoint.tokenFile))
      try Data().write(to: URL(fileURLWithPath: endpoint.certificateFile))
      #expect(throws: AdministrationServerError.self) { try bench.server.readRenewal() }
      let withdrawal = try #require(bench.server.readWithdrawal())
      #expect(withdrawal.changesTokens && withdrawal.hasTokens)
      #expect(try await status(NetworkTests.token) == 200, "until that is adopted")
      bench.server.adopt(withdrawal)
      #expect(try await status(NetworkTests.token) == 401)
      #expect(try await status(Self.other) == 200)
      #expect(try await status("new-token-0123456789") == 401)
      #expect(bench.server.readWithdrawal()?.changesTokens == false)
    }
  }

  @Test("An empty file of tokens, and none, lets nobody in", arguments: [true, false])
  func none(isThere: Bool) async throws {
    try await Self.run { bench, endpoint, status in
      if isThere {
        try Data().write(to: URL(fileURLWithPath: endpoint.tokenFile))
      } else {
        try FileManager.default.removeItem(atPath: endpoint.tokenFile)
      }
      let withdrawal = try #require(bench.server.readWithdrawal())
      #expect(!withdrawal.hasTokens)
      bench.server.adopt(withdrawal)
      for token in [NetworkTests.token, Self.other, ""] {
        #expect(try await status(token) == 401)
      }
    }
  }
}
