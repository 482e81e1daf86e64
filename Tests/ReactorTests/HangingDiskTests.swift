import CLinux
import Glibc
import Testing

@testable import Reactor

/// Disks that hang within a system call: a full pipe stands for one, and its writes are sent to
/// where the pipe is, for it has no other offset (pwritev2(2)).
@Suite("A disk that hangs")
struct HangingDiskTests {
  private struct Bench {
    let reactor: Reactor
    let hung: HangingFile
    let quick: TemporaryFile
    let buffer: Buffer

    init(_ engine: RealEngine) throws {
      let hung = try HangingFile(device: 1)
      let pipe = hung.handle
      reactor = try engine.reactor { write in
        guard write.file == pipe else { return write.perform() }
        var byte: UInt8 = 1
        return OperationResult(rawValue: Int32(clinux_write(pipe.rawValue, &byte, 1, -1, 0)))
      }
      self.hung = hung
      quick = try TemporaryFile(isBuffered: true, count: 1 << 20, device: 2)
      buffer = try #require(reactor.buffers.allocate(64 << 10))
    }

    func write(_ file: FileHandle, number: UInt32, for recorder: Recorder) {
      reactor.write(
        file, from: buffer.slice(0..<4096), at: UInt64(number % 256) * 4096, isDurable: false,
        for: recorder, context: number)
    }

    /// A write, a read of what was written, a sync, a timer and a message.
    func serves() throws {
      buffer.fill(0..<4096, with: 0x42)
      let written = try reactor.result { write(quick.handle, number: 7, for: $0) }
      #expect(written.value == 4096)
      let read = try reactor.result {
        reactor.read(quick.handle, into: buffer.slice(8192..<12288), at: 7 * 4096, for: $0)
      }
      #expect(read.value == 4096 && buffer[8192] == 0x42 && buffer[12287] == 0x42)
      let synchronized = try reactor.result { reactor.synchronize(quick.handle, for: $0) }
      #expect(synchronized.value == 0)
      let bell = Bell()
      _ = reactor.startTimer(after: Milliseconds(1), for: bell)
      try reactor.turn { !bell.fired.isEmpty }
      let flag = Flag()
      let bound = ReactorBound(flag, on: reactor)
      try #require(bound.post { $0.isRaised = true })
      try reactor.turn { flag.isRaised }
    }
  }

  private final class Flag {
    var isRaised = false
  }

  @Test(
    "While a write hangs the reactor serves all else; when the disk is back each ends once",
    arguments: RealEngine.allCases)
  func bufferedWrites(_ engine: RealEngine) throws {
    let bench = try Bench(engine)
    let recorder = Recorder()
    // More than the thread sees at a time.
    let count = UInt32(2 * WriteThread.slotCount + 10)
    for number in 0..<count { bench.write(bench.hung.handle, number: number, for: recorder) }
    try bench.serves()
    #expect(recorder.results.isEmpty)
    #expect(bench.reactor.operationsInFlight == Int(count))
    bench.hung.end()
    try bench.reactor.turn { recorder.results.count == Int(count) }
    #expect(recorder.results.values.allSatisfy { $0.value == 1 })
    #expect(bench.reactor.operationsInFlight == 0)
  }

  @Test(
    "More devices than there are threads for are written to all the same",
    arguments: RealEngine.allCases)
  func manyDevices(_ engine: RealEngine) throws {
    let bench = try Bench(engine)
    let recorder = Recorder()
    bench.write(bench.hung.handle, number: 1000, for: recorder)
    let count = UInt32(WriteThreads.countMax + 8)
    for number in 0..<count {
      let file = FileHandle(
        rawValue: bench.quick.handle.rawValue, isBuffered: true,
        device: DeviceNumber(rawValue: UInt64(number) + 10))
      bench.write(file, number: number, for: recorder)
    }
    try bench.reactor.turn { recorder.results.count == Int(count) }
    #expect(recorder.results[1000] == nil)
    bench.hung.end()
    try bench.reactor.turn { recorder.results[1000] != nil }
    #expect(recorder.results.values.count { $0.value == 4096 } == Int(count))
  }

  @Test("AIO is not asked for what would block: that goes to the threads that may")
  func directWrites() throws {
    let bench = try Bench(.aio)
    let direct = try HangingFile(isBuffered: false, device: 1)
    let recorder = Recorder()
    for number in 0..<20 as Range<UInt32> {
      bench.write(direct.handle, number: number, for: recorder)
    }
    try bench.serves()
    // A thread asks for an offset, which a pipe does not have: these were not the kernel's AIO.
    try bench.reactor.turn { recorder.results.count == 20 }
    #expect(recorder.results.values.allSatisfy { $0.error?.rawValue == ESPIPE })
  }

  @Test("What one device has of AIO's places leaves some to another, in the same turn")
  func directPlaces() throws {
    let pool = try BlockingPool(waker: EventWaker())
    let queue = try DirectQueue(pool: pool)
    let files = try (1...2 as ClosedRange<UInt64>).map {
      try TemporaryFile(isBuffered: false, count: 1 << 20, device: $0)
    }
    let buffer = try #require(BufferPool(budgetBytes: 1 << 20).allocate(4096))
    let count = 2 * queue.capacity
    for number in 0...count {
      let file = files[number < count ? 0 : 1].handle
      queue.start(
        DirectQueue.Request(
          file: file, slice: buffer.slice(0..<4096), offset: number % 256 * 4096, isWrite: false,
          isDurable: false, id: OperationID(rawValue: UInt64(number))))
    }
    var completions: [Completion] = []
    /// One submission, and what comes of it.
    func turn(expecting added: Int) throws {
      let wanted = completions.count + added
      let isAccepted = queue.submit(completions: &completions)
      #expect(isAccepted)
      for _ in 0..<1000 where completions.count < wanted {
        queue.takeResults(into: &completions)
        pool.takeResults(into: &completions)
        usleep(10_000)
      }
      try #require(completions.count == wanted)
    }
    // The kernel was given half of the places' worth for the first device, and the other's one.
    try turn(expecting: queue.capacity / 2 + 1)
    #expect(completions.contains { $0.id.rawValue == UInt64(count) })
    while completions.count <= count {
      try turn(expecting: min(queue.capacity / 2, count + 1 - completions.count))
    }
    #expect(Set(completions.map(\.id)).count == count + 1)
    #expect(completions.allSatisfy { $0.result.value == 4096 })
  }

  @Test("A reactor woken by each batch of writes never sleeps on their results")
  func noLostWakeUps() throws {
    let bench = try Bench(.uring)
    for round in 0..<2000 as Range<UInt32> {
      let recorder = Recorder()
      for number in 0..<round % 3 + 1 {
        bench.write(bench.quick.handle, number: number, for: recorder)
      }
      let start = MonotonicTime.current
      try bench.reactor.turn(napping: .seconds(30)) {
        recorder.results.count == Int(round % 3 + 1)
      }
      // A lost wake-up is made good by the timer alone.
      try #require(MonotonicTime.current.milliseconds(since: start) < .seconds(25))
    }
  }
}
