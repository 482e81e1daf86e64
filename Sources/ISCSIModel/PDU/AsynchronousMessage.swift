internal import Bytes

/// What the target tells without being asked (RFC 7143 §11.9.1).
public struct AsynchronousEvent: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Sense data in the data segment, as in a SCSI Response.
  public static let scsi = AsynchronousEvent(rawValue: 0)
  /// Parameter3: seconds until the initiator must have logged out.
  public static let logoutRequest = AsynchronousEvent(rawValue: 1)
  /// Parameter1: CID; Parameter2: Time2Wait; Parameter3: Time2Retain.
  public static let connectionDropped = AsynchronousEvent(rawValue: 2)
  /// All connections of the session; Parameter2: Time2Wait; Parameter3: Time2Retain.
  public static let sessionDropped = AsynchronousEvent(rawValue: 3)
  /// Parameter3: seconds until the initiator must have begun a text negotiation.
  public static let negotiationRequest = AsynchronousEvent(rawValue: 4)
  /// Every task of the LUN field's logical unit ended (FastAbort, RFC 7143 §4.2.3.4).
  public static let tasksTerminated = AsynchronousEvent(rawValue: 5)
  public static let vendorSpecific = AsynchronousEvent(rawValue: 255)
}

/// An event, announced by the target (RFC 7143 §11.9).
///
/// | byte  | field                                   |
/// |-------|-----------------------------------------|
/// | 1     | bit 7 always 1                          |
/// | 8–15  | LUN, for events about one               |
/// | 16–19 | 0xFFFFFFFF                              |
/// | 24–35 | StatSN (advanced), ExpCmdSN, MaxCmdSN   |
/// | 36    | AsyncEvent                              |
/// | 37    | AsyncVCode, for event 255               |
/// | 38–43 | Parameter1, Parameter2, Parameter3      |
public struct AsynchronousMessage: Hashable, Sendable, BitwiseCopyable {
  public var event: AsynchronousEvent
  public var vendorCode: UInt8
  public var lun: UInt64
  public var numbers: SequenceNumbers
  public var parameter1: UInt16
  public var parameter2: UInt16
  public var parameter3: UInt16
  public var dataSegmentLength: Int

  public init(
    event: AsynchronousEvent, vendorCode: UInt8 = 0, lun: UInt64 = 0, numbers: SequenceNumbers,
    parameter1: UInt16 = 0, parameter2: UInt16 = 0, parameter3: UInt16 = 0,
    dataSegmentLength: Int = 0
  ) {
    self.event = event
    self.vendorCode = vendorCode
    self.lun = lun
    self.numbers = numbers
    self.parameter1 = parameter1
    self.parameter2 = parameter2
    self.parameter3 = parameter3
    self.dataSegmentLength = dataSegmentLength
  }

  public init(_ header: BasicHeaderSegment) {
    event = AsynchronousEvent(rawValue: header.bytes[36])
    vendorCode = header.bytes[37]
    lun = header.lun
    numbers = SequenceNumbers(header)
    parameter1 = header.bytes.bigEndianUInt16(at: 38)
    parameter2 = header.bytes.bigEndianUInt16(at: 40)
    parameter3 = header.bytes.bigEndianUInt16(at: 42)
    dataSegmentLength = header.dataSegmentLength
  }

  public func encoded() -> BasicHeaderSegment {
    var header = BasicHeaderSegment(opcode: .asynchronousMessage)
    header.isFinal = true
    header.dataSegmentLength = dataSegmentLength
    header.lun = lun
    header.initiatorTaskTag = .reserved
    numbers.write(to: &header)
    header.bytes[36] = event.rawValue
    header.bytes[37] = vendorCode
    header.bytes.setBigEndian(parameter1, at: 38)
    header.bytes.setBigEndian(parameter2, at: 40)
    header.bytes.setBigEndian(parameter3, at: 42)
    return header
  }
}
