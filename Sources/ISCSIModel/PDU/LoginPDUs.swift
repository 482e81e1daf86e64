public import Bytes

/// Stage of the Login Phase, the CSG and NSG fields (RFC 7143 §11.12.3). The value 2 is reserved.
public enum LoginStage: UInt8, Sendable, BitwiseCopyable {
  case security = 0
  case operational = 1
  case fullFeature = 3
}

/// Status-Class and Status-Detail of a Login Response (RFC 7143 §11.13.5), class in the high byte.
/// Any class but 0 ends the login, and the target closes the connection.
public struct LoginStatus: RawRepresentable, Hashable, Sendable, BitwiseCopyable,
  CustomStringConvertible
{
  public let rawValue: UInt16

  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public var statusClass: UInt8 { UInt8(rawValue >> 8) }

  public static let success = LoginStatus(rawValue: 0x0000)
  public static let targetMovedTemporarily = LoginStatus(rawValue: 0x0101)
  public static let targetMovedPermanently = LoginStatus(rawValue: 0x0102)
  public static let initiatorError = LoginStatus(rawValue: 0x0200)
  public static let authenticationFailure = LoginStatus(rawValue: 0x0201)
  public static let authorizationFailure = LoginStatus(rawValue: 0x0202)
  public static let notFound = LoginStatus(rawValue: 0x0203)
  public static let targetRemoved = LoginStatus(rawValue: 0x0204)
  public static let unsupportedVersion = LoginStatus(rawValue: 0x0205)
  public static let tooManyConnections = LoginStatus(rawValue: 0x0206)
  public static let missingParameter = LoginStatus(rawValue: 0x0207)
  public static let cannotIncludeInSession = LoginStatus(rawValue: 0x0208)
  public static let sessionTypeNotSupported = LoginStatus(rawValue: 0x0209)
  public static let sessionDoesNotExist = LoginStatus(rawValue: 0x020A)
  public static let invalidDuringLogin = LoginStatus(rawValue: 0x020B)
  public static let targetError = LoginStatus(rawValue: 0x0300)
  public static let serviceUnavailable = LoginStatus(rawValue: 0x0301)
  public static let outOfResources = LoginStatus(rawValue: 0x0302)

  /// Four hexadecimal digits, as RFC 7143 writes them.
  public var description: String {
    let digits = String(rawValue, radix: 16, uppercase: true)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }
}

/// A Login Request's header (RFC 7143 §11.12), decoded but not judged: the login machine decides
/// what a combination means.
///
/// | byte  | field                                                        |
/// |-------|--------------------------------------------------------------|
/// | 0     | 0x43: I, opcode 0x03                                          |
/// | 1     | bit 7 T, bit 6 C, bits 3–2 CSG, bits 1–0 NSG                  |
/// | 2     | Version-max                                                  |
/// | 3     | Version-min                                                  |
/// | 4     | TotalAHSLength                                               |
/// | 5–7   | DataSegmentLength                                            |
/// | 8–13  | ISID                                                         |
/// | 14–15 | TSIH                                                         |
/// | 16–19 | Initiator Task Tag                                           |
/// | 20–21 | CID                                                          |
/// | 24–27 | CmdSN                                                        |
/// | 28–31 | ExpStatSN                                                    |
public struct LoginRequest: Sendable {
  public var isTransit: Bool
  public var isContinued: Bool
  /// CSG; nil is the reserved value 2.
  public var currentStage: LoginStage?
  /// NSG; nil is the reserved value 2. Without T it means nothing.
  public var nextStage: LoginStage?
  public var versionMax: UInt8
  public var versionMin: UInt8
  public var totalAHSLengthBytes: Int
  public var initiatorSessionID: InitiatorSessionID
  public var targetSessionID: TargetSessionID
  public var initiatorTaskTag: InitiatorTaskTag
  public var connectionID: ConnectionID
  public var cmdSN: SerialNumber
  public var expStatSN: SerialNumber

  /// nil if the header is of another opcode.
  public init?(header: BasicHeaderSegment) {
    guard header.opcode == .loginRequest else { return nil }
    let bytes = header.bytes
    isTransit = bytes[1] & 0x80 != 0
    isContinued = bytes[1] & 0x40 != 0
    currentStage = LoginStage(rawValue: bytes[1] >> 2 & 0x03)
    nextStage = LoginStage(rawValue: bytes[1] & 0x03)
    versionMax = bytes[2]
    versionMin = bytes[3]
    totalAHSLengthBytes = header.totalAHSLengthBytes
    initiatorSessionID = InitiatorSessionID(rawValue: bytes.bigEndianUInt64(at: 8) >> 16)
    targetSessionID = TargetSessionID(rawValue: bytes.bigEndianUInt16(at: 14))
    initiatorTaskTag = header.initiatorTaskTag
    connectionID = ConnectionID(rawValue: bytes.bigEndianUInt16(at: 20))
    cmdSN = SerialNumber(bytes.bigEndianUInt32(at: 24))
    expStatSN = SerialNumber(bytes.bigEndianUInt32(at: 28))
  }
}

/// A Login Response's header (RFC 7143 §11.13).
///
/// | byte  | field                                                        |
/// |-------|--------------------------------------------------------------|
/// | 0     | 0x23                                                         |
/// | 1     | bit 7 T, bit 6 C, bits 3–2 CSG, bits 1–0 NSG                  |
/// | 2     | Version-max                                                  |
/// | 3     | Version-active                                               |
/// | 5–7   | DataSegmentLength                                            |
/// | 8–13  | ISID                                                         |
/// | 14–15 | TSIH                                                         |
/// | 16–19 | Initiator Task Tag                                           |
/// | 24–27 | StatSN                                                       |
/// | 28–31 | ExpCmdSN                                                     |
/// | 32–35 | MaxCmdSN                                                     |
/// | 36    | Status-Class                                                 |
/// | 37    | Status-Detail                                                |
public struct LoginResponse: Hashable, Sendable {
  public var isTransit = false
  public var isContinued = false
  public var currentStage: LoginStage
  /// Zero on the wire without T.
  public var nextStage: LoginStage = .security
  public var initiatorSessionID: InitiatorSessionID
  public var targetSessionID: TargetSessionID
  public var initiatorTaskTag: InitiatorTaskTag
  public var statSN: SerialNumber
  public var expCmdSN: SerialNumber
  public var maxCmdSN: SerialNumber
  public var status: LoginStatus = .success

  /// The only version there is: 0x00 is RFC 3720 and RFC 7143 alike (§11.12.4).
  public static let version: UInt8 = 0

  /// The header before a data segment of `dataSegmentLength` bytes.
  public func header(dataSegmentLength: Int) -> BasicHeaderSegment {
    var header = BasicHeaderSegment(opcode: .loginResponse)
    header.bytes[1] =
      (isTransit ? 0x80 : 0) | (isContinued ? 0x40 : 0) | currentStage.rawValue << 2
      | (isTransit ? nextStage.rawValue : 0)
    header.bytes[2] = LoginResponse.version
    header.bytes[3] = LoginResponse.version
    header.dataSegmentLength = dataSegmentLength
    header.bytes.setBigEndian(
      initiatorSessionID.rawValue << 16 | UInt64(targetSessionID.rawValue), at: 8)
    header.initiatorTaskTag = initiatorTaskTag
    header.bytes.setBigEndian(statSN.rawValue, at: 24)
    header.bytes.setBigEndian(expCmdSN.rawValue, at: 28)
    header.bytes.setBigEndian(maxCmdSN.rawValue, at: 32)
    header.bytes.setBigEndian(status.rawValue, at: 36)
    return header
  }
}

/// One Login Response with its text, ready to send.
public struct LoginReply: Hashable, Sendable {
  public var response: LoginResponse
  /// The data segment, not padded; at most `LoginMachine.dataSegmentLengthMax` bytes.
  public var text: [UInt8]

  public init(response: LoginResponse, text: [UInt8]) {
    self.response = response
    self.text = text
  }

  public var header: BasicHeaderSegment { response.header(dataSegmentLength: text.count) }
}
