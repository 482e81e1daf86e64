public import SCSIModel

/// An initiator port logged in to a target port (SAM-5 §4.6, "I_T nexus"): its names and the logical
/// units it may use. Lives on one reactor, as long as the session behind it.
public final class InitiatorTargetNexus {
  /// SCSI initiator port name: for iSCSI "<name>,i,0x<ISID>" (RFC 7143 §4.4.5).
  public let initiatorPortName: String
  /// SCSI target port name: for iSCSI "<name>,t,0x<tag>".
  public let targetPortName: String
  public let targetDeviceName: String
  public let targetPortGroup: UInt16
  public let relativeTargetPort: UInt16
  /// What registrations know it by, in this session and in a later one.
  public let identity: NexusIdentity
  /// All ports of the target, the nexus' own among them, in the order of their identifiers.
  public let targetPorts: [TargetPortIdentity]
  /// The same ports, as registrations know them.
  let reservationPorts: [ReservationPorts.Port]

  /// Whether the transport carries the functions that SAM-3 and later added to task management
  /// (for iSCSI: protocol level 2, RFC 7144 §6.3).
  public let hasExtendedTaskManagement: Bool

  /// The LUNs presented, ascending, and the logical unit of each at the same place.
  public private(set) var luns: [UInt16] = []
  public private(set) var logicalUnits: [LogicalUnitNexus] = []

  public init(
    initiatorPortName: String, targetPortName: String, targetDeviceName: String,
    targetPortGroup: UInt16, relativeTargetPort: UInt16, identity: NexusIdentity,
    targetPorts: [TargetPortIdentity] = [], reservationPorts: [ReservationPorts.Port]? = nil,
    hasExtendedTaskManagement: Bool = false
  ) {
    self.hasExtendedTaskManagement = hasExtendedTaskManagement
    self.initiatorPortName = initiatorPortName
    self.targetPortName = targetPortName
    self.targetDeviceName = targetDeviceName
    self.targetPortGroup = targetPortGroup
    self.relativeTargetPort = relativeTargetPort
    self.identity = identity
    let ownPort = ReservationPorts.Port(identity.target, relativeIdentifier: relativeTargetPort)
    self.reservationPorts = reservationPorts ?? [ownPort]
    let own = TargetPortIdentity(
      group: targetPortGroup, relativePort: relativeTargetPort, name: targetPortName)
    self.targetPorts = targetPorts.isEmpty ? [own] : targetPorts
    precondition(self.targetPorts.contains(own), "a nexus is of a port of its target")
  }

  /// The tag of the portal group that is the target port: the end of its name (RFC 7143 §4.4.5).
  var targetPortalGroupTag: UInt16 {
    UInt16(targetPortName.suffix(4), radix: 16) ?? targetPortGroup
  }

  /// Presents `server`'s logical unit as `lun`, starting with the unit attention `attention`.
  public func attach(
    _ server: DeviceServer, as lun: UInt16, isReadOnly: Bool, attention: SenseData
  ) {
    let nexus = LogicalUnitNexus(
      nexus: self, server: server, lun: lun, isReadOnly: isReadOnly)
    nexus.establish(attention)
    server.attach(nexus)
    let index = place(of: lun)
    luns.insert(lun, at: index)
    logicalUnits.insert(nexus, at: index)
  }

  /// Ends the nexus with every logical unit. Its tasks must have ended before.
  public func detachAll() {
    for unit in logicalUnits { unit.server.detach(unit) }
    luns.removeAll()
    logicalUnits.removeAll()
  }

  /// Asked by every command: mostly LUNs count from 0 and have no gaps, so that they are places, too.
  public func logicalUnit(at lun: UInt16) -> LogicalUnitNexus? {
    var index = Int(lun)
    if index >= luns.count || luns[index] != lun {
      index = place(of: lun)
      guard index < luns.count, luns[index] == lun else { return nil }
    }
    return logicalUnits[index]
  }

  /// The first place whose LUN is not below `lun`.
  private func place(of lun: UInt16) -> Int {
    var low = 0
    var high = luns.count
    while low < high {
      let middle = (low + high) / 2
      if luns[middle] < lun { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

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
