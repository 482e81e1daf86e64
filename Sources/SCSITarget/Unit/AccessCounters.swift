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

  /// A READ of `bytes` has succeeded.
  func countRead(_ bytes: Int, since start: MonotonicTime, now: MonotonicTime) {
    Self.add(1, to: readCommands)
    Self.add(UInt64(truncatingIfNeeded: bytes), to: bytesRead)
    Self.add(now.rawValue &- start.rawValue, to: readNanoseconds)
  }

  /// A WRITE of `bytes` has succeeded.
  func countWrite(_ bytes: Int, since start: MonotonicTime, now: MonotonicTime) {
    Self.add(1, to: writeCommands)
    Self.add(UInt64(truncatingIfNeeded: bytes), to: bytesWritten)
    Self.add(now.rawValue &- start.rawValue, to: writeNanoseconds)
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
