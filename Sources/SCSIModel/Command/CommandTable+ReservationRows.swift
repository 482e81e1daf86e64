// PERSISTENT RESERVE IN and OUT by service action (SPC-4 §6.15, §6.16), and RESERVE and RELEASE of
// SPC-2 §7.21 to §7.24. None runs on a unit that is not ready: while another process may still
// serve the store, what this one knows of the reservations is not the truth.

extension CommandTable {
  static func reservationRows() -> [CommandRow] {
    persistentReserveInRows() + persistentReserveOutRows() + reserveReleaseRows()
  }

  private static func persistentReserveInRows() -> [CommandRow] {
    [
      persistentReserveIn(.readKeys, "PERSISTENT RESERVE IN, READ KEYS", 0x00),
      persistentReserveIn(.readReservation, "PERSISTENT RESERVE IN, READ RESERVATION", 0x01),
      persistentReserveIn(
        .reportCapabilities, "PERSISTENT RESERVE IN, REPORT CAPABILITIES", 0x02),
      persistentReserveIn(.readFullStatus, "PERSISTENT RESERVE IN, READ FULL STATUS", 0x03),
    ]
  }

  private static func persistentReserveOutRows() -> [CommandRow] {
    [
      persistentReserveOut(.register, "PERSISTENT RESERVE OUT, REGISTER", 0x00),
      persistentReserveOut(.reserve, "PERSISTENT RESERVE OUT, RESERVE", 0x01),
      persistentReserveOut(.release, "PERSISTENT RESERVE OUT, RELEASE", 0x02),
      persistentReserveOut(.clear, "PERSISTENT RESERVE OUT, CLEAR", 0x03),
      persistentReserveOut(.preempt, "PERSISTENT RESERVE OUT, PREEMPT", 0x04),
      persistentReserveOut(
        .preemptAndAbort, "PERSISTENT RESERVE OUT, PREEMPT AND ABORT", 0x05),
      persistentReserveOut(
        .registerAndIgnoreExistingKey,
        "PERSISTENT RESERVE OUT, REGISTER AND IGNORE EXISTING KEY", 0x06),
      persistentReserveOut(
        .registerAndMove, "PERSISTENT RESERVE OUT, REGISTER AND MOVE", 0x07),
      persistentReserveOut(
        .replaceLostReservation, "PERSISTENT RESERVE OUT, REPLACE LOST RESERVATION", 0x08),
    ]
  }

  /// Third party and extent reservations, all that the other bits are for, are not served.
  private static func reserveReleaseRows() -> [CommandRow] {
    let six = [UInt8](repeating: 0, count: 5)
    let ten = [UInt8](repeating: 0, count: 9)
    return [
      CommandRow(.reserve6, "RESERVE(6)", 0x16, mask: six, .none, .reserve, .affectsOthers),
      CommandRow(.release6, "RELEASE(6)", 0x17, mask: six, .none, .release),
      CommandRow(.reserve10, "RESERVE(10)", 0x56, mask: ten, .none, .reserve, .affectsOthers),
      CommandRow(.release10, "RELEASE(10)", 0x57, mask: ten, .none, .release),
    ]
  }

  private static func persistentReserveIn(
    _ command: Command, _ name: StaticString, _ action: UInt16
  ) -> CommandRow {
    CommandRow(
      command, name, 0x5E, action: action,
      mask: [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00], .dataIn,
      length: .bytes7To8, .persistentReserve)
  }

  /// SCOPE and TYPE are accepted whole: several service actions ignore them, as the standard says.
  private static func persistentReserveOut(
    _ command: Command, _ name: StaticString, _ action: UInt16
  ) -> CommandRow {
    CommandRow(
      command, name, 0x5F, action: action,
      mask: [0x00, 0xFF, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00], .dataOut,
      length: .bytes5To8, .persistentReserve, .affectsOthers)
  }
}
