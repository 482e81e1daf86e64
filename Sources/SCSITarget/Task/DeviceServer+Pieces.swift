internal import BackingStore
internal import Reactor
internal import SCSIModel

// Commands whose blocks need not fit a buffer work piece by piece, through the second buffer of
// their task.
extension DeviceServer {
  /// Reads the piece after what is done.
  func readPiece(_ task: SCSITask, then step: ExecutionStep) {
    let piece = beginPiece(task)
    task.request.prepareRead(into: piece, at: task.workOffset + UInt64(task.workDone))
    start(task, then: step)
  }

  /// Writes the piece after what is done. Not durable one by one: one synchronization at the end is
  /// cheaper.
  func writePiece(_ task: SCSITask, then step: ExecutionStep) {
    let piece = beginPiece(task)
    task.request.prepareWrite(
      from: piece, at: task.workOffset + UInt64(task.workDone), isDurable: false)
    start(task, then: step)
  }

  private func beginPiece(_ task: SCSITask) -> BufferSlice {
    guard let scratch = task.scratch else { preconditionFailure("a piece needs memory") }
    task.stepCount = min(task.workCount - task.workDone, LogicalUnit.pieceBytes)
    return scratch.slice(0..<task.stepCount)
  }

  /// Counts the piece in hand as done. False: it was the last.
  func moveToNextPiece(_ task: SCSITask) -> Bool {
    task.workDone += task.stepCount
    return task.workDone < task.workCount
  }
}

extension Buffer {
  /// The offset in this buffer of the first byte that differs from `other`'s.
  func firstDifference(
    at offset: Int, from other: Buffer, at otherOffset: Int, count: Int
  ) -> Int? {
    if equals(offset, other, at: otherOffset, count: count) { return nil }
    let index = (0..<count).first { self[offset + $0] != other[otherOffset + $0] }
    return index.map { offset + $0 }
  }
}
