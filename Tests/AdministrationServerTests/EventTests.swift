import AdministrationClient
import AdministrationModel
import Foundation
import Synchronization
import Testing

@testable import AdministrationServer

@Suite("Stream of events")
struct EventTests {
  static func event(_ number: Int) -> Event {
    Event(.storeOffline, "number \(number)", store: "s\(number)")
  }

  @Test("Brings events as they happen, numbered and dated, one JSON object a line")
  func order() async throws {
    try await Bench.run { bench in
      let received = Mutex<[Event]>([])
      let reader = Task {
        try await bench.client.events { event in
          received.withLock { $0.append(event) }
          return event.store != "s9"
        }
      }
      #expect(await eventually { bench.events.subscriptionCount == 1 })
      for number in 0..<10 { bench.events.publish(Self.event(number)) }
      try await reader.value
      let events = received.withLock { $0 }
      #expect(events.map(\.store) == (0..<10).map { "s\($0)" })
      #expect(events.map(\.id) == Array(1...10))
      #expect(events.allSatisfy { $0.at.millisecondsSinceEpoch > 1_700_000_000_000 })
      #expect(await eventually { bench.events.subscriptionCount == 0 })
    }
  }

  @Test("Ends here when the client goes away, though nothing happens")
  func departure() async throws {
    try await Bench.run { bench in
      var connection: RawConnection? = try RawConnection(bench.path)
      await connection?.send("GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
      let head = await connection?.receive(until: "\r\n\r\n").lowercased()
      #expect(head?.contains("content-type: application/x-ndjson") == true)
      #expect(await eventually { bench.events.subscriptionCount == 1 })
      connection = nil
      #expect(await eventually { bench.events.subscriptionCount == 0 })
      #expect(await eventually { bench.server.connectionCount == 0 })
    }
  }

  @Test("Ends there when the task that reads is cancelled")
  func cancellation() async throws {
    try await Bench.run { bench in
      let reader = Task { try await bench.client.events { _ in true } }
      #expect(await eventually { bench.events.subscriptionCount == 1 })
      reader.cancel()
      _ = await reader.result
      #expect(await eventually { bench.events.subscriptionCount == 0 })
    }
  }

  @Test("Ends orderly when the server stops")
  func stop() async throws {
    let bench = try Bench()
    defer { try? FileManager.default.removeItem(atPath: bench.directory) }
    try await bench.server.start()
    let reader = Task { try await bench.client.events { _ in true } }
    #expect(await eventually { bench.events.subscriptionCount == 1 })
    await bench.server.stop()
    try await reader.value
    // Nobody listens any more, and nobody minds.
    bench.events.publish(Self.event(0))
  }

  @Test("Goes on after the event that was the last one, with what is still known")
  func after() async throws {
    try await Bench.run { bench in
      for number in 0..<5 { bench.events.publish(Self.event(number)) }
      let received = Mutex<[UInt64]>([])
      try await bench.client.events(after: 2) { event in
        received.withLock { $0.append(event.id) }
        return event.id != 5
      }
      #expect(received.withLock { $0 } == [3, 4, 5])
    }
  }

  @Test("Says how many events are not known any more")
  func afterTooLong() async {
    let hub = EventHub(recentCountMax: 3)
    for number in 0..<10 { hub.publish(Self.event(number)) }
    let batch = await hub.subscribe(after: 4, queueCountMax: 10).next()
    #expect(batch?.map(\.kind.rawValue) == ["missed"] + Array(repeating: "storeOffline", count: 3))
    #expect(batch?.first?.missed == 3)
    #expect(batch?.map(\.id) == [0, 8, 9, 10])
    #expect(hub.subscriptionCount == 1)
  }

  @Test("Drops for a slow reader the oldest, and says how many")
  func slowQueue() async {
    let hub = EventHub()
    let subscription = hub.subscribe(after: nil, queueCountMax: 4)
    for number in 0..<10 { hub.publish(Self.event(number)) }
    let batch = await subscription.next()
    #expect(batch?.first?.missed == 6)
    #expect(batch?.dropFirst().map(\.store) == ["s6", "s7", "s8", "s9"])
    hub.publish(Self.event(10))
    #expect(await subscription.next()?.map(\.store) == ["s10"])
  }

  @Test("Costs little memory for a client that does not read, and misses nothing in its count")
  func slowReader() async throws {
    try await Bench.run {
      $0.limits.eventQueueCountMax = 16
    } _: { bench in
      let connection = try RawConnection(bench.path)
      await connection.send("GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(await eventually { bench.events.subscriptionCount == 1 })
      // Far more than the sockets and the server hold for one who does not read.
      let text = String(repeating: "x", count: 4096)
      for _ in 0..<2000 {
        bench.events.publish(Event(.loginRefused, text))
        await Task.yield()
      }
      bench.events.publish(Event(.storeFull, "the end"))
      let answer = await connection.receive(until: "the end")
      let lines = answer.split(separator: "\n").filter { $0.contains("{") }
      let events = lines.compactMap { line in
        line.firstIndex(of: "{").flatMap {
          try? JSONDecoder().decode(Event.self, from: Data(line[$0...].utf8))
        }
      }
      let missed = events.compactMap(\.missed).reduce(0, +)
      #expect(missed > 1000)
      #expect(Int(missed) + events.filter { $0.kind == .loginRefused }.count == 2000)
    }
  }

  @Test("Says that it lives when nothing happens")
  func alive() async throws {
    try await Bench.run {
      $0.limits.aliveTime = .milliseconds(50)
    } _: { bench in
      try await bench.client.events { event in
        #expect(event.kind == .alive)
        return false
      }
    }
  }
}
