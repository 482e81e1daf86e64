import Reactor
import TargetSimulation
import Testing

@Suite("Simulated network")
struct NetworkTests {
  static let address = "10.0.0.1:3260"

  struct Setting {
    let world: SimulatedWorld
    let reactor: Reactor
    let server: EchoServer
    let peer: SimulatedPeer

    init(seed: UInt64, echoes: Bool = true, options: ConnectionOptions = .init()) {
      world = SimulatedWorld(seed: seed)
      reactor = world.makeReactor()
      let listener = world.listen(NetworkTests.address)
      server = EchoServer(reactor, listener: listener, echoes: echoes)
      peer = world.connect(to: NetworkTests.address, options: options)
    }

    func run(until condition: () -> Bool) -> RunOutcome {
      world.run([reactor], until: condition, within: .seconds(60))
    }

    func connect() {
      #expect(run { server.socket != nil } == .satisfied)
    }
  }

  @Test(
    "bytes arrive complete and in order both ways, however they are cut up",
    arguments: [Fragmentation.whole, .singleBytes, .random(upTo: 100)], [1, 2, 3] as [UInt64])
  func order(fragmentation: Fragmentation, seed: UInt64) {
    var options = ConnectionOptions()
    options.toTarget = fragmentation
    options.toPeer = fragmentation
    options.shortensSends = true
    let setting = Setting(seed: seed, options: options)
    let bytes = pattern(3000)
    setting.peer.send(Array(bytes[..<1000]))
    setting.peer.send(Array(bytes[1000...]))
    #expect(setting.run { setting.peer.received.count >= bytes.count } == .satisfied)
    #expect(setting.server.received == bytes)
    #expect(setting.peer.received == bytes)
  }

  @Test("byte-by-byte delivery brings one byte per receive")
  func singleBytes() {
    var options = ConnectionOptions()
    options.toTarget = .singleBytes
    let setting = Setting(seed: 4, echoes: false, options: options)
    setting.peer.send(pattern(200))
    #expect(setting.run { setting.server.received.count == 200 } == .satisfied)
    #expect(setting.server.receiveCounts == [Int](repeating: 1, count: 200))
  }

  @Test("a socket knows both its addresses, and closing leaves no socket open")
  func addresses() throws {
    let world = SimulatedWorld(seed: 5)
    let reactor = world.makeReactor()
    let server = EchoServer(reactor, listener: world.listen(Self.address))
    let peer = world.connect(to: Self.address, from: "10.0.0.9:55555")
    #expect(world.run([reactor], until: { server.socket != nil }) == .satisfied)
    let socket = try #require(server.socket)
    #expect(world.peerAddress(of: socket) == "10.0.0.9:55555")
    #expect(world.localAddress(of: socket) == Self.address)
    peer.close()
    world.runUntilQuiescent([reactor])
    #expect(server.receiveEnd == OperationResult(rawValue: 0))
    reactor.engine.close(socket)
    #expect(world.openSocketCount == 0)
  }

  @Test("a connection to where nobody listens is refused")
  func refused() {
    let world = SimulatedWorld(seed: 6)
    let peer = world.connect(to: Self.address)
    world.runUntilQuiescent([])
    #expect(peer.isRefused && peer.isClosed && !peer.isConnected)
  }

  @Test("an accept that fails with EMFILE leaves the connection to the next accept")
  func acceptFailure() {
    let setting = Setting(seed: 7)
    setting.world.failNextAccept(on: setting.server.listener, with: .tooManyFiles)
    setting.connect()
    #expect(setting.server.acceptErrors == [.tooManyFiles])
  }

  @Test(
    "a reader that stalls bounds what the target may send, and reading on delivers the rest",
    arguments: [Fragmentation.whole, .random(upTo: 20)])
  func stalledReader(fragmentation: Fragmentation) {
    var options = ConnectionOptions()
    options.toPeer = fragmentation
    options.bufferBytes = 10_000
    let setting = Setting(seed: 8, echoes: false, options: options)
    setting.connect()
    setting.peer.isReading = false
    let bytes = pattern(1_000_000)
    setting.server.send(bytes)
    #expect(setting.world.run([setting.reactor], for: .seconds(10)) == .outOfTime)
    let accepted = setting.server.sendResults.compactMap(\.value).reduce(0, +)
    // The target's send buffer and the peer's receive buffer, both full.
    #expect(accepted == 20_000)
    #expect(setting.peer.unreadBytes == 20_000)
    #expect(setting.peer.received.isEmpty)
    #expect(setting.reactor.operationsInFlight == 2)
    setting.peer.isReading = true
    #expect(setting.run { setting.peer.received.count == bytes.count } == .satisfied)
    #expect(setting.peer.received == bytes)
  }

  @Test("a target that does not receive bounds what its kernel holds")
  func stalledTarget() {
    var options = ConnectionOptions()
    options.bufferBytes = 5_000
    let setting = Setting(seed: 9, options: options)
    setting.peer.isReading = false
    setting.peer.send(pattern(100_000))
    #expect(setting.world.run([setting.reactor], for: .seconds(10)) == .outOfTime)
    #expect(setting.server.received.count < 20_000)
    setting.peer.isReading = true
    #expect(setting.run { setting.peer.received.count == 100_000 } == .satisfied)
  }

  @Test("shutDown completes the pending receive with 0 and the pending send with EPIPE")
  func shutDown() throws {
    var options = ConnectionOptions()
    options.bufferBytes = 1000
    let setting = Setting(seed: 10, echoes: false, options: options)
    setting.connect()
    setting.peer.isReading = false
    setting.server.send(pattern(10_000))
    setting.world.run([setting.reactor], for: .seconds(1))
    #expect(setting.reactor.operationsInFlight == 2)
    let socket = try #require(setting.server.socket)
    setting.reactor.engine.shutDown(socket)
    setting.world.run([setting.reactor], for: .seconds(1))
    #expect(setting.reactor.operationsInFlight == 0)
    #expect(setting.server.receiveEnd == OperationResult(rawValue: 0))
    #expect(setting.server.sendResults.last?.error == .brokenPipe)
    setting.reactor.engine.close(socket)
    setting.peer.isReading = true
    setting.world.runUntilQuiescent([setting.reactor])
    #expect(setting.peer.hasEnded && !setting.peer.isReset)
    #expect(setting.peer.received.count == 2000)
  }

  @Test("shutDown of a listener ends its accept")
  func listenerShutDown() {
    let world = SimulatedWorld(seed: 11)
    let reactor = world.makeReactor()
    let listener = world.listen(Self.address)
    let server = EchoServer(reactor, listener: listener)
    world.run([reactor], for: .seconds(1))
    reactor.engine.shutDown(listener)
    world.runUntilQuiescent([reactor])
    #expect(server.acceptErrors == [.invalidArgument])
    reactor.engine.close(listener)
    #expect(reactor.operationsInFlight == 0)
  }

  @Test("while cut nothing arrives and nobody is told; healing delivers every byte once, in order")
  func cutAndHeal() {
    for seed in 20..<40 as Range<UInt64> {
      var options = ConnectionOptions()
      options.toTarget = .random(upTo: 50)
      options.toPeer = .random(upTo: 50)
      let setting = Setting(seed: seed, options: options)
      let bytes = pattern(5000)
      setting.peer.send(bytes)
      #expect(setting.run { setting.peer.received.count > 500 } == .satisfied)
      setting.peer.cut()
      let before = (setting.server.received.count, setting.peer.received.count)
      setting.world.run([setting.reactor], for: .seconds(3600))
      #expect(setting.peer.received.count == before.1)
      #expect(setting.server.received.count < bytes.count)
      #expect(setting.server.receiveEnd == nil && !setting.peer.isClosed)
      setting.peer.heal()
      #expect(setting.run { setting.peer.received.count >= bytes.count } == .satisfied)
      #expect(setting.server.received == bytes)
      #expect(setting.peer.received == bytes)
    }
  }

  @Test("what is sent in a cut is not acknowledged; time-outs follow until it is healed")
  func unacknowledged() throws {
    let setting = Setting(seed: 18, echoes: false)
    setting.connect()
    let socket = try #require(setting.server.socket)
    let state = { setting.reactor.engine.transmission(of: socket) }
    setting.peer.isReading = false
    setting.server.send([1])
    setting.world.run([setting.reactor], for: .seconds(1))
    #expect(state()?.unacknowledgedSegments == 0)
    setting.peer.cut()
    setting.server.send([2])
    var timeouts: [UInt8?] = []
    for _ in 0..<4 {
      setting.world.run([setting.reactor], for: Milliseconds(450))
      timeouts.append(state()?.timeouts)
    }
    #expect(timeouts == [1, 2, 2, 3])
    let cut = try #require(state())
    #expect(cut.unacknowledgedSegments == 1 && cut.silence >= Milliseconds(2_790))
    setting.peer.heal()
    setting.world.run([setting.reactor], for: .seconds(1))
    let healed = try #require(state())
    #expect(healed.unacknowledgedSegments == 0 && healed.timeouts == 0)
    #expect(healed.silence <= .seconds(1))
  }

  @Test("a reset that is lost in a cut is noticed only when the target sends")
  func lostReset() {
    let setting = Setting(seed: 12, echoes: false)
    setting.connect()
    setting.peer.cut()
    setting.peer.reset()
    setting.world.run([setting.reactor], for: .seconds(60))
    setting.peer.heal()
    setting.world.run([setting.reactor], for: .seconds(60))
    #expect(setting.server.receiveEnd == nil)
    setting.server.send([1, 2, 3])
    #expect(setting.run { setting.server.receiveEnd != nil } == .satisfied)
    #expect(setting.server.receiveEnd?.error == .connectionReset)
  }

  @Test("a reset ends the pending receive with ECONNRESET and a later send with EPIPE")
  func reset() {
    let setting = Setting(seed: 13, echoes: false)
    setting.connect()
    setting.peer.reset()
    setting.world.runUntilQuiescent([setting.reactor])
    #expect(setting.server.receiveEnd?.error == .connectionReset)
    setting.server.send([1])
    setting.world.runUntilQuiescent([setting.reactor])
    #expect(setting.server.sendResults.last?.error == .brokenPipe)
  }

  @Test("kill -9 of the target ends its connections and silences its reactor")
  func killProcess() {
    let setting = Setting(seed: 14)
    setting.connect()
    setting.world.killProcess([setting.reactor])
    setting.world.runUntilQuiescent([setting.reactor])
    #expect(setting.peer.isClosed)
    #expect(setting.world.openSocketCount == 0)
    // The address is free for the next process.
    _ = setting.world.listen(Self.address)
  }

  @Test("a send of several ranges arrives in their order")
  func severalRanges() {
    let setting = Setting(seed: 15, echoes: false)
    setting.connect()
    let buffer = setting.reactor.buffers.allocate(4096)!
    buffer.store(pattern(300), at: 0)
    let list = ScatterGatherList(capacity: 3)
    for range in [200..<300, 0..<1, 100..<200] { list.append(buffer.slice(range)) }
    let recorder = Recorder()
    setting.reactor.send(on: setting.server.socket!, from: list, for: recorder)
    #expect(setting.run { setting.peer.received.count == 201 } == .satisfied)
    let bytes = pattern(300)
    let expected: [UInt8] = Array(bytes[200...]) + [bytes[0]] + Array(bytes[100..<200])
    #expect(setting.peer.received == expected)
  }

  @Test("after the machine crashed a healed peer is answered by a reset")
  func crashMachine() {
    let setting = Setting(seed: 16)
    setting.connect()
    setting.world.crashMachine([setting.reactor])
    setting.peer.send([1, 2, 3])
    setting.world.runUntilQuiescent([setting.reactor])
    #expect(!setting.peer.isClosed)
    setting.peer.heal()
    setting.world.runUntilQuiescent([setting.reactor])
    #expect(setting.peer.isReset)
  }

  @Test("whoever closed answers late data by a reset")
  func lateData() {
    let setting = Setting(seed: 17, echoes: false)
    setting.connect()
    setting.peer.close()
    #expect(setting.run { setting.server.receiveEnd != nil } == .satisfied)
    #expect(setting.server.receiveEnd == OperationResult(rawValue: 0))
    setting.server.send([1])
    setting.world.runUntilQuiescent([setting.reactor])
    #expect(setting.server.sendResults.map(\.value) == [1])
    setting.server.send([2])
    setting.world.runUntilQuiescent([setting.reactor])
    #expect(setting.server.sendResults.last?.error == .connectionReset)
  }
}
