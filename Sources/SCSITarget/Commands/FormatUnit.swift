internal import BackingStore
internal import Reactor
internal import SCSIModel

// FORMAT UNIT and SANITIZE (SBC-3 §5.3, §5.24). The work is `MediumWipe`'s.
extension DeviceServer {
  /// The list has no length in the CDB: it is what the initiator sends, as far as anybody can need
  /// it.
  func takeFormatList(of task: SCSITask, _ nexus: LogicalUnitNexus) throws(Refusal) {
    guard task.direction == .dataOut else { return }
    task.dataCount = min(task.expectedDataTransferLength, LogicalUnit.formatListBytesMax)
    task.transferLength = UInt64(task.dataCount)
    try takeBuffer(for: task, nexus, byteCount: task.dataCount)
  }

  func formatUnit(_ task: SCSITask) {
    do throws(SenseData) {
      let list = try formatList(task)
      let isZero = list.pattern.allSatisfy { $0 == 0 }
      wipe(
        task,
        MediumWipe.Plan(
          condition: .formatting, passes: [isZero ? .zero : .write(list.pattern)],
          isImmediate: list.isImmediate))
    } catch {
      end(task, error)
    }
  }

  private func formatList(_ task: SCSITask) throws(SenseData) -> FormatParameterList {
    guard task.cdb.isFormatData else {
      // CMPLST and LONGLIST speak of a list that does not come (SBC-3 table 38).
      guard !task.cdb.isCompleteList, !task.cdb.isLongList else {
        throw .invalidFieldInCDB(byte: 1, bit: 5)
      }
      return FormatParameterList()
    }
    return try FormatParameterList(
      decoding: try parameterList(of: task), isLong: task.cdb.isLongList,
      blockBytes: unit.blockBytes)
  }

  // MARK: SANITIZE

  func sanitizeOverwrite(_ task: SCSITask) {
    // PARAMETER LIST LENGTH: a header, and a pattern that is not empty and fits a block.
    guard (5...4 + unit.blockBytes).contains(Int(clamping: task.transferLength)) else {
      return end(task, .invalidFieldInCDB(byte: 7, bit: 7))
    }
    do throws(SenseData) {
      let list = try OverwriteParameterList(
        decoding: try parameterList(of: task), blockBytes: unit.blockBytes)
      let inverted = list.pattern.map { ~$0 }
      // With INVERT every pass writes the complement of the one before (SBC-3 §5.24.2.2).
      let passes = (0..<list.overwriteCount).map { index in
        MediumWipe.Pass.write(list.isInverted && index % 2 == 1 ? inverted : list.pattern)
      }
      sanitize(task, passes)
    } catch {
      end(task, error)
    }
  }

  func sanitizeBlockErase(_ task: SCSITask) { sanitize(task, [.deallocate]) }

  private func sanitize(_ task: SCSITask, _ passes: [MediumWipe.Pass]) {
    wipe(
      task,
      MediumWipe.Plan(
        condition: .sanitizing, passes: passes, isImmediate: task.cdb.isSanitizeImmediate,
        allowsUnrestrictedExit: task.cdb.isUnrestrictedExitAllowed))
  }

  /// Only a SANITIZE with AUSE may be given up like this (SBC-3 §5.24.2.5).
  func sanitizeExitFailureMode(_ task: SCSITask) {
    guard unit.medium.condition == .sanitizeFailed else { return end(task, .good) }
    guard unit.medium.allowsUnrestrictedExit else {
      return end(task, .invalidFieldInCDB(byte: 1, bit: 4))
    }
    // While the mark goes nobody can begin another, whose mark it would be.
    guard unit.medium.change(from: .sanitizeFailed, to: .sanitizing) else {
      return end(task, .busy)
    }
    saveMark(nil) { [self] error in
      _ = unit.medium.change(from: .sanitizing, to: error == nil ? .ready : .sanitizeFailed)
      if error == nil { end(task, .good) } else { end(task, .internalTargetFailure) }
    }
  }

  // MARK: Beginning

  private func wipe(_ task: SCSITask, _ plan: MediumWipe.Plan) {
    let before = unit.medium.condition
    // Another reactor may have been quicker; then it is asked again, and refused or queued.
    guard before != .formatting, before != .sanitizing,
      unit.medium.change(from: before, to: plan.condition)
    else { return end(task, .busy) }
    guard MediumWipe(plan, self, former: before).begin(for: task) else {
      _ = unit.medium.change(from: plan.condition, to: before)
      return end(task, .busy)
    }
  }
}
