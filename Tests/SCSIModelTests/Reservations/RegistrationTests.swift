import SCSIModel
import Testing

@Suite struct RegistrationTests {
  let conflict = ReservationRefusal.conflict

  private func listError(_ byte: Int, _ bit: UInt8 = 7) -> ReservationRefusal {
    .check(.invalidFieldInParameterList(byte: byte, bit: bit))
  }

  // MARK: REGISTER and REGISTER AND IGNORE EXISTING KEY

  @Test("REGISTER registers with key 0, changes with its own key, and conflicts with any other")
  func register() throws {
    var state = ReservationState()
    try state.take(.register(new: 1), from: Cluster.a)
    #expect(state.registrations == [Registration(nexus: Cluster.a, key: 1)])
    #expect(state.generation == 1)
    try state.take(.register(1, new: 2), from: Cluster.a)
    #expect(state.keys == [2] && state.generation == 2)
    for wrong in [0, 1, 3] as [UInt64] {
      #expect(throws: conflict) { try state.after(.register(wrong, new: 9), from: Cluster.a) }
      #expect(throws: conflict) { try state.after(.register(wrong, new: 0), from: Cluster.a) }
    }
    #expect(throws: conflict) { try state.after(.register(2, new: 2), from: Cluster.b) }
    #expect(throws: conflict) { try state.after(.register(2, new: 0), from: Cluster.b) }
    try state.take(.register(2, new: 0), from: Cluster.a)
    #expect(state.registrations.isEmpty && state.generation == 3)
  }

  @Test("REGISTER AND IGNORE EXISTING KEY looks at no key, and with key 0 unregisters")
  func registerAndIgnore() throws {
    var state = ReservationState()
    for (new, keys) in [(1, [1]), (2, [2]), (0, [])] as [(UInt64, [UInt64])] {
      var request = PersistentReserveOut.registerAndIgnore(new: new)
      request.reservationKey = 77
      try state.take(request, from: Cluster.a)
      #expect(state.keys == keys)
    }
    #expect(state.generation == 3)
  }

  @Test("An unregistered nexus that registers nothing changes nothing, and is told GOOD")
  func nothing() throws {
    var state = ReservationState([(Cluster.a, 1)], .writeExclusive, by: Cluster.a)
    state.persistsThroughPowerLoss = true
    for request in [PersistentReserveOut.register(new: 0), .registerAndIgnore(new: 0)] {
      let change = try state.after(request, from: Cluster.b)
      #expect(change == ReservationChange(state))
    }
  }

  @Test("A changed key keeps the holder the holder, under its new key")
  func holderChangesKey() throws {
    for type in ReservationType.allCases {
      let state = ReservationState([(Cluster.a, 1), (Cluster.b, 2)], type, by: Cluster.a)
      let change = try state.after(.register(1, new: 9), from: Cluster.a)
      #expect(change.state.isHolder(Cluster.a) && change.state.keys == [9, 2])
      #expect(change.state.reservation == state.reservation)
      #expect(change.attentions.isEmpty && change.aborted.isEmpty)
    }
  }

  @Test("A holder that unregisters releases; registrants are told if the type admitted them")
  func holderUnregisters() throws {
    for type in ReservationType.allCases {
      let state = ReservationState(
        [(Cluster.a, 1), (Cluster.b, 2), (Cluster.c, 3)], type, by: Cluster.a)
      let change = try state.after(.register(1, new: 0), from: Cluster.a)
      #expect(change.state.keys == [2, 3])
      switch type {
      case .writeExclusive, .exclusiveAccess:
        #expect(change.state.reservation == nil && change.attentions.isEmpty)
      case .writeExclusiveRegistrantsOnly, .exclusiveAccessRegistrantsOnly:
        #expect(change.state.reservation == nil)
        #expect(change.attentions == [.released(Cluster.b), .released(Cluster.c)])
      case .writeExclusiveAllRegistrants, .exclusiveAccessAllRegistrants:
        #expect(change.state.reservation == state.reservation && change.attentions.isEmpty)
        let last = ReservationState([(Cluster.a, 1)], type)
        #expect(
          try last.after(.register(1, new: 0), from: Cluster.a).state.reservation == nil)
      }
    }
  }

  @Test("A registrant that holds nothing leaves the reservation where it is")
  func registrantUnregisters() throws {
    let state = ReservationState(
      [(Cluster.a, 1), (Cluster.b, 2)], .writeExclusiveRegistrantsOnly, by: Cluster.a)
    let change = try state.after(.registerAndIgnore(new: 0), from: Cluster.b)
    #expect(change.state.reservation == state.reservation && change.attentions.isEmpty)
  }

  @Test("APTPL is that of the last registration that was made, changed or removed")
  func persistThroughPowerLoss() throws {
    var state = ReservationState()
    var request = PersistentReserveOut.register(new: 1)
    request.activatesPersistThroughPowerLoss = true
    try state.take(request, from: Cluster.a)
    #expect(state.persistsThroughPowerLoss)
    // The bit of other service actions is ignored.
    try state.take(.reserve(1, .writeExclusive), from: Cluster.a)
    #expect(state.persistsThroughPowerLoss)
    try state.take(.register(new: 2), from: Cluster.b)
    #expect(!state.persistsThroughPowerLoss)
  }

  @Test("1024 nexuses register; the next is refused, and changes and departures still work")
  func limit() throws {
    var state = ReservationState()
    for index in 0..<ReservationState.registrationsMax {
      try state.take(
        .register(new: UInt64(index) + 1), from: Cluster.nexus("h", isid: UInt64(index)))
    }
    let full = state
    #expect(full.registrations.count == 1024)
    for request in [PersistentReserveOut.register(new: 1), .registerAndIgnore(new: 1)] {
      #expect(throws: ReservationRefusal.check(.insufficientRegistrationResources)) {
        try full.after(request, from: Cluster.a)
      }
    }
    let one = Cluster.nexus("h", isid: 1023)
    try state.take(.register(1024, new: 7), from: one)
    try state.take(.register(7, new: 0), from: one)
    try state.take(.register(new: 7), from: Cluster.a)
    #expect(state.registrations.count == 1024)
    #expect(state.readKeys().count == 8 + 1024 * 8)
  }

  @Test("Who names a thousand other ports leaves places to those who register themselves")
  func reservedPlaces() throws {
    var request = PersistentReserveOut.register(new: 1)
    let room = ReservationState.registrationsMax - ReservationState.registrationsReserved
    request.specifiedInitiators = (1..<room).map {
      .init(.port(InitiatorPort(name: "invented", isid: UInt64($0))), offset: 28)
    }
    var state = try ReservationState().after(request, from: Cluster.a).state
    #expect(state.registrations.count == room)
    for index in 0..<ReservationState.registrationsReserved {
      try state.take(.register(new: 2), from: Cluster.nexus("h", isid: UInt64(index)))
    }
    #expect(state.registrations.count == ReservationState.registrationsMax)
  }

  @Test("PRGENERATION wraps")
  func generation() throws {
    var state = ReservationState()
    state.generation = .max
    #expect(try state.after(.register(new: 1), from: Cluster.a).state.generation == 0)
  }

  // MARK: ALL_TG_PT

  @Test("ALL_TG_PT registers at every port of the target, and of no other")
  func allTargetPorts() throws {
    var state = ReservationState()
    var request = PersistentReserveOut.register(new: 1)
    request.appliesToAllTargetPorts = true
    try state.take(request, from: Cluster.a)
    #expect(state.registrations.map(\.nexus) == [Cluster.a, Cluster.a.elsewhere])
    #expect(state.keys == [1, 1] && state.generation == 1)
    request.reservationKey = 1
    request.serviceActionKey = 2
    try state.take(request, from: Cluster.a.elsewhere)
    #expect(state.keys == [2, 2])
    request.reservationKey = 2
    request.serviceActionKey = 0
    try state.take(request, from: Cluster.a)
    #expect(state.registrations.isEmpty)
  }

  @Test("ALL_TG_PT meets another key at another port: REGISTER conflicts, ignoring replaces it")
  func allTargetPortsOtherKey() throws {
    let state = ReservationState([(Cluster.a.elsewhere, 5)])
    var request = PersistentReserveOut.register(new: 1)
    request.appliesToAllTargetPorts = true
    #expect(throws: conflict) { try state.after(request, from: Cluster.a) }
    request.action = .registerAndIgnoreExistingKey
    #expect(try state.after(request, from: Cluster.a).state.keys == [1, 1])
    let held = ReservationState(
      [(Cluster.a, 1), (Cluster.a.elsewhere, 5), (Cluster.b, 2)],
      .exclusiveAccessRegistrantsOnly, by: Cluster.a.elsewhere)
    request.serviceActionKey = 0
    let change = try held.after(request, from: Cluster.a)
    #expect(change.state.keys == [2] && change.state.reservation == nil)
    #expect(change.attentions == [.released(Cluster.b)])
  }

  // MARK: SPEC_I_PT

  private func specifying(_ transportIDs: TransportID...) -> PersistentReserveOut {
    var request = PersistentReserveOut.register(new: 1)
    request.specifiedInitiators = transportIDs.enumerated().map {
      .init($0.element, offset: 28 + $0.offset * 100)
    }
    return request
  }

  @Test("SPEC_I_PT registers the sender and each port named, once, at every port with ALL_TG_PT")
  func specifiedPorts() throws {
    let port = TransportID.port(Cluster.b.initiator)
    var request = specifying(port, port, .port(Cluster.a.initiator))
    let state = ReservationState()
    var change = try state.after(request, from: Cluster.a)
    #expect(change.state.registrations.map(\.nexus) == [Cluster.a, Cluster.b])
    #expect(change.state.keys == [1, 1] && change.state.generation == 1)
    request.appliesToAllTargetPorts = true
    change = try state.after(request, from: Cluster.a)
    #expect(
      change.state.registrations.map(\.nexus)
        == [Cluster.a, Cluster.a.elsewhere, Cluster.b, Cluster.b.elsewhere])
    request = specifying()
    #expect(try state.after(request, from: Cluster.a).state.keys == [1])
  }

  @Test("A TransportID without ISID is every known port of that name, or a refusal if none is")
  func specifiedDevice() throws {
    let second = Cluster.nexus("b", isid: 2)
    let third = Cluster.nexus("b", isid: 3)
    let state = ReservationState([(third, 1)])
    let ports = ReservationPorts(
      targetPorts: Cluster.ports.targetPorts,
      initiatorPorts: [Cluster.b.initiator, second.initiator, Cluster.c.initiator])
    let request = specifying(.device(name: Cluster.b.initiator.name))
    let change = try state.after(request, from: Cluster.a, ports: ports)
    #expect(
      change.state.registrations.map(\.nexus) == [third, Cluster.a, Cluster.b, second])
    let unknown = specifying(
      .device(name: Cluster.b.initiator.name), .device(name: "iqn.nobody"))
    #expect(throws: listError(128)) {
      try state.after(unknown, from: Cluster.a, ports: ports)
    }
  }

  @Test("SPEC_I_PT of a registered nexus is refused, and all is undone by one that conflicts")
  func specifiedConflicts() throws {
    var state = ReservationState([(Cluster.a, 1), (Cluster.b, 2)])
    var request = specifying(.port(Cluster.c.initiator))
    request.reservationKey = 1
    #expect(throws: listError(20, 3)) { try state.after(request, from: Cluster.a) }
    request.reservationKey = 0
    #expect(throws: conflict) { try state.after(request, from: Cluster.a) }
    state = ReservationState([(Cluster.b, 2)])
    request = specifying(.port(Cluster.c.initiator), .port(Cluster.b.initiator))
    #expect(throws: conflict) { try state.after(request, from: Cluster.a) }
    state = ReservationState([(Cluster.b, 1)])
    #expect(try state.after(request, from: Cluster.a).state.keys == [1, 1, 1])
  }

  @Test("SPEC_I_PT with more ports than there is room for registers none")
  func specifiedTooMany() {
    var request = PersistentReserveOut.register(new: 1)
    let room = ReservationState.registrationsMax - ReservationState.registrationsReserved
    request.specifiedInitiators = (0..<room).map {
      .init(.port(Cluster.nexus("h", isid: UInt64($0)).initiator), offset: 28)
    }
    #expect(throws: ReservationRefusal.check(.insufficientRegistrationResources)) {
      try ReservationState().after(request, from: Cluster.a)
    }
    request.specifiedInitiators?.removeLast()
    #expect(
      (try? ReservationState().after(request, from: Cluster.a))?.state.registrations.count
        == room)
  }

  @Test("ALL_TG_PT with key 0 unregisters the other ports, registered or not at its own")
  func allTargetPortsLeave() throws {
    let here = Cluster.a
    let state = ReservationState(
      [(here.elsewhere, 1), (Cluster.b, 2)], .writeExclusive, by: here.elsewhere)
    var request = PersistentReserveOut.registerAndIgnore(new: 0)
    #expect(try state.after(request, from: here) == ReservationChange(state))
    request.appliesToAllTargetPorts = true
    let change = try state.after(request, from: here)
    #expect(change.state.keys == [2] && change.state.reservation == nil)
    #expect(change.state.generation == 1)
    // REGISTER would have to know the other port's key.
    var named = PersistentReserveOut.register(new: 0)
    named.appliesToAllTargetPorts = true
    #expect(throws: conflict) { try state.after(named, from: here) }
    // None of the ports is registered: nothing changes.
    #expect(try state.after(request, from: Cluster.c) == ReservationChange(state))
  }

  // MARK: REGISTER AND MOVE

  @Test("REGISTER AND MOVE registers the other nexus and hands the reservation over")
  func move() throws {
    let state = ReservationState([(Cluster.a, 1), (Cluster.c, 3)], .exclusiveAccess, by: Cluster.a)
    var change = try state.after(.move(1, new: 2, to: Cluster.b, port: 2), from: Cluster.a)
    #expect(change.state.keys == [1, 3, 2])
    #expect(
      change.state.reservation
        == PersistentReservation(type: .exclusiveAccess, holder: Cluster.b.elsewhere))
    #expect(change.state.generation == 1 && change.attentions.isEmpty)
    change = try state.after(
      .move(1, new: 9, to: Cluster.c, unregistersSender: true), from: Cluster.a)
    #expect(change.state.registrations == [Registration(nexus: Cluster.c, key: 9)])
    #expect(change.state.isHolder(Cluster.c))
  }

  @Test("REGISTER AND MOVE conflicts unless its sender holds the reservation alone")
  func moveConflicts() {
    let request = PersistentReserveOut.move(1, new: 2, to: Cluster.b)
    let registered = ReservationState([(Cluster.a, 1), (Cluster.c, 3)])
    // Nothing is reserved; who is not registered conflicts all the same.
    #expect(throws: ReservationRefusal.check(.invalidFieldInCDB(byte: 1, bit: 4))) {
      try registered.after(request, from: Cluster.a)
    }
    #expect(throws: conflict) { try ReservationState().after(request, from: Cluster.a) }
    for type in ReservationType.allCases {
      let state = ReservationState([(Cluster.a, 1), (Cluster.c, 3)], type, by: Cluster.a)
      if type.rawValue >= 7 {
        #expect(throws: conflict) { try state.after(request, from: Cluster.a) }
      }
      #expect(throws: conflict) { try state.after(request, from: Cluster.b) }
      #expect(throws: conflict) {
        try state.after(.move(3, new: 2, to: Cluster.b), from: Cluster.c)
      }
      #expect(throws: conflict) {
        try state.after(.move(2, new: 2, to: Cluster.b), from: Cluster.a)
      }
    }
  }

  @Test("REGISTER AND MOVE to nowhere, to itself or with key 0 is refused with a pointer")
  func moveRefusals() {
    let state = ReservationState([(Cluster.a, 1)], .writeExclusive, by: Cluster.a)
    func expect(_ request: PersistentReserveOut, _ byte: Int) {
      #expect(throws: listError(byte)) { try state.after(request, from: Cluster.a) }
    }
    expect(.move(1, new: 0, to: Cluster.b), 8)
    expect(.move(1, new: 2, to: Cluster.b, port: 0), 18)
    expect(.move(1, new: 2, to: Cluster.b, port: 3), 18)  // another target's
    expect(.move(1, new: 2, to: Cluster.a), 24)
    expect(.move(1, new: 2, to: Cluster.a, port: 2), 24)  // its own port, elsewhere
  }

  @Test("REGISTER AND MOVE needs room, which UNREG makes")
  func moveFull() throws {
    var state = ReservationState(
      (0..<1023).map { (Cluster.nexus("h", isid: $0), $0 + 1) } + [(Cluster.a, 5000)])
    state.reservation = PersistentReservation(type: .writeExclusive, holder: Cluster.a)
    let full = state
    #expect(throws: ReservationRefusal.check(.insufficientRegistrationResources)) {
      try full.after(.move(5000, new: 1, to: Cluster.b), from: Cluster.a)
    }
    try state.take(
      .move(5000, new: 1, to: Cluster.b, unregistersSender: true), from: Cluster.a)
    #expect(state.registrations.count == 1024 && state.isHolder(Cluster.b))
  }

  @Test("REPLACE LOST RESERVATION replaces nothing where nothing is lost")
  func replaceLost() {
    let request = PersistentReserveOut(
      .replaceLostReservation, type: .writeExclusive, reservationKey: 0, serviceActionKey: 1)
    for nexus in [Cluster.a, Cluster.b] {
      #expect(throws: ReservationRefusal.check(.invalidFieldInCDB(byte: 1, bit: 4))) {
        try ReservationState([(Cluster.a, 1)]).after(request, from: nexus)
      }
    }
  }
}
