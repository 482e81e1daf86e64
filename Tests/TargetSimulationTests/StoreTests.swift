import BackingStore
import Reactor
import TargetSimulation
import Testing

@Suite("Simulated store")
struct StoreTests {
  final class Client: StoreClient {
    var ends: [StoreFailure?] = []
    func storeRequestEnded(_ request: StoreRequest, _ failure: StoreFailure?) {
      ends.append(failure)
    }
  }

  struct Setting {
    let world = SimulatedWorld(seed: 77)
    let reactor: Reactor
    let disk: SimulatedDisk
    let store: SimulatedStore
    let client = Client()
    let request: StoreRequest
    let buffer: Buffer

    init() {
      reactor = world.makeReactor()
      disk = world.makeDisk(sizeBytes: 1 << 20)
      store = SimulatedStore(disk)
      request = StoreRequest(client: client)
      buffer = reactor.buffers.allocate(4096)!
      buffer.store(pattern(4096), at: 0)
    }

    func start() {
      let before = client.ends.count
      store.start(request, on: reactor)
      #expect(client.ends.count == before, "a request must not end before start returns")
      world.runUntilQuiescent([reactor])
      #expect(client.ends.count == before + 1)
    }

    func write(isDurable: Bool = false) {
      request.prepareWrite(from: buffer.slice(0..<4096), at: 8192, isDurable: isDurable)
      start()
    }
  }

  @Test("short writes, EINTR and EAGAIN are continued until all is written")
  func continued() {
    let setting = Setting()
    for _ in 0..<3 { setting.disk.inject(DiskFault(.shortCount(1000), on: .write)) }
    setting.disk.inject(DiskFault(.failure(.interrupted), on: .write))
    setting.disk.inject(DiskFault(.failure(.tryAgain), on: .write))
    setting.write()
    #expect(setting.client.ends == [nil])
    #expect(setting.disk.visibleBytes(8192..<12288) == pattern(4096))
    #expect(setting.disk.startedCount(.write) == 6)
  }

  @Test("extents tell data, what was zeroed as anchored, and what was punched as a hole")
  func extents() {
    let setting = Setting()
    setting.write()
    setting.request.prepare(.zeroRange, at: 4096, count: 6144)
    setting.start()
    setting.request.prepare(.punchHole, at: 4096, count: 1024)
    setting.start()
    setting.request.prepare(.findExtents, at: 2048, count: 10_752)
    setting.start()
    #expect(
      setting.request.extents == [
        StoreExtent(offset: 2048, count: 3072, .deallocated),
        StoreExtent(offset: 5120, count: 5120, .anchored),
        StoreExtent(offset: 10240, count: 2048, .mapped),
        StoreExtent(offset: 12288, count: 512, .deallocated),
      ])
    #expect(setting.disk.allocatedBytes == 5120 + 2048)
    #expect(setting.disk.visibleBytes(4096..<10240).allSatisfy { $0 == 0 })
    // A store that serves no anchors has them mapped.
    let plain = SimulatedStore(
      setting.disk, capabilities: StoreCapabilities(canPunchHoles: true, canZeroRanges: true))
    setting.request.prepare(.findExtents, at: 4096, count: 2048)
    plain.start(setting.request, on: setting.reactor)
    setting.world.runUntilQuiescent([setting.reactor])
    #expect(
      setting.request.extents == [
        StoreExtent(offset: 4096, count: 1024, .deallocated),
        StoreExtent(offset: 5120, count: 1024, .mapped),
      ])
  }

  @Test("short reads are continued at the right place")
  func shortRead() {
    let setting = Setting()
    setting.disk.fill(pattern(4096, seed: 5), at: 8192)
    setting.disk.inject(DiskFault(.shortCount(1), on: .read, count: 3))
    setting.request.prepareRead(into: setting.buffer.slice(0..<4096), at: 8192)
    setting.start()
    #expect(setting.client.ends == [nil])
    #expect(setting.buffer.bytes(0..<4096) == pattern(4096, seed: 5))
  }

  @Test("a failed synchronize latches: writes and syncs fail, reads go on")
  func latch() {
    let setting = Setting()
    setting.disk.inject(DiskFault(.failure(.inputOutput), on: .synchronize))
    setting.write()
    setting.request.prepareSynchronize()
    setting.start()
    #expect(setting.store.readiness == .latched)
    setting.write()
    setting.request.prepareSynchronize()
    setting.start()
    setting.request.prepareRead(into: setting.buffer.slice(0..<4096), at: 8192)
    setting.start()
    #expect(setting.client.ends == [nil, .medium(.inputOutput), .latched, .latched, nil])
    #expect(setting.disk.startedCount(.synchronize) == 1)
  }

  @Test("errors become the failures that the contract names")
  func failures() {
    let setting = Setting()
    for error in [SystemError.noSpace, .quotaExceeded, .noSuchDevice, .outOfMemory, .inputOutput] {
      setting.disk.inject(DiskFault(.failure(error), on: .write))
      setting.write()
    }
    setting.store.setReadiness(.waitingForLock)
    setting.write()
    let expected: [StoreFailure?] = [
      .outOfSpace, .outOfSpace, .gone, .shortOfResources, .medium(.inputOutput), .notReady,
    ]
    #expect(setting.client.ends == expected)
    #expect(setting.store.readiness == .waitingForLock)
  }

  @Test("holes are punched through the store")
  func punchHole() {
    let setting = Setting()
    setting.write(isDurable: true)
    #expect(setting.disk.durableBytes(8192..<12288) == pattern(4096))
    setting.request.prepare(.punchHole, at: 8192, count: 4096)
    setting.start()
    #expect(setting.disk.visibleBytes(8192..<12288).allSatisfy { $0 == 0 })
    #expect(setting.client.ends == [nil, nil])
  }
}
