import SCSIModel
import Bytes
import Testing

/// What cluster software sends, from one end to the other, and what chance sends.
@Suite struct ReservationSequenceTests {
  let type = ReservationType.writeExclusiveRegistrantsOnly

  private func mayWrite(_ state: ReservationState, _ nexus: NexusIdentity) -> Bool {
    ReservationGate(state, for: nexus).admits(.write)
  }

  @Test("fence_scsi: three nodes join, one is fenced, comes back, and the holder leaves")
  func fenceSCSI() throws {
    var state = ReservationState()
    for (index, node) in [Cluster.a, Cluster.b, Cluster.c].enumerated() {
      let key = UInt64(index) + 1
      try state.take(.registerAndIgnore(new: key), from: node)
      if state.reservation == nil { try state.take(.reserve(key, type), from: node) }
    }
    #expect(state.keys == [1, 2, 3] && state.isHolder(Cluster.a))
    for node in [Cluster.a, Cluster.b, Cluster.c] { #expect(mayWrite(state, node)) }

    // b fences a, which holds the reservation: b holds it from then on.
    let fenced = try state.after(.preemptAndAbort(2, 1, type), from: Cluster.b)
    state = fenced.state
    #expect(state.keys == [2, 3] && state.isHolder(Cluster.b))
    #expect(fenced.aborted == [Cluster.a] && fenced.attentions == [.preempted(Cluster.a)])
    #expect(!mayWrite(state, Cluster.a))
    let gate = ReservationGate(state, for: Cluster.a)
    #expect(gate.admits(.read) && gate.admits(.persistentReserve) && gate.admits(.always))

    // c fences a again: the key is gone, so the agent sends nothing; if it did, a conflict.
    #expect(throws: ReservationRefusal.conflict) {
      try state.after(.preemptAndAbort(3, 1, type), from: Cluster.c)
    }

    // a comes back, with another ISID, and joins.
    let returned = Cluster.nexus("a", isid: 5)
    try state.take(.registerAndIgnore(new: 1), from: returned)
    #expect(mayWrite(state, returned) && !mayWrite(state, Cluster.a))

    // b leaves in order: nobody holds, the others are told, and one of them reserves.
    let left = try state.after(.registerAndIgnore(new: 0), from: Cluster.b)
    #expect(left.state.reservation == nil)
    #expect(left.attentions == [.released(Cluster.c), .released(returned)])
    state = left.state
    try state.take(.reserve(3, type), from: Cluster.c)
    #expect(!mayWrite(state, Cluster.b) && mayWrite(state, returned))
  }

  @Test("fence_scsi: a node that returns under a new ISID clears its old nexus with its own key")
  func fenceSCSIReturns() throws {
    let old = Cluster.nexus("a", isid: 9)
    var state = ReservationState([(old, 1), (Cluster.b, 2)], type, by: old)
    try state.take(.registerAndIgnore(new: 1), from: Cluster.a)
    #expect(state.keys == [1, 2, 1])
    try state.take(.preempt(1, 1, type), from: Cluster.a)
    #expect(state.keys == [2, 1] && state.isHolder(Cluster.a))

    // The reservation is another node's: the own key goes entirely, and the agent registers again.
    state = ReservationState([(Cluster.b, 2), (old, 1), (Cluster.a, 1)], type, by: Cluster.b)
    try state.take(.preempt(1, 1, type), from: Cluster.a)
    #expect(state.keys == [2] && state.isHolder(Cluster.b))
    try state.take(.registerAndIgnore(new: 1), from: Cluster.a)
    #expect(mayWrite(state, Cluster.a) && !mayWrite(state, old))
  }

  @Test("Windows cluster validation: register, reserve, lose, preempt, defend, clear")
  func windowsValidation() throws {
    var state = ReservationState()
    try state.take(.registerAndIgnore(new: 0xA), from: Cluster.a)
    try state.take(.registerAndIgnore(new: 0xB), from: Cluster.b)
    try state.take(.reserve(0xA, type), from: Cluster.a)
    // Neither reserving nor preempting without registration works, and the loser may not reserve.
    #expect(throws: ReservationRefusal.conflict) {
      try state.after(.reserve(0xB, type), from: Cluster.b)
    }
    #expect(throws: ReservationRefusal.conflict) {
      try state.after(.preempt(0xC, 0xA, type), from: Cluster.c)
    }
    // The challenger preempts; the defender finds its key gone and cannot release what it lost.
    try state.take(.preempt(0xB, 0xA, type), from: Cluster.b)
    #expect(throws: ReservationRefusal.conflict) {
      try state.after(.release(0xA, type), from: Cluster.a)
    }
    #expect(!mayWrite(state, Cluster.a) && mayWrite(state, Cluster.b))
    // A registrant's release is GOOD and releases nothing; the holder's does.
    try state.take(.register(new: 0xA), from: Cluster.a)
    try state.take(.release(0xA, type), from: Cluster.a)
    #expect(state.isHolder(Cluster.b))
    try state.take(.release(0xB, type), from: Cluster.b)
    #expect(state.reservation == nil)
    try state.take(.clear(0xA), from: Cluster.a)
    #expect(state.registrations.isEmpty)
    #expect(throws: ReservationRefusal.conflict) {
      try state.after(.reserve(0xB, type), from: Cluster.b)
    }
  }

  // MARK: Random walks

  private struct Walk {
    var generator: SplitMix64
    var state = ReservationState()

    let nexuses = [Cluster.a, Cluster.b, Cluster.c].flatMap { [$0, $0.elsewhere] }

    mutating func request(from nexus: NexusIdentity) -> PersistentReserveOut {
      let actions = PersistentReserveOut.Action.allCases
      let action = actions.randomElement(using: &generator) ?? .register
      // Mostly the sender's own key, so that a walk gets somewhere.
      let own = state.key(of: nexus) ?? 0
      let isHonest = Int.random(in: 0..<8, using: &generator) > 0
      var request = PersistentReserveOut(
        action, type: ReservationType.allCases.randomElement(using: &generator),
        reservationKey: isHonest ? own : .random(in: 0...3, using: &generator),
        serviceActionKey: .random(in: 0...3, using: &generator))
      request.appliesToAllTargetPorts = Int.random(in: 0..<4, using: &generator) == 0
      request.activatesPersistThroughPowerLoss = Bool.random(using: &generator)
      let other = nexuses.randomElement(using: &generator) ?? Cluster.a
      if action == .register, Int.random(in: 0..<6, using: &generator) == 0 {
        request.specifiedInitiators = [
          .init(.port(other.initiator), offset: 28), .init(.device(name: "x"), offset: 64),
        ].dropLast(Int.random(in: 0...1, using: &generator))
      }
      if action == .registerAndMove {
        request.destination = .init(
          relativeTargetPort: .random(in: 0...3, using: &generator), initiator: other.initiator,
          unregistersSender: .random(using: &generator))
      }
      return request
    }
  }

  @Test("Invariants hold along a hundred random walks", arguments: 0..<10)
  func walks(_ decade: UInt64) {
    for seed in decade * 10..<decade * 10 + 10 {
      var walk = Walk(generator: SplitMix64(seed: seed))
      for _ in 0..<300 {
        let nexus = walk.nexuses.randomElement(using: &walk.generator) ?? Cluster.a
        let request = walk.request(from: nexus)
        let before = walk.state
        guard let change = try? before.after(request, from: nexus) else { continue }
        walk.state = change.state
        guard holds(change, before, request, nexus) else {
          Issue.record("seed \(seed): \(request.action) breaks an invariant")
          return
        }
      }
    }
  }

  private func holds(
    _ change: ReservationChange, _ before: ReservationState, _ request: PersistentReserveOut,
    _ nexus: NexusIdentity
  ) -> Bool {
    let state = change.state
    let nexuses = state.registrations.map(\.nexus)
    let lost = Set(before.registrations.map(\.nexus)).subtracting(nexuses)
    let counts: Bool =
      switch request.action {
      case .reserve, .release, .replaceLostReservation: false
      case .register, .registerAndIgnoreExistingKey:
        before.isRegistered(nexus) || request.serviceActionKey != 0 || !lost.isEmpty
      case .clear, .preempt, .preemptAndAbort, .registerAndMove: true
      }
    let holderIsRegistered: Bool =
      switch state.reservation {
      case nil: true
      case let reservation? where reservation.type.isAllRegistrants:
        reservation.holder == nil && !nexuses.isEmpty
      case let reservation?: reservation.holder.map(state.isRegistered) ?? false
      }
    return holderIsRegistered && Set(nexuses).count == nexuses.count
      && !state.keys.contains(0)
      && state.generation == before.generation + (counts ? 1 : 0)
      && !change.attentions.contains { $0.nexus == nexus }
      && change.attentions.allSatisfy { before.isRegistered($0.nexus) }
      && Set(change.attentions).count == change.attentions.count
      && (request.action == .preemptAndAbort ? Set(change.aborted) == lost : change.aborted == [])
      && toldOfLoss(change, lost, request, nexus)
      && (counts || state.registrations == before.registrations)
      && gatesAgree(state)
  }

  /// Whoever lost a registration to another is told so, once.
  private func toldOfLoss(
    _ change: ReservationChange, _ lost: Set<NexusIdentity>, _ request: PersistentReserveOut,
    _ sender: NexusIdentity
  ) -> Bool {
    let attention: SenseData
    switch request.action {
    case .preempt, .preemptAndAbort: attention = .registrationsPreempted
    case .clear: attention = .reservationsPreempted
    default: return true
    }
    let told = change.attentions.filter { $0.attention == attention }.map(\.nexus)
    return Set(told) == lost.subtracting([sender])
  }

  /// Who is not registered writes only where nothing is reserved.
  private func gatesAgree(_ state: ReservationState) -> Bool {
    let stranger = ReservationGate(state, for: Cluster.nexus("stranger"))
    return stranger.admits(.write) == (state.reservation == nil)
      && state.registrations.allSatisfy {
        !state.isHolder($0.nexus) || ReservationGate(state, for: $0.nexus).admits(.write)
      }
  }
}
