internal import AdministrationModel
internal import Reactor

extension Timestamp {
  static var current: Timestamp { Timestamp(WallClock.milliseconds) }

  /// Milliseconds since 1970, UTC.
  init(_ milliseconds: UInt64) {
    self.init(millisecondsSinceEpoch: Int64(clamping: milliseconds))
  }
}
