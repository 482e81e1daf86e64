internal import ISCSIModel
internal import SCSIModel
internal import SCSITarget

// The task management functions of RFC 7144 §6.3, for sessions that agreed on protocol level 2.
extension Session {
  /// The level from which on there are these functions, the status qualifier, and sense data with
  /// GOOD.
  static let extendedProtocolLevel = 2

  var hasProtocolLevel2: Bool {
    parameters.iSCSIProtocolLevel >= Session.extendedProtocolLevel
  }

  func performExtended(
    _ request: TaskManagementFunctionRequest,
    _ answer: @escaping (TaskManagementResult) -> Void
  ) {
    guard hasProtocolLevel2 else { return answer(.functionNotSupported) }
    if request.function == .nexusReset {
      return inOrder(request.cmdSN) { [weak self] in self?.resetNexus { answer(.init($0)) } }
    }
    guard let nexus = unitNexus(of: request.lun) else { return answer(.lunDoesNotExist) }
    inOrder(request.cmdSN) { [weak self] in
      guard let self else { return }
      answer(self.query(request, nexus))
    }
  }

  /// FUNCTION SUCCEEDED if there is what was asked for, FUNCTION COMPLETE if not
  /// (SAM-5 §7.8–§7.10).
  private func query(
    _ request: TaskManagementFunctionRequest, _ nexus: LogicalUnitNexus
  ) -> TaskManagementResult {
    switch request.function {
    case .queryTask:
      let task = task(request.referencedTaskTag)
      let isThere = task?.request.lun == request.lun && task?.hasEnded == false
      return isThere ? .functionSucceeded : .functionComplete
    case .queryTaskSet:
      return nexus.server.hasTask(of: nexus) ? .functionSucceeded : .functionComplete
    case .queryAsynchronousEvent:
      guard let pending = nexus.pendingAttention else { return .functionComplete }
      return TaskManagementResult(
        .functionSucceeded,
        AsynchronousEventInformation(
          senseKey: pending.sense.key.rawValue,
          additionalSenseCode: pending.sense.additionalSenseCode,
          additionalSenseCodeQualifier: pending.sense.additionalSenseCodeQualifier,
          depth: pending.isLast ? .one : .several))
    default:
      return .functionNotSupported
    }
  }

  /// I_T NEXUS RESET: on every logical unit what the loss of this nexus would do.
  private func resetNexus(_ answer: @escaping (TaskManagementResponseCode) -> Void) {
    let answer = answering(afterDataFor: orderedTasks, answer)
    onEveryUnit({ $0.server.resetNexus($0, completion: $1) }) { answer(.functionComplete) }
  }
}

/// What a task management function came to.
struct TaskManagementResult {
  var code: TaskManagementResponseCode
  var information: AsynchronousEventInformation

  init(
    _ code: TaskManagementResponseCode, _ information: AsynchronousEventInformation = .none
  ) {
    self.code = code
    self.information = information
  }

  static let functionComplete = TaskManagementResult(.functionComplete)
  static let functionSucceeded = TaskManagementResult(.functionSucceeded)
  static let functionNotSupported = TaskManagementResult(.functionNotSupported)
  static let lunDoesNotExist = TaskManagementResult(.lunDoesNotExist)
}
