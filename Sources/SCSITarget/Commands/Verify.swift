internal import BackingStore
internal import Reactor
internal import SCSIModel

// VERIFY and WRITE AND VERIFY (SBC-3 §5.29 to §5.32, §5.37 to §5.40): the medium is read back piece
// by piece and compared with the data-out as BYTCHK says.
extension DeviceServer {
  /// The blocks are on the medium before they are read back.
  func writeAndVerify(_ task: SCSITask) {
    write(task, isDurable: true, then: .verifyAfterWrite)
  }

  func verify(_ task: SCSITask) {
    guard task.workCount > 0 else { return end(task, .good) }
    guard takeScratch(for: task) else { return end(task, .busy) }
    readPiece(task, then: .compare)
  }

  func compare(_ task: SCSITask) {
    if let offset = miscompareOffset(task) {
      return end(task, .miscompareDuringVerify(offset: UInt64(offset)))
    }
    if moveToNextPiece(task) { readPiece(task, then: .compare) } else { end(task, .good) }
  }

  /// Where in the data-out the first byte is that differs from the piece read; nil if none does.
  private func miscompareOffset(_ task: SCSITask) -> Int? {
    guard let scratch = task.scratch, let data = task.data else { return nil }
    switch task.cdb.byteCheck {
    case .mediumOnly, .reserved:
      return nil
    case .compare:
      return data.firstDifference(
        at: task.workDone, from: scratch, at: 0, count: task.stepCount)
    case .compareOneBlock:
      for offset in stride(from: 0, to: task.stepCount, by: unit.blockBytes) {
        if let difference = data.firstDifference(
          at: 0, from: scratch, at: offset, count: unit.blockBytes)
        {
          return difference
        }
      }
      return nil
    }
  }
}
