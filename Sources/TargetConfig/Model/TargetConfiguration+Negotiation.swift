extension TargetConfiguration {
  /// What the target brings to the login negotiation (RFC 7143 §13) and how it watches a session.
  public struct Negotiation: Sendable, Equatable {
    public var headerDigest = DigestPolicy.any
    public var dataDigest = DigestPolicy.any
    /// The largest data segment the target accepts, in bytes.
    public var maxRecvDataSegmentLength = 256 << 10
    public var maxBurstLength = 1 << 20
    /// At most `maxBurstLength`.
    public var firstBurstLength = 256 << 10
    /// No: unsolicited data may follow a write at once, which saves a round trip.
    public var initialR2T = false
    public var immediateData = true
    public var maxOutstandingR2T = 8
    public var maxConnections = 4
    public var defaultTime2WaitSeconds = 2
    /// At error recovery level 0 nothing outlives a connection, so there is nothing to retain.
    public var defaultTime2RetainSeconds = 0
    /// Commands of one session in flight: the width of its CmdSN window.
    public var queueDepth = 128
    /// Silence after which the target sends a NOP-In; 0 means never.
    public var nopIntervalSeconds = 10
    /// How long the answer may take before the connection is closed.
    public var nopTimeoutSeconds = 10

    public static let standard = Negotiation()
    /// The widest CmdSN window that a session holds open.
    public static let queueDepthMax = 512

    public init() {}
  }

  /// Which digests the target agrees to (RFC 7143 §13.1).
  public enum DigestPolicy: String, Sendable, CaseIterable {
    /// Whatever the initiator prefers.
    case any
    case none
    /// Required: an initiator that offers only None is refused.
    case crc32c
  }
}
