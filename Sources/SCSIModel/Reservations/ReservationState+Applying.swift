extension ReservationState {
  /// What becomes of the reservations by a service action from `nexus`, or why nothing does (SPC-4
  /// §5.13, §6.16). All or nothing: a refusal leaves everything as it is, PRGENERATION too.
  public func applying(
    _ request: PersistentReserveOut, from nexus: NexusIdentity, ports: ReservationPorts
  ) throws(ReservationRefusal) -> ReservationChange {
    var change = ReservationChange(self)
    switch request.action {
    case .register, .registerAndIgnoreExistingKey:
      try change.register(request, nexus, ports)
      return change
    case .replaceLostReservation:
      // SPC-4 §5.13.12: only while reservation information is lost. A unit that has lost its own
      // does not come online, so none of this state ever is.
      throw .check(.invalidFieldInCDB(byte: 1, bit: 4))
    case .reserve, .release, .clear, .preempt, .preemptAndAbort, .registerAndMove:
      break
    }
    guard key(of: nexus) == request.reservationKey else { throw .conflict }
    switch request.action {
    case .reserve: try change.reserve(request, nexus)
    case .release: try change.release(request, nexus)
    case .clear: change.clear(nexus)
    case .preempt, .preemptAndAbort: try change.preempt(request, nexus)
    case .registerAndMove: try change.registerAndMove(request, nexus, ports)
    case .register, .registerAndIgnoreExistingKey, .replaceLostReservation: break
    }
    return change
  }
}

// MARK: - RESERVE, RELEASE, CLEAR

extension ReservationChange {
  /// SPC-4 §5.13.10. The holder may ask again for what it has. PRGENERATION stays.
  fileprivate mutating func reserve(
    _ request: PersistentReserveOut, _ nexus: NexusIdentity
  ) throws(ReservationRefusal) {
    let type = try request.typeOrRefusal()
    guard let reservation = state.reservation else {
      state.establish(type, nexus)
      return
    }
    guard state.isHolder(nexus), reservation.type == type else { throw .conflict }
  }

  /// SPC-4 §5.13.11.2. A registrant that is no holder releases nothing and is told GOOD.
  /// PRGENERATION stays.
  fileprivate mutating func release(
    _ request: PersistentReserveOut, _ nexus: NexusIdentity
  ) throws(ReservationRefusal) {
    let type = try request.typeOrRefusal()
    guard let reservation = state.reservation, state.isHolder(nexus) else { return }
    guard reservation.type == type else {
      throw .check(.invalidReleaseOfPersistentReservation)
    }
    state.reservation = nil
    if type.admitsRegistrants { notify(.reservationsReleased, except: nexus) }
  }

  /// SPC-4 §5.13.11.6.
  fileprivate mutating func clear(_ nexus: NexusIdentity) {
    notify(.reservationsPreempted, except: nexus)
    state.reservation = nil
    state.registrations = []
    state.generation &+= 1
  }
}

// MARK: - PREEMPT, PREEMPT AND ABORT

extension ReservationChange {
  /// SPC-4 §5.13.11.4, table 73: which of the two things a preemption is.
  fileprivate mutating func preempt(
    _ request: PersistentReserveOut, _ nexus: NexusIdentity
  ) throws(ReservationRefusal) {
    let key = request.serviceActionKey
    let reservation = state.reservation
    let isAllRegistrants = reservation?.type.isAllRegistrants ?? false
    guard key != 0 || isAllRegistrants else {
      throw .check(.invalidFieldInParameterList(byte: 8, bit: 7))
    }
    let victims: [NexusIdentity]
    if key == 0 {
      victims = state.registrations.map(\.nexus).filter { $0 != nexus }
      try preemptReservation(request, nexus, victims)
    } else if let holder = reservation?.holder, state.key(of: holder) == key {
      victims = state.nexuses(with: key).filter { $0 != nexus }
      try preemptReservation(request, nexus, victims)
    } else {
      victims = state.nexuses(with: key)
      try preemptRegistrations(victims)
    }
    for victim in victims where victim != nexus {
      attentions.append(
        ReservationAttention(nexus: victim, attention: .registrationsPreempted))
    }
    if request.action == .preemptAndAbort { aborted = victims }
    state.generation &+= 1
  }

  /// SPC-4 §5.13.11.4.3: the sender stays registered, also with the key that it preempts, and holds
  /// the reservation that it asks for.
  private mutating func preemptReservation(
    _ request: PersistentReserveOut, _ nexus: NexusIdentity, _ victims: [NexusIdentity]
  ) throws(ReservationRefusal) {
    let type = try request.typeOrRefusal()
    let hasChanged = state.reservation?.type != type
    state.removeRegistrations(of: Set(victims))
    state.establish(type, nexus)
    if hasChanged { notify(.reservationsReleased, except: nexus) }
  }

  /// SPC-4 §5.13.11.4.4: SCOPE and TYPE are ignored. The sender is among the victims if the key is
  /// its own. A reservation of all registrants ends with the last of them.
  private mutating func preemptRegistrations(
    _ victims: [NexusIdentity]
  ) throws(ReservationRefusal) {
    guard !victims.isEmpty else { throw .conflict }
    state.removeRegistrations(of: Set(victims))
    if state.registrations.isEmpty { state.reservation = nil }
  }
}

// MARK: - Helpers

extension ReservationChange {
  /// A unit attention for whoever is registered now but `sender`.
  mutating func notify(_ attention: SenseData, except sender: NexusIdentity) {
    for registration in state.registrations where registration.nexus != sender {
      attentions.append(ReservationAttention(nexus: registration.nexus, attention: attention))
    }
  }
}

extension ReservationState {
  fileprivate mutating func establish(_ type: ReservationType, _ nexus: NexusIdentity) {
    precondition(isRegistered(nexus), "only a registrant reserves")
    reservation = PersistentReservation(
      type: type, holder: type.isAllRegistrants ? nil : nexus)
  }

  fileprivate func nexuses(with key: UInt64) -> [NexusIdentity] {
    registrations.filter { $0.key == key }.map(\.nexus)
  }

  mutating func removeRegistrations(of nexuses: Set<NexusIdentity>) {
    registrations.removeAll { nexuses.contains($0.nexus) }
  }
}

extension PersistentReserveOut {
  fileprivate func typeOrRefusal() throws(ReservationRefusal) -> ReservationType {
    do throws(SenseData) { return try requireType() } catch { throw .check(error) }
  }
}
