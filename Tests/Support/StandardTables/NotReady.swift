/// Commands that a unit answers while it is not ready (no medium, no lock, stopped), by opcode:
/// what describes the device, its parameters, its paths and its copies, and what moves the medium
/// (SPC-4 §5.7 and §6, SBC-3 §5.25). All others end with NOT READY.
public enum NotReady {
  public static func allows(_ opcode: UInt8, action: UInt16?) -> Bool {
    switch opcode {
    case 0x03, 0x12, 0xA0: true  // REQUEST SENSE, INQUIRY, REPORT LUNS (SPC-4 §5.7)
    case 0x1A, 0x5A: true  // MODE SENSE
    case 0x4C, 0x4D: true  // LOG SELECT, LOG SENSE
    case 0x1C: true  // RECEIVE DIAGNOSTIC RESULTS
    case 0x3B, 0x3C: true  // WRITE BUFFER, READ BUFFER
    case 0x1B, 0x1E: true  // START STOP UNIT, PREVENT ALLOW MEDIUM REMOVAL
    // REPORT IDENTIFYING INFORMATION, TARGET PORT GROUPS, SUPPORTED OPERATION CODES, SUPPORTED TASK
    // MANAGEMENT FUNCTIONS, TIMESTAMP.
    case 0xA3: [0x05, 0x0A, 0x0C, 0x0D, 0x0F].contains(action)
    // SET IDENTIFYING INFORMATION, TARGET PORT GROUPS, TIMESTAMP.
    case 0xA4: [0x06, 0x0A, 0x0F].contains(action)
    // COPY OPERATION ABORT; RECEIVE COPY STATUS and its like, RECEIVE ROD TOKEN INFORMATION: of
    // copies that go on elsewhere (SPC-4 §5.16.4).
    case 0x83: action == 0x1C
    case 0x84: true
    default: false
    }
  }

  /// Commands that read or change what is on the medium, or tell how that is mapped, by opcode:
  /// BUSY while the unit waits for its lock. POPULATE TOKEN moves no data.
  public static func isOfMedium(_ opcode: UInt8, action: UInt16?) -> Bool {
    switch opcode {
    case 0x08, 0x28, 0xA8, 0x88: true  // READ
    case 0x0A, 0x2A, 0xAA, 0x8A: true  // WRITE
    case 0x2E, 0xAE, 0x8E: true  // WRITE AND VERIFY
    case 0x2F, 0xAF, 0x8F: true  // VERIFY
    case 0x89, 0x8B, 0x9C: true  // COMPARE AND WRITE, ORWRITE, WRITE ATOMIC
    case 0x7F: true  // READ, WRITE, VERIFY, WRITE AND VERIFY, WRITE SAME(32)
    case 0x34, 0x90, 0x35, 0x91: true  // PRE-FETCH, SYNCHRONIZE CACHE
    case 0x41, 0x93, 0x42: true  // WRITE SAME, UNMAP
    case 0x04, 0x48: true  // FORMAT UNIT, SANITIZE
    case 0x9E: action == 0x12  // GET LBA STATUS
    case 0x83: [0x00, 0x01, 0x11].contains(action)  // EXTENDED COPY, WRITE USING TOKEN
    default: false
    }
  }
}
