// REGISTER, REGISTER AND IGNORE EXISTING KEY and REGISTER AND MOVE (SPC-4 §5.13.7, §5.13.8), with
// what unregistering does (§5.13.11.3).

extension ReservationChange {
  /// Registers, changes a key or unregisters, for the sender and whom else it speaks for.
  ///
  /// ALL_TG_PT and SPEC_I_PT act as if each nexus had asked for itself, but all or nothing:
  /// REGISTER conflicts if one of the others is registered with a key that is neither the sender's
  /// nor the new one.
  mutating func register(
    _ request: PersistentReserveOut, _ nexus: NexusIdentity, _ ports: ReservationPorts
  ) throws(ReservationRefusal) {
    let current = state.key(of: nexus)
    // A key is never zero: RESERVATION KEY 0 says "not registered".
    guard
      request.action == .registerAndIgnoreExistingKey
        || request.reservationKey == current ?? 0
    else { throw .conflict }
    if current != nil, request.specifiedInitiators != nil {
      throw .check(.invalidFieldInParameterList(byte: 20, bit: 3))
    }
    // Nobody unregisters nothing: GOOD, and nothing at all changes.
    let isLeaving = request.serviceActionKey == 0
    if isLeaving, current == nil, !request.appliesToAllTargetPorts { return }
    let nexuses = try request.nexuses(nexus, ports, state)
    if isLeaving, Set(nexuses).isDisjoint(with: state.registrations.map(\.nexus)) { return }
    if isLeaving {
      try unregister(nexuses, request, sender: nexus)
    } else {
      try enroll(nexuses, request, sender: nexus)
    }
    state.persistsThroughPowerLoss = request.activatesPersistThroughPowerLoss
    state.generation &+= 1
  }

  private mutating func enroll(
    _ nexuses: [NexusIdentity], _ request: PersistentReserveOut, sender: NexusIdentity
  ) throws(ReservationRefusal) {
    let key = request.serviceActionKey
    var places: [NexusIdentity: Int] = [:]
    for (index, registration) in state.registrations.enumerated() {
      places[registration.nexus] = index
    }
    for nexus in nexuses {
      guard let place = places[nexus] else {
        let isOwn = nexus.initiator == sender.initiator
        guard state.hasPlace(leaving: isOwn ? 0 : ReservationState.registrationsReserved) else {
          throw .check(.insufficientRegistrationResources)
        }
        state.registrations.append(Registration(nexus: nexus, key: key))
        continue
      }
      try request.requireKey(state.registrations[place], sender: sender)
      state.registrations[place].key = key
    }
  }

  private mutating func unregister(
    _ nexuses: [NexusIdentity], _ request: PersistentReserveOut, sender: NexusIdentity
  ) throws(ReservationRefusal) {
    let leaving = Set(nexuses)
    for registration in state.registrations where leaving.contains(registration.nexus) {
      try request.requireKey(registration, sender: sender)
    }
    state.removeRegistrations(of: leaving)
    releaseIfHolderLeft(sender)
  }

  /// SPC-4 §5.13.11.3: the reservation goes with its holder, or with the last of all registrants;
  /// those whom it admitted are told.
  private mutating func releaseIfHolderLeft(_ sender: NexusIdentity) {
    guard let reservation = state.reservation else { return }
    let hasHolder = reservation.holder.map(state.isRegistered) ?? !state.registrations.isEmpty
    guard !hasHolder else { return }
    state.reservation = nil
    if reservation.type.admitsRegistrants { notify(.reservationsReleased, except: sender) }
  }

  /// Moves the reservation of one holder to another nexus, which is registered by it (SPC-4
  /// §5.13.8); where nothing is reserved, the service action is at fault. The type stays, so nobody
  /// is told; SCOPE and TYPE of the CDB are not looked at.
  mutating func registerAndMove(
    _ request: PersistentReserveOut, _ nexus: NexusIdentity, _ ports: ReservationPorts
  ) throws(ReservationRefusal) {
    guard let reservation = state.reservation else {
      throw .check(.invalidFieldInCDB(byte: 1, bit: 4))
    }
    guard reservation.holder == nexus else { throw .conflict }
    guard request.serviceActionKey != 0 else {
      throw .check(.invalidFieldInParameterList(byte: 8, bit: 7))
    }
    let (destination, unregistersSender) = try request.resolveDestination(nexus, ports)
    if unregistersSender { state.removeRegistrations(of: [nexus]) }
    if let place = state.registrations.firstIndex(where: { $0.nexus == destination }) {
      state.registrations[place].key = request.serviceActionKey
    } else {
      guard state.hasPlace() else {
        throw .check(.insufficientRegistrationResources)
      }
      state.registrations.append(
        Registration(nexus: destination, key: request.serviceActionKey))
    }
    state.reservation?.holder = destination
    state.persistsThroughPowerLoss = request.activatesPersistThroughPowerLoss
    state.generation &+= 1
  }
}

// MARK: - Whom a request speaks for

extension PersistentReserveOut {
  fileprivate func requireKey(
    _ registration: Registration, sender: NexusIdentity
  ) throws(ReservationRefusal) {
    guard action == .register, registration.nexus != sender else { return }
    guard registration.key == reservationKey || registration.key == serviceActionKey else {
      throw .conflict
    }
  }

  /// The sender first, then who else is registered by the request; each once.
  fileprivate func nexuses(
    _ sender: NexusIdentity, _ ports: ReservationPorts, _ state: ReservationState
  ) throws(ReservationRefusal) -> [NexusIdentity] {
    var targets = [sender.target]
    if appliesToAllTargetPorts {
      targets += ports.targetPorts.map(\.port).filter {
        $0.name == sender.target.name && $0 != sender.target
      }
    }
    var nexuses: [NexusIdentity] = []
    var seen: Set<NexusIdentity> = []
    for initiator in try initiatorPorts(sender.initiator, ports, state) {
      for target in targets {
        let nexus = NexusIdentity(initiator: initiator, target: target)
        if seen.insert(nexus).inserted { nexuses.append(nexus) }
      }
      guard nexuses.count <= ReservationState.registrationsMax else {
        throw .check(.insufficientRegistrationResources)
      }
    }
    return nexuses
  }

  /// The sender's port and those of the TransportIDs. A TransportID without ISID stands for every
  /// port of that name that the device server knows, logged in or registered (SPC-4 §7.6.4.6); if
  /// it knows none, there is nobody to register.
  private func initiatorPorts(
    _ sender: InitiatorPort, _ ports: ReservationPorts, _ state: ReservationState
  ) throws(ReservationRefusal) -> [InitiatorPort] {
    guard let specifiedInitiators else { return [sender] }
    let known = (ports.initiatorPorts + state.registrations.map(\.nexus.initiator) + [sender])
      .uniqued()
    var knownByName = Dictionary(grouping: known, by: \.name)
    var initiators = [sender]
    for specified in specifiedInitiators {
      switch specified.transportID {
      case .port(let port):
        initiators.append(port)
      case .device(let name):
        guard let ports = knownByName[name] else {
          throw .check(.invalidFieldInParameterList(byte: specified.offset, bit: 7))
        }
        initiators += ports
        knownByName[name] = []  // Named once is enough.
      }
    }
    return initiators.uniqued()
  }

  /// Where REGISTER AND MOVE goes: not to the initiator port that it comes from, through whatever
  /// target port (SPC-4 §5.13.8).
  fileprivate func resolveDestination(
    _ sender: NexusIdentity, _ ports: ReservationPorts
  ) throws(ReservationRefusal) -> (nexus: NexusIdentity, unregistersSender: Bool) {
    guard let destination else { throw .check(.parameterListLengthError) }
    let port = ports.targetPorts.first {
      $0.port.name == sender.target.name
        && $0.relativeIdentifier == destination.relativeTargetPort
    }
    guard let port else { throw .check(.invalidFieldInParameterList(byte: 18, bit: 7)) }
    guard destination.initiator != sender.initiator else {
      throw .check(.invalidFieldInParameterList(byte: 24, bit: 7))
    }
    let nexus = NexusIdentity(initiator: destination.initiator, target: port.port)
    return (nexus, destination.unregistersSender)
  }
}

extension Array where Element: Hashable {
  /// Each element once, where it came first.
  fileprivate func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
