public import Bytes

/// Why a PDU was refused (RFC 7143 §11.17.1).
public struct RejectReason: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let dataDigestError = RejectReason(rawValue: 0x02)
  public static let snackReject = RejectReason(rawValue: 0x03)
  public static let protocolError = RejectReason(rawValue: 0x04)
  public static let commandNotSupported = RejectReason(rawValue: 0x05)
  public static let tooManyImmediateCommands = RejectReason(rawValue: 0x06)
  public static let taskInProgress = RejectReason(rawValue: 0x07)
  public static let invalidDataACK = RejectReason(rawValue: 0x08)
  public static let invalidPDUField = RejectReason(rawValue: 0x09)
  /// No Target Transfer Tag is to be had.
  public static let longOperationReject = RejectReason(rawValue: 0x0A)
  public static let waitingForLogout = RejectReason(rawValue: 0x0C)
}

/// A PDU refused (RFC 7143 §11.17). Its data segment is the 48-byte header, and any additional
/// header segments, of what is refused.
///
/// | byte  | field                                                                 |
/// |-------|-----------------------------------------------------------------------|
/// | 1     | bit 7 always 1                                                        |
/// | 2     | Reason                                                                |
/// | 16–19 | 0xFFFFFFFF                                                            |
/// | 24–35 | StatSN (advanced), ExpCmdSN, MaxCmdSN                                 |
/// | 36–39 | DataSN/R2TSN: next number expected, for a protocol or SNACK reject    |
public struct Reject: Hashable, Sendable, BitwiseCopyable {
  public var reason: RejectReason
  public var numbers: SequenceNumbers
  public var dataSN: SerialNumber
  public var dataSegmentLength: Int

  public init(
    reason: RejectReason, numbers: SequenceNumbers, dataSN: SerialNumber = SerialNumber(0),
    dataSegmentLength: Int = BasicHeaderSegment.byteCount
  ) {
    self.reason = reason
    self.numbers = numbers
    self.dataSN = dataSN
    self.dataSegmentLength = dataSegmentLength
  }

  public init(_ header: BasicHeaderSegment) {
    reason = RejectReason(rawValue: header.bytes[2])
    numbers = SequenceNumbers(header)
    dataSN = header.serialNumber(at: 36)
    dataSegmentLength = header.dataSegmentLength
  }

  public func encoded() -> BasicHeaderSegment {
    var header = BasicHeaderSegment(opcode: .reject)
    header.isFinal = true
    header.bytes[2] = reason.rawValue
    header.dataSegmentLength = dataSegmentLength
    header.initiatorTaskTag = .reserved
    numbers.write(to: &header)
    header.set(dataSN, at: 36)
    return header
  }
}
