public import Bytes

/// The target asks for a part of a write's data (RFC 7143 §11.8).
///
/// | byte  | field                                                                |
/// |-------|----------------------------------------------------------------------|
/// | 1     | bit 7 always 1                                                       |
/// | 8–15  | LUN                                                                  |
/// | 16–19 | Initiator Task Tag                                                   |
/// | 20–23 | Target Transfer Tag, never 0xFFFFFFFF                                |
/// | 24–35 | StatSN, ExpCmdSN, MaxCmdSN                                           |
/// | 36–39 | R2TSN: counts from 0 through the command                             |
/// | 40–43 | Buffer Offset, in bytes                                              |
/// | 44–47 | Desired Data Transfer Length, 1…MaxBurstLength bytes                 |
public struct ReadyToTransfer: Hashable, Sendable, BitwiseCopyable {
  public var lun: UInt64
  public var initiatorTaskTag: InitiatorTaskTag
  public var targetTransferTag: TargetTransferTag
  /// StatSN is the next status number; an R2T carries it and does not advance it (§11.8.3).
  public var numbers: SequenceNumbers
  public var r2tSN: SerialNumber
  public var bufferOffset: UInt32
  public var desiredDataTransferLength: UInt32

  @inlinable
  public init(
    lun: UInt64, initiatorTaskTag: InitiatorTaskTag, targetTransferTag: TargetTransferTag,
    numbers: SequenceNumbers, r2tSN: SerialNumber, bufferOffset: UInt32,
    desiredDataTransferLength: UInt32
  ) {
    self.lun = lun
    self.initiatorTaskTag = initiatorTaskTag
    self.targetTransferTag = targetTransferTag
    self.numbers = numbers
    self.r2tSN = r2tSN
    self.bufferOffset = bufferOffset
    self.desiredDataTransferLength = desiredDataTransferLength
  }

  public init(_ header: BasicHeaderSegment) {
    lun = header.lun
    initiatorTaskTag = header.initiatorTaskTag
    targetTransferTag = header.targetTransferTag
    numbers = SequenceNumbers(header)
    r2tSN = header.serialNumber(at: 36)
    bufferOffset = header.bytes.bigEndianUInt32(at: 40)
    desiredDataTransferLength = header.bytes.bigEndianUInt32(at: 44)
  }

  @inlinable
  public func encoded() -> BasicHeaderSegment {
    var header = BasicHeaderSegment(opcode: .readyToTransfer)
    header.isFinal = true
    header.lun = lun
    header.initiatorTaskTag = initiatorTaskTag
    header.targetTransferTag = targetTransferTag
    numbers.write(to: &header)
    header.set(r2tSN, at: 36)
    header.bytes.setBigEndian(bufferOffset, at: 40)
    header.bytes.setBigEndian(desiredDataTransferLength, at: 44)
    return header
  }
}
