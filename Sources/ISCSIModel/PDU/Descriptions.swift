// Codes by name, for the log: an administrator should not have to look numbers up.

extension Opcode: CustomStringConvertible {
  public var description: String {
    switch self {
    case .nopOut: "NOP-Out"
    case .scsiCommand: "SCSI Command"
    case .taskManagementRequest: "Task Management Request"
    case .loginRequest: "Login Request"
    case .textRequest: "Text Request"
    case .dataOut: "Data-Out"
    case .logoutRequest: "Logout Request"
    case .snackRequest: "SNACK Request"
    default: "opcode 0x\(String(rawValue, radix: 16))"
    }
  }
}

extension RejectReason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .dataDigestError: "data digest error"
    case .snackReject: "SNACK reject"
    case .protocolError: "protocol error"
    case .commandNotSupported: "command not supported"
    case .tooManyImmediateCommands: "too many immediate commands"
    case .taskInProgress: "task in progress"
    case .invalidDataACK: "invalid data ACK"
    case .invalidPDUField: "invalid PDU field"
    case .longOperationReject: "long operation reject"
    case .waitingForLogout: "waiting for logout"
    default: "reason 0x\(String(rawValue, radix: 16))"
    }
  }
}

extension TaskManagementFunction: CustomStringConvertible {
  public var description: String {
    switch self {
    case .abortTask: "ABORT TASK"
    case .abortTaskSet: "ABORT TASK SET"
    case .clearACA: "CLEAR ACA"
    case .clearTaskSet: "CLEAR TASK SET"
    case .logicalUnitReset: "LOGICAL UNIT RESET"
    case .targetWarmReset: "TARGET WARM RESET"
    case .targetColdReset: "TARGET COLD RESET"
    case .taskReassign: "TASK REASSIGN"
    case .queryTask: "QUERY TASK"
    case .queryTaskSet: "QUERY TASK SET"
    case .nexusReset: "I_T NEXUS RESET"
    case .queryAsynchronousEvent: "QUERY ASYNCHRONOUS EVENT"
    default: "function \(rawValue)"
    }
  }
}
