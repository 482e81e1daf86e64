internal import Reactor
internal import SCSIModel

/// The third-party copies that an initiator started at a logical unit, by their list identifiers:
/// those that go on, and the results of those that have ended, for a while (SPC-4 §5.17.4.3).
struct CopyRecords {
  /// A copy that goes on, or what became of it.
  final class Record {
    let listIdentifier: UInt32
    let usage: ListIdentifierUsage
    var results: CopyResults
    /// The work, while it goes on.
    var operation: CopyOperation?
    /// When it ended.
    var ended: MonotonicTime?

    init(listIdentifier: UInt32, usage: ListIdentifierUsage, results: CopyResults) {
      self.listIdentifier = listIdentifier
      self.usage = usage
      self.results = results
    }
  }

  private var records: [Record] = []

  /// The copy of that name.
  mutating func record(_ listIdentifier: UInt32, now: MonotonicTime) -> Record? {
    expire(now)
    return records.first { $0.listIdentifier == listIdentifier }
  }

  /// Starts a record; one that has ended under the same name is replaced.
  mutating func begin(_ record: Record, now: MonotonicTime) throws(SenseData) {
    guard record.usage != .none else { return }
    if let old = self.record(record.listIdentifier, now: now) {
      guard old.ended != nil else { throw .operationInProgress }
      remove(old)
    }
    records.append(record)
  }

  /// Forgets a record that nobody may ask for any more, and the oldest of too many.
  mutating func end(_ record: Record, now: MonotonicTime) {
    precondition(record.ended == nil, "a copy ends once")
    record.ended = now
    record.operation = nil
    if record.usage != .hold { remove(record) }
    let excess = records.count { $0.ended != nil } - CopyLimits.resultsMax
    if excess > 0, let oldest = records.firstIndex(where: { $0.ended != nil }) {
      records.remove(at: oldest)
    }
  }

  mutating func remove(_ record: Record) { records.removeAll { $0 === record } }

  private mutating func expire(_ now: MonotonicTime) {
    let lifetime = Milliseconds.seconds(CopyLimits.resultSecondsMax)
    records.removeAll { $0.ended.map { now >= $0 + lifetime } ?? false }
  }
}
