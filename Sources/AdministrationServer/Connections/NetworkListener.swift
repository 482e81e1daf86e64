internal import FoundationEssentials
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
    guard let tokens = BearerTokens(text: try Self.secretText(endpoint.tokenFile, endpoint)) else {
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
    _ = try Self.secretText(endpoint.keyFile, endpoint)
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(endpoint.certificateFile)
      let key = try NIOSSLPrivateKey(file: endpoint.keyFile, format: .pem)
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
      configuration.minimumTLSVersion = .tlsv12
      configuration.applicationProtocols = ["http/1.1"]
      tls = try NIOSSLContext(configuration: configuration)
    } catch {
      throw Self.failure(endpoint, "certificate or key: \(error)")
    }
  }

  /// A file that others can read is no secret.
  private static func secretText(
    _ path: String, _ endpoint: AdministrationServer.NetworkEndpoint
  ) throws(AdministrationServerError) -> String {
    guard let facts = FileFacts(path), facts.isRegular,
      let data = try? Data(contentsOf: URL(filePath: path)), data.count <= 1 << 20
    else { throw failure(endpoint, "\(path) cannot be read") }
    guard !facts.isForEverybody else {
      throw failure(endpoint, "\(path) can be read by everybody: chmod o= \(path)")
    }
    return String(decoding: data, as: UTF8.self)
  }

  static func failure(
    _ endpoint: AdministrationServer.NetworkEndpoint, _ reason: String
  ) -> AdministrationServerError {
    .listener(address: "\(endpoint.host):\(endpoint.port)", reason)
  }
}
