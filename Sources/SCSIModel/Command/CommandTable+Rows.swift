// The rows, in the order of `Command`. To add a command: a case there, a row here.
//
// Masks are CDB usage data without the opcode (SPC-4 §6.35.3). What is 0 is refused when set:
//   RDPROTECT, WRPROTECT, VRPROTECT (no protection information), RARC, and CONTROL whole (NACA
//   too).
// UNMAP and ANCHOR are looked at, and refused by the unit whose store cannot.
// GROUP NUMBER is accepted and changes nothing; SYNC_NV is, since the flush does more than it asks.

extension CommandTable {
  static func makeRows() -> [CommandRow] {
    primaryRows() + deviceRows() + reservationRows() + copyRows() + transferRows() + longRows()
      + mediumRows() + formatRows()
  }

  private static func primaryRows() -> [CommandRow] {
    [
      CommandRow(
        .testUnitReady, "TEST UNIT READY", 0x00, mask: [0x00, 0x00, 0x00, 0x00, 0x00],
        .none, .always),
      CommandRow(
        .requestSense, "REQUEST SENSE", 0x03, mask: [0x01, 0x00, 0x00, 0xFF, 0x00], .dataIn,
        length: .byte4, .alwaysEvenReserved,
        [.ignoresUnitAttention, .allowedWhenNotReady, .allowedWithoutLogicalUnit]),
      CommandRow(
        .inquiry, "INQUIRY", 0x12, mask: [0x01, 0xFF, 0xFF, 0xFF, 0x00], .dataIn,
        length: .bytes3To4, .alwaysEvenReserved,
        [.ignoresUnitAttention, .allowedWhenNotReady, .allowedWithoutLogicalUnit]),
      CommandRow(
        .modeSelect6, "MODE SELECT(6)", 0x15, mask: [0x11, 0x00, 0x00, 0xFF, 0x00], .dataOut,
        length: .byte4, .write, .affectsOthers),
      CommandRow(
        .modeSense6, "MODE SENSE(6)", 0x1A, mask: [0x08, 0xFF, 0xFF, 0xFF, 0x00], .dataIn,
        length: .byte4, .read, .allowedWhenNotReady),
      CommandRow(
        .modeSelect10, "MODE SELECT(10)", 0x55,
        mask: [0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00], .dataOut,
        length: .bytes7To8, .write, .affectsOthers),
      CommandRow(
        .modeSense10, "MODE SENSE(10)", 0x5A,
        mask: [0x18, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00], .dataIn,
        length: .bytes7To8, .read, .allowedWhenNotReady),
      CommandRow(
        .reportLUNs, "REPORT LUNS", 0xA0,
        mask: [0x00, 0xFF, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00], .dataIn,
        length: .bytes6To9, .alwaysEvenReserved,
        [.ignoresUnitAttention, .allowedWhenNotReady, .allowedWithoutLogicalUnit]),
      CommandRow(
        .reportSupportedOperationCodes, "REPORT SUPPORTED OPERATION CODES", 0xA3, action: 0x0C,
        mask: [0x00, 0x87, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00], .dataIn,
        length: .bytes6To9, .read, .allowedWhenNotReady),
      CommandRow(
        .reportSupportedTaskManagementFunctions, "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
        0xA3, action: 0x0D,
        mask: [0x00, 0x80, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00], .dataIn,
        length: .bytes6To9, .read, .allowedWhenNotReady),
    ]
  }
}
