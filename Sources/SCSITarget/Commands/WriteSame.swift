internal import BackingStore
internal import Reactor
internal import SCSIModel

// WRITE SAME (SBC-3 §5.43, §5.44). Zeros are made by the store if it can: deallocated with UNMAP
// alone, zeroed without it, and with ANCHOR, for where that is served zeroing anchors. Anything
// else, and what the store refuses, is written piece by piece.
extension DeviceServer {
  /// What admission checks of WRITE SAME alone.
  func checkWriteSame(_ task: SCSITask, _ row: CommandRow) throws(Refusal) {
    let flags: UInt16 = row.command == .writeSame32 ? 10 : 1
    // SBC-3 §5.43: ANCHOR goes with UNMAP and ANC_SUP, UNMAP with LBPWS.
    if task.cdb.isAnchor, !task.cdb.isUnmap || !unit.store.capabilities.canAnchor {
      throw Refusal(.invalidFieldInCDB(byte: flags, bit: 4))
    }
    if task.cdb.isUnmap, !unit.store.capabilities.canPunchHoles {
      throw Refusal(.invalidFieldInCDB(byte: flags, bit: 3))
    }
    // The Data-Out Buffer is one block: more or less means the initiator meant something else.
    if task.direction == .dataOut, task.expectedDataTransferLength != unit.blockBytes {
      throw Refusal(.invalidFieldInCDB(byte: row.blocks.countByte, bit: 7))
    }
  }

  func writeSame(_ task: SCSITask) {
    guard task.workCount > 0 else { return end(task, .good) }
    guard task.isDataZero(blockBytes: unit.blockBytes) else { return writeSameByWriting(task) }
    guard task.cdb.isUnmap, !task.cdb.isAnchor, unit.store.capabilities.canPunchHoles else {
      return writeSameZeros(task)
    }
    task.request.prepare(.punchHole, at: task.workOffset, count: UInt64(task.workCount))
    start(task, then: .writeSameByDeallocation)
  }

  func writeSameZeros(_ task: SCSITask) {
    guard unit.store.capabilities.canZeroRanges else { return writeSameByWriting(task) }
    task.request.prepare(.zeroRange, at: task.workOffset, count: UInt64(task.workCount))
    start(task, then: .writeSameByZeroing)
  }

  func writeSameByWriting(_ task: SCSITask) {
    guard takeScratch(for: task), let scratch = task.scratch else { return end(task, .busy) }
    let count = min(task.workCount, LogicalUnit.pieceBytes)
    if let block = task.data {
      scratch.repeatBlock(of: block, blockBytes: unit.blockBytes, count: count)
    } else {
      scratch.fill(0..<count, with: 0)
    }
    writePiece(task, then: .writtenPiece)
  }

  func writtenPieceEnded(_ task: SCSITask) {
    if moveToNextPiece(task) { writePiece(task, then: .writtenPiece) } else { finishDurably(task) }
  }
}

extension SCSITask {
  /// Whether the block to be written is zeros; with NDOB there is none, and it is.
  fileprivate func isDataZero(blockBytes: Int) -> Bool {
    guard let data else { return true }
    // The first byte is zero and every byte equals the one before it.
    return data[0] == 0 && data.equals(0, data, at: 1, count: blockBytes - 1)
  }
}

extension Buffer {
  /// Fills the first `count` bytes, whole blocks, with the first block of `source`.
  fileprivate func repeatBlock(of source: Buffer, blockBytes: Int, count: Int) {
    precondition(count >= blockBytes && count % blockBytes == 0)
    copy(from: source, at: 0, to: 0, count: blockBytes)
    var filled = blockBytes
    while filled < count {
      let step = min(filled, count - filled)
      copy(from: self, at: 0, to: filled, count: step)
      filled += step
    }
  }
}
