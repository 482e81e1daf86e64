internal import BackingStore
internal import Reactor
internal import SCSIModel

// READ and WRITE (SBC-3 §5.11 to §5.14, §5.33 to §5.36), and SYNCHRONIZE CACHE's part in them. The
// I/O path: no allocation, no lock. DPO is a hint about a cache that is the kernel's.
extension DeviceServer {
  /// With FUA the data comes from the medium: what is in the cache goes there first.
  func read(_ task: SCSITask) {
    if task.cdb.isForceUnitAccess, unit.modes.writeCacheEnabled, task.workCount > 0,
      !unit.store.capabilities.isReadOnly
    {
      return synchronize(task, then: .readAfterSynchronize)
    }
    readBlocks(task)
  }

  func readBlocks(_ task: SCSITask) {
    guard let data = task.data else { return end(task, .good) }
    task.request.prepareRead(into: data.slice(0..<task.workCount), at: task.workOffset)
    start(task, then: .returnBlocks)
  }

  func returnBlocks(_ task: SCSITask) {
    counters.countRead(task.workCount, since: task.startTime, now: reactor.now)
    task.dataCount = task.workCount
    end(task, .good)
  }

  func write(_ task: SCSITask) {
    let isDurable = task.cdb.isForceUnitAccess || !unit.modes.writeCacheEnabled
    write(task, isDurable: isDurable, then: .finishWrite)
  }

  func write(_ task: SCSITask, isDurable: Bool, then step: ExecutionStep) {
    guard let data = task.data, task.workCount > 0 else { return end(task, .good) }
    task.request.prepareWrite(
      from: data.slice(0..<task.workCount), at: task.workOffset, isDurable: isDurable)
    start(task, then: step)
  }

  /// A MODE SELECT may have turned the write cache off while this write was in flight, and its own
  /// flush come too early for it.
  func finishWrite(_ task: SCSITask) {
    counters.countWrite(task.workCount, since: task.startTime, now: reactor.now)
    if task.request.isDurable { return end(task, .good) }
    finishDurably(task)
  }
}
