// What a device tells of itself and lets be set, beyond INQUIRY and the mode pages (SPC-4 §6).

extension CommandTable {
  static func deviceRows() -> [CommandRow] { maintenanceRows() + logAndDiagnosticRows() }

  /// ALLOCATION LENGTH or PARAMETER LIST LENGTH in bytes 6–9.
  private static func maintenance(byte1: UInt8 = 0, byte10: UInt8 = 0) -> [UInt8] {
    [byte1, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, byte10, 0]
  }

  private static func maintenanceRows() -> [CommandRow] {
    [
      CommandRow(
        .reportIdentifyingInformation, "REPORT IDENTIFYING INFORMATION", 0xA3, action: 0x05,
        mask: maintenance(byte10: 0xFE), .dataIn, length: .bytes6To9, .always,
        .allowedWhenNotReady),
      // PARAMETER DATA FORMAT in bits 7–5.
      CommandRow(
        .reportTargetPortGroups, "REPORT TARGET PORT GROUPS", 0xA3, action: 0x0A,
        mask: maintenance(byte1: 0xE0), .dataIn, length: .bytes6To9, .always,
        .allowedWhenNotReady),
      CommandRow(
        .reportTimestamp, "REPORT TIMESTAMP", 0xA3, action: 0x0F, mask: maintenance(), .dataIn,
        length: .bytes6To9, .always, .allowedWhenNotReady),
      CommandRow(
        .setIdentifyingInformation, "SET IDENTIFYING INFORMATION", 0xA4, action: 0x06,
        mask: maintenance(byte10: 0xFE), .dataOut, length: .bytes6To9, .write,
        [.allowedWhenNotReady, .affectsOthers]),
      CommandRow(
        .setTargetPortGroups, "SET TARGET PORT GROUPS", 0xA4, action: 0x0A, mask: maintenance(),
        .dataOut, length: .bytes6To9, .write, [.allowedWhenNotReady, .affectsOthers]),
      CommandRow(
        .setTimestamp, "SET TIMESTAMP", 0xA4, action: 0x0F, mask: maintenance(), .dataOut,
        length: .bytes6To9, .write, [.allowedWhenNotReady, .affectsOthers]),
    ]
  }

  private static func logAndDiagnosticRows() -> [CommandRow] {
    [
      // PCR. Nothing is saved: SP is refused.
      CommandRow(
        .logSelect, "LOG SELECT", 0x4C,
        mask: [0x02, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00], .dataOut,
        length: .bytes7To8, .write, [.allowedWhenNotReady, .affectsOthers]),
      CommandRow(
        .logSense, "LOG SENSE", 0x4D,
        mask: [0x00, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00], .dataIn,
        length: .bytes7To8, .alwaysEvenReserved, .allowedWhenNotReady),
      // PCV.
      CommandRow(
        .receiveDiagnosticResults, "RECEIVE DIAGNOSTIC RESULTS", 0x1C,
        mask: [0x01, 0xFF, 0xFF, 0xFF, 0x00], .dataIn, length: .bytes3To4, .read,
        .allowedWhenNotReady),
      // PF, SELFTEST, DEVOFFL and UNITOFFL. No SELF-TEST CODE is served.
      CommandRow(
        .sendDiagnostic, "SEND DIAGNOSTIC", 0x1D, mask: [0x17, 0x00, 0xFF, 0xFF, 0x00], .dataOut,
        length: .bytes3To4, .write),
      // MODE, BUFFER ID, BUFFER OFFSET.
      CommandRow(
        .writeBuffer, "WRITE BUFFER", 0x3B,
        mask: [0x1F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00], .dataOut,
        length: .bytes6To8, .write, .allowedWhenNotReady),
      CommandRow(
        .readBuffer, "READ BUFFER", 0x3C,
        mask: [0x1F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00], .dataIn,
        length: .bytes6To8, .read, .allowedWhenNotReady),
    ]
  }
}
