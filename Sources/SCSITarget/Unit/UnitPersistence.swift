public import Reactor

/// Hears, once and on any thread, what has become of a save: nil when the record is on stable
/// storage, else why nothing may be built on it. Never waits.
public typealias SaveCompletion = @Sendable (SystemError?) -> Void

/// Keeps one kind of record of logical units over the end of the process: their reservations, what
/// initiators have set on them, the mark of an unfinished wipe. The daemon keeps them in files,
/// tests in memory.
public protocol UnitPersistence<Record>: Sendable {
  associatedtype Record: Sendable

  /// Saves `record` so that it outlives a crash at any moment: the one before or this, never
  /// anything else. After a failure the one before stays on record, as far as that can be had.
  ///
  /// Does not block, whatever state the disk is in. A unit saves one record of a kind at a time.
  func save(
    _ record: Record, of unit: LogicalUnitIdentity, completion: @escaping SaveCompletion)
}

extension UnitPersistence {
  /// Saves `record`, then goes on with `body` on `reactor`, which is the caller's; never before
  /// this returns, and not later for a mailbox that is full: the command waits for it.
  func save(
    _ record: Record, of unit: LogicalUnitIdentity, on reactor: Reactor,
    then body: @escaping (SystemError?) -> Void
  ) {
    let pending = ReactorBound(PendingSave(body), on: reactor)
    save(record, of: unit) { error in pending.answer { $0.ended(error) } }
  }
}

/// What goes on when a save has ended.
private final class PendingSave {
  private var body: ((SystemError?) -> Void)?

  init(_ body: @escaping (SystemError?) -> Void) { self.body = body }

  func ended(_ error: SystemError?) {
    guard let body else { preconditionFailure("a save ends once") }
    self.body = nil
    body(error)
  }
}
