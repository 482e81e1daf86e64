internal import BackingStore
internal import Reactor
internal import SCSIModel

/// What a FORMAT UNIT or a SANITIZE does to every block of a unit (SBC-3 §5.3, §5.24).
///
/// The unit's and not the command's: once begun it goes on to its end, whatever is aborted, fenced,
/// reset or logged out meanwhile (SBC-3 §4.11.2 demands it of SANITIZE). Until then the medium is
/// NOT READY for everybody, so nothing that it still writes can land among other commands' data.
///
/// It has begun when its first write starts. The command of one that has not is in the task set,
/// with IMMED too: whoever aborts or fences it waits for it, and then nothing begins any more.
final class MediumWipe: StoreClient, TimerHandler {
  /// One pass over all blocks.
  enum Pass {
    /// Zeros, as cheaply as the store can.
    case zero
    /// Gives every block back; the store can.
    case deallocate
    /// The pattern, repeated in each block from its start.
    case write([UInt8])
  }

  struct Plan {
    let condition: MediumState.Condition
    var passes: [Pass]
    var isImmediate: Bool
    /// AUSE of a SANITIZE.
    var allowsUnrestrictedExit = false

    /// On record until it has succeeded.
    var mark: WipeMark {
      WipeMark(
        condition == .formatting ? .format : .sanitize,
        allowsUnrestrictedExit: allowsUnrestrictedExit)
    }
    var failedCondition: MediumState.Condition {
      condition == .formatting ? .formatFailed : .sanitizeFailed
    }
    var failure: SenseData {
      condition == .formatting ? .formatCommandFailed : .sanitizeCommandFailed
    }
  }

  private enum Step { case piece, synchronize }

  private let server: DeviceServer
  private let plan: Plan
  /// What the medium was before.
  private let former: MediumState.Condition
  private let request = StoreRequest()
  /// The command that waits for the beginning or the end; nil if none does (any more).
  private var task: SCSITask?
  private var claim: RangeLockClaim?
  /// What has to happen before the first write: the range granted, and the mark saved.
  private var preparationsMissing = 2
  private var markError: SystemError?
  private var scratch: Buffer?
  private var step = Step.piece
  private var passIndex = 0
  private var offset: UInt64 = 0
  private var pieceCount: UInt64 = 0
  /// The store turned out not to do what the pass asks for.
  private var writesZeros = false
  /// Since when the store has been short of resources.
  private var shortSince: MonotonicTime?

  /// Without moving data a piece may be long, but it is what an abort and the end of the process
  /// wait for, and some stores write the zeros after all: a second or two.
  private static let allocationBytes: UInt64 = 256 << 20

  /// A shortage passes as a rule, and a failure is for good: what the store is short of resources
  /// for is asked for again, this often and this long.
  static let retryInterval = Milliseconds(100)
  static let shortageMax = Milliseconds.seconds(60)

  init(_ plan: Plan, _ server: DeviceServer, former: MediumState.Condition) {
    self.plan = plan
    self.former = former
    self.server = server
    request.belong(to: self)
  }

  private var unit: LogicalUnit { server.unit }
  private var capacityBytes: UInt64 { unit.capacity.rawValue * UInt64(unit.blockBytes) }

  // MARK: Beginning

  /// False: not now, and nothing has happened. The unit is NOT READY for others already.
  func begin(for task: SCSITask) -> Bool {
    guard let scratch = server.workBuffer(LogicalUnit.pieceBytes, for: task) else { return false }
    claim = server.claimRange(offset: 0, count: capacityBytes) { [self] in drained() }
    guard claim != nil else {
      server.reactor.buffers.release(scratch)
      return false
    }
    self.scratch = scratch
    server.charge(scratch.capacity)
    unit.medium.progress = 0
    server.wipe = self
    self.task = task
    server.saveMark(plan.mark) { [self] error in markSaved(error) }
    return true
  }

  /// What others had under way has ended, and what comes finds the medium NOT READY. So the range
  /// is given back: who claims it too, and who fences that one, does not wait for the end of this.
  private func drained() {
    if let claim { server.release(claim) }
    claim = nil
    prepared()
  }

  private func markSaved(_ error: SystemError?) {
    markError = error
    prepared()
  }

  private func prepared() {
    preparationsMissing -= 1
    guard preparationsMissing == 0 else { return }
    // Nothing is written of which a restart would not know.
    guard markError == nil else { return end(in: former, Refusal(.internalTargetFailure)) }
    guard !isStopped else { return withdraw() }
    unit.medium.allowsUnrestrictedExit = plan.allowsUnrestrictedExit
    startPass()
    if plan.isImmediate { endTask() }
  }

  /// The command has been aborted or fenced. Not `mayProceed`: the medium is NOT READY already.
  private var isStopped: Bool { task.map { $0.isAborted || $0.isFenced } ?? false }

  /// Does not begin. Should the former mark not come back, a restart takes the medium for failed;
  /// here it is known to be whole.
  private func withdraw() {
    server.saveMark(formerMark) { [self] _ in end(in: former, .reservationConflict) }
  }

  /// What was on record before.
  private var formerMark: WipeMark? {
    switch former {
    case .formatFailed: WipeMark(.format)
    case .sanitizeFailed:
      WipeMark(.sanitize, allowsUnrestrictedExit: unit.medium.allowsUnrestrictedExit)
    case .ready, .stopped, .ejected, .formatting, .sanitizing: nil
    }
  }

  // MARK: Passes

  private func startPass() {
    offset = 0
    writesZeros = false
    switch plan.passes[passIndex] {
    case .write(let pattern): fillScratch(pattern)
    // For where the store cannot.
    case .zero, .deallocate: fillScratch([0])
    }
    nextPiece()
  }

  private func fillScratch(_ pattern: [UInt8]) {
    guard let scratch else { preconditionFailure("a pass has memory") }
    let blockBytes = unit.blockBytes
    for index in 0..<blockBytes { scratch[index] = pattern[index % pattern.count] }
    for start in stride(from: blockBytes, to: LogicalUnit.pieceBytes, by: blockBytes) {
      scratch.copy(from: scratch, at: 0, to: start, count: blockBytes)
    }
  }

  private func nextPiece() {
    noteProgress()
    answerStopped()
    if unit.medium.isInterrupted { return finish(failed: true) }
    let left = capacityBytes - min(offset, capacityBytes)
    guard left > 0 else { return endPass() }
    switch plan.passes[passIndex] {
    case .zero where !writesZeros && unit.store.capabilities.canZeroRanges:
      allocate(.zeroRange, left)
    case .deallocate where !writesZeros: allocate(.punchHole, left)
    case .zero, .deallocate, .write: write(left)
    }
  }

  private func allocate(_ operation: StoreRequest.Operation, _ left: UInt64) {
    pieceCount = min(left, MediumWipe.allocationBytes)
    request.prepare(operation, at: offset, count: pieceCount)
    start(.piece)
  }

  private func write(_ left: UInt64) {
    guard let scratch else { preconditionFailure("a pass has memory") }
    pieceCount = min(left, UInt64(LogicalUnit.pieceBytes))
    request.prepareWrite(
      from: scratch.slice(0..<Int(pieceCount)), at: offset, isDurable: false)
    start(.piece)
  }

  private func start(_ step: Step) {
    self.step = step
    unit.store.start(request, on: server.reactor)
  }

  /// Every pass reaches the medium before the next begins, or a cache would swallow all but the
  /// last.
  private func endPass() {
    request.prepareSynchronize()
    start(.synchronize)
  }

  func storeRequestEnded(_ request: StoreRequest, _ failure: StoreFailure?) {
    if failure == .unsupported, !writesZeros {
      writesZeros = true
      return nextPiece()
    }
    if failure == .shortOfResources, waitForResources() { return }
    guard failure == nil else { return finish(failed: true) }
    shortSince = nil
    switch step {
    case .piece:
      offset += pieceCount
      nextPiece()
    case .synchronize:
      passIndex += 1
      if passIndex < plan.passes.count { startPass() } else { finish(failed: false) }
    }
  }

  /// False: it has taken too long.
  private func waitForResources() -> Bool {
    let now = server.reactor.now
    let since = shortSince ?? now
    guard now < since + MediumWipe.shortageMax else { return false }
    shortSince = since
    _ = server.reactor.startTimer(after: MediumWipe.retryInterval, for: self)
    return true
  }

  /// Does the piece again, or after the last the synchronization.
  func timerFired(_ timer: TimerID) { nextPiece() }

  private func noteProgress() {
    let perPass = 65_536 / plan.passes.count
    // Below 2^16 times the capacity in MiB: no overflow.
    let inPass = (offset >> 20) * UInt64(perPass) / max(capacityBytes >> 20, 1)
    unit.medium.progress = UInt16(clamping: passIndex * perPass + Int(inPass))
  }

  /// The command ends when it is aborted or fenced, and its work goes on.
  private func answerStopped() {
    if isStopped { endTask(.reservationConflict) }
  }

  private func finish(failed: Bool) {
    guard !failed else { return end(in: plan.failedCondition, Refusal(plan.failure)) }
    server.saveMark(nil) { [self] error in
      // With the mark still there a restart would find it failed; so it has.
      if error == nil {
        end(in: .ready)
      } else {
        end(in: plan.failedCondition, Refusal(plan.failure))
      }
    }
  }

  private func end(in condition: MediumState.Condition, _ refusal: Refusal? = nil) {
    _ = unit.medium.change(from: plan.condition, to: condition)
    if let scratch {
      server.discharge(scratch.capacity)
      server.reactor.buffers.release(scratch)
    }
    scratch = nil
    // Before the command ends, for its owner may begin the next at once. The caller keeps this
    // alive.
    server.wipe = nil
    endTask(refusal)
  }

  /// Ends the command that waits, if one does, as aborted if it was.
  private func endTask(_ refusal: Refusal? = nil) {
    guard let task else { return }
    self.task = nil
    if let refusal { server.end(task, refusal) } else { server.end(task, .good) }
  }
}
