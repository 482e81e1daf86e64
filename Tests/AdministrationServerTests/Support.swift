import AdministrationClient
import AdministrationModel
import CTestSupport
import Foundation
import Glibc
import Logging
import ServiceFixtures
import Testing

@testable import AdministrationServer

/// A server on a socket in a directory of its own, with what belongs to it.
struct Bench {
  let directory: String
  let administrator = FakeAdministrator()
  let events = EventHub()
  let log = LogBook(.warning)
  let server: AdministrationServer
  let client: AdministrationClient

  var path: String { server.configuration.socketPath }

  init(_ adjust: (inout AdministrationServer.Configuration) -> Void = { _ in }) throws {
    directory = try Self.makeDirectory()
    var configuration = AdministrationServer.Configuration(socketPath: "\(directory)/admin.sock")
    configuration.limits.lingerTime = .milliseconds(300)
    // Where others need the processors, all takes its time.
    configuration.limits.greetingTime = .seconds(600)
    configuration.limits.requestTime = .seconds(600)
    configuration.limits.idleTime = .seconds(600)
    adjust(&configuration)
    server = AdministrationServer(
      administrator, events: events, configuration: configuration, logger: log.logger)
    client = AdministrationClient(socketPath: configuration.socketPath)
  }

  static func makeDirectory() throws -> String {
    let directory = NSTemporaryDirectory() + "admin-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    return directory
  }

  /// Starts the server, runs `body`, and stops it whatever happens.
  static func run(
    _ adjust: (inout AdministrationServer.Configuration) -> Void = { _ in },
    _ body: (Bench) async throws -> Void
  ) async throws {
    let bench = try Bench(adjust)
    defer { try? FileManager.default.removeItem(atPath: bench.directory) }
    try await bench.server.start()
    do {
      try await body(bench)
      await bench.server.stop()
    } catch {
      await bench.server.stop()
      throw error
    }
  }

  /// One request on a connection of its own: the status and the body.
  func ask(
    _ method: String, _ path: String, _ body: String? = nil
  ) async throws -> (status: Int, body: String) {
    var text = "\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
    let answer = try await RawConnection.exchange(self.path, text + "\r\n" + (body ?? ""))
    return try RawConnection.parse(answer)
  }

  func refusal(
    _ method: String, _ path: String, _ body: String? = nil
  ) async throws -> (status: Int, error: AdministrationError) {
    let answer = try await ask(method, path, body)
    return (answer.status, try RawConnection.error(answer.body))
  }
}

/// A process that listens at a socket and does not get to answer.
struct StoppedServer {
  struct Failure: Error {}

  let id: Int32
  let socketPath: String
  private let directory: String

  init() throws {
    directory = try Bench.makeDirectory()
    socketPath = "\(directory)/admin.sock"
    id = clinux_stopped_listener(socketPath)
    guard id > 0 else { throw Failure() }
  }

  func end() {
    kill(id, SIGKILL)
    waitpid(id, nil, 0)
    try? FileManager.default.removeItem(atPath: directory)
  }
}

/// Waits until it is so, for at most half a minute.
func eventually(_ isSo: () async -> Bool) async -> Bool {
  for _ in 0..<3000 {
    if await isSo() { return true }
    try? await Task.sleep(for: .milliseconds(10))
  }
  return await isSo()
}

/// A connection that says what no client would. It waits on threads of its own, so that no task
/// stands still.
final class RawConnection: Sendable {
  private let descriptor: CInt

  struct Failure: Error { var errno: CInt }

  init(_ path: String, user: UInt32? = nil, group: UInt32 = 0) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var error = clinux_connect_unix(descriptor, path, user ?? .max, group)
    var time = timeval(tv_sec: 30, tv_usec: 0)
    if error == 0,
      setsockopt(
        descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size)) != 0
    {
      error = errno
    }
    guard error == 0 else { throw Failure(errno: error) }
  }

  deinit { close(descriptor) }

  /// Stops early where the server takes no more.
  func send(_ text: String) async {
    await onThread { [descriptor] in
      var bytes = Array(text.utf8)[...]
      while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes {
          Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return }
        bytes = bytes.dropFirst(count)
      }
    }
  }

  /// What comes until the end, an error or 30 seconds of silence; `isEnded` in the first two
  /// cases.
  func receiveAll() async -> (text: String, isEnded: Bool) {
    await onThread { [descriptor] in
      var bytes: [UInt8] = []
      var room = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = recv(descriptor, &room, room.count, 0)
        if count > 0 {
          bytes += room[..<count]
        } else {
          let isEnded = count == 0 || errno != EAGAIN
          return (String(decoding: bytes, as: UTF8.self), isEnded)
        }
      }
    }
  }

  /// What comes until it contains `mark`, or the end.
  func receive(until mark: String) async -> String {
    await onThread { [descriptor] in
      var bytes: [UInt8] = []
      var room = [UInt8](repeating: 0, count: 65_536)
      while !String(decoding: bytes, as: UTF8.self).contains(mark) {
        let count = recv(descriptor, &room, room.count, 0)
        guard count > 0 else { break }
        bytes += room[..<count]
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  static func exchange(_ path: String, _ text: String) async throws -> String {
    let connection = try RawConnection(path)
    await connection.send(text)
    return await connection.receiveAll().text
  }

  struct NotHTTP: Error { var text: String }

  static func parse(_ answer: String) throws -> (status: Int, body: String) {
    let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
    let words = answer.split(separator: " ", maxSplits: 2)
    guard parts.count == 2, words.count == 3, let status = Int(words[1]) else {
      throw NotHTTP(text: String(answer.prefix(200)))
    }
    return (status, String(parts[1]))
  }

  static func error(_ body: String) throws -> AdministrationError {
    try JSONDecoder().decode(ErrorDocument.self, from: Data(body.utf8)).error
  }
}

func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
  await withCheckedContinuation { continuation in
    Thread.detachNewThread { continuation.resume(returning: body()) }
  }
}
