import SCSIModel

/// PERSISTENT RESERVE OUT with the sender's own key, while a reservation is held that is not given
/// up: SPC-4 §5.13.1 table 67 and the clauses it refers to, by service action.
public enum ReservationAction {
  /// nil: table 67 says nothing of it, or what it says hangs on more than the sender.
  public static func isAdmitted(_ action: UInt8, from relation: ReservationRelation) -> Bool? {
    switch action {
    case 0, 6: true  // REGISTER, REGISTER AND IGNORE EXISTING KEY
    // Of the same type: nothing changes for the holder (§5.13.9), all others conflict.
    case 1: relation == .holder  // RESERVE
    // Nothing changes for a registrant that is no holder (§5.13.11.2.2).
    case 2, 3, 4, 5: relation != .stranger  // RELEASE, CLEAR, PREEMPT, PREEMPT AND ABORT
    default: nil
    }
  }
}
