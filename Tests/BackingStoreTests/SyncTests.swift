import BackingStore
import CLinux
import Reactor
import Synchronization
import Testing

/// A reactor whose requests are started and left alone, to see what ends when.
private final class Side: StoreClient {
  let engine = PlainEngine()
  let reactor: Reactor
  private var requests: [StoreRequest] = []
  private(set) var endings: [StoreFailure?] = []

  init(index: Int = 0) {
    reactor = Reactor(index: index, engine: engine, memoryBudgetBytes: 1 << 20)
  }

  func storeRequestEnded(_ request: StoreRequest, _ failure: StoreFailure?) {
    endings.append(failure)
  }

  func start(_ store: DescriptorStore, _ prepare: (StoreRequest) -> Void) {
    let request = StoreRequest(client: self)
    prepare(request)
    requests.append(request)
    store.start(request, on: reactor)
  }

  func synchronize(_ store: DescriptorStore) { start(store) { $0.prepareSynchronize() } }

  func write(_ store: DescriptorStore, isDurable: Bool) throws {
    let buffer = try #require(reactor.buffers.allocate(4096))
    start(store) { $0.prepareWrite(from: buffer.slice(0..<4096), at: 0, isDurable: isDurable) }
  }

  func turn(_ count: Int = 1) { for _ in 0..<count { reactor.turn() } }

  var syncCount: Int { engine.calls.count { $0 == .synchronize } }
}

@Suite("One sync at a time")
struct SyncTests {
  let scratch: Scratch
  let latches = LatchLog()

  init() throws { scratch = try Scratch() }

  private func makeStore(_ cacheMode: CacheMode = .writeback) throws -> DescriptorStore {
    try open(
      StoreOptions(
        path: scratch("a.img"), sizeBytes: 1 << 20, logicalBlockBytes: 4096, cacheMode: cacheMode),
      onLatch: latches.callback)
  }

  @Test("Requests that come while a sync is in flight are served together by one begun afterwards")
  func grouped() throws {
    let store = try makeStore()
    let one = Side()
    let other = Side(index: 1)
    one.synchronize(store)
    one.synchronize(store)
    other.synchronize(store)
    other.synchronize(store)
    other.turn()
    #expect(one.engine.calls == [.synchronize] && other.engine.calls.isEmpty)
    one.turn()
    #expect(one.endings == [nil], "the sync in flight serves only whom it began for")
    #expect(one.engine.calls == [.synchronize, .synchronize])
    other.turn()
    #expect(other.endings.isEmpty)
    one.turn()
    #expect(one.endings == [nil, nil])
    #expect(other.endings.isEmpty, "another reactor's requests end on its own thread")
    other.turn()
    #expect(other.endings == [nil, nil])
    one.turn(3)
    #expect(one.syncCount == 2)
    other.synchronize(store)
    other.turn()
    #expect(other.endings == [nil, nil, nil] && other.syncCount == 1)
  }

  @Test("When a sync fails, whom it served fail, who waited is refused, and no other is begun")
  func failed() throws {
    let store = try makeStore()
    let one = Side()
    let other = Side(index: 1)
    one.synchronize(store)
    one.synchronize(store)
    other.synchronize(store)
    one.engine.script(.synchronize, .failure(.inputOutput))
    one.turn()
    one.synchronize(store)
    other.synchronize(store)
    one.turn()
    other.turn()
    #expect(one.endings == [nil, .medium(.inputOutput), .latched])
    #expect(other.endings == [.medium(.inputOutput), .latched])
    #expect(latches.errors == [.inputOutput])
    #expect(one.syncCount == 2 && other.syncCount == 0)
    store.clearLatch()
    other.synchronize(store)
    other.turn()
    #expect(other.endings == [.medium(.inputOutput), .latched, nil])
  }

  @Test("A sync that was never submitted fails alone: the next is begun for those who waited")
  func neverSubmitted() throws {
    let store = try makeStore()
    let side = Side()
    side.engine.script(.synchronize, .failure(.notSubmitted))
    side.synchronize(store)
    side.synchronize(store)
    side.turn(2)
    #expect(side.endings == [.shortOfResources, nil])
    #expect(latches.errors.isEmpty)
  }

  @Test("A durable buffered write is a plain write and a sync begun after it")
  func durableWrite() throws {
    let store = try makeStore(.writethrough)
    let side = Side()
    side.synchronize(store)
    try side.write(store, isDurable: true)
    #expect(side.engine.calls == [.synchronize, .write])
    side.turn()
    #expect(side.endings == [nil])
    #expect(side.engine.calls == [.synchronize, .write, .synchronize])
    side.turn()
    #expect(side.endings == [nil, nil])
  }

  @Test("A durable buffered write that overlaps a failing sync is not answered with success")
  func durableWriteOverlapsFailure() throws {
    let store = try makeStore(.writethrough)
    let side = Side()
    let other = Side(index: 1)
    side.engine.script(.synchronize, .failure(.inputOutput))
    side.synchronize(store)
    try side.write(store, isDurable: true)
    try other.write(store, isDurable: true)
    other.turn()
    side.turn()
    other.turn()
    #expect(side.endings == [.medium(.inputOutput), .latched])
    #expect(other.endings == [.latched])
    #expect(side.syncCount == 1 && other.syncCount == 0)
  }

  @Test("A direct durable write that ends once the store is latched promises nothing")
  func directWriteAfterLatch() throws {
    let store = try makeStore(.directsync)
    let side = Side()
    side.engine.script(.synchronize, .failure(.inputOutput))
    side.synchronize(store)
    try side.write(store, isDurable: true)
    #expect(side.engine.calls == [.synchronize, .durableWrite])
    side.turn()
    #expect(side.endings == [.medium(.inputOutput), .latched])
  }

  @Test("A sync on a device that is gone is told so to all who waited")
  func gone() throws {
    let store = try makeStore(.none)
    let side = Side()
    side.engine.script(.synchronize, .failure(.deviceGone))
    for _ in 0..<3 { side.synchronize(store) }
    side.turn()
    #expect(side.endings == [.gone, .gone, .gone])
    #expect(side.syncCount == 1)
  }

  @Test("A reactor whose mailbox is full is told as soon as it has room")
  func fullMailbox() throws {
    let store = try makeStore()
    let one = Side()
    let other = Side(index: 1)
    one.synchronize(store)
    other.synchronize(store)
    for _ in 0..<Mailbox.capacity { try #require(other.reactor.mailbox.post {}) }
    one.turn(2)
    #expect(one.syncCount == 2)
    other.turn(2)
    #expect(other.endings.isEmpty)
    one.engine.now = one.engine.now + Milliseconds(100)
    one.turn()
    other.turn()
    #expect(other.endings == [nil])
  }

  @Test("Syncs and durable writes of several threads all end, never two syncs at once")
  func threads() throws {
    let store = try makeStore(.writethrough)
    let ended = Atomic(0)
    let threads = (0..<4).map { index in
      Runner {
        let side = Side(index: index)
        for round in 1...200 {
          if round.isMultiple(of: 2) {
            side.synchronize(store)
          } else if (try? side.write(store, isDurable: true)) == nil {
            return
          }
          while side.endings.count < round { side.turn() }
        }
        ended.add(side.endings.count { $0 == nil }, ordering: .relaxed)
        // Others may still wait for a sync that runs here.
        while ended.load(ordering: .relaxed) < 800 { side.turn() }
      }
    }
    for thread in threads { thread.join() }
    #expect(ended.load(ordering: .relaxed) == 800)
  }
}

/// A thread with a body.
private final class Runner: Sendable {
  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  private let thread: pthread_t

  init(_ run: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Body(run)).toOpaque()
    let failure = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument)
    precondition(failure == 0)
    self.thread = thread
  }

  func join() { pthread_join(thread, nil) }
}
