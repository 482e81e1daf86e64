public import Bytes

/// Why the initiator logs out (RFC 7143 §11.14.1).
public struct LogoutReason: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let closeSession = LogoutReason(rawValue: 0)
  public static let closeConnection = LogoutReason(rawValue: 1)
  public static let removeConnectionForRecovery = LogoutReason(rawValue: 2)

  /// 3 … 127 mean nothing.
  public var isReserved: Bool { rawValue > LogoutReason.removeConnectionForRecovery.rawValue }
}

/// The target's answer to a logout (RFC 7143 §11.15.1).
public struct LogoutResponseCode: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let closed = LogoutResponseCode(rawValue: 0)
  public static let connectionNotFound = LogoutResponseCode(rawValue: 1)
  public static let recoveryNotSupported = LogoutResponseCode(rawValue: 2)
  public static let cleanupFailed = LogoutResponseCode(rawValue: 3)
}

/// The orderly end of a connection or session (RFC 7143 §11.14).
///
/// | byte  | field                           |
/// |-------|---------------------------------|
/// | 1     | bit 7 always 1, bits 6–0 reason |
/// | 16–19 | Initiator Task Tag              |
/// | 20–21 | CID, unless the session closes  |
/// | 24–27 | CmdSN                           |
/// | 28–31 | ExpStatSN                       |
public struct LogoutRequest: Sendable, BitwiseCopyable {
  public let header: BasicHeaderSegment

  public init(_ header: BasicHeaderSegment) { self.header = header }

  public init(
    isImmediate: Bool = true, reason: LogoutReason, initiatorTaskTag: InitiatorTaskTag,
    connectionID: ConnectionID = ConnectionID(rawValue: 0), cmdSN: SerialNumber,
    expStatSN: SerialNumber
  ) {
    var header = BasicHeaderSegment(opcode: .logoutRequest)
    header.isImmediate = isImmediate
    header.bytes[1] = 0x80 | reason.rawValue & 0x7F
    header.initiatorTaskTag = initiatorTaskTag
    header.bytes.setBigEndian(connectionID.rawValue, at: 20)
    header.set(cmdSN, at: 24)
    header.set(expStatSN, at: 28)
    self.header = header
  }

  public var isImmediate: Bool { header.isImmediate }
  public var reason: LogoutReason { LogoutReason(rawValue: header.bytes[1] & 0x7F) }
  public var initiatorTaskTag: InitiatorTaskTag { header.initiatorTaskTag }
  public var connectionID: ConnectionID {
    ConnectionID(rawValue: header.bytes.bigEndianUInt16(at: 20))
  }
  public var cmdSN: SerialNumber { header.serialNumber(at: 24) }
  public var expStatSN: SerialNumber { header.serialNumber(at: 28) }
}

/// The last PDU of a connection that logs out (RFC 7143 §11.15).
///
/// | byte  | field                                                          |
/// |-------|----------------------------------------------------------------|
/// | 1     | bit 7 always 1                                                 |
/// | 2     | Response                                                       |
/// | 16–19 | Initiator Task Tag                                             |
/// | 24–35 | StatSN, ExpCmdSN, MaxCmdSN                                     |
/// | 40–41 | Time2Wait, in seconds, before reinstatement                    |
/// | 42–43 | Time2Retain, in seconds after Time2Wait; 0: nothing is kept    |
public struct LogoutResponse: Hashable, Sendable, BitwiseCopyable {
  public var response: LogoutResponseCode
  public var initiatorTaskTag: InitiatorTaskTag
  public var numbers: SequenceNumbers
  public var time2WaitSeconds: UInt16
  public var time2RetainSeconds: UInt16

  public init(
    response: LogoutResponseCode, initiatorTaskTag: InitiatorTaskTag, numbers: SequenceNumbers,
    time2WaitSeconds: UInt16 = 0, time2RetainSeconds: UInt16 = 0
  ) {
    self.response = response
    self.initiatorTaskTag = initiatorTaskTag
    self.numbers = numbers
    self.time2WaitSeconds = time2WaitSeconds
    self.time2RetainSeconds = time2RetainSeconds
  }

  public init(_ header: BasicHeaderSegment) {
    response = LogoutResponseCode(rawValue: header.bytes[2])
    initiatorTaskTag = header.initiatorTaskTag
    numbers = SequenceNumbers(header)
    time2WaitSeconds = header.bytes.bigEndianUInt16(at: 40)
    time2RetainSeconds = header.bytes.bigEndianUInt16(at: 42)
  }

  public func encoded() -> BasicHeaderSegment {
    var header = BasicHeaderSegment(opcode: .logoutResponse)
    header.isFinal = true
    header.bytes[2] = response.rawValue
    header.initiatorTaskTag = initiatorTaskTag
    numbers.write(to: &header)
    header.bytes.setBigEndian(time2WaitSeconds, at: 40)
    header.bytes.setBigEndian(time2RetainSeconds, at: 42)
    return header
  }
}
