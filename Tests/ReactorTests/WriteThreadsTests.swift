import Glibc
import Testing

@testable import Reactor

@Suite("Write threads")
struct WriteThreadsTests {
  private struct Bench {
    let threads: WriteThreads
    let file: FileHandle
    let buffer: Buffer

    init(_ call: @escaping WriteThread.Call) throws {
      threads = WriteThreads(waker: try EventWaker(), call: call)
      file = FileHandle(rawValue: -1, isBuffered: true, device: DeviceNumber(rawValue: 1))
      buffer = try #require(BufferPool(budgetBytes: 1 << 20).allocate(4096))
    }

    /// Has that many writes performed; how long the reactor was told to wait for them.
    func batch(_ count: Int) throws -> UInt32 {
      for number in 0..<count {
        let id = OperationID(rawValue: UInt64(number))
        try #require(threads.start(file, from: buffer.slice(0..<4096), at: 0, id: id))
      }
      threads.publish()
      let nanoseconds = threads.gatheringNanoseconds
      var completions: [Completion] = []
      for _ in 0..<100_000 where completions.count < count {
        threads.takeResults(into: &completions)
        usleep(10)
      }
      try #require(completions.count == count)
      return nanoseconds
    }
  }

  private static let limit =
    UInt32(WriteThreads.gatheredCountMax) * WriteThreads.nanosecondsPerWriteMax

  @Test("Writes that are quick are waited for as long as they take, not as long as others may")
  func quick() throws {
    let bench = try Bench { _ in OperationResult(rawValue: 4096) }
    var nanoseconds = WriteThreadsTests.limit
    // Few suffice; on a busy machine the thread may lose its CPU in some.
    for _ in 0..<1000 where nanoseconds > WriteThreadsTests.limit / 2 {
      nanoseconds = try bench.batch(32)
    }
    #expect(nanoseconds <= WriteThreadsTests.limit / 2)
    #expect(nanoseconds >= WriteThreads.switchNanoseconds)
  }

  @Test("Writes that are slow are not waited for longer than 0.16 ms, and few not at all")
  func slow() throws {
    let bench = try Bench { _ in
      usleep(50)
      return OperationResult(rawValue: 4096)
    }
    for _ in 0..<5 { #expect(try bench.batch(64) == WriteThreadsTests.limit) }
    #expect(try bench.batch(WriteThreads.gatheredCountMin - 1) == 0)
    let fewest = UInt32(WriteThreads.gatheredCountMin)
    #expect(
      try bench.batch(WriteThreads.gatheredCountMin)
        == fewest * WriteThreads.nanosecondsPerWriteMax)
  }
}
