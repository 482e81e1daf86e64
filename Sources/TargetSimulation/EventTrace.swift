public import Reactor

/// One thing that happened in a simulation.
public struct TraceEntry: Sendable, Equatable, CustomStringConvertible {
  public enum Kind: String, Sendable {
    case turn, completion, clock
    case connectionOpened, connectionRefused, arrivedAtTarget, arrivedAtPeer, reset, closed
    case diskEffect, diskFault, diskCrash
    case note
  }

  public var time: MonotonicTime
  public var kind: Kind
  public var first: UInt64
  public var second: UInt64
  public var third: UInt64

  public var description: String {
    "\(time.rawValue) \(kind.rawValue) \(first) \(second) \(third)"
  }
}

/// What happened so far, condensed: two runs with equal digests did the same things at the same
/// simulated times.
struct EventTrace {
  private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325
  private(set) var count = 0

  mutating func record(_ entry: TraceEntry) {
    count += 1
    mix(entry.time.rawValue)
    for character in entry.kind.rawValue.utf8 { mix(UInt64(character)) }
    mix(entry.first)
    mix(entry.second)
    mix(entry.third)
  }

  /// FNV-1a, by words instead of bytes, with a final fold so that high bits reach the low ones.
  private mutating func mix(_ word: UInt64) {
    digest = (digest ^ word) &* 0x0000_0100_0000_01B3
    digest ^= digest >> 32
  }
}
