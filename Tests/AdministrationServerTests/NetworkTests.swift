import AdministrationClient
import AdministrationModel
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import ServiceFixtures
import Testing

@testable import AdministrationServer

@Suite("Administration over the network")
struct NetworkTests {
  static let token = "0123456789abcdef-panel"
  /// Files with what a listener needs.
  static func files(
    token: String = token, tokenMode: Int = 0o600, keyMode: Int = 0o600, in directory: String
  ) throws -> AdministrationServer.NetworkEndpoint {
    func write(_ name: String, _ text: String, _ mode: Int) throws -> String {
      let path = "\(directory)/\(name)"
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
      return path
    }
    return AdministrationServer.NetworkEndpoint(
      host: "127.0.0.1", port: 0,
      certificateFile: try write("cert.pem", LocalCertificate.certificate, 0o644),
      keyFile: try write("key.pem", LocalCertificate.key, keyMode),
      tokenFile: try write("tokens", token + "\n", tokenMode))
  }

  static func run(_ body: (Bench) async throws -> Void) async throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let endpoint = try files(in: directory)
    try await Bench.run {
      $0.network = endpoint
    } _: {
      try await body($0)
    }
  }

  /// The whole answer to one request over TLS.
  static func ask(
    _ port: Int, _ fields: String, _ path: String = "/v1/version"
  ) async throws -> String {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .certificates(
      try NIOSSLCertificate.fromPEMBytes(Array(LocalCertificate.certificate.utf8)))
    let context = try NIOSSLContext(configuration: configuration)
    let group = MultiThreadedEventLoopGroup.singleton
    let channel = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port) {
      channel in
      channel.eventLoop.makeCompletedFuture {
        let handler = try NIOSSLClientHandler(context: context, serverHostname: "localhost")
        try channel.pipeline.syncOperations.addHandler(handler)
        return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
      }
    }
    return try await channel.executeThenClose { inbound, outbound in
      let text =
        "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(fields)\r\n"
      try await outbound.write(ByteBuffer(string: text))
      var answer = ByteBuffer()
      do {
        for try await var part in inbound { answer.writeBuffer(&part) }
      } catch NIOSSLError.uncleanShutdown {}
      return String(buffer: answer)
    }
  }

  @Test("Serves who has a token, and tells others that they need one")
  func tokens() async throws {
    try await Self.run { bench in
      let port = try #require(bench.server.networkPort)
      let served = try await Self.ask(port, "Authorization: Bearer \(Self.token)\r\n")
      #expect(served.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(served.contains(#""version":"1.2.3""#))
      for fields in [
        "", "Authorization: Bearer \(Self.token)x\r\n", "Authorization: Basic eA==\r\n",
      ] {
        let answer = try await Self.ask(port, fields)
        #expect(try RawConnection.parse(answer).status == 401)
        #expect(answer.lowercased().contains("\r\nwww-authenticate: bearer\r\n"))
        #expect(try RawConnection.error(RawConnection.parse(answer).body).code == .unauthorized)
      }
      #expect(bench.administrator.calls == ["version"])
    }
  }

  @Test("Says nothing without TLS")
  func plain() async throws {
    try await Self.run { bench in
      let port = try #require(bench.server.networkPort)
      let group = MultiThreadedEventLoopGroup.singleton
      let channel = try await ClientBootstrap(group: group).connect(
        host: "127.0.0.1", port: port
      ) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
      let answer = try await channel.executeThenClose { inbound, outbound in
        let text = "GET /v1/version HTTP/1.1\r\nAuthorization: Bearer \(Self.token)\r\n\r\n"
        try await outbound.write(ByteBuffer(string: text))
        var answer = ByteBuffer()
        do { for try await var part in inbound { answer.writeBuffer(&part) } } catch is IOError {}
        return String(buffer: answer)
      }
      #expect(!answer.contains("HTTP"))
      #expect(bench.administrator.calls.isEmpty)
    }
  }

  @Test(
    "Does not start with secrets that everybody can read, short tokens or none, or no certificate")
  func badFiles() async throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    func reason(_ endpoint: AdministrationServer.NetworkEndpoint) -> String {
      do {
        _ = try NetworkListener(endpoint)
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(reason(try Self.files(in: directory)) == "")
    #expect(
      reason(try Self.files(tokenMode: 0o644, in: directory)).contains(
        "tokens can be read by everybody"))
    #expect(
      reason(try Self.files(keyMode: 0o604, in: directory)).contains(
        "key.pem can be read by everybody"))
    for token in ["", "short", "# \(Self.token)", "\(Self.token)\nshort"] {
      #expect(
        reason(try Self.files(token: token, in: directory))
          .contains("must hold tokens of at least 16 bytes"))
    }
    #expect(
      reason(try Self.files(token: "read \(Self.token)", in: directory))
        .contains("alone or after the word metrics"))
    var endpoint = try Self.files(in: directory)
    endpoint.certificateFile = endpoint.tokenFile
    #expect(reason(endpoint).contains("certificate or key"))
    endpoint.tokenFile = "\(directory)/none"
    #expect(reason(endpoint) == "admin.listener 127.0.0.1:0: \(directory)/none cannot be read")
    endpoint.host = "::1"
    #expect(reason(endpoint).hasPrefix("admin.listener [::1]:0: "))
  }

  @Test("Tokens that are read anew count at once; what cannot be read changes nothing")
  func renewal() async throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let endpoint = try Self.files(in: directory)
    try await Bench.run {
      $0.network = endpoint
    } _: { bench in
      let port = try #require(bench.server.networkPort)
      func status(_ token: String) async throws -> Int {
        try RawConnection.parse(
          try await Self.ask(port, "Authorization: Bearer \(token)\r\n")
        ).status
      }
      let same = try #require(try bench.server.readRenewal())
      #expect(!same.changesTokens)
      _ = try Self.files(token: "another-token-0123456789", in: directory)
      let other = try #require(try bench.server.readRenewal())
      #expect(other.changesTokens)
      #expect(try await status(Self.token) == 200, "until they are adopted")
      bench.server.adopt(other)
      #expect(try await status(Self.token) == 401)
      #expect(try await status("another-token-0123456789") == 200)
      _ = try Self.files(token: "short", in: directory)
      #expect(throws: AdministrationServerError.self) { try bench.server.readRenewal() }
      #expect(try await status("another-token-0123456789") == 200)
    }
  }

  @Test("A stream of events ends with its token, and with no other's")
  func streams() async throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let (stays, goes) = ("first-token-0123456789", "second-token-0123456789")
    let endpoint = try Self.files(token: "\(stays)\n\(goes)", in: directory)
    try await Bench.run {
      $0.network = endpoint
    } _: { bench in
      let port = try #require(bench.server.networkPort)
      func stream(_ token: String) -> Task<String, any Error> {
        Task { try await Self.ask(port, "Authorization: Bearer \(token)\r\n", "/v1/events") }
      }
      let (going, staying) = (stream(goes), stream(stays))
      #expect(await eventually { bench.events.subscriptionCount == 2 })
      bench.events.publish(EventTests.event(1))
      _ = try Self.files(token: stays, in: directory)
      bench.server.adopt(try #require(try bench.server.readRenewal()))
      #expect(await eventually { bench.events.subscriptionCount == 1 })
      #expect(try await going.value.hasPrefix("HTTP/1.1 200 OK\r\n"))
      let refused = bench.events.subscribe(after: 0, queueCountMax: 4) { false }
      #expect(await refused.next() == nil)
      #expect(bench.events.subscriptionCount == 1, "the other goes on")
      staying.cancel()
    }
  }

  @Test("Whoever comes from the network takes no place from who is on the machine")
  func ownTable() async throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let endpoint = try Self.files(in: directory)
    try await Bench.run {
      $0.network = endpoint
      $0.limits.connectionCountMax = 2
      $0.limits.networkConnectionCountMax = 6
      $0.limits.addressConnectionCountMax = 5
    } _: { bench in
      let port = try #require(bench.server.networkPort)
      let group = MultiThreadedEventLoopGroup.singleton
      var channels: [any Channel] = []
      for _ in 0..<8 {
        channels.append(
          try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port).get())
      }
      #expect(await eventually { bench.server.connectionCount == 8 })
      #expect(try await bench.client.version().version == "1.2.3")
      for channel in channels { try? await channel.close() }
    }
  }

  @Test("Who does not say in time who he is is sent away")
  func greeting() async throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let endpoint = try Self.files(in: directory)
    try await Bench.run {
      $0.network = endpoint
      $0.limits.greetingTime = .milliseconds(300)
    } _: { bench in
      let port = try #require(bench.server.networkPort)
      let group = MultiThreadedEventLoopGroup.singleton
      let channel = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port)
        .get()
      let start = ContinuousClock.now
      try await channel.closeFuture.get()
      #expect(ContinuousClock.now - start < .seconds(30))
      #expect(await eventually { bench.server.connectionCount == 0 })
    }
  }
}
