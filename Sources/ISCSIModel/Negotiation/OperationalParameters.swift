/// A digest algorithm, as HeaderDigest and DataDigest name it (RFC 7143 §13.1).
public enum PDUDigest: String, Sendable {
  case none = "None"
  case crc32c = "CRC32C"
}

/// How task management and reporting interact (RFC 7143 §13.23).
public enum TaskReporting: String, Sendable {
  case rfc3720 = "RFC3720"
  case responseFence = "ResponseFence"
  case fastAbort = "FastAbort"
}

/// What a session and one of its connections agreed on. Starts with RFC 7143's defaults, which hold
/// for every key nobody negotiated. Lengths in bytes, times in seconds.
public struct OperationalParameters: Hashable, Sendable {
  /// Session-wide values, agreed on the leading connection only.
  public struct Session: Hashable, Sendable {
    public var maxConnections = 1
    public var initialR2T = true
    public var immediateData = true
    public var maxBurstLength = 262_144
    /// Never above `maxBurstLength` in what the negotiator hands out (§13.14).
    public var firstBurstLength = 65536
    public var defaultTime2Wait = 2
    public var defaultTime2Retain = 20
    public var maxOutstandingR2T = 1
    public var dataPDUInOrder = true
    public var dataSequenceInOrder = true
    public var errorRecoveryLevel = 0
    public var taskReporting = TaskReporting.rfc3720
    public var iSCSIProtocolLevel = 1

    public init() {}
  }

  /// Values of one connection.
  public struct Connection: Hashable, Sendable {
    public var headerDigest = PDUDigest.none
    public var dataDigest = PDUDigest.none
    /// What the initiator takes: the limit of our data segments.
    public var initiatorMaxRecvDataSegmentLength = 8192
    /// What we take: the limit of the initiator's data segments. The default 8192 if the login
    /// never passed the operational stage, where we would have declared ours.
    public var targetMaxRecvDataSegmentLength = 8192

    public init() {}
  }

  public var session = Session()
  public var connection = Connection()

  public init() {}
}
