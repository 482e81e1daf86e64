/// Commands that change the medium, which a write-protected unit refuses with DATA PROTECT, WRITE
/// PROTECTED (SBC-3 §4.14), by opcode. The copies of EXTENDED COPY are written by the units that
/// they go to, so the command is not among them.
public enum MediumChange {
  public static func isMade(by opcode: UInt8, action: UInt16?) -> Bool {
    switch opcode {
    // WRITE, WRITE AND VERIFY, WRITE SAME, UNMAP, COMPARE AND WRITE, ORWRITE, WRITE ATOMIC.
    case 0x0A, 0x2A, 0xAA, 0x8A, 0x2E, 0xAE, 0x8E, 0x41, 0x93, 0x42, 0x89, 0x8B, 0x9C: true
    case 0x04, 0x07, 0x48: true  // FORMAT UNIT, REASSIGN BLOCKS, SANITIZE
    case 0x7F: [0x0B, 0x0C, 0x0D, 0x0E].contains(action)  // of 32 bytes
    case 0x83: action == 0x11  // WRITE USING TOKEN
    default: false
    }
  }
}
