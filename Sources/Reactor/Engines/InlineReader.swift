internal import CLinux

/// Performs small reads of what is in the page cache, so that they end in the turn that started them.
/// Never sleeps: what is not there is left to the ring (RWF_NOWAIT).
struct InlineReader {
  /// A larger read gains nothing by it, and keeps the sockets waiting.
  static let largestReadBytes = 64 << 10
  /// Reads left to the ring after one that was not in the cache: asking in vain costs 0.5 µs.
  static let readsAfterMiss = 31

  private var readsToLeave = 0

  /// Nil if the read must be queued.
  mutating func read(
    _ file: FileHandle, into slice: BufferSlice, at position: Int
  ) -> OperationResult? {
    guard file.isBuffered, slice.count <= InlineReader.largestReadBytes else { return nil }
    guard readsToLeave == 0 else {
      readsToLeave -= 1
      return nil
    }
    let count = unsafe clinux_read(
      file.rawValue, slice.unsafeAddress, slice.count, Int64(position), RWF_NOWAIT)
    guard count == slice.count else {
      readsToLeave = InlineReader.readsAfterMiss
      return nil
    }
    return OperationResult(rawValue: Int32(count))
  }
}
