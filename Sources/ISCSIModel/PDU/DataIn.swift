public import Bytes

/// A piece of a read's data, the last one perhaps with the command's status (RFC 7143 §11.7).
///
/// | byte  | field                                                                       |
/// |-------|-----------------------------------------------------------------------------|
/// | 1     | bit 7 F, 6 A (asks for a DataACK), 2 O, 1 U, 0 S (status within)            |
/// | 3     | Status, if S                                                                |
/// | 8–15  | LUN, if A                                                                   |
/// | 16–19 | Initiator Task Tag                                                          |
/// | 20–23 | Target Transfer Tag, if A, else 0xFFFFFFFF                                  |
/// | 24–35 | StatSN (if S), ExpCmdSN, MaxCmdSN                                           |
/// | 36–39 | DataSN: counts through the whole command                                    |
/// | 40–43 | Buffer Offset, in bytes from the start of the command's data                |
/// | 44–47 | Residual Count, if S                                                        |
public struct DataIn: Hashable, Sendable, BitwiseCopyable {
  /// A status that travels with the last data, so that no SCSI Response is needed. Only a status
  /// that ends a command without sense data may (§11.7.2).
  public struct Status: Hashable, Sendable, BitwiseCopyable {
    public var status: UInt8
    public var residual: Residual

    @inlinable
    public init(status: UInt8, residual: Residual = .none) {
      self.status = status
      self.residual = residual
    }
  }

  public var isFinal: Bool
  /// A: only at error recovery level 1 and up.
  public var wantsAcknowledgement: Bool
  /// Present: S is set, F must be too, and StatSN counts.
  public var status: Status?
  public var lun: UInt64
  public var initiatorTaskTag: InitiatorTaskTag
  public var targetTransferTag: TargetTransferTag
  /// StatSN goes on the wire only with status; without it the field is reserved (§11.7.3).
  public var numbers: SequenceNumbers
  public var dataSN: SerialNumber
  public var bufferOffset: UInt32
  public var dataSegmentLength: Int

  @inlinable
  public init(
    isFinal: Bool, wantsAcknowledgement: Bool = false, status: Status? = nil, lun: UInt64 = 0,
    initiatorTaskTag: InitiatorTaskTag, targetTransferTag: TargetTransferTag = .reserved,
    numbers: SequenceNumbers, dataSN: SerialNumber, bufferOffset: UInt32, dataSegmentLength: Int
  ) {
    self.isFinal = isFinal
    self.wantsAcknowledgement = wantsAcknowledgement
    self.status = status
    self.lun = lun
    self.initiatorTaskTag = initiatorTaskTag
    self.targetTransferTag = targetTransferTag
    self.numbers = numbers
    self.dataSN = dataSN
    self.bufferOffset = bufferOffset
    self.dataSegmentLength = dataSegmentLength
  }

  public init(_ header: BasicHeaderSegment) {
    isFinal = header.isFinal
    wantsAcknowledgement = header.hasFlag(0x40)
    let residual = Residual(
      overflow: header.hasFlag(0x04), underflow: header.hasFlag(0x02),
      count: header.bytes.bigEndianUInt32(at: 44))
    status = header.hasFlag(0x01) ? Status(status: header.bytes[3], residual: residual) : nil
    lun = header.lun
    initiatorTaskTag = header.initiatorTaskTag
    targetTransferTag = header.targetTransferTag
    numbers = SequenceNumbers(header)
    dataSN = header.serialNumber(at: 36)
    bufferOffset = header.bytes.bigEndianUInt32(at: 40)
    dataSegmentLength = header.dataSegmentLength
  }

  @inlinable
  public func encoded() -> BasicHeaderSegment {
    precondition(status == nil || isFinal, "status travels in a final Data-In only (§11.7.2)")
    var header = BasicHeaderSegment(opcode: .dataIn)
    header.isFinal = isFinal
    header.setFlag(0x40, if: wantsAcknowledgement)
    header.dataSegmentLength = dataSegmentLength
    header.lun = lun
    header.initiatorTaskTag = initiatorTaskTag
    header.targetTransferTag = targetTransferTag
    numbers.write(to: &header)
    header.set(dataSN, at: 36)
    header.bytes.setBigEndian(bufferOffset, at: 40)
    if let status {
      header.bytes[1] |= 0x01 | status.residual.flags(overflow: 0x04, underflow: 0x02)
      header.bytes[3] = status.status
      header.bytes.setBigEndian(status.residual.count, at: 44)
    } else {
      header.set(SerialNumber(0), at: 24)
    }
    return header
  }
}
