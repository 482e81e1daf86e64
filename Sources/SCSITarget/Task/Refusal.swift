internal import BackingStore
internal import SCSIModel

/// Why a command does not run, or did not succeed: a status, with sense data if it is CHECK
/// CONDITION.
struct Refusal: Error {
  let status: SCSIStatus
  let sense: SenseData?

  init(_ sense: SenseData) {
    status = .checkCondition
    self.sense = sense
  }

  private init(status: SCSIStatus) {
    self.status = status
    sense = nil
  }

  /// Not now, for want of memory or because it has to wait for others: the initiator tries again.
  static var busy: Refusal { Refusal(status: .busy) }

  /// A reservation of another nexus forbids it (SAM-5 §5.3.1).
  static var reservationConflict: Refusal { Refusal(status: .reservationConflict) }

  /// No place in the task set now: the initiator waits for one of its commands.
  static var taskSetFull: Refusal { Refusal(status: .taskSetFull) }

  /// What the initiator is told of the failure of `request`, with the block that could not be read:
  /// a request moves on over what it has done, so that it stands at the first that failed
  /// (SPC-4 §4.5.2.1: INFORMATION).
  init(_ failure: StoreFailure, _ request: StoreRequest, blockBytes: Int) {
    if case .medium = failure, request.operation == .read {
      self.init(
        .unrecoveredReadError.withInformation(request.offset / UInt64(blockBytes)))
    } else {
      self.init(failure, request.operation)
    }
  }

  /// What the initiator is told of a store's failure; the only place where one becomes the other.
  init(_ failure: StoreFailure, _ operation: StoreRequest.Operation) {
    switch failure {
    case .outOfSpace: self.init(.spaceAllocationFailedWriteProtect)
    case .medium: self.init(operation == .read ? .unrecoveredReadError : .writeError)
    case .gone: self.init(.logicalUnitNotReadyManualInterventionRequired)
    case .latched: self.init(.writeError)
    // Where plain writes could have done it they have been tried.
    case .unsupported: self.init(.internalTargetFailure)
    case .shortOfResources: self = .busy
    case .notReady: self.init(.logicalUnitNotReadyBecomingReady)
    }
  }
}
