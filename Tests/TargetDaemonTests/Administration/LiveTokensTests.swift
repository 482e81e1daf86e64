import AdministrationClient
import AdministrationModel
import AdministrationServer
import Testing

@testable import TargetDaemon

@Suite("Tokens, live")
struct LiveTokensTests {
  private static let tokens = ["0123456789abcdef-panel", "0123456789abcdef-backup"]

  private static func start() async throws -> LiveDaemon {
    let scratch = try Scratch()
    try scratch.write(Array(certificate.utf8), to: "cert.pem")
    try scratch.write(Array(key.utf8), to: "key.pem")
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

  /// For localhost, signed by itself, good for this test and nothing else.
  private static let certificate = """
    -----BEGIN CERTIFICATE-----
    MIIBnDCCAUGgAwIBAgIUYNGKyTZ35FpMsfFYvN+n3F9Sso8wCgYIKoZIzj0EAwIw
    FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA3MjQzNFoYDzIxMjYxMDI4
    MDcyNDM0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
    PQMBBwNCAATB4kgBFcvp0iRaG+QrEsfkZtAxw3IWX1C7DhILUuZW1pzCLYyD/hQ4
    hx5MDPanHVSgp9wIHshsduV0ixp1a6dco28wbTAdBgNVHQ4EFgQU8dAfFe/B0pUW
    3z2btcsvECsrApswHwYDVR0jBBgwFoAU8dAfFe/B0pUW3z2btcsvECsrApswDwYD
    VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
    zj0EAwIDSQAwRgIhAKWSdk6J6mNKpT/unmRWXF7jneu97PYxQ1zFzZ8WOOqXAiEA
    /z8r1C6LsbrBiV8F3oji3n34qLMd6KLBGj1YNSaIKCU=
    -----END CERTIFICATE-----
    """
  private static let key = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwL7CrZ+2khnC+qSq
    sSr0n+4oE1L4e2bTn+8r/8kQ0UuhRANCAATB4kgBFcvp0iRaG+QrEsfkZtAxw3IW
    X1C7DhILUuZW1pzCLYyD/hQ4hx5MDPanHVSgp9wIHshsduV0ixp1a6dc
    -----END PRIVATE KEY-----
    """
}

extension RenewableCredentials {
  /// Whether other tokens count than those of the file.
  fileprivate var isOutdated: Bool { (try? read())?.changesTokens ?? true }
}
