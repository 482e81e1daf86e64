internal import Reactor
internal import SCSIModel
internal import Synchronization

/// The clock that REPORT TIMESTAMP reads. What SET TIMESTAMP makes of it lasts until the
/// process ends.
final class UnitClock: Sendable {
  /// Milliseconds to add to the machine's clock; nil: it was never set.
  private let offset = Mutex<Int64?>(nil)

  var timestamp: TimestampParameters {
    let now = WallClock.milliseconds
    guard let offset = offset.withLock({ $0 }) else {
      return TimestampParameters(milliseconds: now, origin: .other)
    }
    return TimestampParameters(
      milliseconds: now &+ UInt64(bitPattern: offset), origin: .setTimestamp)
  }

  func set(_ milliseconds: UInt64) {
    let difference = Int64(bitPattern: milliseconds &- WallClock.milliseconds)
    offset.withLock { $0 = difference }
  }
}
