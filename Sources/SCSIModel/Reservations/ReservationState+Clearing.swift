extension ReservationState {
  /// What an administrator's CLEAR makes of it (SPC-4 §5.13.11.6): as a registrant's, with every
  /// registrant told, for none of them has asked.
  public func cleared() -> ReservationChange {
    var change = ReservationChange(self)
    change.attentions = registrations.map {
      ReservationAttention(nexus: $0.nexus, attention: .reservationsPreempted)
    }
    change.state.reservation = nil
    change.state.registrations = []
    if !registrations.isEmpty { change.state.generation &+= 1 }
    return change
  }
}
