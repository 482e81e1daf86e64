internal import BackingStore
internal import Reactor
internal import SCSIModel

// From a CDB to a task in the task set (SAM-5 §5.3, SPC-4 §4.3.1): the checks in the standards'
// order, then memory for the data.
extension DeviceServer {
  /// Examines a task that has begun and enters it into the task set, or refuses it.
  public func admit(_ task: SCSITask, _ nexus: LogicalUnitNexus) -> TaskAdmission {
    precondition(task.phase == .idle, "a task is admitted once")
    precondition(nexus.server === self, "a nexus belongs to its own device server")
    do throws(Refusal) {
      try examine(task, nexus)
    } catch {
      task.refuse(error)
      counters.countFailure(error.status, error.sense)
      settleSense(of: task, nexus)
      return .refused
    }
    enter(task, nexus)
    guard task.direction == .dataOut, task.dataCount > 0 else { return .execute }
    return .collect(byteCount: Int(task.transferLength))
  }

  private func examine(_ task: SCSITask, _ nexus: LogicalUnitNexus) throws(Refusal) {
    // Before the unit attention, which these must not clear.
    guard hasPlace(for: nexus) || task.isCopyStep || mayAlwaysEnter(task, nexus) else {
      throw taskSetIsFull(for: nexus)
    }
    // SAM-5 §8.7.5: there is no auto contingent allegiance for it to clear (NACA is refused).
    guard task.attribute != .aca else { throw Refusal(.invalidMessageError) }
    if nexus.isShut, !isServedWhileShut(task.cdb) { throw .busy }
    if nexus.hasUnitAttention, !task.isCopyStep { try reportAttention(to: task, nexus) }
    let command = try decode(task.cdb)
    let row = table[command]
    task.command = command
    task.direction = row.direction(for: task.cdb)
    try mayProceed(task, nexus)
    if row.blocks == .none {
      if command == .formatUnit { return try takeFormatList(of: task, nexus) }
      if command == .unmap { try checkUnmap(task) }
      try takeParameterList(of: task, row, nexus)
    } else {
      let range = try locate(task, row)
      try takeBlocks(range, of: task, row, nexus)
    }
  }

  private func hasPlace(for nexus: LogicalUnitNexus) -> Bool {
    FairShare.admits(taken: taskCount, of: unit.queueDepth) {
      tasks.count { $0.isInitiator(of: nexus) }
    }
  }

  /// SAM-5 §5.3.1: TASK SET FULL tells an initiator to wait for a command of its own; without one
  /// it would wait for nothing, so it hears BUSY.
  private func taskSetIsFull(for nexus: LogicalUnitNexus) -> Refusal {
    hasTask(of: nexus) ? .taskSetFull : .busy
  }

  /// Whether `task` is the one reservation command of its nexus. That is served whatever the others
  /// do: the nexus that is to be fenced must not be able to keep the fence out by filling the task
  /// set or the memory.
  public func mayAlwaysEnter(_ task: SCSITask, _ nexus: LogicalUnitNexus) -> Bool {
    guard let command = table.lookup(task.cdb), command.isReservationCommand else { return false }
    return !tasks.contains {
      $0 !== task && $0.nexus === nexus && $0.command.isReservationCommand
    }
  }

  /// SAM-5 §5.14: reported instead of running the command, right or wrong, and cleared by it. A
  /// reservation conflict comes before it, and leaves it pending, unless it tells of a reset or of
  /// a nexus loss (SAM-5 §5.3.3).
  private func reportAttention(to task: SCSITask, _ nexus: LogicalUnitNexus) throws(Refusal) {
    if ignoresUnitAttention(task.cdb) { return }
    if !nexus.isResetPending, conflicts(task, nexus) { throw .reservationConflict }
    if let attention = nexus.takeAttention() {
      task.reportedAttention = attention
      throw Refusal(attention)
    }
  }

  private func ignoresUnitAttention(_ cdb: CommandDescriptorBlock) -> Bool {
    guard let command = table.lookup(cdb) else { return false }
    return table[command].traits.contains(.ignoresUnitAttention)
  }

  private func conflicts(_ task: SCSITask, _ nexus: LogicalUnitNexus) -> Bool {
    do throws(Refusal) {
      task.command = try decode(task.cdb)
      try mayProceed(task, nexus)
      return false
    } catch {
      return error.status == .reservationConflict
    }
  }

  private func decode(_ cdb: CommandDescriptorBlock) throws(Refusal) -> Command {
    let command: Command
    do throws(SenseData) { command = try table.decode(cdb) } catch { throw Refusal(error) }
    guard unit.serves(command) else { throw Refusal(unserved(command)) }
    return command
  }

  /// The service action is at fault if the unit serves others of the opcode (SPC-4 §4.2.5.2).
  private func unserved(_ command: Command) -> SenseData {
    let opcode = table[command].opcode
    let servesOthers = table.rows.contains { $0.opcode == opcode && unit.serves($0.command) }
    return servesOthers ? .invalidFieldInCDB(byte: 1, bit: 4) : .invalidCommandOperationCode
  }

  /// Whether the command may reach the unit now. Asked when it arrives and again when it is
  /// dispatched: what forbids it may have happened while its data was on the way. The one place for
  /// readiness, protection and reservations.
  func mayProceed(_ task: SCSITask, _ nexus: LogicalUnitNexus) throws(Refusal) {
    let condition = unit.medium.condition
    if condition != .ready, let sense = unit.medium.refusal(of: table[task.command], condition) {
      throw Refusal(sense)
    }
    let traits = table[task.command].traits
    if !nexus.accessState.isActive,
      let sense = nexus.accessState.refusal(of: table[task.command])
    {
      throw Refusal(necessaryReferral(task, nexus) ?? sense)
    }
    let changesMedium = traits.contains(.writesMedium)
    switch unit.readiness {
    case .ready: break
    // BUSY, for the reason that `DeviceServer+Generations` has: Linux repeats a command that finds
    // the unit becoming ready five times, and then fails it at once if the connection drops. What
    // asks whether the unit is ready hears the truth.
    case .waitingForLock where table[task.command].touchesMedium: throw .busy
    case .waitingForLock where !traits.contains(.allowedWhenNotReady):
      throw Refusal(nexus.waitForLock())
    case .gone where !traits.contains(.allowedWhenNotReady),
      .unusable where !traits.contains(.allowedWhenNotReady):
      throw Refusal(.logicalUnitNotReadyManualInterventionRequired)
    case .absent where !traits.contains(.allowedWhenNotReady):
      throw Refusal(absence)
    case .latched where changesMedium || task.command.isSynchronizeCache:
      throw Refusal(.writeError)
    case .waitingForLock, .gone, .unusable, .absent, .latched: break
    }
    try passReservations(task, nexus)
    try passAbortedWrites(task, nexus)
    if changesMedium, isWriteProtected(for: nexus) { throw Refusal(.writeProtected) }
    // An initiator that may only read decides neither how safe the others' writes are, nor whether
    // they may write or the unit runs.
    if nexus.isReadOnly, table[task.command].affectsOthers(task.cdb) {
      throw Refusal(.accessDenied)
    }
  }

  func isWriteProtected(for nexus: LogicalUnitNexus) -> Bool {
    nexus.isReadOnly || unit.modes.isSoftwareWriteProtected || unit.store.capabilities.isReadOnly
  }

  // MARK: Blocks

  /// The blocks that the command names, all of which exist, and not more than it may name.
  private func locate(_ task: SCSITask, _ row: CommandRow) throws(Refusal) -> BlockRange {
    guard var range = task.cdb.blockRange(row.blocks), range.isWithin(unit.capacity) else {
      throw Refusal(.logicalBlockAddressOutOfRange)
    }
    switch row.command {
    case .synchronizeCache10, .synchronizeCache16:
      return range
    case .preFetch10, .preFetch16:
      guard range.count.rawValue <= unit.preFetchBlocksMax else {
        throw Refusal(.invalidFieldInCDB(byte: row.blocks.countByte, bit: 7))
      }
      // PREFETCH LENGTH 0: to the end (SBC-3 §5.8).
      return range.count.isZero ? range.extendedToEnd(of: unit.capacity) ?? range : range
    case .writeSame10, .writeSame16, .writeSame32:
      // NUMBER OF LOGICAL BLOCKS 0: to the end (WSNZ 0, SBC-3 §5.43).
      if range.count.isZero { range = range.extendedToEnd(of: unit.capacity) ?? range }
      guard range.count.rawValue <= unit.writeSameBlocksMax else {
        throw Refusal(.invalidFieldInCDB(byte: row.blocks.countByte, bit: 7))
      }
      try checkWriteSame(task, row)
    case .writeAtomic16:
      guard range.count.rawValue <= unit.atomicBlocksMax else {
        throw Refusal(.invalidFieldInCDB(byte: 12, bit: 7))
      }
    default:
      guard range.count.rawValue <= unit.transferBlocksMax else {
        throw Refusal(.invalidFieldInCDB(byte: row.blocks.countByte, bit: 7))
      }
    }
    return range
  }

  /// Settles what of the store the command works on, and takes memory for its data.
  private func takeBlocks(
    _ range: BlockRange, of task: SCSITask, _ row: CommandRow, _ nexus: LogicalUnitNexus
  ) throws(Refusal) {
    let blockBytes = unit.blockBytes
    guard let place = range.bytes(blockLengthBytes: unit.logicalBlockBytes) else {
      throw Refusal(.logicalBlockAddressOutOfRange)
    }
    // At most the largest transfer: `locate` has checked the count.
    let transferBytes = Int(row.transferBlocks(for: task.cdb)?.rawValue ?? 0) * blockBytes
    let expected = task.expectedDataTransferLength
    task.workOffset = UInt64(place.offset)
    task.workCount = place.length
    task.transferLength = UInt64(transferBytes)
    switch task.direction {
    case .none:
      break
    case .dataIn:
      // Blocks that the initiator has no room for are not read.
      task.workCount = min(transferBytes, (expected + blockBytes - 1) / blockBytes * blockBytes)
      try takeBuffer(for: task, nexus, byteCount: task.workCount)
    case .dataOut:
      task.dataCount = min(transferBytes, expected)
      if task.command.needsAllData(task.cdb) {
        guard task.dataCount == transferBytes else {
          throw Refusal(.invalidFieldInCDB(byte: row.blocks.countByte, bit: 7))
        }
      } else if task.command == .compareAndWrite {
        try checkCompareAndWrite(task, transferBytes: transferBytes)
      } else {
        // Blocks that the initiator does not send whole are not written.
        task.workCount = task.dataCount / blockBytes * blockBytes
      }
      try takeBuffer(for: task, nexus, byteCount: task.dataCount)
    }
  }

  private func takeParameterList(
    of task: SCSITask, _ row: CommandRow, _ nexus: LogicalUnitNexus
  ) throws(Refusal) {
    guard task.direction == .dataOut else { return }
    let length = task.cdb.parameterLengthBytes(row.parameterLength)
    guard length <= row.parameterListBytesMax else { throw Refusal(.parameterListLengthError) }
    task.transferLength = UInt64(length)
    task.dataCount = min(length, task.expectedDataTransferLength)
    if task.dataCount > 0, row.command.isReservationCommand, mayAlwaysEnter(task, nexus) {
      let pool = reactor.buffers
      // Not held against it: what its unit's commands have, which a hung disk may keep.
      task.data =
        pool.allocateForCommand(task.dataCount, userBytes: 0)
        ?? task.reserveBuffer(task.dataCount, from: pool)
      if task.data != nil { return }
    }
    try takeBuffer(for: task, nexus, byteCount: task.dataCount)
  }
}
