/// The gates that a state of the reservations makes, for many nexuses: made in time proportional to
/// the registrations, and each gate then found by one look into a table, since a change closes and
/// opens the gates of all nexuses while their commands wait.
public struct ReservationGates: Sendable {
  private let registered: Set<NexusIdentity>
  private let reservation: PersistentReservation?
  private let reserver: NexusIdentity?
  /// By relation, of nexuses that do not hold the unit by RESERVE.
  private let gates: [ReservationRelation: ReservationGate]
  /// Likewise, of the one that does.
  private let reserverGates: [ReservationRelation: ReservationGate]

  /// `reserver`, if there is one, holds the unit by RESERVE.
  public init(_ state: ReservationState, reservedBy reserver: NexusIdentity? = nil) {
    registered = Set(state.registrations.map(\.nexus))
    reservation = state.reservation
    self.reserver = reserver
    func gates(reservedByItself: Bool?) -> [ReservationRelation: ReservationGate] {
      let pairs = ReservationRelation.allCases.map { relation in
        let conflicts =
          !state.registrations.isEmpty && state.legacyOutcome(from: relation) == .conflict
        return (
          relation,
          ReservationGate(
            state.reservation?.type, relation, legacyConflicts: conflicts,
            reservedByItself: reservedByItself)
        )
      }
      return Dictionary(uniqueKeysWithValues: pairs)
    }
    self.gates = gates(reservedByItself: reserver == nil ? nil : false)
    reserverGates = gates(reservedByItself: true)
  }

  /// As `ReservationGate(_:for:reservedBy:)` would make it.
  public func gate(for nexus: NexusIdentity) -> ReservationGate {
    let table = nexus == reserver ? reserverGates : gates
    guard let gate = table[relation(of: nexus)] else {
      preconditionFailure("each relation has a gate")
    }
    return gate
  }

  private func relation(of nexus: NexusIdentity) -> ReservationRelation {
    let isRegistered = registered.contains(nexus)
    if let reservation {
      let isHolder =
        reservation.type.isAllRegistrants ? isRegistered : reservation.holder == nexus
      if isHolder { return .holder }
    }
    return isRegistered ? .registrant : .stranger
  }
}
