internal import ISCSIModel
public import Reactor

/// Hears of what administrators want to know at once. Called on the reactors: it may not wait.
public protocol ServerObserver: Sendable {
  func sessionStarted(_ session: ObservedSession)
  func sessionEnded(_ session: ObservedSession)
  func loginRefused(_ login: RefusedLogin)
}

/// A session of an initiator, as whoever observes it knows it.
public struct ObservedSession: Sendable, Equatable {
  public var id: SessionID
  public var initiatorName: String
  public var targetName: String
  /// Where the login came from that made it.
  public var address: SocketAddress
}

/// A login that was not granted.
public struct RefusedLogin: Sendable, Equatable {
  /// As far as it was told.
  public var initiatorName: String?
  public var targetName: String?
  public var address: SocketAddress
  public var reason: LoginFailureReason
  /// What the log says of it. It may be as long as what the initiator sent, and shows no secret.
  public var detail: String
}

extension Session {
  /// nil for discovery sessions.
  var observed: ObservedSession? {
    key.map {
      ObservedSession(
        id: id, initiatorName: initiatorName, targetName: $0.targetName, address: initiatorAddress)
    }
  }
}

extension Connection {
  func noteLoginFailure(_ reason: LoginFailureReason, _ detail: String) {
    worker.countLoginFailure(reason)
    worker.context.observer?.loginRefused(
      RefusedLogin(
        initiatorName: machine.claim.initiatorName, targetName: machine.claim.targetName,
        address: socket.peer, reason: reason, detail: detail))
  }
}
