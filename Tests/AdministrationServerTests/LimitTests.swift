import AdministrationClient
import AdministrationModel
import Foundation
import Synchronization
import Testing

@testable import AdministrationServer

@Suite("Limits of the server")
struct LimitTests {
  static let head = "POST /v1/targets HTTP/1.1\r\nHost: x\r\n"

  @Test("A body of 10 GiB is answered 413 before it comes, and the connection ends")
  func announcedBody() async throws {
    try await Bench.run { bench in
      let connection = try RawConnection(bench.path)
      await connection.send(Self.head + "Content-Length: 10737418240\r\n\r\n" + "x")
      let (text, isEnded) = await connection.receiveAll()
      let answer = try RawConnection.parse(text)
      #expect(answer.status == 413)
      #expect(
        try RawConnection.error(answer.body).message == "the body has more than 65536 bytes")
      #expect(isEnded)
    }
  }

  @Test("A body without an announced end is answered 413 when it is too long, and cut off")
  func endlessBody() async throws {
    try await Bench.run { bench in
      let connection = try RawConnection(bench.path)
      await connection.send(Self.head + "Transfer-Encoding: chunked\r\n\r\n")
      let chunk = "10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n"
      // 64 MiB, of which the server takes a little more than one.
      await connection.send(String(repeating: chunk, count: 1024))
      let (text, isEnded) = await connection.receiveAll()
      #expect(try RawConnection.parse(text).status == 413)
      #expect(isEnded)
    }
  }

  @Test("A length that is no number is no request")
  func wrongLength() async throws {
    try await Bench.run { bench in
      for length in ["-1", "99999999999999999999", "x"] {
        let text = Self.head + "Content-Length: \(length)\r\n\r\n"
        let answer = try RawConnection.parse(try await RawConnection.exchange(bench.path, text))
        #expect((400..<500).contains(answer.status))
        #expect(throws: Never.self) { try RawConnection.error(answer.body) }
      }
    }
  }

  @Test("A body of exactly the limit is read")
  func largestBody() async throws {
    try await Bench.run { bench in
      let frame = #"{"name":""}"#.utf8.count
      let name = String(repeating: "x", count: (1 << 16) - frame)
      #expect(try await bench.ask("POST", "/v1/targets", #"{"name":"\#(name)"}"#).status == 200)
      let refusal = try await bench.refusal("POST", "/v1/targets", #"{"name":"x\#(name)"}"#)
      #expect(refusal.status == 413)
    }
  }

  @Test("A whole configuration may be large, and nothing else")
  func largeBodies() async throws {
    try await Bench.run { bench in
      let text = #"{"text":"\#(String(repeating: " ", count: 500_000))"}"#
      let answer = try await bench.ask("POST", "/v1/config/apply?dryRun=true", text)
      #expect(answer.status == 200)
      for path in ["/v1/targets", "/v1/stores", "/v1/config/reload", "/v1/nothing"] {
        #expect(try await bench.ask("POST", path, text).status == 413, "\(path)")
      }
      let batch = #"{"changes":[],"x":"\#(String(repeating: " ", count: 500_000))"}"#
      #expect(try await bench.ask("POST", "/v1/changes", batch).status == 400)
    }
  }

  @Test("Bodies have a bound together, which is free again when their requests end")
  func bodiesTogether() async throws {
    try await Bench.run {
      $0.limits.bodyBytesMax = 100_000
      $0.limits.furtherBodyBytesMax = 0
    } _: { bench in
      let held = try RawConnection(bench.path)
      let head = "POST /v1/config/apply HTTP/1.1\r\nHost: x\r\n"
      await held.send(
        head + "Content-Length: 90000\r\n\r\n" + String(repeating: " ", count: 80_000))
      let text = #"{"text":"\#(String(repeating: " ", count: 30_000))"}"#
      #expect(
        await eventually {
          (try? await bench.ask("POST", "/v1/config/apply", text).status) == 503
        })
      #expect(try await bench.ask("DELETE", "/v1/sessions/1").status == 204)
      await held.send(String(repeating: " ", count: 10_000))
      _ = await held.receive(until: "\r\n\r\n")
      #expect(
        await eventually {
          (try? await bench.ask("POST", "/v1/config/apply", text).status) == 200
        })
    }
  }

  @Test("Too long a head, too long a field, too many fields are refused in the one shape")
  func heads() async throws {
    try await Bench.run { bench in
      let long = String(repeating: "y", count: 9 << 10)
      let some = (0..<8).map { "A\($0): \(String(repeating: "y", count: 6 << 10))\r\n" }.joined()
      let many = (0..<100).map { "A\($0): y\r\n" }.joined()
      for fields in ["A: \(long)\r\n", some, many] {
        let text = "GET /v1/status HTTP/1.1\r\nHost: x\r\n\(fields)\r\n"
        let answer = try RawConnection.parse(try await RawConnection.exchange(bench.path, text))
        #expect(answer.status == 413)
        #expect(
          try RawConnection.error(answer.body).message == "the head of the request is too large")
      }
    }
  }

  @Test("What is not HTTP is told so, in the one shape")
  func notHTTP() async throws {
    try await Bench.run { bench in
      for text in ["hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{1}\u{2}\u{3}\r\n\r\n"] {
        let answer = try RawConnection.parse(try await RawConnection.exchange(bench.path, text))
        #expect(answer.status == 400)
        #expect(try RawConnection.error(answer.body).code == .invalid)
      }
    }
  }

  @Test(
    "A client that never finishes is closed",
    arguments: ["", "GET /v1/sta", head, head + "Content-Length: 9\r\n\r\n{\"na"])
  func unfinished(text: String) async throws {
    try await Bench.run {
      $0.limits.idleTime = .milliseconds(300)
      $0.limits.requestTime = .milliseconds(300)
    } _: { bench in
      let connection = try RawConnection(bench.path)
      await connection.send(text)
      #expect(await connection.receiveAll().isEnded)
      #expect(await eventually { bench.server.connectionCount == 0 })
    }
  }

  @Test("A client that sends a byte now and then is closed when its time is over")
  func dripping() async throws {
    try await Bench.run {
      $0.limits.requestTime = .milliseconds(400)
    } _: { bench in
      let connection = try RawConnection(bench.path)
      await connection.send(Self.head + "Content-Length: 1000\r\n\r\n")
      let drip = Task {
        while !Task.isCancelled {
          await connection.send("x")
          try await Task.sleep(for: .milliseconds(20))
        }
      }
      #expect(await connection.receiveAll().isEnded)
      drip.cancel()
    }
  }

  @Test("One connection too many is told so; when another ends there is room again")
  func tooMany() async throws {
    try await Bench.run {
      $0.limits.connectionCountMax = 3
    } _: { bench in
      var open = try (0..<3).map { _ in try RawConnection(bench.path) }
      #expect(await eventually { bench.server.connectionCount == 3 })
      let error = await #expect(throws: AdministrationError.self) {
        try await bench.client.version()
      }
      #expect(error?.code == .unavailable)
      #expect(error?.message == "too many connections")
      open.removeLast()
      #expect(
        await eventually {
          do { return try await bench.client.version().version == "1.2.3" } catch { return false }
        })
      withExtendedLifetime(open) {}
    }
  }

  @Test("Requests follow each other on one connection, also those sent at once")
  func keepAlive() async throws {
    try await Bench.run { bench in
      let connection = try RawConnection(bench.path)
      let ask = "GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n"
      let wrong = "GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n"
      await connection.send(ask + wrong + ask.dropLast(1) + "Connection: close\r\n\r\n")
      let (text, isEnded) = await connection.receiveAll()
      #expect(text.components(separatedBy: "HTTP/1.1 200 OK").count == 3)
      #expect(text.components(separatedBy: "HTTP/1.1 404 Not Found").count == 2)
      #expect(isEnded)
    }
  }

  @Test("A client that waits for 100 Continue is told to go on")
  func expectation() async throws {
    try await Bench.run { bench in
      let connection = try RawConnection(bench.path)
      let body = #"{"name":"t"}"#
      await connection.send(
        Self.head + "Connection: close\r\nExpect: 100-continue\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n")
      #expect(await connection.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 100 Continue\r\n"))
      await connection.send(body)
      #expect(try RawConnection.parse(await connection.receiveAll().text).status == 200)
    }
  }

  @Test("HEAD is refused without a body")
  func headMethod() async throws {
    try await Bench.run { bench in
      let text = "HEAD /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
      let answer = try RawConnection.parse(try await RawConnection.exchange(bench.path, text))
      #expect(answer.status == 405)
      #expect(answer.body.isEmpty)
    }
  }

  @Test("Stopping waits for a request that runs, and takes no more")
  func stop() async throws {
    let bench = try Bench { $0.limits.stopTime = .seconds(600) }
    defer { try? FileManager.default.removeItem(atPath: bench.directory) }
    try await bench.server.start()
    bench.administrator.state.withLock { $0.isHeld = true }
    async let change = bench.client.change(
      ChangeRequest([.removeStore(Change.StoreName("a"))]))
    #expect(await eventually { bench.administrator.state.withLock { $0.changeCount } == 1 })
    async let stopped: Void = bench.server.stop()
    #expect(await eventually { !FileManager.default.fileExists(atPath: bench.path) })
    await #expect(throws: AdministrationError.self) { try await bench.client.version() }
    bench.administrator.state.withLock { $0.isHeld = false }
    #expect(try await change == FakeAdministrator.result)
    await stopped
  }

  @Test("Stopping does not wait for ever")
  func stopInTime() async throws {
    let bench = try Bench { $0.limits.stopTime = .milliseconds(300) }
    defer { try? FileManager.default.removeItem(atPath: bench.directory) }
    try await bench.server.start()
    let idle = try RawConnection(bench.path)
    let busy = try RawConnection(bench.path)
    await busy.send(Self.head + "Content-Length: 5\r\n\r\n{")
    #expect(await eventually { bench.server.connectionCount == 2 })
    await bench.server.stop()
    #expect(await idle.receiveAll().isEnded)
    #expect(await busy.receiveAll().isEnded)
  }

  @Test("A server starts once")
  func startTwice() async throws {
    try await Bench.run { bench in
      await #expect(throws: AdministrationServerError.alreadyStarted) {
        try await bench.server.start()
      }
    }
  }
}
