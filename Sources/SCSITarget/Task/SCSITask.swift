public import BackingStore
public import Reactor
public import SCSIModel

/// Owns a task for its transport and hears when it has ended.
public protocol SCSITaskOwner: AnyObject {
  /// `task` has ended: its status, sense and data are there to send. If it was aborted nothing is
  /// to be sent, unless its status says TASK ABORTED.
  func taskEnded(_ task: SCSITask)

  /// Whether `task`, a reservation command for which there is no other memory, may have some of
  /// what is kept for such (`BufferPool.allocateFromReserve`), until its data is given back.
  func mayUseReserve(_ task: SCSITask) -> Bool
}

extension SCSITaskOwner {
  public func mayUseReserve(_ task: SCSITask) -> Bool { true }
}

/// One command from its arrival to its answer (SAM-5 §3.1 "task"). Pooled by the transport and used
/// again, so that a command allocates nothing.
///
/// Life: `admit` by a device server → data collected by the transport, if the command has any →
/// `execute` → `owner.taskEnded` → the transport answers and calls `recycle`.
public final class SCSITask: StoreClient {
  public enum Phase: UInt8, Sendable {
    /// Not in any task set.
    case idle
    /// Admitted, not executing (SAM-5 §8.6 dormant): the transport collects data-out if there is
    /// any, then it waits for its turn. Nothing of it has reached the store.
    case collectingData
    /// Dispatched, and held back while another command has its blocks to itself. Nothing of it has
    /// reached the store.
    case held
    /// The device server works on it; operations may be in flight.
    case executing
    /// Answered or aborted; the transport still uses its data.
    case ended
  }

  /// The order that the initiator wants (SAM-5 §8.7); reservation commands have one of their own
  /// (`TaskOrder`).
  public enum Attribute: UInt8, Sendable {
    /// After the ORDERED and HEAD OF QUEUE tasks before it.
    case simple
    /// After all tasks before it, and before all SIMPLE and ORDERED ones after it.
    case ordered
    /// At once, and before all that come after it on its reactor.
    case headOfQueue
    /// For a faulted task set, of which there is none here.
    case aca
  }

  public internal(set) var phase: Phase = .idle
  public private(set) var attribute: Attribute = .simple
  public private(set) var cdb = CommandDescriptorBlock(InlineArray<16, UInt8>(repeating: 0))
  /// The most data the initiator will take or give; from the transport (EDTL).
  var expectedDataTransferLength: Int {
    direction == .dataOut ? expectedDataOut : expectedDataIn
  }
  private var expectedDataIn = 0
  private var expectedDataOut = 0

  /// Data-in to send or data-out received, from the reactor's pool.
  public internal(set) var data: Buffer?
  /// Data-in: bytes there are to send. Data-out: bytes collected for the command.
  public internal(set) var dataCount = 0

  /// Which way the command moves data, by its CDB.
  public internal(set) var direction: DataDirection = .none
  /// How many bytes the command moves by its CDB and by what it found; with the expected length it
  /// makes the residual.
  public internal(set) var transferLength: UInt64 = 0
  /// All data-out that it waited for, if any, is in `data`: it has been handed over to execute.
  var hasItsData = false

  public internal(set) var status: SCSIStatus = .good
  public internal(set) var sense: SenseData?
  /// Whether its sense data, if any, is to be sent in descriptor format (D_SENSE).
  public internal(set) var usesDescriptorSense = false
  /// Where its sense data refers to.
  var referral: UserDataSegmentReferral?
  public internal(set) var isAborted = false

  /// The I_T_L nexus, while the task is in the task set of its logical unit.
  public internal(set) var nexus: LogicalUnitNexus?

  // MARK: Work

  var command: Command = .testUnitReady
  /// The task's one store operation at a time.
  let request = StoreRequest()
  var step: ExecutionStep = .finish
  /// Where in the store the command works, and on how much of it, in bytes: whole blocks, never
  /// more than the initiator gave or takes.
  var workOffset: UInt64 = 0
  var workCount = 0
  /// How much of the work is done, and how much more the step in flight will have done.
  var workDone = 0
  var stepCount = 0
  /// A second buffer, of commands that compare or repeat.
  var scratch: Buffer?
  /// What of `data` and `scratch` counts as its unit's (`DeviceServer.lentBytes`).
  var unitBytes = 0
  /// What an UNMAP still has to deallocate, last first.
  var unmapRanges: [BlockRange] = []

  /// The unit attention that its status or its data tells of.
  var reportedAttention: SenseData?

  // MARK: Order

  /// Its index in the task set of the device server.
  var slot = -1
  /// When it entered the task set.
  var startTime = MonotonicTime(rawValue: 0)
  /// Its number in the order in which tasks enter this share of the task set.
  var entry: UInt64 = 0
  /// Its number among the tasks of all nexuses here, once nothing of its own keeps it.
  var place = SCSITask.noPlace
  static let noPlace = UInt64.max

  // MARK: Locks and ends

  /// Held back, or with a claim: to be seen to when the task leaves the task set.
  var isGated = false
  /// The lock that the command asked for, or has.
  var rangeClaim: RangeLockClaim?
  /// Who waits for its end.
  var barriers: [DrainBarrier] = []
  /// What the home reactor's answer to a reservation command will name; 0 when none is waited for.
  var reservationTicket: UInt64 = 0
  /// A change of reservations has come that forbids the command: it starts no further operation.
  var isFenced = false

  // MARK: Copies

  /// The third-party copy that is this task's work, or whose end it waits for, until the task is
  /// used again. Either way the task itself touches no store, and no other initiator waits for it.
  var copy: CopyOperation?
  /// It does a step of a copy on another task's behalf. Reports no unit attention: those are the
  /// initiator's to hear. Waits for no other task: the copy, for which others may wait, already
  /// runs.
  var isCopyStep = false

  // MARK: Life

  private unowned var owner: (any SCSITaskOwner)?

  public init() { request.belong(to: self) }

  /// Notes the owner, once, before the first command: an owner can make its task before itself.
  public func belong(to owner: any SCSITaskOwner) { self.owner = owner }

  /// A new command, with the most data that the initiator takes and gives. Zero for the direction
  /// it did not announce: what it will not send is never waited for, and never written.
  public func begin(
    _ cdb: CommandDescriptorBlock, expectedDataIn: Int, expectedDataOut: Int,
    attribute: Attribute = .simple
  ) {
    precondition(phase == .idle, "a task carries one command at a time")
    self.cdb = cdb
    self.attribute = attribute
    self.expectedDataIn = expectedDataIn
    self.expectedDataOut = expectedDataOut
  }

  public func storeRequestEnded(_ request: StoreRequest, _ failure: StoreFailure?) {
    guard let server = nexus?.server else {
      preconditionFailure("a task left its task set with an operation in flight")
    }
    server.stepEnded(self, failure)
  }

  /// Tells the owner; called by the device server once the task has left the task set.
  func notifyOwner() {
    guard let owner else { preconditionFailure("a task has an owner") }
    owner.taskEnded(self)
  }

  /// A command that failed returns no data. What it was to be sent has come, if it has got as far
  /// as to be executed (RFC 7143 §11.4.5.2: what was presented, whatever became of it).
  func forgetTransfer() {
    dataCount = 0
    if direction != .dataOut || !hasItsData { transferLength = 0 }
  }

  func takeBarriers() -> [DrainBarrier] {
    guard !barriers.isEmpty else { return [] }
    let taken = barriers
    barriers = []
    return taken
  }

  /// Puts parameter data, cut to `lengthMax`, where the transport sends it from. False: no memory.
  func returnData(
    _ bytes: [UInt8], lengthMax: Int, from pool: BufferPool, orReserve: Bool = false
  ) -> Bool {
    precondition(data == nil, "parameter data has a buffer of its own")
    let count = min(bytes.count, lengthMax)
    transferLength = UInt64(count)
    guard count > 0 else { return true }
    let allocation =
      pool.allocateForCommand(count, userBytes: 0)
      ?? (orReserve ? reserveBuffer(count, from: pool) : nil)
    guard let buffer = allocation else { return false }
    buffer.store(count == bytes.count ? bytes : Array(bytes.prefix(count)), at: 0)
    data = buffer
    dataCount = count
    return true
  }

  /// Of what is kept for reservation commands, if the owner agrees.
  func reserveBuffer(_ byteCount: Int, from pool: BufferPool) -> Buffer? {
    guard let owner, owner.mayUseReserve(self) else { return nil }
    return pool.allocateFromReserve(byteCount)
  }

  /// Gives its data back before the task is used again: it has ended and sends none of it.
  public func releaseData(to pool: BufferPool) {
    precondition(phase == .ended, "data is in use until the task has ended")
    if let data = data.take() { pool.release(data) }
  }

  /// Makes BUSY of the GOOD of a command that has only read: its data has no place to wait in.
  public func endBusyInstead() {
    precondition(phase == .ended && direction == .dataIn, "what has changed something is done")
    status = .busy
    sense = nil
    forgetTransfer()
  }

  /// Makes the task ready for the next command. `pool` is where its data came from.
  public func recycle(to pool: BufferPool) {
    precondition(phase == .ended || phase == .idle, "a task in a task set is not free")
    if let data { pool.release(data) }
    precondition(scratch == nil, "memory for work goes back with the end of the task")
    data = nil
    dataCount = 0
    workOffset = 0
    workCount = 0
    workDone = 0
    stepCount = 0
    if !unmapRanges.isEmpty { unmapRanges.removeAll() }
    if copy != nil { copy = nil }
    if reportedAttention != nil { reportedAttention = nil }
    if referral != nil { referral = nil }
    status = .good
    sense = nil
    isAborted = false
    isFenced = false
    direction = .none
    transferLength = 0
    hasItsData = false
    usesDescriptorSense = false
    phase = .idle
    step = .finish
  }
}

extension SCSITask {
  /// Whether it is a command of the initiator of `other`, by name, through whatever nexus of the
  /// same device server.
  func isInitiator(of other: LogicalUnitNexus) -> Bool {
    guard let nexus else { return false }
    return nexus.initiatorNumber == other.initiatorNumber
  }
}

// MARK: Sense data

extension SCSITask {
  /// As it is sent; empty if there is none.
  public var encodedSense: [UInt8] {
    guard let sense else { return [] }
    if let referral { return sense.encoded(referring: referral) }
    return sense.encoded(usesDescriptorSense ? .descriptor : .fixed).bytes
  }
}

// MARK: Order

extension SCSITask {
  var hasPlace: Bool { place != SCSITask.noPlace }

  /// Whether it comes before `other` of the same share.
  func precedes(_ other: SCSITask) -> Bool {
    nexus === other.nexus ? entry < other.entry : place < other.place
  }
}

// MARK: Refusals

extension SCSITask {
  /// Answers without having been in a task set.
  func refuse(_ refusal: Refusal) {
    precondition(phase == .idle)
    status = refusal.status
    sense = refusal.sense
    forgetTransfer()
    phase = .ended
  }

  /// Ends a task that has begun with BUSY, before any logical unit has seen it: the transport has
  /// no memory for it. The owner is not called.
  public func refuseBusy() { refuse(.busy) }

  /// Ends a task that has begun with `sense`, before its logical unit has seen it: the transport
  /// finds fault with how it came. The owner is not called.
  public func refuse(_ sense: SenseData, for nexus: LogicalUnitNexus?) {
    refuse(Refusal(sense))
    usesDescriptorSense = nexus?.server.unit.modes.usesDescriptorSense ?? false
  }
}
