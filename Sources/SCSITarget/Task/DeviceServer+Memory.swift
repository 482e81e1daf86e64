internal import Reactor
internal import SCSIModel

// What the commands of a unit have of their reactor's memory. A disk that hangs gives nothing back,
// so its unit leaves the others enough (`BufferPool.allocateForCommand`). Who has nothing of the
// unit's memory is not told so by those who have it all: the first command of each initiator, by
// name, may use what others leave, but for a quarter.
extension DeviceServer {
  /// Memory for the data of a command that is about to enter the task set.
  func takeBuffer(
    for task: SCSITask, _ nexus: LogicalUnitNexus, byteCount: Int
  ) throws(Refusal) {
    precondition(task.data == nil, "a task that begins has no memory")
    guard byteCount > 0 else { return }
    task.data = reactor.buffers.allocateForCommand(byteCount, userBytes: lentBytes)
    if task.data == nil, !tasks.contains(where: { $0.isInitiator(of: nexus) }) {
      task.data = leftBuffer(byteCount)
    }
    guard task.data != nil else { throw .busy }
  }

  /// A second buffer for one piece of the work. False: no memory.
  func takeScratch(for task: SCSITask) -> Bool {
    precondition(task.scratch == nil)
    let byteCount = min(task.workCount, LogicalUnit.pieceBytes)
    guard let scratch = workBuffer(byteCount, for: task) else { return false }
    task.scratch = scratch
    charge(task, scratch.capacity)
    return true
  }

  /// Memory for the work of a task of the task set, beside its data. Whoever keeps it charges it.
  func workBuffer(_ byteCount: Int, for task: SCSITask) -> Buffer? {
    if let buffer = reactor.buffers.allocateForCommand(
      byteCount, userBytes: lentBytes - task.unitBytes)
    {
      return buffer
    }
    return isFirst(task) ? leftBuffer(byteCount) : nil
  }

  /// Whether no task of its initiator has come before it, which then is so until it ends: one task
  /// of an initiator at a time, and none has to wait for it for ever.
  private func isFirst(_ task: SCSITask) -> Bool {
    guard let nexus = task.nexus else { return false }
    return !tasks.contains { $0.entry < task.entry && $0.isInitiator(of: nexus) }
  }

  private func leftBuffer(_ byteCount: Int) -> Buffer? {
    reactor.buffers.allocateForCommand(
      byteCount, userBytes: 0, leftBytesMin: reactor.buffers.budgetBytes / 4)
  }
}
