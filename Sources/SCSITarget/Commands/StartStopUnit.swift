internal import BackingStore
internal import SCSIModel

// START STOP UNIT (SBC-3 §5.25). There is nothing to spin down: stopping is accepted and commands go
// on. The medium cannot be ejected.
extension DeviceServer {
  func startStopUnit(_ task: SCSITask) {
    guard !task.cdb.isLoadEject else { return end(task, .invalidFieldInCDB(byte: 4, bit: 1)) }
    // SBC-3 §5.25: stopping without NO_FLUSH writes the cache to the medium first.
    guard !task.cdb.isStart, !task.cdb.isNoFlush, unit.store.readiness == .ready,
      !unit.store.capabilities.isReadOnly
    else { return end(task, .good) }
    synchronize(task, then: .finish)
  }
}
