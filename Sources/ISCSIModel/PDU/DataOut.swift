public import Bytes

/// A piece of a write's data (RFC 7143 §11.7).
///
/// | byte  | field                                                               |
/// |-------|---------------------------------------------------------------------|
/// | 1     | bit 7 F (last of the unsolicited data, or of the answer to an R2T)  |
/// | 8–15  | LUN, or reserved when TTT is 0xFFFFFFFF                             |
/// | 16–19 | Initiator Task Tag                                                  |
/// | 20–23 | Target Transfer Tag of the R2T answered, 0xFFFFFFFF if unsolicited  |
/// | 28–31 | ExpStatSN                                                           |
/// | 36–39 | DataSN: 0 for the first PDU of each sequence                        |
/// | 40–43 | Buffer Offset, in bytes from the start of the command's data        |
///
/// It carries no CmdSN and is never immediate: it belongs to a command that came before.
public struct DataOut: Sendable, BitwiseCopyable {
  public let header: BasicHeaderSegment

  @inlinable
  public init(_ header: BasicHeaderSegment) { self.header = header }

  @inlinable
  public var isFinal: Bool { header.isFinal }

  @inlinable
  public var lun: UInt64 { header.lun }

  @inlinable
  public var initiatorTaskTag: InitiatorTaskTag { header.initiatorTaskTag }

  @inlinable
  public var targetTransferTag: TargetTransferTag { header.targetTransferTag }

  @inlinable
  public var isUnsolicited: Bool { targetTransferTag == .reserved }

  @inlinable
  public var expStatSN: SerialNumber { header.serialNumber(at: 28) }

  @inlinable
  public var dataSN: SerialNumber { header.serialNumber(at: 36) }

  @inlinable
  public var bufferOffset: UInt32 { header.bytes.bigEndianUInt32(at: 40) }

  @inlinable
  public var dataSegmentLength: Int { header.dataSegmentLength }
}

extension DataOut {
  /// The PDU as an initiator builds it.
  public init(
    isFinal: Bool, lun: UInt64 = 0, initiatorTaskTag: InitiatorTaskTag,
    targetTransferTag: TargetTransferTag = .reserved, expStatSN: SerialNumber,
    dataSN: SerialNumber, bufferOffset: UInt32, dataSegmentLength: Int
  ) {
    var header = BasicHeaderSegment(opcode: .dataOut)
    header.isFinal = isFinal
    header.dataSegmentLength = dataSegmentLength
    header.lun = lun
    header.initiatorTaskTag = initiatorTaskTag
    header.targetTransferTag = targetTransferTag
    header.set(expStatSN, at: 28)
    header.set(dataSN, at: 36)
    header.bytes.setBigEndian(bufferOffset, at: 40)
    self.header = header
  }
}
