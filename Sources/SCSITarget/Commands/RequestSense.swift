internal import BackingStore
internal import SCSIModel

// REQUEST SENSE (SPC-4 §6.39): GOOD, and the sense data as data. Sense data of commands goes with
// their status (autosense), so what is left are unit attentions and the unit's state.
extension DeviceServer {
  func requestSense(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    task.reportedAttention = nexus.takeAttention()
    let sense = task.reportedAttention ?? nexus.accessState.sense ?? stateSense(for: nexus)
    answer(task, sense.encoded(task.cdb.isDescriptorSense ? .descriptor : .fixed).bytes)
  }

  /// SPC-4 §6.39.1: why TEST UNIT READY would be refused.
  private func stateSense(for nexus: LogicalUnitNexus) -> SenseData {
    if let sense = unit.medium.sense(of: unit.medium.condition) { return sense }
    return switch unit.readiness {
    case .waitingForLock: nexus.waitForLock()
    case .absent: absence
    case .gone, .unusable: .logicalUnitNotReadyManualInterventionRequired
    case .ready, .latched: .noAdditionalSenseInformation
    }
  }
}

extension AsymmetricAccessState {
  /// What TEST UNIT READY would end with; nil if the state admits it.
  fileprivate var sense: SenseData? {
    isActive ? nil : refusal(of: CommandTable.standard[.testUnitReady])
  }
}
