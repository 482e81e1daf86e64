import SCSIModel
import Testing

/// What the standards' tables say, written down by opcode and not by the table under test. Commands
/// of SPC-4 table 66 and SBC-3 table 10 that the unit does not serve may stand here too.
private enum Expectation {
  /// Allowed, allowed; allowed, conflict; conflict, conflict: under write exclusive and exclusive
  /// access types.
  case allowed, read, write
  /// RESERVE and RELEASE.
  case legacy

  static func of(opcode: UInt8, action: UInt16?, flags: UInt8) -> Expectation? {
    switch (opcode, action) {
    case (0x1B, _): flags == 0x01 ? .allowed : .write  // START STOP UNIT: START, POWER CONDITION
    case (0x1E, _): flags & 0x03 == 0 ? .allowed : .write  // PREVENT ALLOW: PREVENT
    case (0x16, _), (0x17, _), (0x56, _), (0x57, _): .legacy
    case (_, let action?): ofAction(opcode, action)
    case (_, nil): ofOpcode(opcode)
    }
  }

  private static func ofOpcode(_ opcode: UInt8) -> Expectation? {
    switch opcode {
    // TEST UNIT READY, REQUEST SENSE, INQUIRY, READ CAPACITY(10), LOG SENSE, REPORT LUNS.
    case 0x00, 0x03, 0x12, 0x25, 0x4D, 0xA0: .allowed
    // READ, VERIFY, MODE SENSE, PRE-FETCH, READ DEFECT DATA, READ BUFFER, RECEIVE DIAGNOSTIC.
    case 0x08, 0x28, 0xA8, 0x88, 0x2F, 0xAF, 0x8F, 0x1A, 0x5A, 0x34, 0x90, 0x37, 0xB7, 0x3C, 0x1C:
      .read
    // WRITE, WRITE AND VERIFY, MODE SELECT, SYNCHRONIZE CACHE, WRITE SAME, UNMAP.
    case 0x0A, 0x2A, 0xAA, 0x8A, 0x2E, 0xAE, 0x8E, 0x15, 0x55, 0x35, 0x91, 0x41, 0x93, 0x42:
      .write
    // COMPARE AND WRITE, ORWRITE, FORMAT UNIT, REASSIGN BLOCKS, LOG SELECT, WRITE BUFFER, SEND
    // DIAGNOSTIC, WRITE ATOMIC(16).
    case 0x89, 0x8B, 0x04, 0x07, 0x4C, 0x3B, 0x1D, 0x9C: .write
    default: nil
    }
  }

  private static func ofAction(_ opcode: UInt8, _ action: UInt16) -> Expectation? {
    switch (opcode, action) {
    case (0x5E, _), (0x5F, _): .allowed  // PERSISTENT RESERVE IN and OUT
    case (0x9E, 0x10), (0x9E, 0x13): .allowed  // READ CAPACITY(16), REPORT REFERRALS
    case (0x9E, 0x12): .read  // GET LBA STATUS
    case (0xA3, 0x0C), (0xA3, 0x0D): .read  // supported opcodes, task management functions
    // Identifying information, target port groups, aliases, priority, timestamp: REPORT and SET.
    case (0xA3, 0x05), (0xA3, 0x0A), (0xA3, 0x0B), (0xA3, 0x0E), (0xA3, 0x0F): .allowed
    case (0x83, 0x10), (0x84, 0x07): .read  // POPULATE TOKEN, RECEIVE ROD TOKEN INFORMATION
    // SET …, SANITIZE, third-party copies, RECEIVE COPY RESULTS.
    case (0xA4, _), (0x48, _), (0x83, _), (0x84, _): .write
    case (0x7F, 0x09), (0x7F, 0x0A): .read  // READ(32), VERIFY(32)
    case (0x7F, 0x0B), (0x7F, 0x0C), (0x7F, 0x0D), (0x7F, 0x0E): .write  // WRITE(32) and the like
    default: nil
    }
  }

  func admits(_ type: UInt8, _ relation: ReservationRelation) -> Bool {
    let isWriteExclusive = type == 1 || type == 5 || type == 7
    let admitsRegistrants = type >= 5
    if relation == .holder || relation == .registrant && admitsRegistrants { return true }
    switch self {
    case .allowed: return true
    case .read: return isWriteExclusive
    case .write, .legacy: return false
    }
  }
}

@Suite struct ReservationGateTests {
  let table = CommandTable.standard

  /// Each row's plain CDB, and those whose flags decide.
  private var commands: [(row: CommandRow, cdb: CommandDescriptorBlock, flags: UInt8)] {
    table.rows.flatMap { row in
      let flags: [UInt8] =
        switch row.opcode {
        case 0x1B: [0, 1, 0x11]
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
          let expected = Expectation.of(
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
