/// A command that the table serves, one case per row; the executor switches over it exhaustively.
/// Commands of one opcode are neighbours, and the raw value is the row's place in the table.
public enum Command: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  // SPC-4.
  case testUnitReady
  case requestSense
  case inquiry
  case modeSelect6
  case modeSense6
  case modeSelect10
  case modeSense10
  case reportLUNs
  case reportSupportedOperationCodes
  case reportSupportedTaskManagementFunctions

  // SBC-3.
  case read6
  case read10
  case read12
  case read16
  case write6
  case write10
  case write12
  case write16
  case writeAndVerify10
  case writeAndVerify12
  case writeAndVerify16
  case verify10
  case verify12
  case verify16
  case synchronizeCache10
  case synchronizeCache16
  case writeSame10
  case writeSame16
  case unmap
  case readCapacity10
  case readCapacity16
  case startStopUnit
  case preventAllowMediumRemoval
}
