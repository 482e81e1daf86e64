import CLinux
import Glibc
import Testing

@testable import Reactor

@Suite("Blocking pool")
struct BlockingPoolTests {
  /// A pipe that is full: a write to it hangs as one to a disk may, until it is emptied.
  private final class Hanging {
    let file: FileHandle
    private let reader: Int32

    init() throws {
      var ends: [Int32] = [0, 0]
      try #require(pipe(&ends) == 0)
      reader = ends[0]
      file = FileHandle(rawValue: ends[1], isBuffered: true)
      _ = clinux_set_nonblocking(file.rawValue, 1)
      let page = [UInt8](repeating: 0, count: 4096)
      while write(file.rawValue, page, page.count) > 0 {}
      _ = clinux_set_nonblocking(file.rawValue, 0)
    }

    deinit {
      close(file.rawValue)
      close(reader)
    }

    func end() {
      var page = [UInt8](repeating: 0, count: 4096)
      _ = clinux_set_nonblocking(reader, 1)
      while read(reader, &page, page.count) > 0 {}
    }
  }

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

  @Test("Files that hang leave threads to others; what waited behind them is done in the end")
  func hanging() throws {
    let pool = try BlockingPool(waker: EventWaker())
    let regular = try TemporaryFile(isBuffered: true, count: 4096)
    let pipes = [try Hanging(), try Hanging()]
    let buffers = BufferPool(budgetBytes: 1 << 20)
    let buffer = try #require(buffers.allocate(4096))
    for number in 0..<20 {
      let id = OperationID(rawValue: UInt64(number))
      // Offset -1 is where the file is, the only one that a pipe has (pwritev2(2)).
      let work = BlockingPool.Work.write(buffer.slice(0..<1), offset: -1, isDurable: false)
      pool.start(work, on: pipes[number % 2].file, id: id)
    }
    #expect(pool.waitingCount == 20 - 2 * BlockingPool.callsPerFileMax)
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
