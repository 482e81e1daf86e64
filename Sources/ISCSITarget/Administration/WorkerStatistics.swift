internal import ISCSIModel
internal import Reactor

/// Why logins fail, in classes few enough to be counted one by one.
public enum LoginFailureReason: String, Sendable, CaseIterable {
  /// CHAP failed, or was not offered (status 0201).
  case authentication
  /// 0202.
  case authorization
  /// No such target here, or no right to it (0203).
  case notFound
  case unsupportedVersion
  case tooManyConnections
  case missingParameter
  /// The connection is not one of the session's (0208).
  case cannotJoin
  case sessionTypeNotSupported
  /// The session to join is not there (020A).
  case sessionDoesNotExist
  /// The initiator broke the rules of the login phase.
  case protocolError
  /// No place for another session, or no memory (0302).
  case outOfResources
  /// It took too long.
  case timeout
  /// Dropped for newer ones, as too many were not logged in.
  case tooManyHalfOpen
  case other

  init(_ status: LoginStatus) {
    self =
      switch status {
      case .authenticationFailure: .authentication
      case .authorizationFailure: .authorization
      case .notFound, .targetRemoved: .notFound
      case .unsupportedVersion: .unsupportedVersion
      case .tooManyConnections: .tooManyConnections
      case .missingParameter: .missingParameter
      case .cannotIncludeInSession: .cannotJoin
      case .sessionTypeNotSupported: .sessionTypeNotSupported
      case .sessionDoesNotExist: .sessionDoesNotExist
      case .initiatorError, .invalidDuringLogin: .protocolError
      case .outOfResources: .outOfResources
      default: .other
      }
  }

  /// Of a connection that closed before it was logged in; nil: the login was not what failed, or it
  /// has been counted by its status.
  init?(_ reason: CloseReason) {
    switch reason {
    case .loginTimeout: self = .timeout
    case .tooManyHalfOpen: self = .tooManyHalfOpen
    case .protocolError, .framing: self = .protocolError
    case .outOfMemory: self = .outOfResources
    default: return nil
    }
  }
}

/// What goes on, on one reactor, outside of the logical units.
public struct WorkerStatistics: Sendable, Equatable {
  public var reactorIndex = 0
  public var sessions = 0
  public var connections = 0
  /// Connections among them that have not logged in.
  public var halfOpenConnections = 0
  /// Connections that logged in to a target, so far.
  public var logins: UInt64 = 0
  public var loginFailures: [LoginFailureReason: UInt64] = [:]
  public var headerDigestErrors: UInt64 = 0
  public var dataDigestErrors: UInt64 = 0
  /// Memory of commands and connections, and the most it may be, in bytes.
  public var memoryLent = 0
  public var memoryMax = 0

  public init() {}
}

extension Worker {
  /// Of every reactor. To be called on one worker, for all; `completion` is called there.
  public func statistics(completion: @escaping ([WorkerStatistics]) -> Void) {
    ask(completion) { worker, answer in answer(worker.ownStatistics) }
  }

  private var ownStatistics: WorkerStatistics {
    var statistics = WorkerStatistics()
    statistics.reactorIndex = reactor.index
    statistics.sessions = allSessions.count
    statistics.connections = connections.count
    statistics.halfOpenConnections = halfOpen.count
    statistics.logins = logins
    statistics.loginFailures = loginFailures
    statistics.headerDigestErrors = headerDigestErrors
    statistics.dataDigestErrors = dataDigestErrors
    statistics.memoryLent = reactor.buffers.lentBytes
    statistics.memoryMax = reactor.buffers.budgetBytes
    return statistics
  }

  func countLoginFailure(_ reason: LoginFailureReason) { loginFailures[reason, default: 0] += 1 }
}

extension Connection {
  func noteHeaderDigestError() { worker.headerDigestErrors += 1 }

  func noteDataDigestError() { worker.dataDigestErrors += 1 }
}
