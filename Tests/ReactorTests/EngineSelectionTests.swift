import CLinux
import CTestSupport
import Glibc
import Testing

@testable import Reactor

@Suite("Engine selection")
struct EngineSelectionTests {
  @Test("auto takes io_uring where the kernel has it")
  func ordinary() {
    #expect(EngineSelection.probe() == nil)
    #expect(EngineSelection.choose(.auto).kind == .uring)
    #expect(EngineSelection.choose(.aio).kind == .aio)
  }

  @Test("Where a seccomp filter refuses io_uring, auto takes AIO and says why, and AIO works")
  func refusedBySeccomp() async {
    await #expect(processExitsWith: .success) {
      let calls = [SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register]
        .map { Int32($0) }
      #expect(clinux_refuse_calls(calls, 3, EPERM) == 0)
      let choice = EngineSelection.choose(.auto)
      #expect(choice.kind == .aio)
      let reason = try #require(choice.reason)
      #expect(reason.hasPrefix("io_uring_setup: Operation not permitted"))
      #expect(reason.contains("kernel.io_uring_disabled"))
      #expect(throws: EngineError.self) { try EngineSelection.make(.uring) }
      let reactor = Reactor(
        index: 0, engine: try EngineSelection.make(choice.kind), memoryBudgetBytes: 1 << 20)
      let file = try TemporaryFile(isBuffered: true, count: 8192)
      let buffer = try #require(reactor.buffers.allocate(4096))
      let slice = buffer.slice(0..<4096)
      let result = try reactor.result { reactor.read(file.handle, into: slice, at: 0, for: $0) }
      #expect(result.value == 4096)
    }
  }

  @Test("A filter that hides io_uring counts as a kernel without it")
  func hiddenBySeccomp() async {
    await #expect(processExitsWith: .success) {
      #expect(clinux_refuse_calls([Int32(SYS_io_uring_setup)], 1, ENOSYS) == 0)
      #expect(
        EngineSelection.probe()?.hasPrefix("io_uring_setup: Function not implemented") == true)
    }
  }

  @Test("A kernel that refuses epoll_pwait2 gets milliseconds, and timers still fire")
  func withoutNanoseconds() async {
    await #expect(processExitsWith: .success) {
      #expect(clinux_refuse_calls([Int32(SYS_epoll_pwait2)], 1, EPERM) == 0)
      let reactor = try RealEngine.aio.reactor()
      let bell = Bell()
      let timer = reactor.startTimer(after: Milliseconds(5), for: bell)
      try reactor.turn { !bell.fired.isEmpty }
      #expect(bell.fired == [timer])
    }
  }

  /// T-PRIV-2.
  @Test("The ring refuses an operation that the engine does not use")
  func restrictedRing() throws {
    let queue = try UringQueue()
    #expect(queue.isRestricted)
    let entry = try #require(queue.nextEntry())
    io_uring_prep_nop(entry)
    io_uring_sqe_set_data64(entry, 42)
    #expect(queue.submit(wait: .no))
    var seen: [UInt64: Int32] = [:]
    queue.drain { data, result, _ in seen[data] = result }
    #expect(seen == [42: -EACCES])
  }

  @Test("A ring dropped with an operation in flight ends it first")
  func droppedInFlight() throws {
    var pipe: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pipe) == 0)
    defer { pipe.forEach { _ = close($0) } }
    let pool = BufferPool(budgetBytes: 1 << 20)
    let buffer = try #require(pool.allocate(4096))
    let ranges = list(buffer.slice(0..<8))
    do {
      let engine = try UringEngine()
      engine.receive(
        on: SocketHandle(rawValue: pipe[0]), into: ranges, id: OperationID(rawValue: 1))
      var completions: [Completion] = []
      engine.wait(until: engine.now, completions: &completions)
      #expect(completions.isEmpty)
    }
    withExtendedLifetime(ranges) {}
    buffer.fill(0..<8, with: 0)
    #expect(send(pipe[1], [1, 2, 3] as [UInt8], 3, 0) == 3)
    usleep(20_000)
    #expect(buffer.bytes(0..<3) == [0, 0, 0])
  }
}
