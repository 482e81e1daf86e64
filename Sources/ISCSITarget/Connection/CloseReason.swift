internal import ISCSIModel
internal import Reactor

/// Why a connection ended; for the log.
enum CloseReason: Equatable, CustomStringConvertible {
  case done
  case peerClosed
  case lost(SystemError)
  case loginTimeout
  case loginRefused
  case tooManyHalfOpen
  case loginSuperseded
  case protocolError(RejectReason)
  case framing(PDUReceiver.Failure)
  case initiatorSilent
  case initiatorGone
  case sendStalled
  case dataWithheld
  case discoveryIdle
  case outOfMemory
  case sessionReinstated
  case connectionReinstated
  case targetReset
  case serverStopping
  case targetRemoved
  case noLongerAdmitted
  case endedByAdministrator
  case portalClosed

  var description: String {
    switch self {
    case .done: "closed after logout"
    case .peerClosed: "closed by the initiator"
    case .lost(let error): "lost: \(error)"
    case .loginTimeout: "login took too long"
    case .loginRefused: "login refused"
    case .tooManyHalfOpen: "too many connections that do not log in"
    case .loginSuperseded: "newer logins wait for the same session"
    case .protocolError(.dataDigestError): "data digest error"
    case .protocolError(let reason): "PDU rejected: \(reason)"
    case .framing(.headerDigest): "header digest error"
    case .framing(.dataSegmentTooLong(let count)): "data segment of \(count) bytes is too long"
    case .initiatorSilent: "the initiator does not answer"
    case .initiatorGone: "the initiator acknowledges nothing and cannot log out"
    case .sendStalled: "the initiator does not take our answers"
    case .dataWithheld: "the initiator does not send what it announced"
    case .discoveryIdle: "the discovery session was idle"
    case .outOfMemory: "the memory budget is used up"
    case .sessionReinstated: "the initiator logged in anew"
    case .connectionReinstated: "the initiator replaced the connection"
    case .targetReset: "target cold reset"
    case .serverStopping: "the server stops"
    case .targetRemoved: "the target was removed"
    case .noLongerAdmitted: "the initiator has no right to the target any more"
    case .endedByAdministrator: "ended by the administrator"
    case .portalClosed: "the portal was closed"
    }
  }

  /// Nothing an administrator has to look at.
  var isOrderly: Bool {
    switch self {
    case .done, .peerClosed, .discoveryIdle, .serverStopping, .sessionReinstated,
      .connectionReinstated, .targetRemoved, .noLongerAdmitted, .endedByAdministrator,
      .portalClosed:
      true
    default: false
    }
  }
}
