public import Bytes

/// What a Task Management Function Request asks for (RFC 7143 §11.5.1; 9…12 are RFC 7144 §6.3).
public struct TaskManagementFunction: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let abortTask = TaskManagementFunction(rawValue: 1)
  public static let abortTaskSet = TaskManagementFunction(rawValue: 2)
  public static let clearACA = TaskManagementFunction(rawValue: 3)
  public static let clearTaskSet = TaskManagementFunction(rawValue: 4)
  public static let logicalUnitReset = TaskManagementFunction(rawValue: 5)
  public static let targetWarmReset = TaskManagementFunction(rawValue: 6)
  public static let targetColdReset = TaskManagementFunction(rawValue: 7)
  public static let taskReassign = TaskManagementFunction(rawValue: 8)
  public static let queryTask = TaskManagementFunction(rawValue: 9)
  public static let queryTaskSet = TaskManagementFunction(rawValue: 10)
  public static let nexusReset = TaskManagementFunction(rawValue: 11)
  public static let queryAsynchronousEvent = TaskManagementFunction(rawValue: 12)
}

/// The target's answer to a task management function (RFC 7143 §11.6.1; 7 is RFC 7144 §6.4).
public struct TaskManagementResponseCode: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let functionComplete = TaskManagementResponseCode(rawValue: 0)
  public static let taskDoesNotExist = TaskManagementResponseCode(rawValue: 1)
  public static let lunDoesNotExist = TaskManagementResponseCode(rawValue: 2)
  public static let taskStillAllegiant = TaskManagementResponseCode(rawValue: 3)
  public static let reassignmentNotSupported = TaskManagementResponseCode(rawValue: 4)
  public static let functionNotSupported = TaskManagementResponseCode(rawValue: 5)
  public static let functionAuthorizationFailed = TaskManagementResponseCode(rawValue: 6)
  /// A query found what it asked for.
  public static let functionSucceeded = TaskManagementResponseCode(rawValue: 7)
  public static let functionRejected = TaskManagementResponseCode(rawValue: 255)
}

/// A request about tasks, not a task itself (RFC 7143 §11.5).
///
/// | byte  | field                                                        |
/// |-------|--------------------------------------------------------------|
/// | 1     | bit 7 always 1, bits 6–0 function                            |
/// | 8–15  | LUN, where the function has one                              |
/// | 16–19 | Initiator Task Tag                                           |
/// | 20–23 | Referenced Task Tag, 0xFFFFFFFF for functions without a task |
/// | 24–27 | CmdSN                                                        |
/// | 28–31 | ExpStatSN                                                    |
/// | 32–35 | RefCmdSN: CmdSN of the task to abort                         |
/// | 36–39 | ExpDataSN, for TASK REASSIGN                                 |
public struct TaskManagementFunctionRequest: Sendable, BitwiseCopyable {
  public let header: BasicHeaderSegment

  public init(_ header: BasicHeaderSegment) { self.header = header }

  public init(
    isImmediate: Bool = true, function: TaskManagementFunction, lun: UInt64 = 0,
    initiatorTaskTag: InitiatorTaskTag, referencedTaskTag: InitiatorTaskTag = .reserved,
    cmdSN: SerialNumber, expStatSN: SerialNumber, refCmdSN: SerialNumber = SerialNumber(0),
    expDataSN: SerialNumber = SerialNumber(0)
  ) {
    var header = BasicHeaderSegment(opcode: .taskManagementRequest)
    header.isImmediate = isImmediate
    header.bytes[1] = 0x80 | function.rawValue & 0x7F
    header.lun = lun
    header.initiatorTaskTag = initiatorTaskTag
    header.bytes.setBigEndian(referencedTaskTag.rawValue, at: 20)
    header.set(cmdSN, at: 24)
    header.set(expStatSN, at: 28)
    header.set(refCmdSN, at: 32)
    header.set(expDataSN, at: 36)
    self.header = header
  }

  public var isImmediate: Bool { header.isImmediate }
  public var function: TaskManagementFunction {
    TaskManagementFunction(rawValue: header.bytes[1] & 0x7F)
  }
  public var lun: UInt64 { header.lun }
  public var initiatorTaskTag: InitiatorTaskTag { header.initiatorTaskTag }
  public var referencedTaskTag: InitiatorTaskTag {
    InitiatorTaskTag(rawValue: header.bytes.bigEndianUInt32(at: 20))
  }
  public var cmdSN: SerialNumber { header.serialNumber(at: 24) }
  public var expStatSN: SerialNumber { header.serialNumber(at: 28) }
  public var refCmdSN: SerialNumber { header.serialNumber(at: 32) }
  public var expDataSN: SerialNumber { header.serialNumber(at: 36) }
}

/// The condition that QUERY ASYNCHRONOUS EVENT tells of (SAM-5 §7.9), as it travels in the
/// Additional Response Information (RFC 7144 §6.4).
///
/// | byte | field                                   |
/// |------|-----------------------------------------|
/// | 0    | bits 5–4 UADE DEPTH, bits 3–0 SENSE KEY |
/// | 1    | ADDITIONAL SENSE CODE                   |
/// | 2    | ADDITIONAL SENSE CODE QUALIFIER         |
public struct AsynchronousEventInformation: Hashable, Sendable, BitwiseCopyable {
  /// How many conditions there are.
  public enum Depth: UInt8, Sendable, BitwiseCopyable {
    case unknown = 0
    case one = 1
    case several = 2
  }

  public var senseKey: UInt8
  public var additionalSenseCode: UInt8
  public var additionalSenseCodeQualifier: UInt8
  public var depth: Depth

  public init(
    senseKey: UInt8, additionalSenseCode: UInt8, additionalSenseCodeQualifier: UInt8, depth: Depth
  ) {
    self.senseKey = senseKey
    self.additionalSenseCode = additionalSenseCode
    self.additionalSenseCodeQualifier = additionalSenseCodeQualifier
    self.depth = depth
  }

  /// Nothing to tell: three zero bytes.
  public static let none = AsynchronousEventInformation(
    senseKey: 0, additionalSenseCode: 0, additionalSenseCodeQualifier: 0, depth: .unknown)
}

/// The end of a task management function (RFC 7143 §11.6, RFC 7144 §6.4).
///
/// | byte  | field                                                  |
/// |-------|--------------------------------------------------------|
/// | 1     | bit 7 always 1                                         |
/// | 2     | Response                                               |
/// | 8–10  | Additional Response Information, from protocol level 2 |
/// | 16–19 | Initiator Task Tag                                     |
/// | 24–35 | StatSN, ExpCmdSN, MaxCmdSN                             |
public struct TaskManagementFunctionResponse: Hashable, Sendable, BitwiseCopyable {
  public var response: TaskManagementResponseCode
  public var information: AsynchronousEventInformation
  public var initiatorTaskTag: InitiatorTaskTag
  public var numbers: SequenceNumbers

  public init(
    response: TaskManagementResponseCode, information: AsynchronousEventInformation = .none,
    initiatorTaskTag: InitiatorTaskTag, numbers: SequenceNumbers
  ) {
    self.response = response
    self.information = information
    self.initiatorTaskTag = initiatorTaskTag
    self.numbers = numbers
  }

  public init(_ header: BasicHeaderSegment) {
    response = TaskManagementResponseCode(rawValue: header.bytes[2])
    information = AsynchronousEventInformation(
      senseKey: header.bytes[8] & 0x0F, additionalSenseCode: header.bytes[9],
      additionalSenseCodeQualifier: header.bytes[10],
      depth: AsynchronousEventInformation.Depth(rawValue: header.bytes[8] >> 4 & 3) ?? .unknown)
    initiatorTaskTag = header.initiatorTaskTag
    numbers = SequenceNumbers(header)
  }

  public func encoded() -> BasicHeaderSegment {
    var header = BasicHeaderSegment(opcode: .taskManagementResponse)
    header.isFinal = true
    header.bytes[2] = response.rawValue
    header.bytes[8] = information.depth.rawValue << 4 | information.senseKey & 0x0F
    header.bytes[9] = information.additionalSenseCode
    header.bytes[10] = information.additionalSenseCodeQualifier
    header.initiatorTaskTag = initiatorTaskTag
    numbers.write(to: &header)
    return header
  }
}
