/// A session of an initiator (RFC 7143 §4.4).
public struct SessionResource: Codable, Sendable, Equatable {
  /// Stays the session's while the daemon runs, and is never given again.
  public var id: UInt64
  public var initiator: String
  public var initiatorAlias: String?
  /// nil for discovery sessions.
  public var target: String?
  /// Twelve hexadecimal digits (RFC 7143 §11.12.5).
  public var isid: String
  public var tsih: UInt16
  /// The CHAP user that it proved to be.
  public var user: String?
  public var since: Timestamp
  public var connections: [ConnectionResource]
  /// The numbers that the initiator sees.
  public var luns: [UInt16]
  /// Tasks that have not ended.
  public var taskCount: Int
  public var counters: IOCounters

  public init(id: UInt64, initiator: String, target: String?, since: Timestamp) {
    self.id = id
    self.initiator = initiator
    self.target = target
    self.since = since
    isid = "000000000000"
    tsih = 0
    connections = []
    luns = []
    taskCount = 0
    counters = IOCounters()
  }
}

/// A connection of a session.
public struct ConnectionResource: Codable, Sendable, Equatable {
  public var cid: UInt16
  /// `192.0.2.7:3260`.
  public var localAddress: String
  public var remoteAddress: String
  public var portalGroup: UInt16
  /// `None` or `CRC32C`, as negotiated.
  public var headerDigest: String
  public var dataDigest: String
  public var since: Timestamp
  public var receivedBytes: UInt64
  public var sentBytes: UInt64

  public init(
    cid: UInt16, localAddress: String, remoteAddress: String, portalGroup: UInt16 = 1,
    headerDigest: String = "None", dataDigest: String = "None", since: Timestamp
  ) {
    self.cid = cid
    self.localAddress = localAddress
    self.remoteAddress = remoteAddress
    self.portalGroup = portalGroup
    self.headerDigest = headerDigest
    self.dataDigest = dataDigest
    self.since = since
    receivedBytes = 0
    sentBytes = 0
  }
}
