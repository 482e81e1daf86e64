internal import BackingStore
internal import Reactor
internal import SCSIModel
internal import Synchronization

/// What a unit's commands on one reactor add up to. That reactor alone writes, so a load and a
/// store will do; any thread may read.
final class AccessCounters: Sendable {
  private let readCommands = Atomic<UInt64>(0)
  private let writeCommands = Atomic<UInt64>(0)
  private let bytesRead = Atomic<UInt64>(0)
  private let bytesWritten = Atomic<UInt64>(0)
  private let readNanoseconds = Atomic<UInt64>(0)
  private let writeNanoseconds = Atomic<UInt64>(0)
  /// Commands that ended with GOOD, READ and WRITE among them.
  private let successes = Atomic<UInt64>(0)
  private let failures: AtomicCounts<16>
  private let reservationConflicts = Atomic<UInt64>(0)
  private let busy = Atomic<UInt64>(0)
  private let aborted = Atomic<UInt64>(0)
  private let depth = Atomic<Int>(0)
  private let depthMax = Atomic<Int>(0)
  private let readLatency: AtomicCounts<28>
  private let writeLatency: AtomicCounts<28>

  init() {
    failures = AtomicCounts()
    readLatency = AtomicCounts()
    writeLatency = AtomicCounts()
  }

  /// A READ of `bytes` has succeeded.
  func countRead(_ bytes: Int, since start: MonotonicTime, now: MonotonicTime) {
    Self.add(1, to: readCommands)
    Self.add(UInt64(truncatingIfNeeded: bytes), to: bytesRead)
    let nanoseconds = now.rawValue &- start.rawValue
    Self.add(nanoseconds, to: readNanoseconds)
    readLatency.add(1, at: LatencyHistogram.bucket(of: nanoseconds))
  }

  /// A WRITE of `bytes` has succeeded.
  func countWrite(_ bytes: Int, since start: MonotonicTime, now: MonotonicTime) {
    Self.add(1, to: writeCommands)
    Self.add(UInt64(truncatingIfNeeded: bytes), to: bytesWritten)
    let nanoseconds = now.rawValue &- start.rawValue
    Self.add(nanoseconds, to: writeNanoseconds)
    writeLatency.add(1, at: LatencyHistogram.bucket(of: nanoseconds))
  }

  /// The task set has `count` tasks now.
  func noteDepth(_ count: Int) {
    depth.store(count, ordering: .relaxed)
    if count > depthMax.load(ordering: .relaxed) { depthMax.store(count, ordering: .relaxed) }
  }

  func countSuccess() { Self.add(1, to: successes) }

  func countAbort() { Self.add(1, to: aborted) }

  func countFailure(_ status: SCSIStatus, _ sense: SenseData?) {
    switch status {
    case .reservationConflict: Self.add(1, to: reservationConflicts)
    case .busy, .taskSetFull: Self.add(1, to: busy)
    case .taskAborted: Self.add(1, to: aborted)
    default: failures.add(1, at: Int(sense?.key.rawValue ?? 0))
    }
  }

  /// Adds what was counted here to `statistics`.
  func add(to statistics: inout UnitStatistics) {
    let reads = readCommands.load(ordering: .relaxed)
    let writes = writeCommands.load(ordering: .relaxed)
    let ended = successes.load(ordering: .relaxed)
    statistics.commands.reads &+= reads
    statistics.commands.writes &+= writes
    // The three are not read at one moment.
    statistics.commands.others &+= ended > reads &+ writes ? ended &- reads &- writes : 0
    statistics.commands.bytesRead &+= bytesRead.load(ordering: .relaxed)
    statistics.commands.bytesWritten &+= bytesWritten.load(ordering: .relaxed)
    statistics.commands.reservationConflicts &+= reservationConflicts.load(ordering: .relaxed)
    statistics.commands.busy &+= busy.load(ordering: .relaxed)
    statistics.commands.aborted &+= aborted.load(ordering: .relaxed)
    failures.add(to: &statistics.commands.failures)
    statistics.readNanoseconds &+= readNanoseconds.load(ordering: .relaxed)
    statistics.writeNanoseconds &+= writeNanoseconds.load(ordering: .relaxed)
    readLatency.add(to: &statistics.readLatency.counts)
    writeLatency.add(to: &statistics.writeLatency.counts)
    statistics.queueDepth += depth.load(ordering: .relaxed)
    statistics.queueDepthMax = max(
      statistics.queueDepthMax, depthMax.load(ordering: .relaxed))
  }

  @inline(__always)
  private static func add(_ amount: UInt64, to counter: borrowing Atomic<UInt64>) {
    counter.store(counter.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
  }

  func statistics(blockBytes: UInt64) -> AccessStatistics {
    var result = AccessStatistics()
    result.readCommands = readCommands.load(ordering: .relaxed)
    result.writeCommands = writeCommands.load(ordering: .relaxed)
    result.blocksTransmitted = bytesRead.load(ordering: .relaxed) / blockBytes
    result.blocksReceived = bytesWritten.load(ordering: .relaxed) / blockBytes
    result.readMicroseconds = readNanoseconds.load(ordering: .relaxed) / 1000
    result.writeMicroseconds = writeNanoseconds.load(ordering: .relaxed) / 1000
    return result
  }
}

extension LogicalUnit {
  /// All reactors together, since the last reset.
  var statistics: AccessStatistics { total.since(statisticsBaseline.withLock { $0 }) }

  /// What was counted so far counts no more.
  func resetStatistics() {
    let total = total
    statisticsBaseline.withLock { $0 = total }
  }

  private var total: AccessStatistics {
    let blockBytes = UInt64(geometry.logicalBlockBytes)
    return counters.withLock { $0 }.reduce(AccessStatistics()) {
      $0.adding($1.statistics(blockBytes: blockBytes))
    }
  }
}
