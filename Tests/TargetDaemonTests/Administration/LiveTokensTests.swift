import AdministrationClient
import AdministrationModel
import AdministrationServer
import Glibc
import Reactor
import ServiceFixtures
import Synchronization
import Testing

@testable import TargetDaemon

@Suite("Tokens, live", .waiting)
struct LiveTokensTests {
  private static let tokens = ["0123456789abcdef-panel", "0123456789abcdef-backup"]

  private static func start(media: MediaThreads = MediaThreads()) async throws -> LiveDaemon {
    let scratch = try Scratch()
    #expect(mkdir(scratch("keys"), 0o700) == 0)
    try scratch.write(Array(LocalCertificate.certificate.utf8), to: "cert.pem")
    try scratch.write(Array(LocalCertificate.key.utf8), to: "key.pem")
    try scratch.write(Array(tokens.joined(separator: "\n").utf8), to: "keys/tokens")
    return try await LiveDaemon.start(
      in: scratch, media: media,
      admin: """
        , "listener": {"address": "127.0.0.1:\(Loopback.freePort())",
          "certificate": "cert.pem", "key": "key.pem", "tokens": "keys/tokens"}
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
    try live.scratch.write(Array(Self.tokens[1].utf8), to: "keys/tokens")
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
    try live.scratch.write([], to: "keys/tokens")
    let tokens = live.scratch("keys/tokens")
    #expect(
      try await Self.refusal(live, dryRun: true)
        == "\(tokens) must hold tokens of at least 16 bytes", "its path names the key")
    #expect(!live.book.contains("no token opens the API"))
    #expect(try await Self.refusal(live).contains("must hold tokens"))
    #expect(live.book.contains("no token opens the API on the network from now on"))
    try live.scratch.write(Array(Self.tokens[0].utf8), to: "keys/tokens")
    #expect(try await live.client.reload(ChangeOptions()).differences.isEmpty)
    #expect(live.book.contains("other tokens open the API on the network from now on"))
  }

  @Test("The log tells that the API is open on the network, and where")
  func told() async throws {
    let live = try await Self.start()
    #expect(
      live.book.contains("notice the API is open on the network to who has a token: 127.0.0.1:"))
  }

  @Test("Tokens whose disk hangs have a reload refused in time, and count with the next")
  func hanging() async throws {
    let isStuck = Atomic<Bool>(false)
    let media = MediaThreads(patience: .seconds(1)) { place in
      while place.hasSuffix("/keys"), isStuck.load(ordering: .relaxed) { usleep(5000) }
    }
    let live = try await Self.start(media: media)
    try live.scratch.write(Array(Self.tokens[1].utf8), to: "keys/tokens")
    isStuck.store(true, ordering: .relaxed)
    defer { isStuck.store(false, ordering: .relaxed) }
    for dryRun in [true, false] {
      let message = try await Self.refusal(live, dryRun: dryRun)
      #expect(message == "the certificate, key or tokens of the API do not answer")
    }
    isStuck.store(false, ordering: .relaxed)
    #expect(live.service.administration.credentials.isOutdated, "what comes late is dropped")
    _ = try await live.client.reload(ChangeOptions())
    #expect(!live.service.administration.credentials.isOutdated)
  }
}

extension RenewableCredentials {
  /// Whether other tokens count than those of the file.
  fileprivate var isOutdated: Bool { find().renewal?.changesTokens ?? true }
}
