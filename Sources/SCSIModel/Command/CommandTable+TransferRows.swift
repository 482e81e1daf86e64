// Commands that name blocks and move, compare or prepare what is in them (SBC-3 §5).

extension CommandTable {
  static func transferRows() -> [CommandRow] {
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
      // ANCHOR, UNMAP and NDOB.
      CommandRow(
        .writeSame32, "WRITE SAME(32)", 0x7F, action: 0x000D, mask: thirtyTwo(flags: 0x19),
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

  // MARK: Masks

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

  /// CONTROL, reserved, GROUP NUMBER, ADDITIONAL CDB LENGTH, SERVICE ACTION, flags, reserved,
  /// address, tags (8 bytes), count. The additional length is right if the CDB's is.
  private static func thirtyTwo(flags: UInt8) -> [UInt8] {
    [0, 0, 0, 0, 0, 0x1F, 0xFF, 0xFF, 0xFF, flags, 0] + [UInt8](repeating: 0xFF, count: 20)
  }
}
