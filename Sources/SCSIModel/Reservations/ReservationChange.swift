/// A unit attention condition for one I_T nexus.
public struct ReservationAttention: Hashable, Sendable {
  public var nexus: NexusIdentity
  public var attention: SenseData

  public init(nexus: NexusIdentity, attention: SenseData) {
    self.nexus = nexus
    self.attention = attention
  }
}

/// What a PERSISTENT RESERVE OUT makes of the reservations of a logical unit.
public struct ReservationChange: Equatable, Sendable {
  /// The next state; the same one if the service action changed nothing.
  public var state: ReservationState
  /// Established when the state is in force.
  public var attentions: [ReservationAttention] = []
  /// The nexuses whose tasks PREEMPT AND ABORT aborts, and drains before GOOD. The sender is among
  /// them if the key it preempts is its own and it lost its registration: then all its tasks but
  /// the PERSISTENT RESERVE OUT itself (SPC-4 §5.13.11.5).
  public var aborted: [NexusIdentity] = []

  public init(_ state: ReservationState) { self.state = state }
}

/// Why a PERSISTENT RESERVE OUT changes nothing.
public enum ReservationRefusal: Error, Equatable, Sendable {
  /// RESERVATION CONFLICT status.
  case conflict
  /// CHECK CONDITION.
  case check(SenseData)
}
