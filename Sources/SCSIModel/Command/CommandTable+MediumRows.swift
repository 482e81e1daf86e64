// Commands about the medium: what its caches hold, what is mapped, whether it turns, and those that
// wipe it (SBC-3 §5).

extension CommandTable {
  static func mediumRows() -> [CommandRow] {
    [
      // SYNC_NV and IMMED.
      CommandRow(
        .synchronizeCache10, "SYNCHRONIZE CACHE(10)", 0x35, mask: ten(flags: 0x06), .none,
        blocks: .ten,
        .write),
      CommandRow(
        .synchronizeCache16, "SYNCHRONIZE CACHE(16)", 0x91, mask: sixteen(flags: 0x06), .none,
        blocks: .sixteen, .write),
      // ANCHOR and UNMAP, and NDOB in the long form.
      CommandRow(
        .writeSame10, "WRITE SAME(10)", 0x41, mask: ten(flags: 0x18), .dataOut, blocks: .ten,
        .write, .writesMedium),
      CommandRow(
        .writeSame16, "WRITE SAME(16)", 0x93, mask: sixteen(flags: 0x19), .dataOut,
        blocks: .sixteen, .write, .writesMedium),
      // ANCHOR.
      CommandRow(
        .unmap, "UNMAP", 0x42, mask: [0x01, 0x00, 0x00, 0x00, 0x00, 0x1F, 0xFF, 0xFF, 0x00],
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
      // ONE_SEG.
      CommandRow(
        .reportReferrals, "REPORT REFERRALS", 0x9E, action: 0x13,
        mask: [0x00] + [UInt8](repeating: 0xFF, count: 12) + [0x01, 0x00], .dataIn,
        length: .bytes10To13, .always),
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

  static func formatRows() -> [CommandRow] {
    [
      // REQ_PLIST, REQ_GLIST and DEFECT LIST FORMAT.
      CommandRow(
        .readDefectData10, "READ DEFECT DATA(10)", 0x37,
        mask: [0x00, 0x1F, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00], .dataIn,
        length: .bytes7To8, .read),
      CommandRow(
        .readDefectData12, "READ DEFECT DATA(12)", 0xB7,
        mask: [0x1F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00], .dataIn,
        length: .bytes6To9, .read),
      // LONGLIST, FMTDATA, CMPLST and DEFECT LIST FORMAT; FMTPINFO 0.
      CommandRow(
        .formatUnit, "FORMAT UNIT", 0x04, mask: [0x3F, 0x00, 0x00, 0x00, 0x00], .dataOut, .write,
        [.writesMedium, .claimsRange]),
      // IMMED and AUSE.
      CommandRow(
        .sanitizeOverwrite, "SANITIZE, OVERWRITE", 0x48, action: 0x01,
        mask: [0xA0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0x00], .dataOut, length: .bytes7To8, .write,
        [.writesMedium, .claimsRange]),
      // Without parameter list, so its length is reserved.
      CommandRow(
        .sanitizeBlockErase, "SANITIZE, BLOCK ERASE", 0x48, action: 0x02,
        mask: [0xA0, 0, 0, 0, 0, 0, 0, 0, 0x00], .none, .write, [.writesMedium, .claimsRange]),
      CommandRow(
        .sanitizeExitFailureMode, "SANITIZE, EXIT FAILURE MODE", 0x48, action: 0x1F,
        mask: [0x80, 0, 0, 0, 0, 0, 0, 0, 0x00], .none, .write, .writesMedium),
    ]
  }
}
