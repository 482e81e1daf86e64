internal import BackingStore
internal import Reactor
internal import SCSIModel

// VERIFY and WRITE AND VERIFY (SBC-3 §5.29 to §5.32, §5.37 to §5.40): the medium is read back piece by
// piece and compared with the data-out as BYTCHK says.
extension DeviceServer {
  /// The blocks are on the medium before they are read back.
  func writeAndVerify(_ task: SCSITask) {
    write(task, isDurable: true, then: .verifyAfterWrite)
  }

  func verify(_ task: SCSITask) {
    guard task.workCount > 0 else { return end(task, .good) }
    guard takeScratch(for: task) else { return end(task, .busy) }
    readForComparison(task)
  }

  /// A second buffer for one piece of the work.
  func takeScratch(for task: SCSITask) -> Bool {
    precondition(task.scratch == nil)
    task.scratch = reactor.buffers.allocate(min(task.workCount, LogicalUnit.chunkBytes))
    return task.scratch != nil
  }

  private func readForComparison(_ task: SCSITask) {
    guard let scratch = task.scratch else { preconditionFailure("a piece needs memory") }
    task.stepCount = min(task.workCount - task.workDone, LogicalUnit.chunkBytes)
    task.request.prepareRead(
      into: scratch.slice(0..<task.stepCount), at: task.workOffset + UInt64(task.workDone))
    start(task, then: .compare)
  }

  func compare(_ task: SCSITask) {
    if let offset = miscompareOffset(task) {
      return end(task, .miscompareDuringVerify(offset: UInt64(offset)))
    }
    task.workDone += task.stepCount
    if task.workDone < task.workCount {
      readForComparison(task)
    } else {
      end(task, .good)
    }
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
