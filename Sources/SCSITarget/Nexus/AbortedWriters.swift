internal import Synchronization

/// The initiators, by name, of whose aborted writes on one unit some have not ended, from all
/// reactors. By name, since what one holds it may give up through any of its paths: every
/// registrant releases a reservation of all registrants, and ALL_TG_PT unregisters through other
/// target ports. Asked only by who would give something up.
final class AbortedWriters: Sendable {
  private let counts = Mutex<[String: Int]>([:])

  func count(_ change: Int, of name: String) {
    counts.withLock { counts in
      let count = (counts[name] ?? 0) + change
      counts[name] = count > 0 ? count : nil
    }
  }

  func contains(_ name: String) -> Bool { counts.withLock { $0[name] != nil } }
}
