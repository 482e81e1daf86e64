internal import BackingStore
public import Reactor
public import SCSIModel
public import SCSITarget

/// Keeps reservations as the daemon's files do: what is saved is on the medium at one instant
/// between the call and its end, both of which the seed chooses.
public final class SimulatedReservations: UnitPersistence, @unchecked Sendable {
  // Sendable: a world and everything in it are used on one thread.
  private unowned let world: SimulatedWorld

  /// How long a save takes, in nanoseconds.
  public var latency: ClosedRange<UInt64> = 100_000...20_000_000
  /// What every save fails with, having changed nothing.
  public var failure: SystemError?
  /// By the unit's name: what another process would find.
  public private(set) var saved: [String: ReservationState] = [:]

  public init(world: SimulatedWorld) { self.world = world }

  public func save(
    _ state: ReservationState, of unit: LogicalUnitIdentity,
    completion: @escaping SaveCompletion
  ) {
    let duration = world.pick(latency)
    let failure = failure
    if failure == nil {
      world.schedule(afterNanoseconds: world.pick(0...duration)) { [self] in
        saved[unit.name] = state
      }
    }
    world.schedule(afterNanoseconds: duration) { [self] in
      completion(failure)
      world.noteOutsideActivity()
    }
  }
}
