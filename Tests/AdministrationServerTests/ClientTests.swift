@testable import AdministrationClient
import AdministrationModel
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import AdministrationServer

@Suite("Client and server")
struct ClientTests {
  @Test("Each reading call brings what the administrator has")
  func readings() async throws {
    try await Bench.run { bench in
      let client = bench.client
      let version = try await bench.administrator.version()
      let status = try await bench.administrator.status()
      #expect(try await client.version() == version)
      #expect(try await client.status() == status)
      #expect(try await client.targets() == [FakeAdministrator.targetResource])
      #expect(
        try await client.targets(named: FakeAdministrator.target)
          == [FakeAdministrator.targetResource])
      #expect(try await client.stores(named: "a/b") == [FakeAdministrator.storeResource])
      #expect(try await client.portals() == [PortalResource(address: "[::]:3260")])
      #expect(
        try await client.discovery() == DiscoveryResource(chapUsers: ["d"], mutualCHAPUser: "m"))
      #expect(try await client.sessions() == [FakeAdministrator.sessionResource])
      #expect(try await client.sessions(id: 3) == [FakeAdministrator.sessionResource])
      #expect(
        try await client.reservations(store: "a/b") == [FakeAdministrator.reservationResource])
      #expect(try await client.statistics() == FakeAdministrator.statisticsResource)
      #expect(try await client.metrics() == "# HELP x y\nx 1\n")
      #expect(try await client.configuration().isRedacted)
      #expect(try await !client.configuration(withSecrets: true).isRedacted)
      #expect(try await client.difference().changes == FakeAdministrator.result.differences)
    }
  }

  @Test("Each acting call arrives with its options, and its result comes back")
  func actions() async throws {
    try await Bench.run { bench in
      let client = bench.client
      let options = ChangeOptions(force: true, runtimeOnly: true, now: true, dryRun: true)
      #expect(try await client.reload(options) == FakeAdministrator.result)
      #expect(try await client.save() == FakeAdministrator.result)
      #expect(
        try await client.apply("{ // é\n}", ChangeOptions(dryRun: true))
          == FakeAdministrator.result)
      try await client.endSession(3, by: .logout)
      try await client.endSession(4, by: .kill)
      try await client.clearReservations(store: "a/b")
      #expect(
        bench.administrator.calls == [
          "reload force runtimeOnly now dryRun", "save ", "apply { // é\n} dryRun", "logout 3",
          "kill 4", "clear a/b",
        ])
    }
  }

  @Test("Several changes arrive as one request, in order, secrets and all")
  func changes() async throws {
    try await Bench.run { bench in
      var target = TargetSpecification(name: FakeAdministrator.target)
      target.ifMissing = true
      let request = ChangeRequest(
        [
          .addStore(StoreSpecification(name: "c", kind: .file, path: "/c", sizeBytes: 1 << 40)),
          .addTarget(target),
          .addLUN(Change.LUNAddition(target: target.name, LUNSpecification(store: "c"))),
          .addCHAPUser(
            Change.UserAddition(
              CredentialSpecification(user: "u", secret: SecretText("a\"b\\c\u{1F600}")),
              at: CredentialPlace(target: target.name))),
          .setStore(Change.StoreKeys("c", ["naa": .null, "readOnly": true])),
        ], ChangeOptions(runtimeOnly: true))
      let result = try await bench.client.change(request)
      #expect(result == FakeAdministrator.result)
      #expect(bench.administrator.requests == [request])
    }
  }

  @Test(
    "An error of the administrator comes back whole", arguments: AdministrationError.Code.allCases)
  func errors(code: AdministrationError.Code) async throws {
    try await Bench.run { bench in
      let error = AdministrationError(
        code, "LUN 1 is in use", path: "targets[t].luns[1]", remedy: "--force", users: ["iqn.x"])
      bench.administrator.state.withLock { $0.failure = error }
      await #expect(throws: error) { try await bench.client.status() }
      await #expect(throws: error) {
        try await bench.client.change(ChangeRequest([.removeStore(Change.StoreName("a"))]))
      }
      let answer = try await bench.refusal("GET", "/v1/status")
      #expect(answer.status == code.status)
    }
  }

  @Test("A daemon that is not there is one sentence: which socket, why, what to do")
  func absent() async throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let client = AdministrationClient(socketPath: "\(directory)/admin.sock")
    await #expect(
      throws: AdministrationError(
        .unavailable, "cannot connect to \(directory)/admin.sock: there is no such socket",
        remedy: "systemctl status swift-tgtd")
    ) { try await client.status() }
    try Data().write(to: URL(fileURLWithPath: "\(directory)/admin.sock"))
    await #expect(
      throws: AdministrationError(
        .unavailable, "cannot connect to \(directory)/admin.sock: it is not a socket",
        remedy: "systemctl status swift-tgtd")
    ) { try await client.status() }
    try FileManager.default.removeItem(atPath: "\(directory)/admin.sock")
    let old = try SocketFile(path: "\(directory)/admin.sock", group: nil)
    close(old.descriptor)
    await #expect(
      throws: AdministrationError(
        .unavailable, "cannot connect to \(directory)/admin.sock: nobody listens there",
        remedy: "systemctl status swift-tgtd")
    ) { try await client.status() }
  }

  @Test("The socket is the one asked for, else that of the environment, else the standard one")
  func socketPath() {
    let environment = ["SWIFT_TGTD_SOCKET": "/env"]
    #expect(AdministrationClient.socketPath(option: "/opt", environment: environment) == "/opt")
    #expect(AdministrationClient.socketPath(option: nil, environment: environment) == "/env")
    #expect(
      AdministrationClient.socketPath(option: nil, environment: ["SWIFT_TGTD_SOCKET": ""])
        == "/run/swift-tgtd/admin.sock")
  }

  @Test("A hundred clients at once are all answered")
  func parallel() async throws {
    try await Bench.run { bench in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<100 {
          let client = bench.client
          group.addTask {
            _ = try await client.change(
              ChangeRequest([.removeStore(Change.StoreName("s\(index)"))]))
          }
        }
        try await group.waitForAll()
      }
      let names = Set(bench.administrator.requests.map { "\($0.changes)" })
      #expect(names.count == 100)
    }
  }

  @Test("A change that a daemon takes too long for may be made yet, and that is said")
  func slow() async throws {
    try await Bench.run { bench in
      bench.administrator.state.withLock { $0.isHeld = true }
      var client = bench.client
      client.changeTimeout = .milliseconds(200)
      let error = await #expect(throws: AdministrationError.self) {
        try await client.change(ChangeRequest([.removeStore(Change.StoreName("a"))]))
      }
      #expect(error?.code == .unanswered)
      #expect(
        error?.message.hasSuffix(
          "no answer within 0 s from the daemon (process \(getpid())); what was asked for may "
            + "have been done, or be done yet") == true)
      #expect(
        error?.remedy?.hasSuffix(
          "look before asking again: swift-tgtadm status, swift-tgtadm config diff")
          == true)
      bench.administrator.state.withLock { $0.isHeld = false }
    }
  }

  @Test("A process that is stopped is named, with what lets it go on: for events, too")
  func stopped() async throws {
    let process = try StoppedServer()
    defer { process.end() }
    var client = AdministrationClient(socketPath: process.socketPath)
    client.timeout = .milliseconds(300)
    let wanted = AdministrationError(
      .unavailable,
      "\(process.socketPath): no answer within 0 s from the daemon (process \(process.id)), "
        + "which is stopped",
      remedy: "kill -CONT \(process.id) lets it go on")
    await #expect(throws: wanted) { try await client.status() }
    await #expect(throws: wanted) { try await client.events { _ in true } }
    client.changeTimeout = .milliseconds(300)
    await #expect(throws: wanted) { try await client.reload(ChangeOptions(dryRun: true)) }
    let error = await #expect(throws: AdministrationError.self) { try await client.reload() }
    #expect(error?.code == .unanswered)
  }

  @Test("A connection that ends without an answer leaves it open whether a change was made")
  func closed() async throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let path = "\(directory)/admin.sock"
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Closing())
        }
      }
      .bind(unixDomainSocketPath: path).get()
    let client = AdministrationClient(socketPath: path)
    let sentence = "\(path): the daemon closed the connection without an answer"
    await #expect(
      throws: AdministrationError(.unavailable, sentence, remedy: "journalctl -u swift-tgtd")
    ) { try await client.status() }
    let wanted = AdministrationError(
      .unanswered, sentence + "; what was asked for may have been done, or be done yet",
      remedy: "journalctl -u swift-tgtd; look before asking again: "
        + "swift-tgtadm status, swift-tgtadm config diff"
    )
    await #expect(throws: wanted) { try await client.save() }
    await #expect(throws: wanted) { try await client.endSession(3, by: .kill) }
    try await listener.close()
  }

  @Test("A stream of events that has begun goes on past the limit")
  func longEvents() async throws {
    try await Bench.run { bench in
      var client = bench.client
      client.timeout = .seconds(10)
      let seen = Seen()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { [client] in
          try await client.events { _ in
            seen.count.withLock { $0 += 1 }
            return false
          }
        }
        group.addTask {
          try await Task.sleep(for: .seconds(11))
          for _ in 0..<100 where seen.count.withLock({ $0 }) == 0 {
            bench.events.publish(Event(.storeOnline, "a"))
            try await Task.sleep(for: .milliseconds(50))
          }
        }
        try await group.waitForAll()
      }
      #expect(seen.count.withLock { $0 } == 1)
    }
  }

  @Test("Of proc(5) the state is read past a name of brackets")
  func processState() {
    #expect(PeerProcess.state(in: "7 (a) T) (b) T 1 7") == .stopped)
    #expect(PeerProcess.state(in: "7 (a T) S 1 7") == .other)
    #expect(PeerProcess.state(in: "7 (a) D 1 7") == .waiting)
    #expect(PeerProcess.state(in: "7 (a)") == .other && PeerProcess.state(in: "") == .other)
  }
}

/// Takes a connection, and ends it.
private final class Closing: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  func channelActive(context: ChannelHandlerContext) { context.close(promise: nil) }
}

private final class Seen: Sendable {
  let count = Mutex(0)
}
