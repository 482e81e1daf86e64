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
}
