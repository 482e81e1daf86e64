public import SCSIModel

/// What is known of the persistent reservations of a logical unit when it starts.
public enum SavedReservations: Sendable {
  case intact(ReservationState)
  /// They were saved and cannot be read. The unit answers NOT READY, MANUAL INTERVENTION REQUIRED.
  case damaged
}
