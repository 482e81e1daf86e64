public import Reactor
public import SCSIModel

/// Keeps the persistent reservations of logical units over the end of the process. The daemon saves
/// them to files; tests keep them in memory.
public protocol ReservationPersistence: Sendable {
  /// Saves the state of `unit` so that it outlives a crash at any moment: the old one or this, never
  /// anything else. `completion` is called once, on any thread: nil when the state is on stable
  /// storage, else why nothing may be built on it. Called by the unit's home reactor, one save of a
  /// unit at a time; does not block.
  func save(
    _ state: ReservationState, of unit: LogicalUnitIdentity,
    completion: @escaping @Sendable (SystemError?) -> Void)
}
