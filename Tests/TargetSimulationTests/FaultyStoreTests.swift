import BackingStore
import Reactor
import TargetSimulation
import Testing

@Suite("Store with faults")
struct FaultyStoreTests {
  /// Notes when each request ended.
  final class Client: StoreClient {
    let world: SimulatedWorld
    var ends: [(time: MonotonicTime, failure: StoreFailure?)] = []
    init(_ world: SimulatedWorld) { self.world = world }
    func storeRequestEnded(_ request: StoreRequest, _ failure: StoreFailure?) {
      ends.append((world.now, failure))
    }
    var failures: [StoreFailure?] { ends.map(\.failure) }
  }

  /// A disk, a store of it with faults, and a request at a time.
  struct Setting {
    let world = SimulatedWorld(seed: 5)
    let reactor: Reactor
    let disk: SimulatedDisk
    let store: FaultyStore
    let client: Client
    let buffer: Buffer

    init(_ faults: [StoreFault], seed: UInt64 = 1) {
      reactor = world.makeReactor()
      disk = world.makeDisk(sizeBytes: 1 << 20)
      store = FaultyStore(SimulatedStore(disk), faults: faults, seed: seed)
      client = Client(world)
      buffer = reactor.buffers.allocate(4096)!
      buffer.store(pattern(4096), at: 0)
    }

    /// Starts a write at `offset`; whoever asks must hold on to the request.
    func write(_ offset: UInt64 = 8192, count: Int = 4096) -> StoreRequest {
      let request = StoreRequest(client: client)
      request.prepareWrite(from: buffer.slice(0..<count), at: offset, isDurable: false)
      start(request)
      return request
    }

    func read() -> StoreRequest {
      let request = StoreRequest(client: client)
      request.prepareRead(into: buffer.slice(0..<512), at: 0)
      start(request)
      return request
    }

    func synchronize() -> StoreRequest {
      let request = StoreRequest(client: client)
      request.prepareSynchronize()
      start(request)
      return request
    }

    private func start(_ request: StoreRequest) {
      let before = client.ends.count
      store.start(request, on: reactor)
      #expect(client.ends.count == before, "a request must not end before start returns")
    }

    func settle() { world.runUntilQuiescent([reactor]) }
  }

  @Test("A delayed write lands late: until its time has come the disk has not heard of it")
  func delay() {
    let setting = Setting([StoreFault(.delay(300...300), on: .write)])
    setting.settle()
    let begin = setting.world.now
    let request = setting.write()
    setting.world.run([setting.reactor], for: Milliseconds(299))
    #expect(setting.disk.startedCount(.write) == 0)
    #expect(request.isInFlight)
    setting.settle()
    #expect(setting.client.failures == [nil])
    let landed = setting.disk.writesLanded
    #expect(landed.count == 1)
    #expect(landed.allSatisfy { $0.time >= begin + Milliseconds(300) })
  }

  @Test("Delays come from the seed and keep to their range", arguments: [1, 2, 3] as [UInt64])
  func delays(seed: UInt64) {
    func times() -> [UInt64] {
      let setting = Setting([StoreFault(.delay(10...90), on: .write)], seed: seed)
      setting.settle()
      let begin = setting.world.now
      return (0..<20).map { _ in
        let start = setting.world.now
        let request = setting.write()
        setting.settle()
        #expect(!request.isInFlight)
        let landed = setting.disk.writesLanded.last?.time ?? begin
        #expect(landed >= start + Milliseconds(10) && landed <= start + Milliseconds(92))
        return landed.rawValue
      }
    }
    #expect(times() == times())
  }

  @Test("A fault hits its kind, its range and its count after its first requests, and nothing else")
  func selection() {
    let setting = Setting([
      StoreFault(
        .failure(.outOfSpace), on: .write, in: 8192..<12288, skipping: 1, count: 2)
    ])
    var requests: [StoreRequest] = []
    for start in [
      { setting.write() }, { setting.read() }, { setting.write() },
      // The last byte of the range, and the first past it.
      { setting.write(12287, count: 1) }, { setting.write(12288) }, { setting.write() },
    ] {
      requests.append(start())
      setting.settle()
    }
    #expect(setting.client.failures == [nil, nil, .outOfSpace, .outOfSpace, nil, nil])
    #expect(setting.disk.startedCount(.write) == 3)
    #expect(requests.allSatisfy { !$0.isInFlight })
  }

  @Test("What is stopped neither begins nor ends until it is released, then it does both")
  func stop() {
    let setting = Setting([StoreFault(.stop, on: .write)])
    let stopped = [setting.write(), setting.write(16384)]
    let read = setting.read()
    setting.world.run([setting.reactor], for: .seconds(3600))
    #expect(setting.client.failures == [nil])
    #expect(!read.isInFlight && stopped.allSatisfy(\.isInFlight))
    #expect(setting.disk.startedCount(.write) == 0)
    setting.store.release()
    setting.settle()
    #expect(setting.client.failures == [nil, nil, nil])
    #expect(setting.disk.startedCount(.write) == 2)
  }

  @Test("A synchronize that is made to fail latches the store")
  func latch() {
    let setting = Setting([StoreFault(.failure(.medium(.inputOutput)), on: .synchronize, count: 1)])
    #expect(setting.store.readiness == .ready)
    let request = setting.synchronize()
    setting.settle()
    #expect(!request.isInFlight)
    #expect(setting.client.failures == [.medium(.inputOutput)])
    #expect(setting.store.readiness == .latched)
  }
}
