import CLinux
import Glibc
import Testing

@testable import Reactor

@Suite("Blocking pool")
struct BlockingPoolTests {
  /// Until `count` operations have ended; their ids, in order.
  private func take(_ count: Int, from pool: BlockingPool) throws -> [OperationID] {
    var completions: [Completion] = []
    for _ in 0..<1000 where completions.count < count {
      pool.takeResults(into: &completions)
      usleep(10_000)
    }
    try #require(completions.count == count)
    return completions.map(\.id)
  }

  @Test("Two devices that hang, with two files each, leave threads to a third")
  func hanging() throws {
    let pool = try BlockingPool(waker: EventWaker())
    let regular = try TemporaryFile(isBuffered: true, count: 4096, device: 3)
    let pipes = try (0..<4).map { try HangingFile(device: UInt64($0 % 2 + 1)) }
    let buffers = BufferPool(budgetBytes: 1 << 20)
    let buffer = try #require(buffers.allocate(4096))
    for number in 0..<20 {
      let id = OperationID(rawValue: UInt64(number))
      // Offset -1 is where the file is, the only one that a pipe has (pwritev2(2)).
      let work = BlockingPool.Work.write(buffer.slice(0..<1), offset: -1, isDurable: false)
      pool.start(work, on: pipes[number % 4].handle, id: id)
    }
    #expect(pool.waitingCount == 20 - 2 * BlockingPool.callsPerDeviceMax)
    for number in 100..<150 {
      pool.start(.synchronize, on: regular.handle, id: OperationID(rawValue: UInt64(number)))
    }
    let ended = try take(50, from: pool)
    #expect(Set(ended.map(\.rawValue)) == Set(100..<150))
    for pipe in pipes { pipe.end() }
    #expect(Set(try take(20, from: pool).map(\.rawValue)) == Set(0..<20))
    #expect(pool.waitingCount == 0)
  }
}
