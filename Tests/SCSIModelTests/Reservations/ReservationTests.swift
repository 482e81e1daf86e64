import SCSIModel
import Testing

/// RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT AND ABORT.
@Suite struct ReservationTests {
  let conflict = ReservationRefusal.conflict

  private func three(_ type: ReservationType? = nil) -> ReservationState {
    var state = ReservationState(
      [(Cluster.a, 1), (Cluster.b, 2), (Cluster.c, 3)], type, by: Cluster.a)
    state.generation = 7
    return state
  }

  @Test("Whoever is not registered, or gives another key, gets RESERVATION CONFLICT")
  func keyComparison() {
    let stranger = Cluster.nexus("d")
    for state in [three(), three(.writeExclusive), three(.exclusiveAccessAllRegistrants)] {
      for key in [0, 1, 2, 9] as [UInt64] {
        for request in [
          PersistentReserveOut.reserve(key, .writeExclusive), .release(key, .writeExclusive),
          .clear(key), .preempt(key, 2, .writeExclusive),
          .preemptAndAbort(key, 2, .writeExclusive), .move(key, new: 4, to: Cluster.c),
        ] {
          #expect(throws: conflict) { try state.after(request, from: stranger) }
          if key != 1 {
            #expect(throws: conflict) { try state.after(request, from: Cluster.a) }
          }
        }
      }
    }
  }

  // MARK: RESERVE

  @Test("RESERVE takes a free unit, and is GOOD again for the holder with the same type only")
  func reserve() throws {
    for type in ReservationType.allCases {
      let change = try three().after(.reserve(1, type), from: Cluster.a)
      #expect(change == ReservationChange(three(type)))
      for again in ReservationType.allCases {
        for (nexus, key) in [(Cluster.a, 1), (Cluster.b, 2)] as [(NexusIdentity, UInt64)] {
          let isHolder = nexus == Cluster.a || type.rawValue >= 7
          if isHolder, again == type {
            let same = try change.state.after(.reserve(key, again), from: nexus)
            #expect(same == ReservationChange(change.state))
          } else {
            #expect(throws: conflict) {
              try change.state.after(.reserve(key, again), from: nexus)
            }
          }
        }
      }
    }
  }

  // MARK: RELEASE

  @Test("RELEASE by a holder releases, and tells registrants if the type admitted them")
  func release() throws {
    for type in ReservationType.allCases {
      let change = try three(type).after(.release(1, type), from: Cluster.a)
      #expect(change.state == three())
      #expect(
        change.attentions
          == (type.rawValue >= 5 ? [.released(Cluster.b), .released(Cluster.c)] : []))
    }
  }

  @Test("RELEASE of another type by a holder is INVALID RELEASE, by anyone else GOOD and nothing")
  func releaseMismatch() throws {
    for type in ReservationType.allCases {
      for asked in ReservationType.allCases {
        if asked != type {
          #expect(
            throws: ReservationRefusal.check(.invalidReleaseOfPersistentReservation)
          ) { try three(type).after(.release(1, asked), from: Cluster.a) }
        }
        if type.rawValue < 7 {
          let change = try three(type).after(.release(2, asked), from: Cluster.b)
          #expect(change == ReservationChange(three(type)))
        }
        #expect(
          try three().after(.release(1, asked), from: Cluster.a) == ReservationChange(three()))
      }
    }
    #expect(SenseData.invalidReleaseOfPersistentReservation.description == "05/26/04")
  }

  // MARK: CLEAR

  @Test("CLEAR by any registrant leaves nothing and tells the others")
  func clear() throws {
    for type in [nil] + ReservationType.allCases.map(Optional.some) {
      let change = try three(type).after(.clear(2), from: Cluster.b)
      #expect(change.state.registrations.isEmpty && change.state.reservation == nil)
      #expect(change.state.generation == 8 && change.aborted.isEmpty)
      #expect(
        change.attentions
          == [Cluster.a, Cluster.c].map {
            ReservationAttention(nexus: $0, attention: .reservationsPreempted)
          })
    }
  }

  // MARK: PREEMPT

  @Test("PREEMPT of the holder's key removes it and takes the reservation, with a type of choice")
  func preemptHolder() throws {
    for type in ReservationType.allCases where type.rawValue < 7 {
      for wanted in ReservationType.allCases {
        let change = try three(type).after(.preempt(2, 1, wanted), from: Cluster.b)
        #expect(change.state.keys == [2, 3] && change.state.generation == 8)
        #expect(change.state.isHolder(Cluster.b))
        #expect(change.state.reservation?.type == wanted)
        #expect((change.state.reservation?.holder == nil) == (wanted.rawValue >= 7))
        let told: [ReservationAttention] = wanted == type ? [] : [.released(Cluster.c)]
        #expect(Set(change.attentions) == Set(told + [.preempted(Cluster.a)]))
        #expect(change.attentions.count == told.count + 1 && change.aborted.isEmpty)
      }
    }
  }

  @Test("PREEMPT of a key that holds nothing removes its registrations and looks at no type")
  func preemptRegistrant() throws {
    for type in [nil] + ReservationType.allCases.map(Optional.some) {
      var request = PersistentReserveOut.preempt(2, 3, .writeExclusive)
      request.scopeAndType = 0xFF
      let change = try three(type).after(request, from: Cluster.b)
      #expect(change.state.keys == [1, 2] && change.state.generation == 8)
      #expect(change.state.reservation == three(type).reservation)
      #expect(change.attentions == [.preempted(Cluster.c)])
    }
  }

  @Test("PREEMPT of a key that nobody has is a conflict, and counts nothing")
  func preemptUnknown() {
    for type in [nil] + ReservationType.allCases.map(Optional.some) {
      #expect(throws: conflict) {
        try three(type).after(.preempt(2, 99, .writeExclusive), from: Cluster.b)
      }
    }
  }

  @Test("PREEMPT of key 0 takes an all registrants reservation whole and is refused elsewhere")
  func preemptZero() throws {
    for type in [nil] + ReservationType.allCases.map(Optional.some) {
      let state = three(type)
      let request = PersistentReserveOut.preemptAndAbort(2, 0, .exclusiveAccess)
      if let type, type.rawValue >= 7 {
        let change = try state.after(request, from: Cluster.b)
        #expect(change.state.keys == [2])
        #expect(
          change.state.reservation
            == PersistentReservation(type: .exclusiveAccess, holder: Cluster.b))
        #expect(change.attentions == [.preempted(Cluster.a), .preempted(Cluster.c)])
        #expect(change.aborted == [Cluster.a, Cluster.c])
      } else {
        #expect(
          throws: ReservationRefusal.check(.invalidFieldInParameterList(byte: 8, bit: 7))
        ) { try state.after(request, from: Cluster.b) }
      }
    }
  }

  @Test("PREEMPT of the reservation with a type or scope that is none is INVALID FIELD IN CDB")
  func preemptBadType() {
    var request = PersistentReserveOut.preempt(2, 1, .writeExclusive)
    for (value, bit) in [(0x02, 3), (0x11, 7)] as [(UInt8, UInt8)] {
      request.scopeAndType = value
      #expect(throws: ReservationRefusal.check(.invalidFieldInCDB(byte: 2, bit: bit))) {
        try three(.writeExclusive).after(request, from: Cluster.b)
      }
    }
  }

  @Test("The last of all registrants that preempts itself ends the reservation")
  func preemptLastAllRegistrants() throws {
    let state = ReservationState([(Cluster.a, 1)], .writeExclusiveAllRegistrants)
    let change = try state.after(.preempt(1, 1, .writeExclusive), from: Cluster.a)
    #expect(change.state.registrations.isEmpty && change.state.reservation == nil)
    #expect(change.attentions.isEmpty)
  }

  @Test("A key that several nexuses share goes from all of them, also the one that holds")
  func preemptSharedKey() throws {
    var state = ReservationState(
      [(Cluster.a, 1), (Cluster.a.elsewhere, 1), (Cluster.b, 2)],
      .exclusiveAccess, by: Cluster.a.elsewhere)
    let change = try state.after(.preemptAndAbort(2, 1, .exclusiveAccess), from: Cluster.b)
    #expect(change.state.keys == [2] && change.state.isHolder(Cluster.b))
    #expect(change.aborted == [Cluster.a, Cluster.a.elsewhere])
    #expect(change.attentions == [.preempted(Cluster.a), .preempted(Cluster.a.elsewhere)])
    state.reservation = nil
    #expect(
      try state.after(.preempt(2, 1, .exclusiveAccess), from: Cluster.b).state.keys == [2])
  }

  @Test("A nexus that preempts its own key keeps its place if it holds it, else leaves")
  func preemptOwnKey() throws {
    // A host came back with another ISID and finds its old nexus holding (fence_scsi).
    let old = Cluster.nexus("a", isid: 9)
    let held = ReservationState(
      [(old, 1), (Cluster.a, 1), (Cluster.b, 2)], .writeExclusiveRegistrantsOnly, by: old)
    var change = try held.after(
      .preempt(1, 1, .writeExclusiveRegistrantsOnly), from: Cluster.a)
    #expect(change.state.registrations.map(\.nexus) == [Cluster.a, Cluster.b])
    #expect(change.state.isHolder(Cluster.a) && change.attentions == [.preempted(old)])
    // Nothing reserved, or reserved by another: the sender is a victim like any other, untold.
    for type in [nil, ReservationType.writeExclusive] {
      let state = ReservationState(
        [(old, 1), (Cluster.a, 1), (Cluster.b, 2)], type, by: Cluster.b)
      change = try state.after(.preemptAndAbort(1, 1, .writeExclusive), from: Cluster.a)
      #expect(change.state.keys == [2] && change.state.reservation == state.reservation)
      #expect(change.attentions == [.preempted(old)])
      #expect(change.aborted == [old, Cluster.a])
    }
  }

  @Test("PREEMPT AND ABORT names the victims and not the sender that keeps its registration")
  func preemptAndAbort() throws {
    let change = try three(.writeExclusiveRegistrantsOnly).after(
      .preemptAndAbort(2, 1, .writeExclusiveRegistrantsOnly), from: Cluster.b)
    #expect(change.aborted == [Cluster.a])
    #expect(change.attentions == [.preempted(Cluster.a)])
    let own = try three(.writeExclusiveRegistrantsOnly).after(
      .preemptAndAbort(1, 1, .writeExclusiveRegistrantsOnly), from: Cluster.a)
    #expect(own.aborted.isEmpty && own.state.keys == [1, 2, 3] && own.state.isHolder(Cluster.a))
  }
}
