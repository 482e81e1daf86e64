import SCSIModel
import StandardTables
import Testing

@Suite struct ReservationGateTests {
  let table = CommandTable.standard

  /// Each row's plain CDB, and those whose flags decide.
  private var commands: [(row: CommandRow, cdb: CommandDescriptorBlock, flags: UInt8)] {
    table.rows.flatMap { row in
      let flags: [UInt8] =
        switch row.opcode {
        case 0x1B: [0, 1, 2, 3, 0x11]
        case 0x1E: [0, 1]
        default: [0]
        }
      return flags.map { flag in
        var bytes = [UInt8](repeating: 0, count: row.length)
        bytes[0] = row.opcode
        if let action = row.serviceAction {
          bytes[row.opcode == 0x7F ? 9 : 1] = UInt8(truncatingIfNeeded: action)
          if row.opcode == 0x7F { bytes[7] = UInt8(row.length - 8) }
        }
        if row.opcode == 0x1B || row.opcode == 0x1E { bytes[4] = flag }
        return (row, CommandDescriptorBlock(bytes), flag)
      }
    }
  }

  @Test("Every command × type × holder, registrant, stranger fares as the standards' tables say")
  func tables() {
    for type in ReservationType.allCases {
      let state = ReservationState(
        [(Cluster.a, 1), (Cluster.b, 2)], type, by: Cluster.a)
      let nexuses: [(NexusIdentity, ReservationRelation)] = [
        (Cluster.a, .holder),
        (Cluster.b, type.rawValue >= 7 ? .holder : .registrant),
        (Cluster.c, .stranger),
      ]
      for (nexus, relation) in nexuses {
        #expect(state.relation(of: nexus) == relation)
        let gate = ReservationGate(state, for: nexus)
        for command in commands {
          let expected = ReservationConflict.of(
            opcode: command.row.opcode, action: command.row.serviceAction, flags: command.flags)
          #expect(
            gate.admits(command.row.reservation, command.cdb)
              == expected?.admits(type.rawValue, relation),
            "\(command.row.name) flags \(command.flags), type \(type), \(relation)")
        }
      }
    }
  }

  @Test("With nothing reserved and nobody registered the gate is open and everything passes")
  func open() {
    let gate = ReservationGate(ReservationState(), for: Cluster.a)
    #expect(gate == .open && gate.isOpen)
    for command in commands { #expect(gate.admits(command.row.reservation, command.cdb)) }
    #expect(MemoryLayout<ReservationGate>.size == 2)
  }

  @Test("Registrations without a reservation shut out RESERVE and RELEASE only")
  func registrationsOnly() {
    let state = ReservationState([(Cluster.a, 1)])
    for nexus in [Cluster.a, Cluster.b] {
      let gate = ReservationGate(state, for: nexus)
      for command in commands {
        let isLegacy = [0x16, 0x17, 0x56, 0x57].contains(command.row.opcode)
        #expect(gate.admits(command.row.reservation, command.cdb) == !isLegacy)
      }
      #expect(state.legacyOutcome(for: nexus) == .conflict)
    }
  }

  @Test("RESERVE and RELEASE do nothing for whom the persistent reservation already admits")
  func compatibleReservationHandling() {
    for type in ReservationType.allCases {
      let state = ReservationState([(Cluster.a, 1), (Cluster.b, 2)], type, by: Cluster.a)
      #expect(state.legacyOutcome(for: Cluster.a) == .withoutEffect)
      #expect(
        state.legacyOutcome(for: Cluster.b)
          == (type.rawValue >= 5 ? .withoutEffect : .conflict))
      #expect(state.legacyOutcome(for: Cluster.c) == .conflict)
    }
    #expect(ReservationState().legacyOutcome(for: Cluster.a) == .proceed)
  }

  @Test("Another nexus' RESERVE leaves INQUIRY, REQUEST SENSE, REPORT LUNS, LOG SENSE and RELEASE")
  func reservedByAnother() {
    let gate = ReservationGate(ReservationState(), for: Cluster.a, reservedBy: Cluster.b)
    for command in commands {
      let opcode = command.row.opcode
      let isExempt =
        [0x03, 0x12, 0x17, 0x4D, 0x57, 0xA0].contains(opcode)
        || opcode == 0x1E && command.flags == 0
      #expect(
        gate.admits(command.row.reservation, command.cdb) == isExempt, "\(command.row.name)")
    }
  }

  @Test("One's own RESERVE forbids nothing but PERSISTENT RESERVE IN and OUT")
  func reservedByOneself() {
    let gate = ReservationGate(ReservationState(), for: Cluster.a, reservedBy: Cluster.a)
    for command in commands {
      let isPersistent = command.row.opcode == 0x5E || command.row.opcode == 0x5F
      #expect(
        gate.admits(command.row.reservation, command.cdb) == !isPersistent,
        "\(command.row.name)")
    }
  }

  @Test("A rule that the CDB decides, asked without it, counts as its stricter half")
  func unresolved() {
    let state = ReservationState([(Cluster.a, 1)], .writeExclusive, by: Cluster.a)
    let gate = ReservationGate(state, for: Cluster.b)
    #expect(!gate.admits(.alwaysIfStarting) && !gate.admits(.alwaysIfAllowingRemoval))
    #expect(gate.admits(.always) && gate.admits(.read) && !gate.admits(.write))
  }

  @Test("The gates of many nexuses are those that each would be given alone")
  func gates() {
    for type in ReservationType.allCases {
      let states = [
        ReservationState(), ReservationState([(Cluster.a, 1)]),
        ReservationState([(Cluster.a, 1), (Cluster.b, 2)], type, by: Cluster.a),
      ]
      for state in states {
        for reserver in [nil, Cluster.a, Cluster.c] {
          let gates = ReservationGates(state, reservedBy: reserver)
          for nexus in [Cluster.a, Cluster.b, Cluster.c] {
            #expect(
              gates.gate(for: nexus) == ReservationGate(state, for: nexus, reservedBy: reserver))
          }
        }
      }
    }
  }
}
