internal import Reactor
internal import SCSIModel

/// Copies one piece after the other: a READ(16) of the source, then a WRITE(16) of the destination,
/// or a WRITE SAME(16) of zeros. Both are ordinary tasks of the units' task sets, under the nexuses
/// of the initiator that asked for the copy: what forbids it a READ or a WRITE forbids the step,
/// and who aborts or drains the tasks of a unit stops or waits for the step.
final class CopyLane: SCSITaskOwner {
  enum End {
    case copied
    /// Read and not written, as the copy stops.
    case dropped
    case failed(Failure)
  }

  /// Why a piece was not copied.
  struct Failure {
    let isOfSource: Bool
    let status: SCSIStatus
    let sense: SenseData?
    let isAborted: Bool
  }

  private unowned let operation: CopyOperation
  private let reactor: Reactor
  private let reader = SCSITask()
  private let writer = SCSITask()
  private(set) var piece = CopyPiece(offset: 0, count: 0)

  init(_ operation: CopyOperation, reactor: Reactor) {
    self.operation = operation
    self.reactor = reactor
    reader.belong(to: self)
    writer.belong(to: self)
    reader.isCopyStep = true
    writer.isCopyStep = true
  }

  /// Copies `piece` of `run`; the operation hears of the end, before this returns or later.
  func begin(_ piece: CopyPiece, of run: CopyRun) {
    self.piece = piece
    guard let source = run.source else { return zero(piece, of: run) }
    let blocks = source.server.unit.blocks(
      at: run.sourceOffset + piece.offset, count: piece.count)
    submit(reader, to: source, CommandDescriptorBlock(.read16, blocks))
  }

  private func write(_ piece: CopyPiece, of run: CopyRun) {
    submit(
      writer, to: run.destination, CommandDescriptorBlock(.write16, run.destinationBlocks(piece)))
  }

  private func zero(_ piece: CopyPiece, of run: CopyRun) {
    submit(
      writer, to: run.destination,
      CommandDescriptorBlock(
        .writeSame16, run.destinationBlocks(piece), isNoDataOutBuffer: true))
  }

  private func submit(
    _ task: SCSITask, to nexus: LogicalUnitNexus, _ cdb: CommandDescriptorBlock
  ) {
    let count = Int(piece.count)
    task.begin(cdb, expectedDataIn: count, expectedDataOut: count)
    guard !nexus.isDismissed else {
      task.refuse(Refusal(.logicalUnitNotSupported))
      return stepEnded(task)
    }
    switch nexus.server.admit(task, nexus) {
    case .refused:
      stepEnded(task)
    case .collect:
      // What was read is what is written: the tasks trade buffers, which are of one size.
      swap(&task.data, &reader.data)
      nexus.server.execute(task)
    case .execute:
      nexus.server.execute(task)
    }
  }

  func taskEnded(_ task: SCSITask) { stepEnded(task) }

  private func stepEnded(_ task: SCSITask) {
    if task.isAborted || task.status != .good {
      let failure = Failure(
        isOfSource: task === reader, status: task.status, sense: task.sense,
        isAborted: task.isAborted)
      return finish(.failed(failure))
    }
    guard task === reader else { return finish(.copied) }
    guard !operation.isStopping else { return finish(.dropped) }
    write(piece, of: operation.run)
  }

  private func finish(_ end: End) {
    reader.recycle(to: reactor.buffers)
    writer.recycle(to: reactor.buffers)
    operation.laneEnded(self, end)
  }
}
