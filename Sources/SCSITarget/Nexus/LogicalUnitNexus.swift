internal import BackingStore
public import SCSIModel

/// An initiator port's relation to one logical unit (SAM-5 "I_T_L nexus"): rights and pending unit
/// attentions.
public final class LogicalUnitNexus {
  public unowned let initiatorTarget: InitiatorTargetNexus
  public let server: DeviceServer
  public let lun: UInt16
  /// The ACL gives this initiator no right to write.
  public internal(set) var isReadOnly: Bool
  /// The LUN was taken away: what still refers to this starts nothing by it.
  var isDismissed = false
  /// Unlike every other of the logical unit, before and after.
  let number: UInt64
  /// Equal for nexuses of one initiator, by name, with this device server at one time, and for no
  /// others: the number of the first of them. So commands compare no names.
  let initiatorNumber: UInt64
  /// The entry of the first of its tasks, and of the first that is not SIMPLE; `DeviceServer+Order`
  /// notes them before it looks at them, and they are of no use later.
  var firstEntry: UInt64 = .max
  var firstMarkedEntry: UInt64 = .max
  /// What the reservations of the unit leave to this nexus.
  var gate = ReservationGate.open

  /// Tasks of an earlier nexus of the same name have not ended here (`DeviceServer+Generations`).
  public private(set) var isShut = false
  /// What the initiator hears first when that is over.
  private var attentionOfOpening: SenseData?
  private var openingWaiters: [() -> Void] = []

  /// Writes of its I_T nexus that others have aborted and that have not ended.
  var abortedWriteCount = 0
  /// It is told BUSY of what touches the medium (`DeviceServer+AbortedWrites`).
  public var isKeptFromMedium: Bool { abortedWriteCount > 0 }
  /// It may be told BUSY for another reason than want of room: something has to end first, be it an
  /// aborted write of another path.
  public var isHeldUp: Bool {
    isShut || isKeptFromMedium || server.unit.readiness == .waitingForLock
      || !server.unit.abortedWriters.nexuses(of: initiatorTarget.identity.initiator.name).isEmpty
  }

  private var attentions = UnitAttentions()
  /// It was told that the unit is becoming ready, and not yet that it is (`StoreArrival`).
  var awaitsLock = false
  /// The third-party copies that came in here, for the commands that ask for their results.
  var copies = CopyRecords()
  /// This nexus has asked for the medium to stay (PREVENT ALLOW MEDIUM REMOVAL).
  private var preventsRemoval = false

  /// Of the unit through this nexus' port group: the reactor's own copy, which commands look at.
  var accessState: AsymmetricAccessState
  /// Of the unit through each port of the target, when the initiator was last told of a change.
  var accessSeen: [AccessSeen]

  /// It has filled the echo buffer with WRITE BUFFER, which others may have overwritten since.
  var hasWrittenEcho = false

  init(
    of initiatorTarget: InitiatorTargetNexus, server: DeviceServer, lun: UInt16, isReadOnly: Bool
  ) {
    self.initiatorTarget = initiatorTarget
    self.server = server
    self.lun = lun
    self.isReadOnly = isReadOnly
    let number = server.unit.takeNexusNumber()
    self.number = number
    initiatorNumber = server.initiatorNumber(of: initiatorTarget) ?? number
    let access = server.unit.access
    accessState = access.group(initiatorTarget.port.group).state
    accessSeen = access.seen(through: initiatorTarget.targetPorts)
  }

  func setPreventsRemoval(_ prevents: Bool) {
    guard prevents != preventsRemoval else { return }
    preventsRemoval = prevents
    if prevents { server.unit.medium.preventRemoval() } else { server.unit.medium.allowRemoval() }
  }

  // MARK: Shut

  func shut(attention: SenseData) {
    isShut = true
    attentionOfOpening = attention
  }

  /// Commands are served from here on.
  func open() {
    isShut = false
    if let attention = attentionOfOpening.take() { establish(attention) }
    let waiters = openingWaiters
    openingWaiters = []
    for waiter in waiters { waiter() }
  }

  /// Lets `barrier` wait until the nexus is open. One that ends before is asked no more.
  func waitForOpening(_ barrier: DrainBarrier) {
    guard isShut else { return }
    barrier.add()
    openingWaiters.append { barrier.taskEnded() }
  }

  // MARK: Unit attentions

  public var hasUnitAttention: Bool { !attentions.isEmpty }
  var isResetPending: Bool { attentions.isResetPending }

  /// Queues a unit attention condition, once (SAM-5 §5.14).
  public func establish(_ attention: SenseData) { attentions.establish(attention) }

  func replaceAttentions(with attention: SenseData) { attentions.replace(with: attention) }
  func withdraw(_ attention: SenseData) { attentions.withdraw(attention) }

  /// The next condition, cleared by reporting it.
  func takeAttention() -> SenseData? { attentions.take() }

  /// The status of `task`, a task of this nexus, never leaves: what it would have told of is still
  /// to be told (SAM-5 §5.14: a condition is cleared when it is reported).
  public func statusWasNotSent(of task: SCSITask) {
    guard let attention = task.reportedAttention else { return }
    task.reportedAttention = nil
    attentions.restore(attention)
  }

  /// What QUERY ASYNCHRONOUS EVENT tells (SAM-5 §7.9): the condition that the next command would
  /// report, and whether more follow it; nothing is cleared.
  public var pendingAttention: (sense: SenseData, isLast: Bool)? {
    attentions.first.map { ($0, attentions.count == 1) }
  }
}
