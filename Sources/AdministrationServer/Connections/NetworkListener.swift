internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// What the listener on the network needs: it speaks TLS alone, and only to who has a token.
struct NetworkListener: Sendable {
  var endpoint: AdministrationServer.NetworkEndpoint
  var tls: NIOSSLContext
  var tokens: BearerTokens

  /// 16 bytes of a good generator cannot be guessed.
  static let tokenByteCountMin = 16

  init(
    _ endpoint: AdministrationServer.NetworkEndpoint
  ) throws(AdministrationServerError) {
    self.endpoint = endpoint
    let tokenBytes = try Self.secret(endpoint.tokenFile, endpoint)
    guard let tokens = BearerTokens(text: String(decoding: tokenBytes, as: UTF8.self)) else {
      throw Self.failure(
        endpoint,
        "\(endpoint.tokenFile) must hold a token a line, alone or after the word metrics")
    }
    self.tokens = tokens
    guard tokens.count > 0, tokens.byteCountMin >= Self.tokenByteCountMin else {
      throw Self.failure(
        endpoint,
        "\(endpoint.tokenFile) must hold tokens of at least \(Self.tokenByteCountMin) bytes")
    }
    // The key is secret, too.
    let keyBytes = try Self.secret(endpoint.keyFile, endpoint)
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(endpoint.certificateFile)
      let key = try NIOSSLPrivateKey(bytes: keyBytes, format: .pem)
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
      configuration.minimumTLSVersion = .tlsv12
      configuration.applicationProtocols = ["http/1.1"]
      tls = try NIOSSLContext(configuration: configuration)
    } catch {
      throw Self.failure(endpoint, "certificate or key: \(error)")
    }
  }

  /// As it is, but with no token that its file does not name any more, whatever else is wrong with
  /// that: where there is no file, none is left.
  func withoutWithdrawnTokens() -> NetworkListener {
    let bytes = SecretFile(endpoint.tokenFile)?.bytes ?? []
    var left = self
    left.tokens = tokens.remaining(in: String(decoding: bytes, as: UTF8.self))
    return left
  }

  /// A file that others can read is no secret.
  static func secret(
    _ path: String, _ endpoint: AdministrationServer.NetworkEndpoint
  ) throws(AdministrationServerError) -> [UInt8] {
    guard let file = SecretFile(path) else { throw failure(endpoint, "\(path) cannot be read") }
    guard !file.facts.isForEverybody else {
      throw failure(endpoint, "\(path) can be read by everybody: chmod o= \(path)")
    }
    return file.bytes
  }

  static func failure(
    _ endpoint: AdministrationServer.NetworkEndpoint, _ reason: String
  ) -> AdministrationServerError {
    .listener(address: endpoint.address, reason)
  }
}
