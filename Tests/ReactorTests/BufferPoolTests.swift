import Reactor
import Testing

/// What of a reactor's memory commands may have.
@Suite("The shares of a buffer pool")
struct BufferPoolTests {
  private static let budget = 64 << 20

  /// Takes buffers for a user that has `userBytes` until it is refused.
  private func drain(
    _ pool: BufferPool, userBytes: Int = 0, byteCount: Int = 65_536
  ) -> [Buffer] {
    var taken: [Buffer] = []
    while let buffer = pool.allocateForCommand(
      byteCount, userBytes: userBytes + taken.count * byteCount)
    {
      taken.append(buffer)
    }
    return taken
  }

  @Test("One user has half at most, the next ones as much as is left, and something is left")
  func shares() {
    let pool = BufferPool(budgetBytes: Self.budget)
    let first = drain(pool)
    #expect(first.count * 65_536 == Self.budget / 2)
    var left = Self.budget / 2
    let others = drain(pool)
    #expect(others.count * 65_536 == left / 2)
    left -= others.count * 65_536
    #expect(pool.allocateForCommand(4096, userBytes: 0, leftBytesMin: left) == nil)
    #expect(pool.allocateForCommand(4096, userBytes: 0) != nil)
    #expect(pool.allocateForCommand(65_536, userBytes: Self.budget / 2) == nil)
    // What was refused is not lent.
    #expect(pool.lentBytes == Self.budget - left + 4096)
    for buffer in first + others { pool.release(buffer) }
    #expect(pool.lentBytes == 4096)
  }

  @Test("Whatever any number of users want, a connection finds its memory")
  func reserve() {
    let pool = BufferPool(budgetBytes: Self.budget)
    for _ in 0..<5000 { _ = pool.allocateForCommand(65_536, userBytes: 0) }
    #expect(pool.lentBytes == Self.budget - pool.connectionReserveBytes)
    #expect(pool.connectionReserveBytes == Self.budget / 8)
    #expect(pool.allocateForCommand(4096, userBytes: 0) == nil)
    #expect(pool.allocate(65_536) != nil)
    #expect(pool.allocateFromReserve(4096) != nil, "nor a fence")
  }

  @Test("What is kept for fences is small, and takes nothing of what is kept for connections")
  func fences() {
    let pool = BufferPool(budgetBytes: Self.budget)
    while pool.allocateForCommand(65_536, userBytes: 0) != nil {}
    let fences = (0..<1000).compactMap { _ in pool.allocateFromReserve(4096) }
    #expect(fences.count == BufferPool.reserveBytes / 4096)
    var connections = 0
    while pool.allocate(65_536) != nil { connections += 65_536 }
    #expect(connections == pool.connectionReserveBytes)
    for buffer in fences { pool.release(buffer) }
    #expect(pool.lentBytes == Self.budget && pool.allocate(4096) == nil)
  }

  @Test("Who has nothing gets the largest buffer there is for one user")
  func largest() {
    let pool = BufferPool(budgetBytes: Self.budget)
    #expect(pool.allocateForCommand(pool.largestShareBytes, userBytes: 0) != nil)
    #expect(pool.allocateForCommand(pool.largestShareBytes, userBytes: 0) != nil)
  }
}
