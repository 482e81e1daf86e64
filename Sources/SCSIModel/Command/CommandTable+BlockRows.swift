// The rows of the block commands that came later than READ and WRITE: the 32-byte forms, those that
// read, decide and write, and those that prepare or wipe the medium.

extension CommandTable {
  static func longRows() -> [CommandRow] { thirtyTwoByteRows() + decidingRows() }

  /// The reference and application tags are about protection information, of which there is none:
  /// they are accepted and change nothing.
  private static func thirtyTwoByteRows() -> [CommandRow] {
    [
      // DPO and FUA.
      CommandRow(
        .read32, "READ(32)", 0x7F, action: 0x0009, mask: thirtyTwo(flags: 0x18), .dataIn,
        blocks: .thirtyTwo, .read),
      // DPO and both bits of BYTCHK.
      CommandRow(
        .verify32, "VERIFY(32)", 0x7F, action: 0x000A, mask: thirtyTwo(flags: 0x16), .dataOut,
        blocks: .thirtyTwo, .read),
      CommandRow(
        .write32, "WRITE(32)", 0x7F, action: 0x000B, mask: thirtyTwo(flags: 0x18), .dataOut,
        blocks: .thirtyTwo, .write, .writesMedium),
      CommandRow(
        .writeAndVerify32, "WRITE AND VERIFY(32)", 0x7F, action: 0x000C,
        mask: thirtyTwo(flags: 0x12), .dataOut, blocks: .thirtyTwo, .write, .writesMedium),
      // UNMAP and NDOB.
      CommandRow(
        .writeSame32, "WRITE SAME(32)", 0x7F, action: 0x000D, mask: thirtyTwo(flags: 0x09),
        .dataOut, blocks: .thirtyTwo, .write, .writesMedium),
    ]
  }

  private static func decidingRows() -> [CommandRow] {
    [
      // DPO and FUA; the number of blocks is one byte, at 13.
      CommandRow(
        .compareAndWrite, "COMPARE AND WRITE", 0x89,
        mask: [0x18] + [UInt8](repeating: 0xFF, count: 8) + [0, 0, 0, 0xFF, 0x1F, 0x00],
        .dataOut, blocks: .sixteen, .write, [.writesMedium, .claimsRange]),
      CommandRow(
        .orWrite16, "ORWRITE(16)", 0x8B, mask: sixteen(flags: 0x18), .dataOut, blocks: .sixteen,
        .write, [.writesMedium, .claimsRange]),
      // DPO and FUA. ATOMIC BOUNDARY (bytes 10-11) is 0, for no boundary is offered, and the
      // transfer length has two bytes, at 12.
      CommandRow(
        .writeAtomic16, "WRITE ATOMIC(16)", 0x9C,
        mask: [0x18] + [UInt8](repeating: 0xFF, count: 8) + [0, 0, 0xFF, 0xFF, 0x1F, 0x00],
        .dataOut, blocks: .sixteen, .write, [.writesMedium, .claimsRange]),
      // IMMED.
      CommandRow(
        .preFetch10, "PRE-FETCH(10)", 0x34, mask: ten(flags: 0x02), .none, blocks: .ten, .read),
      CommandRow(
        .preFetch16, "PRE-FETCH(16)", 0x90, mask: sixteen(flags: 0x02), .none, blocks: .sixteen,
        .read),
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

  /// CONTROL, reserved, GROUP NUMBER, ADDITIONAL CDB LENGTH, SERVICE ACTION, flags, reserved,
  /// address, tags (8 bytes), count. The additional length is right if the CDB's is.
  private static func thirtyTwo(flags: UInt8) -> [UInt8] {
    [0, 0, 0, 0, 0, 0x1F, 0xFF, 0xFF, 0xFF, flags, 0] + [UInt8](repeating: 0xFF, count: 20)
  }
}
