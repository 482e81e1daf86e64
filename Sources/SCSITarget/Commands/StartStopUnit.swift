internal import BackingStore
internal import Reactor
internal import SCSIModel

// START STOP UNIT and PREVENT ALLOW MEDIUM REMOVAL (SBC-3 §5.25, §5.10). There is nothing to spin
// down, but what an initiator has stopped stays NOT READY until somebody starts it.
extension DeviceServer {
  func startStopUnit(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    // There are no power conditions to enter, and START and LOEJ do not count (SBC-3 table 109). As
    // the field does nothing here its values are not judged; libiscsi's suite expects GOOD for
    // each.
    guard task.cdb.powerCondition == 0 else { return end(task, .good) }
    if task.cdb.isLoadEject {
      guard unit.isRemovable else { return end(task, .invalidFieldInCDB(byte: 4, bit: 1)) }
      guard !unit.medium.isRemovalPrevented else { return end(task, .mediumRemovalPrevented) }
    }
    if task.cdb.isStart { startUnit(task, nexus) } else { stopUnit(task) }
  }

  private func startUnit(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    if task.cdb.isLoadEject, unit.medium.change(from: .ejected, to: .ready) {
      return finish(task, nexus, telling: .notReadyToReadyChange)
    }
    _ = unit.medium.change(from: .stopped, to: .ready)
    if let sense = unit.medium.sense(of: unit.medium.condition) { return end(task, sense) }
    end(task, .good)
  }

  /// Stopped before the cache is written to the medium, so that no write slips in behind that; what
  /// is not asked for, or not to be had, does without.
  private func stopUnit(_ task: SCSITask) {
    let goal: MediumState.Condition = task.cdb.isLoadEject ? .ejected : .stopped
    if goal == .ejected { _ = unit.medium.change(from: .stopped, to: .ejected) }
    guard unit.medium.change(from: .ready, to: goal), !task.cdb.isNoFlush,
      unit.readiness == .ready, !unit.store.capabilities.isReadOnly
    else { return end(task, .good) }
    synchronize(task, then: .stopUnit)
  }

  /// The synchronization of `stopUnit` failed or was aborted: it has not stopped.
  func keepStarted(_ task: SCSITask) {
    _ = unit.medium.change(from: task.cdb.isLoadEject ? .ejected : .stopped, to: .ready)
  }

  func preventAllowMediumRemoval(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    nexus.setPreventsRemoval(task.cdb.isPreventRemoval)
    end(task, .good)
  }
}
