internal import Reactor

/// Finds out whether the initiator is still there: after a silence the target asks (NOP-In), after
/// a longer one it gives up (RFC 7143 §11.19). Anything the initiator sends is a sign of life.
struct KeepAlive {
  enum Action: Equatable {
    case wait
    case ping
    case giveUp
  }

  private var lastHeard = MonotonicTime(rawValue: 0)
  private var askedAt: MonotonicTime?

  mutating func heard(at now: MonotonicTime) {
    lastHeard = now
    askedAt = nil
  }

  /// Whether an answer is waited for.
  var hasAsked: Bool { askedAt != nil }

  /// How long nothing has been heard.
  func silence(at now: MonotonicTime) -> Milliseconds { now.milliseconds(since: lastHeard) }

  /// How long until `check` has something to say if nothing is heard; nil for never.
  func nextCheck(
    at now: MonotonicTime, interval: Milliseconds, timeout: Milliseconds
  ) -> Milliseconds? {
    if let askedAt { return KeepAlive.rest(of: timeout, since: askedAt, at: now) }
    guard interval > Milliseconds(0) else { return nil }
    return KeepAlive.rest(of: interval, since: lastHeard, at: now)
  }

  private static func rest(
    of period: Milliseconds, since start: MonotonicTime, at now: MonotonicTime
  ) -> Milliseconds {
    let passed = now.milliseconds(since: start)
    return passed < period ? Milliseconds(period.rawValue - passed.rawValue) : Milliseconds(0)
  }

  /// Asked at `nextCheck` or before. `interval` zero never pings.
  mutating func check(
    at now: MonotonicTime, interval: Milliseconds, timeout: Milliseconds
  ) -> Action {
    if let askedAt { return now.milliseconds(since: askedAt) < timeout ? .wait : .giveUp }
    guard interval > Milliseconds(0), now.milliseconds(since: lastHeard) >= interval else {
      return .wait
    }
    askedAt = now
    return .ping
  }
}
