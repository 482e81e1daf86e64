internal import Reactor
internal import SCSITarget
internal import Synchronization

/// A unit on its way out.
final class Departure: Sendable {
  let claim: UnitClaim
  /// What was last found of the room of its medium.
  let space: ThinProvisioning?
  private let end = Rendezvous()
  private let latched = Atomic<Bool>(false)

  init(_ claim: UnitClaim, space: ThinProvisioning? = nil) {
    self.claim = claim
    self.space = space
  }

  /// Whether its medium refused writes at the end.
  var wasLatched: Bool { latched.load(ordering: .acquiring) }

  /// The last operation has ended and all that was to be saved of it is saved, or refused.
  func ended(isLatched: Bool) {
    latched.store(isLatched, ordering: .releasing)
    end.done()
  }

  /// False: not yet.
  func wait(until deadline: MonotonicTime) -> Bool { end.wait(until: deadline) }

  /// Calls `body` when all of them have ended, on whatever thread that is.
  static func whenEnded(
    _ departures: ArraySlice<Departure>, _ body: @escaping @Sendable () -> Void
  ) {
    guard let first = departures.first else { return body() }
    first.end.afterwards { whenEnded(departures.dropFirst(), body) }
  }
}
