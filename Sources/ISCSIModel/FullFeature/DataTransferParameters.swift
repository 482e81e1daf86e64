/// The negotiated keys that shape data transfer, as in force for one task (RFC 7143 §13).
///
/// Bursts are bounded to 2^24 − 1 by the keys themselves. DataPDUInOrder and DataSequenceInOrder
/// are Yes and ErrorRecoveryLevel is 0: this target agrees to nothing else.
public struct DataTransferParameters: Hashable, Sendable, BitwiseCopyable {
  public var immediateData: Bool
  public var initialR2T: Bool
  /// Unsolicited bytes for one command, immediate data included.
  public var firstBurstLength: Int
  /// Bytes of one Data-In sequence, or of the answer to one R2T.
  public var maxBurstLength: Int
  public var maxOutstandingR2T: Int
  /// MaxRecvDataSegmentLength this target declared: bounds what it receives.
  public var targetMaxRecvDataSegmentLength: Int
  /// MaxRecvDataSegmentLength the initiator declared: bounds what it is sent.
  public var initiatorMaxRecvDataSegmentLength: Int

  /// The defaults of the RFC, in force where nothing was negotiated.
  public init(
    immediateData: Bool = true, initialR2T: Bool = true, firstBurstLength: Int = 65536,
    maxBurstLength: Int = 262_144, maxOutstandingR2T: Int = 1,
    targetMaxRecvDataSegmentLength: Int = 8192, initiatorMaxRecvDataSegmentLength: Int = 8192
  ) {
    precondition(
      firstBurstLength > 0 && maxBurstLength > 0 && maxOutstandingR2T > 0
        && targetMaxRecvDataSegmentLength > 0 && initiatorMaxRecvDataSegmentLength > 0,
      "negotiation admits no zero lengths")
    self.immediateData = immediateData
    self.initialR2T = initialR2T
    self.firstBurstLength = firstBurstLength
    self.maxBurstLength = maxBurstLength
    self.maxOutstandingR2T = maxOutstandingR2T
    self.targetMaxRecvDataSegmentLength = targetMaxRecvDataSegmentLength
    self.initiatorMaxRecvDataSegmentLength = initiatorMaxRecvDataSegmentLength
  }
}
