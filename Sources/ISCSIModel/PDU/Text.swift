public import Bytes

/// Keys from the initiator in the full feature phase (RFC 7143 §11.10).
///
/// | byte  | field                                                                  |
/// |-------|------------------------------------------------------------------------|
/// | 1     | bit 7 F (nothing more to say), 6 C (this text goes on in the next PDU) |
/// | 8–15  | LUN, or reserved when TTT is 0xFFFFFFFF                                |
/// | 16–19 | Initiator Task Tag                                                     |
/// | 20–23 | Target Transfer Tag of the last response, 0xFFFFFFFF to begin          |
/// | 24–27 | CmdSN                                                                  |
/// | 28–31 | ExpStatSN                                                              |
public struct TextRequest: Sendable, BitwiseCopyable {
  public let header: BasicHeaderSegment

  public init(_ header: BasicHeaderSegment) { self.header = header }

  public init(
    isImmediate: Bool = false, isFinal: Bool = true, continues: Bool = false, lun: UInt64 = 0,
    initiatorTaskTag: InitiatorTaskTag, targetTransferTag: TargetTransferTag = .reserved,
    cmdSN: SerialNumber, expStatSN: SerialNumber, dataSegmentLength: Int = 0
  ) {
    var header = BasicHeaderSegment(opcode: .textRequest)
    header.isImmediate = isImmediate
    header.isFinal = isFinal
    header.setFlag(0x40, if: continues)
    header.dataSegmentLength = dataSegmentLength
    header.lun = lun
    header.initiatorTaskTag = initiatorTaskTag
    header.targetTransferTag = targetTransferTag
    header.set(cmdSN, at: 24)
    header.set(expStatSN, at: 28)
    self.header = header
  }

  public var isImmediate: Bool { header.isImmediate }
  public var isFinal: Bool { header.isFinal }
  public var continues: Bool { header.hasFlag(0x40) }
  public var lun: UInt64 { header.lun }
  public var initiatorTaskTag: InitiatorTaskTag { header.initiatorTaskTag }
  public var targetTransferTag: TargetTransferTag { header.targetTransferTag }
  public var cmdSN: SerialNumber { header.serialNumber(at: 24) }
  public var expStatSN: SerialNumber { header.serialNumber(at: 28) }
}

/// Keys from the target in the full feature phase (RFC 7143 §11.11).
///
/// | byte  | field                                                                      |
/// |-------|----------------------------------------------------------------------------|
/// | 1     | bit 7 F (the exchange is over), 6 C (this text goes on in the next PDU)    |
/// | 8–15  | LUN, or reserved when TTT is 0xFFFFFFFF                                    |
/// | 16–19 | Initiator Task Tag                                                         |
/// | 20–23 | Target Transfer Tag; 0xFFFFFFFF exactly when F is 1                        |
/// | 24–35 | StatSN, ExpCmdSN, MaxCmdSN                                                 |
public struct TextResponse: Hashable, Sendable, BitwiseCopyable {
  public var isFinal: Bool
  public var continues: Bool
  public var lun: UInt64
  public var initiatorTaskTag: InitiatorTaskTag
  public var targetTransferTag: TargetTransferTag
  public var numbers: SequenceNumbers
  public var dataSegmentLength: Int

  public init(
    isFinal: Bool = true, continues: Bool = false, lun: UInt64 = 0,
    initiatorTaskTag: InitiatorTaskTag, targetTransferTag: TargetTransferTag = .reserved,
    numbers: SequenceNumbers, dataSegmentLength: Int = 0
  ) {
    self.isFinal = isFinal
    self.continues = continues
    self.lun = lun
    self.initiatorTaskTag = initiatorTaskTag
    self.targetTransferTag = targetTransferTag
    self.numbers = numbers
    self.dataSegmentLength = dataSegmentLength
  }

  public init(_ header: BasicHeaderSegment) {
    isFinal = header.isFinal
    continues = header.hasFlag(0x40)
    lun = header.lun
    initiatorTaskTag = header.initiatorTaskTag
    targetTransferTag = header.targetTransferTag
    numbers = SequenceNumbers(header)
    dataSegmentLength = header.dataSegmentLength
  }

  public func encoded() -> BasicHeaderSegment {
    var header = BasicHeaderSegment(opcode: .textResponse)
    header.isFinal = isFinal
    header.setFlag(0x40, if: continues)
    header.dataSegmentLength = dataSegmentLength
    header.lun = lun
    header.initiatorTaskTag = initiatorTaskTag
    header.targetTransferTag = targetTransferTag
    numbers.write(to: &header)
    return header
  }
}
