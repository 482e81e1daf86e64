public import Bytes

/// What a SNACK asks to be sent again, or acknowledges (RFC 7143 §11.16.1).
public struct SNACKType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let dataOrR2T = SNACKType(rawValue: 0)
  public static let status = SNACKType(rawValue: 1)
  public static let dataACK = SNACKType(rawValue: 2)
  public static let rData = SNACKType(rawValue: 3)
}

/// A request of error recovery (RFC 7143 §11.16). At error recovery level 0 it is a protocol error
/// that a Reject answers.
///
/// | byte  | field                                                 |
/// |-------|-------------------------------------------------------|
/// | 1     | bit 7 always 1, bits 3–0 type                         |
/// | 8–15  | LUN                                                   |
/// | 16–19 | Initiator Task Tag, or 0xFFFFFFFF                     |
/// | 20–23 | Target Transfer Tag, SNACK Tag, or 0xFFFFFFFF         |
/// | 28–31 | ExpStatSN                                             |
/// | 40–43 | BegRun: the first missing number                      |
/// | 44–47 | RunLength: how many; 0 means all that follow          |
public struct SNACKRequest: Sendable, BitwiseCopyable {
  public let header: BasicHeaderSegment

  public init(_ header: BasicHeaderSegment) { self.header = header }

  public init(
    type: SNACKType, lun: UInt64 = 0, initiatorTaskTag: InitiatorTaskTag,
    targetTransferTag: TargetTransferTag = .reserved, expStatSN: SerialNumber,
    begRun: SerialNumber, runLength: UInt32
  ) {
    var header = BasicHeaderSegment(opcode: .snackRequest)
    header.bytes[1] = 0x80 | type.rawValue & 0x0F
    header.lun = lun
    header.initiatorTaskTag = initiatorTaskTag
    header.targetTransferTag = targetTransferTag
    header.set(expStatSN, at: 28)
    header.set(begRun, at: 40)
    header.bytes.setBigEndian(runLength, at: 44)
    self.header = header
  }

  public var type: SNACKType { SNACKType(rawValue: header.bytes[1] & 0x0F) }
  public var lun: UInt64 { header.lun }
  public var initiatorTaskTag: InitiatorTaskTag { header.initiatorTaskTag }
  public var targetTransferTag: TargetTransferTag { header.targetTransferTag }
  public var expStatSN: SerialNumber { header.serialNumber(at: 28) }
  public var begRun: SerialNumber { header.serialNumber(at: 40) }
  public var runLength: UInt32 { header.bytes.bigEndianUInt32(at: 44) }
}
