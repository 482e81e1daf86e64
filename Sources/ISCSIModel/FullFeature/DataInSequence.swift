public import Bytes

/// Cuts the data of one read into Data-In PDUs (RFC 7143 §11.7).
///
/// No piece is longer than the initiator's MaxRecvDataSegmentLength or crosses a multiple of
/// MaxBurstLength; F ends each burst and the whole; DataSN counts through the command.
public struct DataInSequence: Sendable {
  public struct Piece: Hashable, Sendable {
    public let bufferOffset: UInt32
    public let length: Int
    public let dataSN: SerialNumber
    /// F: ends a burst or the data.
    public let isFinal: Bool
    /// The last of the command's data.
    public let isLast: Bool
    /// S: this one carries the status, no SCSI Response follows.
    public let carriesStatus: Bool
  }

  private let length: Int
  private let maxSegmentLength: Int
  private let maxBurstLength: Int
  private let collapsesStatus: Bool
  private var offset = 0
  private var burstEnd: Int
  private var dataSN = SerialNumber(0)

  /// `length` is what the target really sends: at most EDTL. `collapsesStatus` asks for the status
  /// in the last piece, which needs a status without sense data (§11.7.2).
  public init(length: UInt32, parameters: DataTransferParameters, collapsesStatus: Bool) {
    self.length = Int(length)
    maxSegmentLength = parameters.initiatorMaxRecvDataSegmentLength
    maxBurstLength = parameters.maxBurstLength
    self.collapsesStatus = collapsesStatus
    burstEnd = min(maxBurstLength, self.length)
  }

  /// Number of PDUs made so far; after the last, the ExpDataSN of the SCSI Response (§11.4.8).
  public var expDataSN: SerialNumber { dataSN }

  public var isFinished: Bool { offset == length }

  /// The next piece; nil when all data is out, at once if there is none.
  public mutating func next() -> Piece? {
    guard offset < length else { return nil }
    let start = offset
    offset = min(start + maxSegmentLength, burstEnd)
    let endsBurst = offset == burstEnd
    if endsBurst { burstEnd = min(offset + maxBurstLength, length) }
    return Piece(
      bufferOffset: UInt32(start), length: offset - start, dataSN: dataSN.next(),
      isFinal: endsBurst, isLast: isFinished, carriesStatus: isFinished && collapsesStatus)
  }
}
