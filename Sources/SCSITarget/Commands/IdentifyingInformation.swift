internal import SCSIModel

// REPORT and SET IDENTIFYING INFORMATION (SPC-4 §6.32, §6.43), REPORT and SET TIMESTAMP (§6.38,
// §6.46).
extension DeviceServer {
  func reportIdentifyingInformation(_ task: SCSITask) {
    let saved = unit.parameters.saved
    switch IdentifyingInformationType(rawValue: task.cdb.identifyingInformationType) {
    case .logicalUnit:
      answer(task, IdentifyingInformationData.encoded(saved.identifyingInformation))
    case .text:
      answer(task, IdentifyingInformationData.encoded(saved.textIdentifyingInformation))
    case nil: answer(task, IdentifyingInformationData.supportedTypes())
    }
  }

  /// GOOD only when the information is where it will be found again.
  func setIdentifyingInformation(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    guard unit.parameters.beginChange() else { return end(task, .busy) }
    do throws(SenseData) {
      let saved = try changedInformation(task)
      save(saved) { [self] error in
        unit.parameters.endChange()
        guard error == nil else { return end(task, .internalTargetFailure) }
        finish(task, nexus, telling: .deviceIdentifierChanged)
      }
    } catch {
      unit.parameters.endChange()
      end(task, error)
    }
  }

  private func changedInformation(_ task: SCSITask) throws(SenseData) -> SavedParameters {
    let information = try parameterList(of: task)
    var saved = unit.parameters.saved
    guard let type = IdentifyingInformationType(rawValue: task.cdb.identifyingInformationType)
    else { throw .invalidFieldInCDB(byte: 10, bit: 7) }
    if let refusal = IdentifyingInformationData.refusal(of: information, type) { throw refusal }
    switch type {
    case .logicalUnit: saved.identifyingInformation = information
    case .text: saved.textIdentifyingInformation = information
    }
    return saved
  }

  func reportTimestamp(_ task: SCSITask) { answer(task, unit.clock.timestamp.encoded()) }

  /// Lasts until the process ends: a clock that was set once does not go on while nobody runs it.
  func setTimestamp(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    do throws(SenseData) {
      let list = try parameterList(of: task)
      guard !list.isEmpty else { return end(task, .good) }
      unit.clock.set(try TimestampParameters(decoding: list).milliseconds)
      finish(task, nexus, telling: .timestampChanged)
    } catch {
      end(task, error)
    }
  }
}
