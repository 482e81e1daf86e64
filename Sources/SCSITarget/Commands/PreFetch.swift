internal import BackingStore
internal import Reactor
internal import SCSIModel

// PRE-FETCH (SBC-3 §5.8, §5.9): the blocks are read, which brings them into the kernel's cache
// where there is one. GOOD and never CONDITION MET: how long that cache keeps them is not ours to
// promise. IMMED would allow GOOD before that; afterwards is as good.
extension DeviceServer {
  func preFetch(_ task: SCSITask) {
    task.workCount = min(task.workCount, LogicalUnit.preFetchBytesMax)
    guard task.workCount > 0, unit.store.readiness == .ready else { return end(task, .good) }
    guard takeScratch(for: task) else { return end(task, .good) }
    readPiece(task, then: .preFetchedPiece)
  }

  func preFetchedPieceEnded(_ task: SCSITask) {
    if moveToNextPiece(task) { readPiece(task, then: .preFetchedPiece) } else { end(task, .good) }
  }
}
