public import Bytes

/// A ping, or the answer to the target's ping (RFC 7143 §11.18).
///
/// | byte  | field                                                        |
/// |-------|--------------------------------------------------------------|
/// | 1     | bit 7 always 1                                               |
/// | 8–15  | LUN, or reserved when TTT is 0xFFFFFFFF                      |
/// | 16–19 | Initiator Task Tag; 0xFFFFFFFF asks for no answer            |
/// | 20–23 | Target Transfer Tag of the NOP-In answered, else 0xFFFFFFFF  |
/// | 24–27 | CmdSN                                                        |
/// | 28–31 | ExpStatSN                                                    |
public struct NopOut: Sendable, BitwiseCopyable {
  public let header: BasicHeaderSegment

  public init(_ header: BasicHeaderSegment) { self.header = header }

  public init(
    isImmediate: Bool = false, lun: UInt64 = 0, initiatorTaskTag: InitiatorTaskTag,
    targetTransferTag: TargetTransferTag = .reserved, cmdSN: SerialNumber, expStatSN: SerialNumber,
    dataSegmentLength: Int = 0
  ) {
    var header = BasicHeaderSegment(opcode: .nopOut)
    header.isImmediate = isImmediate
    header.isFinal = true
    header.dataSegmentLength = dataSegmentLength
    header.lun = lun
    header.initiatorTaskTag = initiatorTaskTag
    header.targetTransferTag = targetTransferTag
    header.set(cmdSN, at: 24)
    header.set(expStatSN, at: 28)
    self.header = header
  }

  public var isImmediate: Bool { header.isImmediate }
  public var lun: UInt64 { header.lun }
  public var initiatorTaskTag: InitiatorTaskTag { header.initiatorTaskTag }
  public var targetTransferTag: TargetTransferTag { header.targetTransferTag }
  public var cmdSN: SerialNumber { header.serialNumber(at: 24) }
  public var expStatSN: SerialNumber { header.serialNumber(at: 28) }

  /// A NOP-In that echoes the ping data must follow (§11.18.1).
  public var wantsAnswer: Bool { initiatorTaskTag != .reserved }

  /// A NOP-Out without a task tag must be immediate, for nothing would account for its CmdSN
  /// (§11.18.1).
  public var isWellFormed: Bool { wantsAnswer || isImmediate }
}

/// The answer to a ping, or the target's own ping (RFC 7143 §11.19).
///
/// | byte  | field                                                           |
/// |-------|-----------------------------------------------------------------|
/// | 1     | bit 7 always 1                                                  |
/// | 8–15  | LUN, or reserved when TTT is 0xFFFFFFFF                         |
/// | 16–19 | Initiator Task Tag of the NOP-Out answered, else 0xFFFFFFFF     |
/// | 20–23 | Target Transfer Tag when an answer is wanted, else 0xFFFFFFFF   |
/// | 24–35 | StatSN, ExpCmdSN, MaxCmdSN                                      |
public struct NopIn: Hashable, Sendable, BitwiseCopyable {
  public var lun: UInt64
  public var initiatorTaskTag: InitiatorTaskTag
  public var targetTransferTag: TargetTransferTag
  /// StatSN advances after an answer (a task tag is present), not after a ping (§11.19.2).
  public var numbers: SequenceNumbers
  public var dataSegmentLength: Int

  public init(
    lun: UInt64 = 0, initiatorTaskTag: InitiatorTaskTag = .reserved,
    targetTransferTag: TargetTransferTag = .reserved, numbers: SequenceNumbers,
    dataSegmentLength: Int = 0
  ) {
    self.lun = lun
    self.initiatorTaskTag = initiatorTaskTag
    self.targetTransferTag = targetTransferTag
    self.numbers = numbers
    self.dataSegmentLength = dataSegmentLength
  }

  public init(_ header: BasicHeaderSegment) {
    lun = header.lun
    initiatorTaskTag = header.initiatorTaskTag
    targetTransferTag = header.targetTransferTag
    numbers = SequenceNumbers(header)
    dataSegmentLength = header.dataSegmentLength
  }

  public func encoded() -> BasicHeaderSegment {
    var header = BasicHeaderSegment(opcode: .nopIn)
    header.isFinal = true
    header.dataSegmentLength = dataSegmentLength
    header.lun = lun
    header.initiatorTaskTag = initiatorTaskTag
    header.targetTransferTag = targetTransferTag
    numbers.write(to: &header)
    return header
  }
}
