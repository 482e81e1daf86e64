import SCSIModel

/// How a command fares under somebody else's persistent reservation: a row of SPC-4 §5.13.1 table
/// 66 or SBC-3 §4.17 table 10, written down by opcode and not by the table under test. Commands
/// that the unit does not serve may stand here too.
public enum ReservationConflict: Sendable {
  /// Allowed, allowed; allowed, conflict; conflict, conflict: under write exclusive and exclusive
  /// access types.
  case allowed, read, write
  /// RESERVE and RELEASE.
  case legacy

  /// `flags`: byte 4 of the CDB, which decides for START STOP UNIT and PREVENT ALLOW MEDIUM
  /// REMOVAL. nil: neither table has the command.
  public static func of(opcode: UInt8, action: UInt16?, flags: UInt8) -> ReservationConflict? {
    switch (opcode, action) {
    case (0x1B, _): flags & 0xF1 == 0x01 ? .allowed : .write  // START STOP UNIT
    case (0x1E, _): flags & 0x03 == 0 ? .allowed : .write  // PREVENT ALLOW: PREVENT
    case (0x16, _), (0x17, _), (0x56, _), (0x57, _): .legacy
    case (_, let action?): ofAction(opcode, action)
    case (_, nil): ofOpcode(opcode)
    }
  }

  private static func ofOpcode(_ opcode: UInt8) -> ReservationConflict? {
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

  private static func ofAction(_ opcode: UInt8, _ action: UInt16) -> ReservationConflict? {
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

  /// Under a reservation whose TYPE is `type`.
  public func admits(_ type: UInt8, _ relation: ReservationRelation) -> Bool {
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
