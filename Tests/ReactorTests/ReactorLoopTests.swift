import Glibc
import Synchronization
import Testing

@testable import Reactor

@Suite("Reactor loop")
struct ReactorLoopTests {
  /// Counts on the reactor's thread, read from another.
  final class Counter: Sendable {
    let value = Atomic<Int>(0)
  }

  @Test("10,000 wake-ups from another thread are none lost", arguments: RealEngine.allCases)
  func wakeUps(_ engine: RealEngine) throws {
    let reactor = try engine.reactor()
    let counter = Counter()
    let mailbox = reactor.mailbox
    let sender = try PlatformThread(name: "sender") {
      for round in 0..<10_000 {
        mailbox.post { counter.value.add(1, ordering: .sequentiallyConsistent) }
        // Every other one is awaited: then the reactor sleeps, or is just about to.
        guard round % 2 == 0 else { continue }
        while counter.value.load(ordering: .sequentiallyConsistent) <= round { sched_yield() }
      }
    }
    // `turn(until:)` gives up after a minute, where a lost wake-up would leave it asleep.
    defer {
      counter.value.store(1 << 40, ordering: .sequentiallyConsistent)
      sender.join()
    }
    try reactor.turn { counter.value.load(ordering: .sequentiallyConsistent) == 10_000 }
  }

  @Test("A wake-up ends a wait that has no deadline", arguments: RealEngine.allCases)
  func wakeFromSleep(_ engine: RealEngine) throws {
    let reactor = try engine.reactor()
    let waker = reactor.engine.waker
    for _ in 0..<20 {
      let sender = try PlatformThread(name: "sender") {
        usleep(2000)
        waker.wake()
      }
      reactor.turn()
      sender.join()
    }
  }

  @Test(
    "Timers fire in order of their deadlines, not before them, and not when cancelled",
    arguments: RealEngine.allCases)
  func timers(_ engine: RealEngine) throws {
    let reactor = try engine.reactor()
    let bell = Bell()
    let start = reactor.engine.now
    let late = reactor.startTimer(after: Milliseconds(40), for: bell)
    let early = reactor.startTimer(after: Milliseconds(10), for: bell)
    let never = reactor.startTimer(after: Milliseconds(20), for: bell)
    reactor.cancelTimer(never)
    while bell.fired.count < 2 { reactor.turn() }
    #expect(bell.fired == [early, late])
    #expect(reactor.engine.now.milliseconds(since: start) >= Milliseconds(39))
  }

  @Test("A deadline in the past does not wait", arguments: RealEngine.allCases)
  func pastDeadline(_ engine: RealEngine) throws {
    let real = try engine.make()
    var completions: [Completion] = []
    let start = real.now
    for _ in 0..<100 { real.wait(until: start, completions: &completions) }
    #expect(completions.isEmpty)
    #expect(real.now.milliseconds(since: start) < Milliseconds(1000))
  }

  @Test("A full mailbox refuses, and runs in order what it took")
  func mailboxIsBounded() throws {
    let reactor = try RealEngine.aio.reactor()
    let counter = Counter()
    for index in 0..<Mailbox.capacity {
      let accepted = reactor.mailbox.post {
        let (exchanged, _) = counter.value.compareExchange(
          expected: index, desired: index + 1, ordering: .sequentiallyConsistent)
        if !exchanged { counter.value.store(-1, ordering: .sequentiallyConsistent) }
      }
      #expect(accepted)
    }
    #expect(!reactor.mailbox.post {})
    reactor.turn()
    #expect(counter.value.load(ordering: .sequentiallyConsistent) == Mailbox.capacity)
    #expect(reactor.mailbox.post {})
  }

  @Test(
    "A reactor runs on a thread of its own until it is told to stop there",
    arguments: RealEngine.allCases)
  func reactorThread(_ engine: RealEngine) throws {
    let shared = Shared()
    // io_uring's SINGLE_ISSUER binds a ring to the thread that created it.
    let thread = try PlatformThread(name: "reactor") {
      guard let reactor = try? engine.reactor() else { fatalError("no engine") }
      shared.bound.withLock { $0 = ReactorBound(reactor, on: reactor) }
      reactor.run()
    }
    while shared.bound.withLock({ $0 == nil }) { usleep(1000) }
    #expect(shared.bound.withLock { $0?.post { $0.stop() } } == true)
    thread.join()
  }

  final class Shared: Sendable {
    let bound = Mutex<ReactorBound<Reactor>?>(nil)
  }

  @Test("The pool lends no more than its budget, and swaps free buffers for other sizes")
  func bufferBudget() throws {
    let pool = BufferPool(budgetBytes: 64 << 10)
    let small = (0..<16).compactMap { _ in pool.allocate(4096) }
    #expect(small.count == 16)
    #expect(pool.allocate(1) == nil)
    small.forEach(pool.release)
    #expect(pool.lentBytes == 0)
    let large = try #require(pool.allocate(64 << 10))
    #expect(large.capacity == 64 << 10)
    #expect(pool.reservedBytes == 64 << 10)
    #expect(pool.allocate(BufferPool.largestBufferBytes + 1) == nil)
  }

  @Test("A completion for an operation that has ended traps")
  func staleCompletion() async {
    await #expect(processExitsWith: .failure) {
      var table = OperationTable()
      let recorder = Recorder()
      let id = table.insert(recorder, context: 0)
      _ = table.remove(id)
      _ = table.insert(recorder, context: 1)
      _ = table.remove(id)
    }
  }
}
