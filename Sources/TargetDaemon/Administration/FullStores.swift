internal import AdministrationModel
internal import Reactor
internal import SCSIModel
internal import SCSITarget
internal import Synchronization

/// The stores that ran out of room: initiators were answered SPACE ALLOCATION FAILED WRITE PROTECT
/// (07/27/07, SBC-3 §4.7.3.6). Whoever writes there is told with each write; administrators hear of
/// it once, until there is room again.
final class FullStores: Sendable {
  /// So long after the last such answer there is room again, as far as anybody knows.
  static let quiet = Milliseconds.seconds(60)

  private struct Known: Sendable {
    /// The number of such answers.
    var count: UInt64
    var lastAt: MonotonicTime
    /// Since when it is full; nil: there is room again.
    var since: Timestamp?
  }

  private let known = Mutex<[ObjectIdentifier: Known]>([:])

  /// Since when it is full, as far as the last look tells; nil: it is not.
  func since(_ unit: LogicalUnit) -> Timestamp? {
    known.withLock { $0[ObjectIdentifier(unit)]?.since }
  }

  /// What is to be told now.
  func look(at units: [LogicalUnit], at now: MonotonicTime) -> [Event] {
    known.withLock { known in
      // Most have never been full.
      let full = units.filter { $0.outOfSpaceCount > 0 }
      guard !full.isEmpty || !known.isEmpty else { return [] }
      var fresh: [ObjectIdentifier: Known] = [:]
      var events: [Event] = []
      for unit in full {
        let count = unit.outOfSpaceCount
        var state =
          known[ObjectIdentifier(unit)] ?? Known(count: 0, lastAt: now, since: nil)
        if count > state.count {
          if state.since == nil { events.append(Self.event(unit.identity.name)) }
          state = Known(count: count, lastAt: now, since: state.since ?? .current)
        } else if state.since != nil, now >= state.lastAt + Self.quiet, unit.hasRoom {
          state.since = nil
        }
        fresh[ObjectIdentifier(unit)] = state
      }
      known = fresh
      return events
    }
  }

  private static func event(_ name: String) -> Event {
    Event(
      .storeFull,
      """
      store \(name) is full: its medium has no room for what was written, and initiators were told so
      """, store: name)
  }
}

extension LogicalUnit {
  /// As far as the last look at the medium tells (`SpaceMonitor`).
  fileprivate var hasRoom: Bool { provisioning.resources.map { $0.availableCount > 0 } ?? true }
}
