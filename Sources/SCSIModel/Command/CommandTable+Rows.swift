// The rows, in the order of `Command`. To add a command: a case there, a row here.
//
// Masks are CDB usage data without the opcode (SPC-4 §6.35.3). What is 0 is refused when set:
//   RDPROTECT, WRPROTECT, VRPROTECT (no protection information), RARC, ANCHOR (ANC_SUP 0), and
//   CONTROL whole (NACA too).
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

  private static func transferRows() -> [CommandRow] {
    [
      CommandRow(
        .read6, "READ(6)", 0x08, mask: [0x1F, 0xFF, 0xFF, 0xFF, 0x00], .dataIn, blocks: .six,
        .read),
      CommandRow(
        .read10, "READ(10)", 0x28, mask: ten(flags: 0x18), .dataIn, blocks: .ten, .read),
      CommandRow(
        .read12, "READ(12)", 0xA8, mask: twelve(flags: 0x18), .dataIn, blocks: .twelve, .read),
      CommandRow(
        .read16, "READ(16)", 0x88, mask: sixteen(flags: 0x18), .dataIn, blocks: .sixteen, .read),
      CommandRow(
        .write6, "WRITE(6)", 0x0A, mask: [0x1F, 0xFF, 0xFF, 0xFF, 0x00], .dataOut, blocks: .six,
        .write, .writesMedium),
      CommandRow(
        .write10, "WRITE(10)", 0x2A, mask: ten(flags: 0x18), .dataOut, blocks: .ten, .write,
        .writesMedium),
      CommandRow(
        .write12, "WRITE(12)", 0xAA, mask: twelve(flags: 0x18), .dataOut, blocks: .twelve, .write,
        .writesMedium),
      CommandRow(
        .write16, "WRITE(16)", 0x8A, mask: sixteen(flags: 0x18), .dataOut, blocks: .sixteen,
        .write, .writesMedium),
      // DPO and BYTCHK 00b or 01b: the other two values are reserved here (SBC-3 §5.37).
      CommandRow(
        .writeAndVerify10, "WRITE AND VERIFY(10)", 0x2E, mask: ten(flags: 0x12), .dataOut,
        blocks: .ten, .write, .writesMedium),
      CommandRow(
        .writeAndVerify12, "WRITE AND VERIFY(12)", 0xAE, mask: twelve(flags: 0x12), .dataOut,
        blocks: .twelve, .write, .writesMedium),
      CommandRow(
        .writeAndVerify16, "WRITE AND VERIFY(16)", 0x8E, mask: sixteen(flags: 0x12), .dataOut,
        blocks: .sixteen, .write, .writesMedium),
      // DPO and both bits of BYTCHK.
      CommandRow(
        .verify10, "VERIFY(10)", 0x2F, mask: ten(flags: 0x16), .dataOut, blocks: .ten, .read),
      CommandRow(
        .verify12, "VERIFY(12)", 0xAF, mask: twelve(flags: 0x16), .dataOut, blocks: .twelve,
        .read),
      CommandRow(
        .verify16, "VERIFY(16)", 0x8F, mask: sixteen(flags: 0x16), .dataOut, blocks: .sixteen,
        .read),
    ]
  }

  private static func mediumRows() -> [CommandRow] {
    [
      // SYNC_NV and IMMED.
      CommandRow(
        .synchronizeCache10, "SYNCHRONIZE CACHE(10)", 0x35, mask: ten(flags: 0x06), .none,
        blocks: .ten,
        .write),
      CommandRow(
        .synchronizeCache16, "SYNCHRONIZE CACHE(16)", 0x91, mask: sixteen(flags: 0x06), .none,
        blocks: .sixteen, .write),
      // UNMAP, and NDOB in the long form.
      CommandRow(
        .writeSame10, "WRITE SAME(10)", 0x41, mask: ten(flags: 0x08), .dataOut, blocks: .ten,
        .write, .writesMedium),
      CommandRow(
        .writeSame16, "WRITE SAME(16)", 0x93, mask: sixteen(flags: 0x09), .dataOut,
        blocks: .sixteen, .write, .writesMedium),
      CommandRow(
        .unmap, "UNMAP", 0x42, mask: [0x00, 0x00, 0x00, 0x00, 0x00, 0x1F, 0xFF, 0xFF, 0x00],
        .dataOut, length: .bytes7To8, .write, .writesMedium),
      CommandRow(
        .readCapacity10, "READ CAPACITY(10)", 0x25,
        mask: [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00], .dataIn, .always),
      CommandRow(
        .readCapacity16, "READ CAPACITY(16)", 0x9E, action: 0x10,
        mask: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00], .dataIn,
        length: .bytes10To13, .always),
      CommandRow(
        .getLBAStatus, "GET LBA STATUS", 0x9E, action: 0x12,
        mask: [UInt8](repeating: 0, count: 1) + [UInt8](repeating: 0xFF, count: 12) + [0x00, 0x00],
        .dataIn, length: .bytes10To13, .read),
      // IMMED; POWER CONDITION, NO_FLUSH, LOEJ and START.
      CommandRow(
        .startStopUnit, "START STOP UNIT", 0x1B, mask: [0x01, 0x00, 0x00, 0xF7, 0x00],
        .none, .alwaysIfStarting, [.allowedWhenNotReady, .affectsOthers, .movesMedium]),
      CommandRow(
        .preventAllowMediumRemoval, "PREVENT ALLOW MEDIUM REMOVAL", 0x1E,
        mask: [0x00, 0x00, 0x00, 0x01, 0x00], .none, .alwaysIfAllowingRemoval,
        [.allowedWhenNotReady, .affectsOthers, .movesMedium]),
    ]
  }

  /// Flags, address, GROUP NUMBER, count, CONTROL.
  static func ten(flags: UInt8) -> [UInt8] {
    [flags, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 0xFF, 0xFF, 0x00]
  }

  /// Flags, address, count, GROUP NUMBER, CONTROL.
  static func twelve(flags: UInt8) -> [UInt8] {
    [flags, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 0x00]
  }

  /// Flags, address, count, GROUP NUMBER, CONTROL.
  static func sixteen(flags: UInt8) -> [UInt8] {
    [flags] + [UInt8](repeating: 0xFF, count: 12) + [0x1F, 0x00]
  }
}
