internal import BackingStore
internal import Reactor
internal import SCSIModel

// COMPARE AND WRITE and ORWRITE (SBC-3 §5.2, §5.5): what is read decides what is written, and
// nobody else changes the blocks in between. WRITE ATOMIC (SBC-4): nobody reads or changes them
// meanwhile.
extension DeviceServer {
  /// The Data-Out holds what to compare with and what to write: exactly that, or the initiator
  /// meant something else, for instance more blocks than one byte counts.
  func checkCompareAndWrite(_ task: SCSITask, transferBytes: Int) throws(Refusal) {
    guard task.expectedDataTransferLength == transferBytes else {
      throw Refusal(.invalidFieldInCDB(byte: 13, bit: 7))
    }
  }

  func lockBlocks(_ task: SCSITask) {
    guard task.workCount > 0 else { return end(task, .good) }
    let claim = claimRange(
      offset: task.workOffset, count: UInt64(task.workCount),
      excludesReads: task.command == .writeAtomic16, for: task.nexus
    ) { [self] in blocksLocked(task) }
    guard let claim else { return end(task, .busy) }
    task.rangeClaim = claim
    task.isGated = true
  }

  private func blocksLocked(_ task: SCSITask) {
    guard let nexus = task.nexus else { preconditionFailure("a task with a claim has not ended") }
    if task.isAborted { return end(task, task.status) }
    // What forbids it may have happened while it waited.
    do throws(Refusal) { try mayProceed(task, nexus) } catch { return end(task, error) }
    if task.command == .writeAtomic16 { return write(task) }
    guard takeScratch(for: task) else { return end(task, .busy) }
    readToDecide(task)
  }

  private func readToDecide(_ task: SCSITask) {
    readPiece(task, then: task.command == .compareAndWrite ? .compareThenWrite : .uniteThenWrite)
  }

  func compareThenWrite(_ task: SCSITask) {
    guard let scratch = task.scratch, let data = task.data else {
      preconditionFailure("a comparison needs both")
    }
    precondition(task.stepCount == task.workCount, "MAXIMUM COMPARE AND WRITE LENGTH is one piece")
    if let offset = data.firstDifference(at: 0, from: scratch, at: 0, count: task.workCount) {
      return end(task, .miscompareDuringVerify(offset: UInt64(offset)))
    }
    task.request.prepareWrite(
      from: data.slice(task.workCount..<2 * task.workCount), at: task.workOffset,
      isDurable: task.cdb.isForceUnitAccess || !unit.modes.writeCacheEnabled)
    start(task, then: .finishWrite)
  }

  func uniteThenWrite(_ task: SCSITask) {
    guard let scratch = task.scratch, let data = task.data else {
      preconditionFailure("a union needs both")
    }
    scratch.formUnion(with: data, at: task.workDone, to: 0, count: task.stepCount)
    writePiece(task, then: .unitedPiece)
  }

  func unitedPieceEnded(_ task: SCSITask) {
    if moveToNextPiece(task) { return readToDecide(task) }
    if task.cdb.isForceUnitAccess { return synchronize(task, then: .finish) }
    finishDurably(task)
  }
}
