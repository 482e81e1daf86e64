import BackingStore
import CLinux
import Reactor
import Testing

@Suite("Short transfers and failures")
struct FailureTests {
  let scratch: Scratch
  let bench = StoreBench()
  let latches = LatchLog()

  init() throws { scratch = try Scratch() }

  private func makeStore(
    _ cacheMode: CacheMode = .writeback, startsLatched: Bool = false
  ) throws -> DescriptorStore {
    try open(
      StoreOptions(
        path: scratch("a.img"), sizeBytes: 1 << 20, logicalBlockBytes: 4096, cacheMode: cacheMode,
        startsLatched: startsLatched),
      onLatch: latches.callback)
  }

  // MARK: Transfers

  @Test("Short writes and reads are continued where they ended")
  func short() throws {
    let store = try makeStore()
    for few in [512, 1, 4096] { bench.engine.script(.write, .short(few)) }
    #expect(try bench.write(.pattern(16384), at: 8192, to: store) == nil)
    #expect(bench.engine.calls == [.write, .write, .write, .write])
    for few in [1, 4095] { bench.engine.script(.read, .short(few)) }
    let found = try bench.read(16384, at: 8192, of: store)
    #expect(found.failure == nil && found.bytes == .pattern(16384))
    #expect(try bench.read(4096, at: 4096, of: store).bytes.allSatisfy { $0 == 0 })
    #expect(try bench.read(4096, at: 24576, of: store).bytes.allSatisfy { $0 == 0 })
  }

  @Test("A write of nothing is an EIO, also after a part")
  func nothingWritten() throws {
    let store = try makeStore()
    bench.engine.script(.write, .short(512))
    bench.engine.script(.write, .short(0))
    #expect(try bench.write(.pattern(4096), at: 0, to: store) == .medium(.inputOutput))
    #expect(store.readiness == .ready)
  }

  @Test("Reading where the file was cut fails instead of inventing zeros")
  func truncated() throws {
    let store = try makeStore()
    try #require(truncate(scratch("a.img"), 4096) == 0)
    #expect(try bench.read(4096, at: 8192, of: store).failure == .medium(.inputOutput))
    #expect(try bench.read(8192, at: 0, of: store).failure == .medium(.inputOutput))
  }

  @Test("A request for nothing succeeds without an operation")
  func empty() throws {
    let store = try makeStore()
    #expect(try bench.allocate(.punchHole, at: 0, count: 0, of: store) == nil)
    #expect(try bench.read(0, at: 1 << 20, of: store).failure == nil)
    #expect(bench.engine.calls.isEmpty)
  }

  @Test("EINTR is tried again, and not for ever")
  func interrupted() throws {
    let store = try makeStore()
    bench.engine.script(.synchronize, .failure(.interrupted))
    bench.engine.script(.write, .failure(.interrupted))
    #expect(try bench.write(.pattern(4096), at: 0, to: store) == nil)
    #expect(try bench.synchronize(store) == nil)
    #expect(bench.engine.calls == [.write, .write, .synchronize, .synchronize])
    for _ in 0..<200 { bench.engine.script(.read, .failure(.interrupted)) }
    #expect(try bench.read(4096, at: 0, of: store).failure == .medium(.interrupted))
    #expect(latches.errors.isEmpty)
  }

  // MARK: What an errno means

  @Test("Each errno is what its operation makes of it")
  func meanings() {
    typealias Row = (SystemError, StoreRequest.Operation, StoreFailure)
    let rows: [Row] = [
      (.noSpace, .write, .outOfSpace), (.quotaExceeded, .write, .outOfSpace),
      (.noSpace, .zeroRange, .outOfSpace), (.noSpace, .punchHole, .outOfSpace),
      (.noSpace, .synchronize, .medium(.noSpace)),
      (.noSuchDevice, .read, .gone), (.deviceGone, .write, .gone), (.deviceGone, .zeroRange, .gone),
      (SystemError(rawValue: ESTALE), .read, .gone),
      (.notSupported, .punchHole, .unsupported), (.noSuchCall, .zeroRange, .unsupported),
      (.invalidArgument, .punchHole, .unsupported),
      (.invalidArgument, .write, .medium(.invalidArgument)),
      (.notSupported, .synchronize, .medium(.notSupported)),
      (.outOfMemory, .read, .shortOfResources), (.tryAgain, .write, .shortOfResources),
      (.outOfMemory, .synchronize, .medium(.outOfMemory)),
      (.tryAgain, .synchronize, .medium(.tryAgain)),
      (.notSubmitted, .synchronize, .shortOfResources), (.notSubmitted, .write, .shortOfResources),
      (.connectionReset, .write, .medium(.connectionReset)),
      (.inputOutput, .read, .medium(.inputOutput)),
    ]
    for (error, operation, failure) in rows {
      #expect(StoreFailure(error, during: operation) == failure, "\(error) in \(operation)")
    }
  }

  @Test("Once the device is gone nothing reaches it any more")
  func gone() throws {
    let store = try makeStore(.none)
    bench.engine.script(.read, .failure(.noSuchDevice))
    #expect(try bench.read(4096, at: 0, of: store).failure == .gone)
    #expect(store.readiness == .gone)
    #expect(try bench.write(.pattern(4096), at: 0, to: store) == .gone)
    #expect(bench.engine.calls == [.read])
    #expect(!store.isLatched)
  }

  // MARK: The latch

  @Test(
    "The first failed sync latches: writes, syncs and discards are refused, reads go on"
  )
  func latch() throws {
    let store = try makeStore()
    #expect(try bench.write(.pattern(4096), at: 0, to: store) == nil)
    bench.engine.script(.synchronize, .failure(.inputOutput))
    #expect(try bench.synchronize(store) == .medium(.inputOutput))
    #expect(store.readiness == .latched)
    #expect(latches.errors == [.inputOutput])

    let before = bench.engine.calls
    #expect(try bench.synchronize(store) == .latched)
    #expect(try bench.write(.pattern(4096, seed: 9), at: 0, to: store) == .latched)
    #expect(
      try bench.write(.pattern(4096, seed: 9), at: 0, to: store, isDurable: true) == .latched)
    #expect(try bench.allocate(.punchHole, at: 0, count: 4096, of: store) == .latched)
    #expect(try bench.allocate(.zeroRange, at: 0, count: 4096, of: store) == .latched)
    #expect(bench.engine.calls == before)
    #expect(try bench.read(4096, at: 0, of: store).bytes == .pattern(4096))
    #expect(latches.errors.count == 1)

    store.clearLatch()
    #expect(store.readiness == .ready)
    #expect(try bench.synchronize(store) == nil)
  }

  @Test(
    "A failed durable write latches; a failed plain one is that write's own matter",
    arguments: [CacheMode.writethrough, .directsync])
  func durable(_ cacheMode: CacheMode) throws {
    let store = try makeStore(cacheMode)
    bench.engine.script(.write, .failure(.inputOutput))
    #expect(try bench.write(.pattern(4096), at: 0, to: store) == .medium(.inputOutput))
    #expect(store.readiness == .ready)
    bench.engine.script(
      cacheMode.isDirect ? .durableWrite : .synchronize, .failure(.inputOutput))
    let failure = try bench.write(.pattern(4096), at: 0, to: store, isDurable: true)
    #expect(failure == .medium(.inputOutput))
    #expect(store.readiness == .latched)
    #expect(latches.errors == [.inputOutput])
  }

  @Test("A write without space or memory latches nothing; a sync that finds none does")
  func noLatch() throws {
    let store = try makeStore(.directsync)
    bench.engine.script(.durableWrite, .failure(.noSpace))
    bench.engine.script(.durableWrite, .failure(.outOfMemory))
    #expect(try bench.write(.pattern(4096), at: 0, to: store, isDurable: true) == .outOfSpace)
    #expect(try bench.write(.pattern(4096), at: 0, to: store, isDurable: true) == .shortOfResources)
    bench.engine.script(.synchronize, .failure(.notSubmitted))
    #expect(try bench.synchronize(store) == .shortOfResources)
    #expect(store.readiness == .ready)
    for error in [SystemError.noSpace, .outOfMemory, .tryAgain] {
      bench.engine.script(.synchronize, .failure(error))
      #expect(try bench.synchronize(store) == .medium(error))
      #expect(store.readiness == .latched)
      store.clearLatch()
    }
    #expect(latches.errors == [.noSpace, .outOfMemory, .tryAgain])
  }

  @Test("A vanished device latches a buffered store's sync: its pages are lost")
  func goneWhileBuffered() throws {
    let store = try makeStore()
    bench.engine.script(.synchronize, .failure(.deviceGone))
    #expect(try bench.synchronize(store) == .medium(.deviceGone))
    #expect(store.readiness == .gone)
    #expect(store.isLatched)
    #expect(latches.errors == [.deviceGone])
  }

  @Test("A store that latched in an earlier life starts latched, behind the gate too")
  func startsLatched() throws {
    var first: DescriptorStore? = try makeStore(startsLatched: true)
    #expect(first?.readiness == .latched)
    let second = try makeStore(startsLatched: true)
    #expect(second.readiness == .waitingForLock)
    first = nil
    #expect(try second.getsLock)
    #expect(second.readiness == .latched)
    #expect(latches.errors.isEmpty)
    #expect(try bench.write(.pattern(4096), at: 0, to: second) == .latched)
  }

  // MARK: Holes

  @Test("A punched hole reads as zeros and its blocks are given back; its neighbours stay")
  func holes() throws {
    let store = try makeStore()
    #expect(try bench.write(.pattern(1 << 20), at: 0, to: store) == nil)
    #expect(try bench.synchronize(store) == nil)
    let blocks = try status(scratch("a.img")).st_blocks
    #expect(blocks >= 2048)
    #expect(try bench.allocate(.punchHole, at: 4096, count: 512 << 10, of: store) == nil)
    #expect(try status(scratch("a.img")).st_blocks <= blocks - 1024)
    #expect(try status(scratch("a.img")).st_size == 1 << 20)
    let all = try bench.read(1 << 20, at: 0, of: store).bytes
    let pattern = [UInt8].pattern(1 << 20)
    #expect(all[..<4096] == pattern[..<4096])
    #expect(all[4096..<4096 + (512 << 10)].allSatisfy { $0 == 0 })
    #expect(all[(4096 + (512 << 10))...] == pattern[(4096 + (512 << 10))...])
  }

  @Test("A zeroed range reads as zeros; what the file system cannot do is said")
  func zeros() throws {
    let store = try makeStore()
    #expect(try bench.write(.pattern(8192), at: 0, to: store) == nil)
    #expect(try bench.allocate(.zeroRange, at: 4096, count: 4096, of: store) == nil)
    let found = try bench.read(8192, at: 0, of: store).bytes
    #expect(found[..<4096] == [UInt8].pattern(4096)[...])
    #expect(found[4096...].allSatisfy { $0 == 0 })
    bench.engine.script(.punchHole, .failure(.notSupported))
    #expect(try bench.allocate(.punchHole, at: 0, count: 4096, of: store) == .unsupported)
    #expect(store.readiness == .ready)
  }
}
