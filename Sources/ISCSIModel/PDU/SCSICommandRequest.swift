public import Bytes

/// How a task takes its place in the task set (RFC 7143 §11.3.1, SAM-5 §8.9).
public struct TaskAttribute: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let untagged = TaskAttribute(rawValue: 0)
  public static let simple = TaskAttribute(rawValue: 1)
  public static let ordered = TaskAttribute(rawValue: 2)
  public static let headOfQueue = TaskAttribute(rawValue: 3)
  public static let aca = TaskAttribute(rawValue: 4)

  /// 5 … 7 mean nothing.
  public var isReserved: Bool { rawValue > TaskAttribute.aca.rawValue }
}

/// A SCSI command, perhaps with immediate data behind it (RFC 7143 §11.3).
///
/// | byte  | field                                                                     |
/// |-------|---------------------------------------------------------------------------|
/// | 1     | bit 7 F (no unsolicited Data-Out follows), 6 R, 5 W, bits 2–0 attribute   |
/// | 8–15  | LUN                                                                       |
/// | 16–19 | Initiator Task Tag                                                        |
/// | 20–23 | Expected Data Transfer Length, in bytes                                   |
/// | 24–27 | CmdSN                                                                     |
/// | 28–31 | ExpStatSN                                                                 |
/// | 32–47 | CDB; bytes past the sixteenth travel in an additional header segment      |
public struct SCSICommandRequest: Sendable, BitwiseCopyable {
  public let header: BasicHeaderSegment

  @inlinable
  public init(_ header: BasicHeaderSegment) { self.header = header }

  @inlinable
  public var isImmediate: Bool { header.isImmediate }

  /// F: no unsolicited Data-Out PDU follows.
  @inlinable
  public var isFinal: Bool { header.isFinal }

  /// R: the initiator expects data.
  @inlinable
  public var isRead: Bool { header.hasFlag(0x40) }

  /// W: the initiator will send data.
  @inlinable
  public var isWrite: Bool { header.hasFlag(0x20) }

  @inlinable
  public var attribute: TaskAttribute { TaskAttribute(rawValue: header.bytes[1] & 0x07) }

  @inlinable
  public var lun: UInt64 { header.lun }

  @inlinable
  public var initiatorTaskTag: InitiatorTaskTag { header.initiatorTaskTag }

  /// EDTL: bytes the initiator has room for (R) or will give (W).
  @inlinable
  public var expectedDataTransferLength: UInt32 { header.bytes.bigEndianUInt32(at: 20) }

  @inlinable
  public var cmdSN: SerialNumber { header.serialNumber(at: 24) }

  @inlinable
  public var expStatSN: SerialNumber { header.serialNumber(at: 28) }

  /// The first sixteen bytes of the CDB; shorter CDBs are padded by the initiator.
  @inlinable
  public var cdb: InlineArray<16, UInt8> {
    var cdb = InlineArray<16, UInt8>(repeating: 0)
    for index in 0..<16 { cdb[index] = header.bytes[32 + index] }
    return cdb
  }

  /// The attribute means something, the command moves data one way at most, and immediate or
  /// unsolicited data only belongs to one that writes (§11.3.1, §11.3.5).
  public var isWellFormed: Bool {
    guard !attribute.isReserved else { return false }
    return isWrite ? !isRead : isFinal && header.dataSegmentLength == 0
  }
}

extension SCSICommandRequest {
  /// The request as an initiator builds it.
  public init(
    isImmediate: Bool = false, isFinal: Bool = true, isRead: Bool = false, isWrite: Bool = false,
    attribute: TaskAttribute = .simple, lun: UInt64 = 0, initiatorTaskTag: InitiatorTaskTag,
    expectedDataTransferLength: UInt32 = 0, cmdSN: SerialNumber, expStatSN: SerialNumber,
    cdb: InlineArray<16, UInt8>, dataSegmentLength: Int = 0
  ) {
    var header = BasicHeaderSegment(opcode: .scsiCommand)
    header.isImmediate = isImmediate
    header.isFinal = isFinal
    header.setFlag(0x40, if: isRead)
    header.setFlag(0x20, if: isWrite)
    header.bytes[1] |= attribute.rawValue & 0x07
    header.dataSegmentLength = dataSegmentLength
    header.lun = lun
    header.initiatorTaskTag = initiatorTaskTag
    header.bytes.setBigEndian(expectedDataTransferLength, at: 20)
    header.set(cmdSN, at: 24)
    header.set(expStatSN, at: 28)
    for index in 0..<16 { header.bytes[32 + index] = cdb[index] }
    self.header = header
  }
}
