internal import AdministrationModel
internal import AdministrationServer
internal import ISCSITarget
internal import Reactor

/// Tells administrators of sessions and refused logins.
struct SessionEvents: ServerObserver {
  let events: EventHub
  let refusedLogins: RefusedLogins

  func sessionStarted(_ session: ObservedSession) {
    refusedLogins.forget(
      initiator: session.initiatorName, target: session.targetName, address: session.address.ip)
    publish(
      .sessionStarted, session, "\(session.initiatorName) logged in to \(session.targetName)")
  }

  /// By whomever: the initiator, an administrator, or the network.
  func sessionEnded(_ session: ObservedSession) {
    publish(
      .sessionEnded, session,
      "the session of \(session.initiatorName) with \(session.targetName) ended")
  }

  private func publish(_ kind: Event.Kind, _ session: ObservedSession, _ sentence: String) {
    events.publish(
      Event(
        kind, sentence, target: session.targetName,
        initiator: session.initiatorName, session: session.id.rawValue,
        address: "\(session.address)"))
  }

  func loginRefused(_ login: RefusedLogin) {
    refusedLogins.add(login)
    let who = login.initiatorName ?? "an initiator at \(login.address)"
    let target = login.targetName.map { " to \($0)" } ?? ""
    events.publish(
      Event(
        .loginRefused, "the login of \(who)\(target) was refused: \(login.words)",
        target: login.targetName, initiator: login.initiatorName, address: "\(login.address)",
        reason: login.reason.rawValue))
  }
}

extension LoginFailureReason {
  /// For people; counters and programs have `rawValue`.
  var title: String {
    switch self {
    case .authentication: "authentication"
    case .authorization: "authorization"
    case .notFound: "no such target for it"
    case .unsupportedVersion: "unsupported version"
    case .tooManyConnections: "too many connections"
    case .missingParameter: "missing parameter"
    case .cannotJoin: "cannot join the session"
    case .sessionTypeNotSupported: "session type not supported"
    case .sessionDoesNotExist: "session does not exist"
    case .protocolError: "protocol error"
    case .outOfResources: "out of resources"
    case .timeout: "timeout"
    case .tooManyHalfOpen: "too many unfinished logins"
    case .other: "other"
    }
  }
}
