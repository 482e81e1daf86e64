internal import Synchronization

/// How many commands took how long, in powers of two from about a microsecond to about a minute.
///
/// A command's time runs from the turn of the reactor in which it was admitted to the round of
/// completions with which its operation ended, by the clock that each reads once: no command reads
/// one of its own. So the error is about a turn's length, and what needs no engine (memory) takes
/// no time.
public struct LatencyHistogram: Sendable, Hashable {
  /// 27 powers of two, and what took longer.
  public static let bucketCount = 28

  public var counts = [UInt64](repeating: 0, count: bucketCount)

  public init() {}

  public var total: UInt64 { counts.reduce(0, &+) }

  /// What bucket `index` ends below, in nanoseconds: 1,024, 2,048 … 2^36 (69 s); nil for the last.
  public static func upperBoundNanoseconds(_ index: Int) -> UInt64? {
    index < bucketCount - 1 ? 1 << UInt64(10 + index) : nil
  }

  @inline(__always)
  static func bucket(of nanoseconds: UInt64) -> Int {
    min(64 - (nanoseconds >> 10).leadingZeroBitCount, bucketCount - 1)
  }
}

/// What the commands of a logical unit came to, on all reactors, since it was made.
public struct UnitStatistics: Sendable, Hashable {
  /// Third-party copies count with the reads and writes they consist of; READ and WRITE when the
  /// data has been moved.
  public var commands = CommandCounters()
  /// The sum of the times of all reads, and of all writes.
  public var readNanoseconds: UInt64 = 0
  public var writeNanoseconds: UInt64 = 0
  public var readLatency = LatencyHistogram()
  public var writeLatency = LatencyHistogram()
  /// Commands in progress.
  public var queueDepth = 0
  /// The most there were at a time on any one reactor.
  public var queueDepthMax = 0

  public init() {}
}

extension LogicalUnit {
  /// Added up for whoever asks, on any thread; costs the reactors nothing.
  public var unitStatistics: UnitStatistics {
    var statistics = UnitStatistics()
    for counters in counters.withLock({ $0 }) { counters.add(to: &statistics) }
    return statistics
  }
}

/// Counters in one piece, written by one thread and read by any.
struct AtomicCounts<let count: Int>: ~Copyable, Sendable {
  private let counts: InlineArray<count, Atomic<UInt64>>

  init() { counts = InlineArray { _ in Atomic(0) } }

  @inline(__always)
  func add(_ amount: UInt64, at index: Int) {
    let value = counts[index].load(ordering: .relaxed)
    counts[index].store(value &+ amount, ordering: .relaxed)
  }

  func add(to sums: inout [UInt64]) {
    precondition(sums.count == count, "sums of as many")
    for index in 0..<count { sums[index] &+= counts[index].load(ordering: .relaxed) }
  }
}
