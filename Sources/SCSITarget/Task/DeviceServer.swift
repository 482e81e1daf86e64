internal import BackingStore
public import Reactor
public import SCSIModel

/// What a device server makes of a command that arrived.
public enum TaskAdmission: Sendable, Equatable {
  /// Collect this many bytes of data-out into `task.data`, then `execute`.
  case collect(byteCount: Int)
  /// No data-out: `execute` now.
  case execute
  /// Answered already: status and sense are in the task. The owner is not called.
  case refused
}

/// A logical unit on one reactor: the share of its task set that belongs to this reactor's
/// sessions, their nexuses, and the execution of their commands (SAM-5 §4.5.19.3 device server and
/// task manager). Used on its reactor's thread only.
public final class DeviceServer {
  public let unit: LogicalUnit
  public let reactor: Reactor

  /// Kept here, so that the I/O path does not ask whether the global has been made.
  let table = CommandTable.standard

  /// The task set: every task admitted and not ended. Unordered; a task knows its slot.
  private(set) var tasks: ContiguousArray<SCSITask> = []
  /// Bytes of the buffers that they and a wipe have. What has ended and is still being sent is its
  /// session's.
  private(set) var lentBytes = 0
  private(set) var nexuses: [LogicalUnitNexus] = []
  /// By the I_T nexuses that are kept from the medium (`DeviceServer+AbortedWrites`).
  var abortedWriteCounts: [ObjectIdentifier: Int] = [:]
  /// Made at once, lazy only because it refers back.
  private(set) lazy var reservations = ReservationAgent(self)

  /// Which share of the unit's task set this is: its place among the unit's device servers.
  private(set) var share = 0

  // The order of tasks (DeviceServer+Order.swift).
  var order = TaskOrder()
  /// Some task of the unit is ORDERED or HEAD OF QUEUE; the one thing that SIMPLE tasks look at.
  var isOrdering = false
  var isAdvancing = false
  var mustAdvanceAgain = false
  private var nextEntry: UInt64 = 0
  private(set) var nextPlace: UInt64 = 0
  /// Third-party copies that go on here, at most `CopyLimits.copiesMax`.
  var copiesInProgress = 0
  /// What of the medium this reactor may not change now; empty but for COMPARE AND WRITE and its
  /// like.
  var rangeLocks = RangeLocks()
  var transportBuffers = TransportBuffers()
  /// The FORMAT UNIT or SANITIZE that was begun here.
  var wipe: MediumWipe?
  /// A reset that was asked for here turns the write cache off.
  var cacheReversion: CacheReversion?
  /// Since when the unit has been here.
  let startTime: MonotonicTime
  let counters = AccessCounters()

  public init(unit: LogicalUnit, reactor: Reactor) {
    self.unit = unit
    self.reactor = reactor
    startTime = reactor.now
    _ = reservations
    share = unit.register(
      ReactorBound(self, on: reactor), counters, reactorIndex: reactor.index,
      transferBytesMax: reactor.buffers.largestShareBytes)
  }

  public var taskCount: Int { tasks.count }
  var courier: Courier { reactor.courier }

  // MARK: Nexuses

  /// A new nexus, to which `attention` is the first thing to be told.
  func attach(_ nexus: LogicalUnitNexus, attention: SenseData) {
    if hasElder(nexus) { nexus.shut(attention: attention) } else { nexus.establish(attention) }
    nexuses.append(nexus)
    nexus.abortedWriteCount = abortedWriteCounts[ObjectIdentifier(nexus.initiatorTarget)] ?? 0
    nexus.gate = reservations.gate(for: nexus)
    unit.nexusAppeared(nexus.number, nexus.initiatorTarget.identity)
  }

  /// What the nexuses that there are of the initiator of `nexus` go by; nil if there is none.
  func initiatorNumber(of nexus: InitiatorTargetNexus) -> UInt64? {
    let name = nexus.identity.initiator.name
    return nexuses.first { $0.initiatorTarget.identity.initiator.name == name }?.initiatorNumber
  }

  func detach(_ nexus: LogicalUnitNexus) {
    precondition(!tasks.contains { $0.nexus === nexus }, "a nexus ended before its tasks")
    nexuses.removeAll { $0 === nexus }
    transportBuffers.forget(nexus)
    unit.nexusEnded(nexus.number)
    nexus.setPreventsRemoval(false)
    reservations.nexusEnded(nexus)
    openHeirs(of: nexus)
  }

  /// PREVENT ALLOW MEDIUM REMOVAL does not outlast a reset (SBC-3 §5.10).
  func allowRemovalForAll() {
    for nexus in nexuses { nexus.setPreventsRemoval(false) }
  }

  /// A unit attention for every nexus on this reactor, but the one with the identity `except`.
  func establishForAll(_ attention: SenseData, except: ObjectIdentifier? = nil) {
    for nexus in nexuses where ObjectIdentifier(nexus) != except { nexus.establish(attention) }
  }

  /// As `establishForAll`, and what was pending before no longer matters.
  func replaceAttentionsForAll(with attention: SenseData) {
    for nexus in nexuses { nexus.replaceAttentions(with: attention) }
  }

  // MARK: Task set

  /// Puts an admitted task into the task set, where task management finds it.
  func enter(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    precondition(task.phase == .idle)
    task.nexus = nexus
    task.phase = .collectingData
    task.startTime = reactor.now
    task.slot = tasks.count
    tasks.append(task)
    counters.noteDepth(tasks.count)
    task.unitBytes = 0
    charge(task, task.data?.capacity ?? 0)
    task.entry = nextEntry
    task.place = SCSITask.noPlace
    nextEntry &+= 1
    if task.attribute != .simple { enterOrder(task) }
  }

  /// Notes that a task of the task set has taken `byteCount` bytes.
  func charge(_ task: SCSITask, _ byteCount: Int) {
    task.unitBytes += byteCount
    charge(byteCount)
  }

  /// Notes that something that outlasts its task has taken `byteCount` bytes.
  func charge(_ byteCount: Int) { lentBytes += byteCount }

  /// It has given them back.
  func discharge(_ byteCount: Int) {
    lentBytes -= byteCount
    precondition(lentBytes >= 0, "what is given back was taken")
  }

  /// From here on `task` is before those of other nexuses that come later.
  func givePlace(_ task: SCSITask) {
    task.place = nextPlace
    nextPlace &+= 1
  }

  func hasTask(before task: SCSITask) -> Bool { tasks.contains { $0.precedes(task) } }

  func hasTask(placedBefore place: UInt64) -> Bool { tasks.contains { $0.place < place } }

  /// Whether `nexus` has a task here (QUERY TASK SET, SAM-5 §7.10).
  public func hasTask(of nexus: LogicalUnitNexus) -> Bool { tasks.contains { $0.nexus === nexus } }

  private func leave(_ task: SCSITask) {
    let slot = task.slot
    precondition(tasks[slot] === task)
    if task.isGated { forgetGate(of: task) }
    let last = tasks.removeLast()
    counters.noteDepth(tasks.count)
    if last !== task {
      tasks[slot] = last
      last.slot = slot
    }
    lentBytes -= task.unitBytes
    // Its data may still be sent; this is of no more use, and on nobody's account.
    if let scratch = task.scratch.take() { reactor.buffers.release(scratch) }
    task.slot = -1
    task.nexus = nil
    task.phase = .ended
    if isOrdering { leaveOrder(task) }
  }

  // MARK: Ends

  /// Ends a task of the task set. An aborted one ends as aborted, whatever became of it.
  func end(_ task: SCSITask, _ status: SCSIStatus, _ sense: SenseData? = nil) {
    precondition(!task.request.isInFlight, "a task ends after its own operation's completion")
    if !task.isAborted {
      task.status = status
      task.sense = sense
      if unit.servesReferrals, status == .good { task.sense = advisedReferral(task) }
    }
    if task.status != .good {
      task.forgetTransfer()
      counters.countFailure(task.status, task.sense)
    } else if task.isAborted {
      counters.countAbort()
    } else {
      counters.countSuccess()
    }
    if task.sense != nil { settleSense(of: task, task.nexus) }
    // Taken out first: the owner may use the task again at once.
    let barriers = task.takeBarriers()
    leave(task)
    task.notifyOwner()
    for barrier in barriers { barrier.taskEnded() }
    if isOrdering { advanceOrder() }
  }

  func end(_ task: SCSITask, _ sense: SenseData) { end(task, .checkCondition, sense) }

  /// Ends a task whose data-out went wrong on the way, before it executes. The owner is called.
  public func fail(_ task: SCSITask, _ sense: SenseData) {
    precondition(task.phase == .collectingData, "only a task that collects data can fail to")
    end(task, sense)
  }

  // MARK: Aborts

  /// Stops `task`: at once if nothing of it has reached the store, else when its operation in
  /// flight has completed; `barrier` then hears of it. Aborting twice is harmless.
  public func abort(_ task: SCSITask, status: SCSIStatus = .good, barrier: DrainBarrier?) {
    switch task.phase {
    case .idle, .ended:
      return
    case .collectingData, .held:
      markAborted(task, status)
      end(task, status)
    case .executing:
      markAborted(task, status)
      if let barrier {
        barrier.add()
        task.barriers.append(barrier)
      }
    }
  }

  private func markAborted(_ task: SCSITask, _ status: SCSIStatus) {
    guard !task.isAborted else { return }
    task.isAborted = true
    task.status = status
    task.sense = nil
    if task.reservationTicket != 0 { reservations.withdraw(task) }
  }

  /// Aborts the tasks of this reactor for which `isVictim` says so. Of a third-party copy that
  /// `isOthers` only its steps here are waited for (`CopyOperation`). Who is told of the abort by a
  /// unit attention, and so before what is in flight has ended, `isToldAtOnce`.
  func abortTasks(
    status: (SCSITask) -> SCSIStatus = { _ in .good },
    isOthers: (SCSITask) -> Bool = { _ in false },
    isToldAtOnce: (SCSITask) -> Bool = { _ in false }, barrier: DrainBarrier,
    where isVictim: (SCSITask) -> Bool = { _ in true }
  ) {
    var collecting: [SCSITask] = []
    for task in tasks where isVictim(task) {
      markAborted(task, status(task))
      if task.phase == .executing {
        if isToldAtOnce(task) { keepFromMedia(until: task) }
        if task.copy != nil, isOthers(task) { continue }
        barrier.add()
        task.barriers.append(barrier)
      } else {
        collecting.append(task)
      }
    }
    // Ended only when all are marked: an owner that hears of it may admit a new command, even with
    // the same task, and the new one is no victim.
    for task in collecting
    where (task.phase == .collectingData || task.phase == .held) && task.isAborted {
      end(task, task.status)
    }
  }

  /// Lets `barrier` wait for the executing tasks of this reactor for which `isMeant` says so.
  func waitForExecuting(_ barrier: DrainBarrier, where isMeant: (SCSITask) -> Bool) {
    for task in tasks where task.phase == .executing && isMeant(task) {
      barrier.add()
      task.barriers.append(barrier)
    }
  }
}
