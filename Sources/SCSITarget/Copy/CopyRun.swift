internal import SCSIModel

/// Consecutive bytes to be copied from one place to another, or zeroed. Whole blocks of both sides,
/// all of which exist.
struct CopyRun {
  /// nil: zeros.
  let source: LogicalUnitNexus?
  let sourceOffset: UInt64
  let destination: LogicalUnitNexus
  let destinationOffset: UInt64
  let byteCount: UInt64
  /// The number of the segment descriptor that asked for it.
  let segment: Int

  private var isWithinOneUnit: Bool { source?.server.unit === destination.server.unit }

  /// The source and the destination share bytes, so that the order of the pieces matters: as they
  /// are read one piece ahead, the result is the source as it was before (as by memmove).
  var overlaps: Bool {
    guard isWithinOneUnit else { return false }
    return sourceOffset < destinationOffset
      ? destinationOffset - sourceOffset < byteCount
      : sourceOffset - destinationOffset < byteCount
  }

  /// The last piece is copied first.
  var isBackward: Bool { overlaps && sourceOffset < destinationOffset }

  /// The most that one step does.
  var stepBytesMax: UInt64 {
    let unit = destination.server.unit
    guard source == nil else {
      return UInt64(min(LogicalUnit.pieceBytes, unit.transferBlocksMax * unit.blockBytes))
    }
    return UInt64(unit.writeSameBlocksMax) * UInt64(unit.blockBytes)
  }

  /// The piece that begins when `done` bytes of the run are done or being done.
  func piece(after done: UInt64) -> CopyPiece {
    precondition(done < byteCount, "a run that is handed out has no more pieces")
    let count = min(byteCount - done, stepBytesMax)
    return CopyPiece(offset: isBackward ? byteCount - done - count : done, count: count)
  }

  /// Where `piece` of the run goes.
  func destinationBlocks(_ piece: CopyPiece) -> BlockRange {
    destination.server.unit.blocks(at: destinationOffset + piece.offset, count: piece.count)
  }
}

/// What one step copies: bytes of a run.
struct CopyPiece {
  let offset: UInt64
  let count: UInt64
}

extension LogicalUnit {
  /// The blocks that these bytes, which a step is of, are.
  func blocks(at offset: UInt64, count: UInt64) -> BlockRange {
    let blockBytes = UInt64(blockBytes)
    precondition(offset % blockBytes == 0 && count % blockBytes == 0, "a step is of whole blocks")
    return BlockRange(start: offset / blockBytes, count: count / blockBytes)
  }
}

extension LogicalUnitNexus {
  /// Whether its initiator may do `command`, a READ(16) or WRITE(16), now: readiness, protection
  /// and reservations, as if it came in here.
  func allows(_ command: Command) -> Bool {
    let task = SCSITask()
    task.isCopyStep = true
    task.command = command
    task.begin(
      CommandDescriptorBlock(command, BlockRange(start: 0, count: 0)), expectedDataIn: 0,
      expectedDataOut: 0)
    do throws(Refusal) {
      try server.mayProceed(task, self)
      return true
    } catch {
      return false
    }
  }
}
