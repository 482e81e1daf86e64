public import ISCSIModel
public import Reactor
public import SCSITarget

/// Names a session for as long as the process runs, and no other ever: unlike its handle and its
/// initiator's name, which a successor takes over.
public struct SessionID: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What went over a connection since the login, as TCP carries it, headers and all.
public struct TransferCounters: Sendable, Hashable, BitwiseCopyable {
  public var bytesReceived: UInt64 = 0
  public var bytesSent: UInt64 = 0

  public init() {}
}

/// A running session as it was a moment ago.
public struct SessionSummary: Sendable {
  public struct Connection: Sendable {
    public var id: ConnectionID
    public var localAddress: SocketAddress
    public var peerAddress: SocketAddress
    public var headerDigest: Bool
    public var dataDigest: Bool
    /// When it logged in: milliseconds since 1970, UTC.
    public var since: UInt64
    public var counters: TransferCounters
  }

  public var id: SessionID
  public var targetName: String
  public var initiatorName: String
  /// What it calls itself (RFC 7143 §13.7).
  public var initiatorAlias: String?
  public var initiatorSessionID: InitiatorSessionID
  public var handle: TargetSessionID
  public var portalGroupTag: UInt16
  /// The CHAP user that proved itself.
  public var user: String?
  /// Milliseconds since 1970, UTC.
  public var since: UInt64
  /// The LUN map.
  public var units: [UnitPresentation]
  public var connections: [Connection]
  public var commands: CommandCounters
  /// Commands in progress.
  public var queueDepth: Int
}

extension Session {
  var id: SessionID { SessionID(rawValue: number) }

  var summary: SessionSummary? {
    guard let key else { return nil }
    return SessionSummary(
      id: id, targetName: key.targetName, initiatorName: initiatorName,
      initiatorAlias: initiatorAlias, initiatorSessionID: key.initiatorSessionID, handle: handle,
      portalGroupTag: key.portalGroupTag, user: rights.user, since: since,
      units: presentedUnits, connections: connections.map(\.summary), commands: counters,
      queueDepth: commandsInWindow)
  }

  private var presentedUnits: [UnitPresentation] {
    (nexus?.unitNexuses ?? []).map {
      UnitPresentation(
        lun: $0.lun, unit: $0.server.unit.identity.name, isReadOnly: $0.isReadOnly)
    }
  }
}

extension Connection {
  fileprivate var summary: SessionSummary.Connection {
    SessionSummary.Connection(
      id: connectionID, localAddress: socket.local, peerAddress: socket.peer,
      headerDigest: framing.headerDigest, dataDigest: framing.dataDigest, since: since,
      counters: transfers)
  }

  /// What went over it so far.
  var transfers: TransferCounters {
    var counters = received
    counters.bytesSent = bytesSent
    return counters
  }
}
