// Conditions of a medium that is, or was, formatted or sanitized (SBC-3 §4.11, §5.3, §5.24).
extension SenseData {
  /// 02/04/04 with the progress in 65536ths.
  @inlinable
  public static func formatInProgress(_ progress: UInt16) -> SenseData {
    SenseData(.notReady, asc: 0x04, ascq: 0x04, keySpecific: .progress(progress))
  }
  /// 02/04/1B with the progress in 65536ths.
  @inlinable
  public static func sanitizeInProgress(_ progress: UInt16) -> SenseData {
    SenseData(.notReady, asc: 0x04, ascq: 0x1B, keySpecific: .progress(progress))
  }
  /// 03/31/00: a format did not come to its end; another one is needed.
  @inlinable
  public static var mediumFormatCorrupted: SenseData {
    SenseData(.mediumError, asc: 0x31, ascq: 0x00)
  }
  /// 03/31/01.
  @inlinable
  public static var formatCommandFailed: SenseData {
    SenseData(.mediumError, asc: 0x31, ascq: 0x01)
  }
  /// 03/31/03.
  @inlinable
  public static var sanitizeCommandFailed: SenseData {
    SenseData(.mediumError, asc: 0x31, ascq: 0x03)
  }
  /// 06/28/00: not ready to ready change, medium may have changed.
  @inlinable
  public static var notReadyToReadyChange: SenseData {
    SenseData(.unitAttention, asc: 0x28, ascq: 0x00)
  }
}
