/// What the target offers and admits in a negotiation: the "ours" side of every result function.
public struct NegotiationPolicy: Hashable, Sendable {
  /// The digests admitted. The first of the initiator's list that is among them is chosen, so an
  /// initiator that prefers None gets None.
  public var headerDigests: [PDUDigest] = [.none, .crc32c]
  public var dataDigests: [PDUDigest] = [.none, .crc32c]
  /// The MaxRecvDataSegmentLength we declare.
  public var maxRecvDataSegmentLength = 262_144
  public var maxBurstLength = 1 << 20
  public var firstBurstLength = 262_144
  public var initialR2T = false
  public var immediateData = true
  public var maxOutstandingR2T = 8
  public var maxConnections = 4
  public var defaultTime2Wait = 2
  /// At error recovery level 0 nothing outlives a connection, so nothing is retained.
  public var defaultTime2Retain = 0
  public var errorRecoveryLevel = 0
  /// RFC 7144: its task management functions, status qualifier and sense data with GOOD are there.
  public var iSCSIProtocolLevel = 2
  /// ResponseFence goes with one connection, whose order is the fence (RFC 7143 §4.2.2.3).
  /// FastAbort is not here: it owes other sessions an asynchronous message for each task set
  /// (§4.2.3.4).
  public var taskReporting: [TaskReporting] = [.rfc3720, .responseFence]

  /// R2Ts a task may have outstanding; the task's own table has room for no more.
  public static let maxOutstandingR2TLimit = DataOutTransfer.outstandingR2TMax

  public init() {}

  /// Data leaves and arrives in order: DataPDUInOrder and DataSequenceInOrder are OR-ed with this.
  var dataInOrder: Bool { true }

  /// Traps on a policy no negotiation could honour; configuration checks its values before.
  func checkInvariants() {
    let length = 512...0xFF_FFFF
    precondition(length.contains(maxRecvDataSegmentLength), "MaxRecvDataSegmentLength out of range")
    precondition(length.contains(maxBurstLength), "MaxBurstLength out of range")
    precondition(length.contains(firstBurstLength), "FirstBurstLength out of range")
    precondition(
      (1...NegotiationPolicy.maxOutstandingR2TLimit).contains(maxOutstandingR2T),
      "MaxOutstandingR2T out of range")
    precondition((1...65535).contains(maxConnections), "MaxConnections out of range")
    precondition((0...3600).contains(defaultTime2Wait), "DefaultTime2Wait out of range")
    precondition((0...3600).contains(defaultTime2Retain), "DefaultTime2Retain out of range")
    precondition(!headerDigests.isEmpty && !dataDigests.isEmpty, "no digest is admitted")
  }
}
