import AdministrationClient
import AdministrationModel
import AdministrationServer
import ServiceFixtures
import Testing

@testable import TargetDaemon

@Suite("Tokens, live", .waiting)
struct LiveTokensTests {
  private static let tokens = ["0123456789abcdef-panel", "0123456789abcdef-backup"]

  private static func start() async throws -> LiveDaemon {
    let scratch = try Scratch()
    try scratch.write(Array(LocalCertificate.certificate.utf8), to: "cert.pem")
    try scratch.write(Array(LocalCertificate.key.utf8), to: "key.pem")
    try scratch.write(Array(tokens.joined(separator: "\n").utf8), to: "tokens")
    return try await LiveDaemon.start(
      in: scratch,
      admin: """
        , "listener": {"address": "127.0.0.1:\(Loopback.freePort())",
          "certificate": "cert.pem", "key": "key.pem", "tokens": "tokens"}
        """)
  }

  /// What a reload is refused for.
  private static func refusal(_ live: LiveDaemon, dryRun: Bool = false) async throws -> String {
    let client = live.client
    let error = await #expect(throws: AdministrationError.self) {
      try await client.reload(ChangeOptions(dryRun: dryRun))
    }
    return try #require(error).message
  }

  @Test("A token that is withdrawn opens nothing, whatever the reload is refused for")
  func withdrawn() async throws {
    let live = try await Self.start()
    let credentials = live.service.administration.credentials
    let said = "other tokens open the API on the network"
    try live.edit { $0.replacing("\"stores\"", with: "\"stars\"") }
    try live.scratch.write(Array(Self.tokens[1].utf8), to: "tokens")
    #expect(!(try await Self.refusal(live, dryRun: true).contains("tokens")))
    #expect(credentials.isOutdated, "a trial changes nothing")
    let message = try await Self.refusal(live)
    #expect(message.contains("stars") && message.contains("are others all the same"))
    #expect(!credentials.isOutdated && live.book.contains(said))
    #expect(!(try await Self.refusal(live).contains("all the same")))
  }

  @Test("Without a file of tokens, or with an empty one, no token is left, and the log says so")
  func none() async throws {
    let live = try await Self.start()
    try live.scratch.write([], to: "tokens")
    #expect(try await Self.refusal(live, dryRun: true).contains("must hold tokens"))
    #expect(!live.book.contains("no token opens the API"))
    #expect(try await Self.refusal(live).contains("must hold tokens"))
    #expect(live.book.contains("no token opens the API on the network from now on"))
    try live.scratch.write(Array(Self.tokens[0].utf8), to: "tokens")
    #expect(try await live.client.reload(ChangeOptions()).differences.isEmpty)
    #expect(live.book.contains("other tokens open the API on the network from now on"))
  }
}

extension RenewableCredentials {
  /// Whether other tokens count than those of the file.
  fileprivate var isOutdated: Bool { (try? read())?.changesTokens ?? true }
}
