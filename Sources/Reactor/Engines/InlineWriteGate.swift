/// Decides which buffered writes an engine performs on the spot instead of queueing them.
///
/// A buffered write is normally a copy into the page cache: 6 µs per 4 KiB inline, against 8–28 µs
/// through a kernel worker, which is what io_uring does with it on ext4. But the same call sleeps
/// for as long as it takes when the kernel throttles writers or the file system needs a block from
/// a slow disk, and then every session of the reactor stands still. So each inline write is timed.
/// One that takes too long, because it slept and not because the scheduler gave the CPU to somebody
/// else, closes the gate for a while; each time it turns out slow again soon after reopening, twice
/// as long. What a gate costs while all is well is two readings of the clock, and one count of
/// sleeps a turn.
struct InlineWriteGate {
  /// A larger write is worth a worker of its own: the copy alone would hold up the loop.
  static let largestWriteBytes = 256 << 10
  /// Bounds how long one turn's inline writes keep the sockets waiting (about 0.4 ms and 1 ms).
  static let writesPerTurnMax = 64
  static let bytesPerTurnMax = 4 << 20

  /// Far above any page-cache copy, far below a disk's seek: longer means that it slept.
  static let allowanceNanoseconds: UInt64 = 1_000_000
  /// Four times what copying takes at 4 GB/s.
  static let allowanceNanosecondsPerByte: UInt64 = 1

  static let shortestPause = Milliseconds(250)
  static let longestPause = Milliseconds(4000)

  private(set) var pause = shortestPause
  /// The gate is closed until then.
  private var reopensAt = MonotonicTime(rawValue: 0)
  private var wasClosed = false
  private(set) var writesThisTurn = 0
  private var bytesThisTurn = 0

  /// A new turn has its own allowance of writes and bytes.
  mutating func turnBegan() {
    writesThisTurn = 0
    bytesThisTurn = 0
  }

  /// Whether a write of `byteCount` bytes may be performed now; `finished` must follow if so.
  func admits(_ byteCount: Int, at now: MonotonicTime) -> Bool {
    now >= reopensAt && byteCount <= InlineWriteGate.largestWriteBytes
      && writesThisTurn < InlineWriteGate.writesPerTurnMax
      && bytesThisTurn + byteCount <= InlineWriteGate.bytesPerTurnMax
  }

  /// Takes the time that an admitted write took. `slept` is asked only of a slow one: whether the
  /// thread gave up the CPU of its own accord since the turn's first write.
  mutating func finished(
    _ byteCount: Int, from start: MonotonicTime, to end: MonotonicTime, slept: () -> Bool
  ) {
    writesThisTurn += 1
    bytesThisTurn += byteCount
    let taken = end.rawValue > start.rawValue ? end.rawValue - start.rawValue : 0
    let allowed =
      InlineWriteGate.allowanceNanoseconds
      + UInt64(byteCount) * InlineWriteGate.allowanceNanosecondsPerByte
    if taken > allowed, slept() { close(at: end) }
  }

  /// Slow again before it had been quick for as long as it was closed: stay away longer.
  private mutating func close(at now: MonotonicTime) {
    if wasClosed, now < reopensAt + pause {
      pause = min(Milliseconds(pause.rawValue * 2), InlineWriteGate.longestPause)
    } else {
      pause = InlineWriteGate.shortestPause
    }
    wasClosed = true
    reopensAt = now + pause
  }
}
