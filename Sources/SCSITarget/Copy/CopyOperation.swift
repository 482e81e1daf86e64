internal import Reactor
internal import SCSIModel

/// The work of a third-party copy on behalf of the task of its command, run after run, on the
/// reactor of the session. The task ends when the last step in flight has: an abort or a fence
/// stops the copy between steps.
///
/// The task itself never touches a store: its steps do, as tasks of the units that they work on. So
/// what another nexus asks of a unit (a fence, a reset, CLEAR TASK SET) has nothing to wait for but
/// the steps there: a copy that was stopped begins no other, wherever else a disk may hold up one
/// that it has begun. The copy's own initiator, who may use its tag and its blocks again, is told
/// that it has ended only when all of it has.
final class CopyOperation {
  /// Pieces in flight at a time: enough that reading and writing overlap.
  static let lanesMax = 4

  /// Whether copies may take memory for more than they need to go on. Half of it is left to the
  /// commands of others.
  static func hasMemoryToSpare(_ buffers: BufferPool) -> Bool {
    buffers.lentBytes <= buffers.budgetBytes / 2
  }

  /// How the command ends.
  struct Ending {
    var status: SCSIStatus
    var sense: SenseData?

    init(_ status: SCSIStatus, _ sense: SenseData? = nil) {
      self.status = status
      self.sense = sense
    }
  }

  private unowned let task: SCSITask
  private let nexus: LogicalUnitNexus
  private let record: CopyRecords.Record
  private let runs: [CopyRun]
  private let segmentCount: Int
  /// What else is to be done when all of it has been copied.
  private let whenCopied: () -> Void

  private var runIndex = 0
  /// Bytes of the run that were given to lanes.
  private var handedOut: UInt64 = 0
  /// Pieces for which there was no memory.
  private var returned: [CopyPiece] = []
  /// All lanes, which their tasks do not keep.
  private var lanes: [CopyLane] = []
  private var idleLanes: [CopyLane] = []
  private var busyLanes = 0
  private var lanesAllowed = lanesMax
  private var bytesDone: UInt64 = 0

  private var ending: Ending?
  private var isStopped = false
  private var isAdvancing = false
  private var waiters: [() -> Void] = []

  private var server: DeviceServer { nexus.server }
  /// The run that is being copied.
  var run: CopyRun { runs[runIndex] }
  /// What it may still change.
  var destinations: [LogicalUnitNexus] {
    var found: [LogicalUnitNexus] = []
    for run in runs where !found.contains(where: { $0 === run.destination }) {
      found.append(run.destination)
    }
    return found
  }
  /// No further step is to start.
  var isStopping: Bool { ending != nil || isStopped || task.isAborted || task.isFenced }

  init(
    _ task: SCSITask, _ nexus: LogicalUnitNexus, _ record: CopyRecords.Record, runs: [CopyRun],
    segmentCount: Int, ending: Ending? = nil, whenCopied: @escaping () -> Void = {}
  ) {
    self.task = task
    self.nexus = nexus
    self.record = record
    self.runs = runs
    self.segmentCount = segmentCount
    self.ending = ending
    self.whenCopied = whenCopied
  }

  /// Begins the work, whose end ends the task, before this returns or later.
  func start() {
    server.copiesInProgress += 1
    task.copy = self
    record.operation = self
    advance()
  }

  /// COPY OPERATION ABORT: `completion` when the last step has ended.
  func stop(completion: @escaping () -> Void) {
    isStopped = true
    waiters.append(completion)
  }

  // MARK: Pieces

  private func advance() {
    guard !isAdvancing else { return }
    isAdvancing = true
    while !isStopping, runIndex < runs.count, takeStep() {}
    isAdvancing = false
    if busyLanes == 0, isStopping || runIndex == runs.count { finish() }
  }

  /// Starts a piece or goes on to the next run; false if a lane has to end first. Runs are copied
  /// one after the other: what one writes the next may read.
  private func takeStep() -> Bool {
    guard !returned.isEmpty || handedOut < run.byteCount else {
      guard busyLanes == 0 else { return false }
      record.results.segmentsProcessed = UInt16(clamping: run.segment + 1)
      runIndex += 1
      handedOut = 0
      return true
    }
    guard busyLanes < (run.overlaps ? 1 : lanesAllowed),
      busyLanes == 0 || Self.hasMemoryToSpare(server.reactor.buffers)
    else { return false }
    let piece = returned.popLast() ?? takePiece()
    busyLanes += 1
    let lane = idleLanes.popLast() ?? addLane()
    lane.begin(piece, of: run)
    return true
  }

  private func addLane() -> CopyLane {
    let lane = CopyLane(self, reactor: server.reactor)
    lanes.append(lane)
    return lane
  }

  private func takePiece() -> CopyPiece {
    let piece = run.piece(after: handedOut)
    handedOut += piece.count
    return piece
  }

  /// A lane has copied its piece, or could not.
  func laneEnded(_ lane: CopyLane, _ end: CopyLane.End) {
    busyLanes -= 1
    idleLanes.append(lane)
    switch end {
    case .copied: bytesDone += lane.piece.count
    case .dropped: break
    case .failed(let failure)
    where failure.status == .busy && busyLanes > 0 && !failure.isAborted:
      // Less at a time, then.
      lanesAllowed = busyLanes
      returned.append(lane.piece)
    case .failed(let failure): failed(failure)
    }
    record.results.bytesTransferred = bytesDone
    advance()
  }

  private func failed(_ failure: CopyLane.Failure) {
    guard ending == nil else { return }
    if failure.status == .busy, bytesDone == 0, !failure.isAborted {
      ending = Ending(.busy)
    } else if isTokenCommand, !failure.isOfSource, !failure.isAborted {
      // It is the unit's own medium that could not be written.
      ending = Ending(failure.status, failure.sense)
    } else {
      ending = Ending(.checkCondition, .thirdPartyDeviceFailure(segment: run.segment))
    }
  }

  private var isTokenCommand: Bool { task.command == .writeUsingToken }

  // MARK: End

  private func finish() {
    server.copiesInProgress -= 1
    // Whatever became of the steps that the fence met.
    if task.isFenced { ending = Ending(.reservationConflict) }
    noteResults()
    nexus.copies.end(record, now: server.reactor.now)
    let waiting = waiters
    waiters = []
    let end = isStopped && ending == nil ? Ending(.checkCondition, .copyAborted) : ending
    server.end(task, end?.status ?? .good, end?.sense)
    for waiter in waiting { waiter() }
  }

  private func noteResults() {
    if task.isAborted {
      record.results.status = .terminated
      record.results.completion = task.status
    } else if let ending {
      record.results.status = .completedWithErrors
      record.results.completion = ending.status
      record.results.sense = ending.sense
    } else if isStopped {
      record.results.status = .terminated
      record.results.completion = .checkCondition
      record.results.sense = .copyAborted
    } else {
      record.results.status = .completed
      record.results.segmentsProcessed = UInt16(clamping: segmentCount)
      whenCopied()
    }
  }
}
