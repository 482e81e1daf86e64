extension SenseData {
  /// 05/26/04: RELEASE by the holder with another SCOPE or TYPE (SPC-4 §5.13.11.2).
  @inlinable
  public static var invalidReleaseOfPersistentReservation: SenseData {
    SenseData(.illegalRequest, asc: 0x26, ascq: 0x04)
  }
  /// 05/55/04: a registration more than there is room for (SPC-4 §5.13.7).
  @inlinable
  public static var insufficientRegistrationResources: SenseData {
    SenseData(.illegalRequest, asc: 0x55, ascq: 0x04)
  }
}
