internal import Reactor

// The memory a connection takes for itself, apart from that of its session's commands. Before it
// has joined a normal session anybody may be at its other end: what all of those hold together
// stays within a share, and each of them can lose what it has to a newer one.
extension Connection {
  /// A buffer of at least `byteCount` bytes, or nil. Given back by `release`.
  func allocate(_ byteCount: Int) -> Buffer? {
    if isStranger, !worker.makeRoom(forStranger: self, byteCount) { return nil }
    guard let buffer = reactor.buffers.allocate(byteCount) else { return nil }
    if isStranger { noteStranger(buffer.capacity) }
    return buffer
  }

  func release(_ buffer: Buffer) {
    reactor.buffers.release(buffer)
    if isStranger { noteStranger(-buffer.capacity) }
  }

  private func noteStranger(_ byteCount: Int) {
    strangerBytes += byteCount
    worker.strangerBytes += byteCount
  }

  /// It belongs to a normal session from here on, or is over.
  func endStranger() {
    guard isStranger else { return }
    isStranger = false
    worker.strangerBytes -= strangerBytes
    strangerBytes = 0
  }
}
