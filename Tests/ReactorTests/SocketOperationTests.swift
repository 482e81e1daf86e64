import CLinux
import CTestSupport
import Glibc
import Testing

@testable import Reactor

@Suite("Socket operations")
struct SocketOperationTests {
  @Test("A receive fills the ranges of its list in order", arguments: RealEngine.allCases)
  func receiveScatters(_ engine: RealEngine) throws {
    let reactor = try engine.reactor()
    let connection = try Connection(reactor)
    defer { connection.close(reactor) }
    let buffer = try #require(reactor.buffers.allocate(4096))
    let target = list(buffer.slice(0..<3), buffer.slice(100..<200))
    let recorder = Recorder(lending: target)
    reactor.receive(on: connection.server, into: target, for: recorder, context: 7)
    reactor.mailbox.post {}
    reactor.turn()
    #expect(recorder.results.isEmpty, "nothing has been sent yet")
    #expect(send(connection.client, [1, 2, 3, 4, 5] as [UInt8], 5, 0) == 5)
    try reactor.turn { !recorder.results.isEmpty }
    #expect(recorder.results[7]?.value == 5)
    #expect(buffer.bytes(0..<3) == [1, 2, 3])
    #expect(buffer.bytes(100..<102) == [4, 5])
  }

  @Test(
    "A send larger than the socket's buffer arrives whole, whatever the pieces",
    arguments: RealEngine.allCases)
  func sendContinues(_ engine: RealEngine) throws {
    let reactor = try engine.reactor()
    let connection = try Connection(reactor)
    defer { connection.close(reactor) }
    let total = 16 << 20
    let buffer = try #require(reactor.buffers.allocate(total))
    for block in 0..<total / 4096 {
      buffer.fill(block * 4096..<(block + 1) * 4096, with: UInt8(truncatingIfNeeded: block * 7))
    }
    let source = list(buffer.slice(0..<1000), buffer.slice(1000..<total))
    let recorder = Recorder(lending: source)
    var pieces: UInt32 = 0
    var received = 0
    var isIntact = true
    var chunk = [UInt8](repeating: 0, count: 65536)
    reactor.send(on: connection.server, from: source, for: recorder, context: 0)
    let deadline = reactor.engine.now + .seconds(10)
    while received < total, reactor.engine.now < deadline {
      reactor.mailbox.post {}
      reactor.turn()
      if let result = recorder.results[pieces] {
        source.advance(by: try #require(result.value))
        pieces += 1
        if !source.isEmpty {
          reactor.send(on: connection.server, from: source, for: recorder, context: pieces)
        }
      }
      let count = recv(connection.client, &chunk, chunk.count, Int32(MSG_DONTWAIT))
      for index in stride(from: 0, to: max(count, 0), by: 509) {
        let expected = UInt8(truncatingIfNeeded: (received + index) / 4096 * 7)
        isIntact = isIntact && chunk[index] == expected
      }
      received += max(count, 0)
    }
    #expect(received == total)
    #expect(isIntact)
    try reactor.turn { source.isEmpty || recorder.results[pieces] != nil }
  }

  @Test("A receive answers 0 when the peer has closed", arguments: RealEngine.allCases)
  func peerCloses(_ engine: RealEngine) throws {
    let reactor = try engine.reactor()
    let connection = try Connection(reactor)
    defer { reactor.engine.close(connection.server) }
    let buffer = try #require(reactor.buffers.allocate(4096))
    let target = list(buffer.slice(0..<48))
    let recorder = Recorder(lending: target, buffer)
    reactor.receive(on: connection.server, into: target, for: recorder)
    close(connection.client)
    try reactor.turn { !recorder.results.isEmpty }
    #expect(recorder.results[0]?.value == 0)
  }

  @Test("Shutting a socket down ends its pending receive and send", arguments: RealEngine.allCases)
  func shutDownCompletes(_ engine: RealEngine) throws {
    let reactor = try engine.reactor()
    let connection = try Connection(reactor)
    defer { connection.close(reactor) }
    let small = try #require(reactor.buffers.allocate(4096))
    let large = try #require(reactor.buffers.allocate(16 << 20))
    let input = list(small.slice(0..<48))
    let output = list(large.slice(0..<16 << 20))
    let recorder = Recorder(lending: input, output, small, large)
    reactor.receive(on: connection.server, into: input, for: recorder, context: 1)
    var sends: UInt32 = 2
    reactor.send(on: connection.server, from: output, for: recorder, context: sends)
    // Sends on until the kernel takes no more and one stays pending.
    for _ in 0..<20 {
      reactor.mailbox.post {}
      reactor.turn()
      if let sent = recorder.results[sends]?.value {
        output.advance(by: sent)
        sends += 1
        reactor.send(on: connection.server, from: output, for: recorder, context: sends)
      }
    }
    #expect(recorder.results[1] == nil)
    #expect(recorder.results[sends] == nil)
    reactor.engine.shutDown(connection.server)
    try reactor.turn { recorder.results[1] != nil && recorder.results[sends] != nil }
    #expect(recorder.results[1]?.value == 0)
    #expect(reactor.operationsInFlight == 0)
  }

  @Test(
    "Shutting a listener down ends its pending accept with an error",
    arguments: RealEngine.allCases)
  func shutDownListener(_ engine: RealEngine) throws {
    let reactor = try engine.reactor()
    let listener = try ListeningSocket.open(address: try #require(SocketAddress("127.0.0.1:0")))
    defer { reactor.engine.close(listener) }
    let recorder = Recorder()
    reactor.accept(on: listener, for: recorder)
    reactor.mailbox.post {}
    reactor.turn()
    #expect(recorder.results.isEmpty)
    reactor.engine.shutDown(listener)
    try reactor.turn { !recorder.results.isEmpty }
    #expect(recorder.results[0]?.error == .invalidArgument)
  }

  @Test("Operations on a descriptor that is not open answer EBADF", arguments: RealEngine.allCases)
  func badSocket(_ engine: RealEngine) throws {
    let reactor = try engine.reactor()
    let buffer = try #require(reactor.buffers.allocate(4096))
    let bad = SocketHandle(rawValue: 999_999)
    let badDescriptor = SystemError(rawValue: EBADF)
    let ranges = list(buffer.slice(0..<8))
    #expect(try reactor.result { reactor.accept(on: bad, for: $0) }.error == badDescriptor)
    #expect(
      try reactor.result(lending: ranges) { reactor.receive(on: bad, into: ranges, for: $0) }.error
        == badDescriptor)
    #expect(
      try reactor.result(lending: ranges) { reactor.send(on: bad, from: ranges, for: $0) }.error
        == badDescriptor)
  }

  @Test(
    "A send to a peer that is gone answers EPIPE and raises no signal",
    arguments: RealEngine.allCases)
  func brokenPipe(_ engine: RealEngine) throws {
    let reactor = try engine.reactor()
    let connection = try Connection(reactor)
    defer { connection.close(reactor) }
    let buffer = try #require(reactor.buffers.allocate(4096))
    reactor.engine.shutDown(connection.server)
    let source = list(buffer.slice(0..<8))
    let result = try reactor.result(lending: source) {
      reactor.send(on: connection.server, from: source, for: $0)
    }
    #expect(result.error == .brokenPipe)
  }

  @Test(
    "A peer that acknowledges is there though it reads nothing; one that is cut off is gone",
    arguments: RealEngine.allCases)
  func transmission(_ engine: RealEngine) throws {
    let reactor = try engine.reactor()
    let connection = try Connection(reactor)
    defer { connection.close(reactor) }
    let state = { reactor.engine.transmission(of: connection.server) }
    let buffer = try #require(reactor.buffers.allocate(4096))
    let source = list(buffer.slice(0..<48))
    let send = {
      try reactor.result(lending: source) {
        reactor.send(on: connection.server, from: source, for: $0)
      }
    }
    #expect(try send().value == 48)
    try reactor.turn(napping: Milliseconds(10)) { state()?.unacknowledgedSegments == 0 }
    usleep(300_000)
    let idle = try #require(state())
    #expect(idle.timeouts == 0)
    #expect(idle.silence >= Milliseconds(250) && idle.silence < .seconds(60))
    try #require(clinux_cut_off(connection.client) == 0)
    let start = reactor.engine.now
    #expect(try send().value == 48)
    #expect(state()?.unacknowledgedSegments == 1)
    try reactor.turn(napping: Milliseconds(50)) { state()?.isPeerGone == true }
    #expect(reactor.engine.now.milliseconds(since: start) >= Milliseconds(500))
    #expect(reactor.engine.transmission(of: SocketHandle(rawValue: 999_999)) == nil)
  }

  @Test(
    "More operations at once than the queue has entries all complete",
    arguments: RealEngine.allCases)
  func fullQueue(_ engine: RealEngine) throws {
    let reactor = try engine.reactor()
    let file = try TemporaryFile(isBuffered: true, count: 1 << 20)
    let buffer = try #require(reactor.buffers.allocate(1 << 20))
    let recorder = Recorder()
    for index in 0..<20_000 {
      reactor.read(
        file.handle, into: buffer.slice(0..<512), at: UInt64(index % 2048) * 512, for: recorder,
        context: UInt32(index))
    }
    try reactor.turn { recorder.results.count == 20_000 }
    #expect(recorder.results.values.allSatisfy { $0.value == 512 })
    #expect(reactor.operationsInFlight == 0)
  }
}
