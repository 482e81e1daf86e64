internal import CLinux

/// Performs small reads of what is in the page cache, so that they end in the turn that started
/// them. Never sleeps: what is not there is left to the ring (RWF_NOWAIT).
struct InlineReader {
  /// A larger read gains nothing by it, and keeps the sockets waiting.
  static let largestReadBytes = 64 << 10
  /// Reads left to the ring after one that was not in the cache: asking in vain costs 0.5 µs.
  static let readsAfterMiss = 31

  /// Reads and bytes in one turn, past which reads are left to the ring, so that a flood of them
  /// keeps the sockets waiting for half a millisecond and not longer: about 1 µs a read, 100 µs a
  /// MiB.
  static let readsPerTurnMax = 256
  static let bytesPerTurnMax = 4 << 20

  private var readsToLeave = 0
  private var readsThisTurn = 0
  private var bytesThisTurn = 0

  mutating func turnBegan() {
    readsThisTurn = 0
    bytesThisTurn = 0
  }

  /// nil if the read must be queued.
  mutating func read(
    _ file: FileHandle, into slice: BufferSlice, at position: Int
  ) -> OperationResult? {
    guard file.isBuffered, slice.count <= InlineReader.largestReadBytes,
      readsThisTurn < InlineReader.readsPerTurnMax,
      bytesThisTurn < InlineReader.bytesPerTurnMax
    else { return nil }
    guard readsToLeave == 0 else {
      readsToLeave -= 1
      return nil
    }
    readsThisTurn += 1
    bytesThisTurn += slice.count
    let count = unsafe clinux_read(
      file.rawValue, slice.unsafeAddress, slice.count, Int64(position), RWF_NOWAIT)
    guard count == slice.count else {
      readsToLeave = InlineReader.readsAfterMiss
      return nil
    }
    return OperationResult(rawValue: Int32(count))
  }
}
