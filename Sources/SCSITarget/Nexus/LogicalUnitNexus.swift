public import SCSIModel

/// An initiator port's relation to one logical unit (SAM-5 "I_T_L nexus"): rights and pending unit
/// attentions.
public final class LogicalUnitNexus {
  public unowned let nexus: InitiatorTargetNexus
  public let server: DeviceServer
  public let lun: UInt16
  /// The ACL gives this initiator no right to write.
  public let isReadOnly: Bool
  /// Unlike every other of the logical unit, before and after.
  let number: UInt64
  /// The entry of the first of its tasks, and of the first that is not SIMPLE; `DeviceServer+Order`
  /// notes them before it looks at them, and they are of no use later.
  var firstEntry: UInt64 = .max
  var firstMarkedEntry: UInt64 = .max
  /// What the reservations of the unit leave to this nexus.
  var gate = ReservationGate.open

  private var attentions: [SenseData] = []
  /// The third-party copies that came in here, for the commands that ask for their results.
  var copies = CopyRecords()
  /// This nexus has asked for the medium to stay (PREVENT ALLOW MEDIUM REMOVAL).
  private var preventsRemoval = false

  /// Of the unit through this nexus' port group: the reactor's own copy, which commands look at.
  var accessState: AsymmetricAccessState
  /// Of the unit through each port of the target, when the initiator was last told of a change.
  var accessStatesSeen: [AsymmetricAccessState]

  /// It has filled the echo buffer with WRITE BUFFER, which others may have overwritten since.
  var hasWrittenEcho = false

  /// More different conditions than this do not exist at a time; a further one replaces the last by
  /// "power on, reset, or bus device reset occurred", which tells the initiator to look at everything.
  static let attentionsMax = 16

  init(nexus: InitiatorTargetNexus, server: DeviceServer, lun: UInt16, isReadOnly: Bool) {
    self.nexus = nexus
    self.server = server
    self.lun = lun
    self.isReadOnly = isReadOnly
    number = server.unit.takeNexusNumber()
    let access = server.unit.access
    accessState = access.group(nexus.targetPortGroup).state
    accessStatesSeen = nexus.targetPorts.map { access.group($0.group).state }
  }

  func setPreventsRemoval(_ prevents: Bool) {
    guard prevents != preventsRemoval else { return }
    preventsRemoval = prevents
    if prevents { server.unit.medium.preventRemoval() } else { server.unit.medium.allowRemoval() }
  }

  public var hasUnitAttention: Bool { !attentions.isEmpty }

  /// The next condition tells of a power on, a reset or a nexus loss, as all do that come before
  /// the others.
  var isResetPending: Bool { attentions.first?.tellsOfReset ?? false }

  /// Queues a unit attention condition, once (SAM-5 §5.14): one that tells of a reset before those that
  /// do not, else last.
  public func establish(_ attention: SenseData) {
    guard !attentions.contains(attention) else { return }
    if attentions.count >= Self.attentionsMax {
      attentions = [.powerOnResetOrBusDeviceResetOccurred]
    }
    let place = attention.tellsOfReset ? attentions.firstIndex { !$0.tellsOfReset } : nil
    attentions.insert(attention, at: place ?? attentions.count)
  }

  /// What QUERY ASYNCHRONOUS EVENT tells (SAM-5 §7.9): the condition that the next command would
  /// report, and whether more follow it; nothing is cleared.
  public var pendingAttention: (sense: SenseData, isLast: Bool)? {
    attentions.first.map { ($0, attentions.count == 1) }
  }

  /// A reset says more than anything pending before it.
  func replaceAttentions(with attention: SenseData) { attentions = [attention] }

  /// Drops a condition whose news the initiator has just been told.
  func withdraw(_ attention: SenseData) {
    attentions.removeAll { $0.isSameCondition(as: attention) }
  }

  /// The oldest condition, cleared by reporting it.
  func takeAttention() -> SenseData? {
    attentions.isEmpty ? nil : attentions.removeFirst()
  }
}

extension SenseData {
  /// 29/xx: power on, reset or nexus loss.
  fileprivate var tellsOfReset: Bool { additionalSenseCode == 0x29 }
}
