internal import BackingStore
internal import SCSIModel

// REQUEST SENSE (SPC-4 §6.39): GOOD, and the sense data as data. Sense data of commands goes with
// their status (autosense), so what is left are unit attentions and the unit's state.
extension DeviceServer {
  func requestSense(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    let sense = nexus.takeAttention() ?? stateSense
    answer(task, sense.encoded(task.cdb.isDescriptorSense ? .descriptor : .fixed).bytes)
  }

  private var stateSense: SenseData {
    switch unit.store.readiness {
    case .waitingForLock: .logicalUnitNotReadyBecomingReady
    case .gone: .logicalUnitNotReadyManualInterventionRequired
    case .ready, .latched: .noAdditionalSenseInformation
    }
  }
}
