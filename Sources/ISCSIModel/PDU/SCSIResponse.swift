public import Bytes

/// The service response of a SCSI Response PDU (RFC 7143 §11.4.3).
public struct SCSIResponseCode: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let commandCompleted = SCSIResponseCode(rawValue: 0x00)
  /// The status byte means nothing; the target could not do its part.
  public static let targetFailure = SCSIResponseCode(rawValue: 0x01)
}

/// The end of a SCSI command (RFC 7143 §11.4). Its data segment holds SenseLength (two bytes) and
/// the sense data.
///
/// | byte  | field                                                            |
/// |-------|------------------------------------------------------------------|
/// | 1     | bit 7 always 1, 4 o, 3 u (bidirectional read), 2 O, 1 U          |
/// | 2     | Response                                                         |
/// | 3     | Status                                                           |
/// | 8–9   | Status Qualifier, from protocol level 2 (RFC 7144 §6.2)          |
/// | 16–19 | Initiator Task Tag                                               |
/// | 20–23 | SNACK Tag                                                        |
/// | 24–35 | StatSN, ExpCmdSN, MaxCmdSN                                       |
/// | 36–39 | ExpDataSN: number of Data-In (or R2T) PDUs sent for the command  |
/// | 40–43 | Bidirectional Read Residual Count                                |
/// | 44–47 | Residual Count                                                   |
public struct SCSIResponse: Hashable, Sendable, BitwiseCopyable {
  public var response: SCSIResponseCode
  /// SAM-5 §5.3: 0x00 GOOD, 0x02 CHECK CONDITION and so on.
  public var status: UInt8
  /// SAM-5 §5.3.2; zero says nothing more than the status.
  public var statusQualifier: UInt16
  public var initiatorTaskTag: InitiatorTaskTag
  /// Zero unless an R-Data SNACK was answered (§11.16.1); at error recovery level 0 always zero.
  public var snackTag: UInt32
  public var numbers: SequenceNumbers
  /// Zero when the response is not "command completed" (§11.4.8).
  public var expDataSN: SerialNumber
  public var residual: Residual
  public var bidirectionalReadResidual: Residual
  public var dataSegmentLength: Int

  @inlinable
  public init(
    response: SCSIResponseCode = .commandCompleted, status: UInt8,
    statusQualifier: UInt16 = 0, initiatorTaskTag: InitiatorTaskTag, snackTag: UInt32 = 0,
    numbers: SequenceNumbers,
    expDataSN: SerialNumber = SerialNumber(0), residual: Residual = .none,
    bidirectionalReadResidual: Residual = .none, dataSegmentLength: Int = 0
  ) {
    self.response = response
    self.status = status
    self.statusQualifier = statusQualifier
    self.initiatorTaskTag = initiatorTaskTag
    self.snackTag = snackTag
    self.numbers = numbers
    self.expDataSN = expDataSN
    self.residual = residual
    self.bidirectionalReadResidual = bidirectionalReadResidual
    self.dataSegmentLength = dataSegmentLength
  }

  public init(_ header: BasicHeaderSegment) {
    response = SCSIResponseCode(rawValue: header.bytes[2])
    status = header.bytes[3]
    statusQualifier = header.bytes.bigEndianUInt16(at: 8)
    initiatorTaskTag = header.initiatorTaskTag
    snackTag = header.bytes.bigEndianUInt32(at: 20)
    numbers = SequenceNumbers(header)
    expDataSN = header.serialNumber(at: 36)
    bidirectionalReadResidual = Residual(
      overflow: header.hasFlag(0x10), underflow: header.hasFlag(0x08),
      count: header.bytes.bigEndianUInt32(at: 40))
    residual = Residual(
      overflow: header.hasFlag(0x04), underflow: header.hasFlag(0x02),
      count: header.bytes.bigEndianUInt32(at: 44))
    dataSegmentLength = header.dataSegmentLength
  }

  @inlinable
  public func encoded() -> BasicHeaderSegment {
    var header = BasicHeaderSegment(opcode: .scsiResponse)
    header.bytes[1] =
      0x80 | residual.flags(overflow: 0x04, underflow: 0x02)
      | bidirectionalReadResidual.flags(overflow: 0x10, underflow: 0x08)
    header.bytes[2] = response.rawValue
    header.bytes[3] = status
    header.bytes.setBigEndian(statusQualifier, at: 8)
    header.dataSegmentLength = dataSegmentLength
    header.initiatorTaskTag = initiatorTaskTag
    header.bytes.setBigEndian(snackTag, at: 20)
    numbers.write(to: &header)
    header.set(expDataSN, at: 36)
    header.bytes.setBigEndian(bidirectionalReadResidual.count, at: 40)
    header.bytes.setBigEndian(residual.count, at: 44)
    return header
  }
}
