/// The status byte that ends a command (SAM-5 §5.3.1).
public enum SCSIStatus: UInt8, Sendable, BitwiseCopyable {
  case good = 0x00
  case checkCondition = 0x02
  case conditionMet = 0x04
  case busy = 0x08
  case reservationConflict = 0x18
  case taskSetFull = 0x28
  case acaActive = 0x30
  case taskAborted = 0x40
}
