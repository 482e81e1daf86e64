public import SCSIModel

/// An initiator port logged in to a target port (SAM-5 §4.6, "I_T nexus"): who they are, and the
/// logical units it may use. Lives on one reactor, as long as the session behind it.
public final class InitiatorTargetNexus {
  /// The port it is logged in to.
  public let port: TargetPortIdentity
  /// What registrations know it by, in this session and in a later one.
  public let identity: NexusIdentity
  /// All ports of the target, the nexus' own among them, in the order of their identifiers.
  public private(set) var targetPorts: [TargetPortIdentity]
  /// The same ports, as registrations know them.
  private(set) var reservationPorts: [ReservationPorts.Port]

  /// Whether the transport carries what RFC 7144 added to iSCSI (iSCSIProtocolLevel 2): the task
  /// management functions of SAM-3 and later (§6.3), the status qualifier, sense data with GOOD.
  public let hasProtocolLevel2: Bool

  /// The LUNs presented, ascending, and the I_T_L nexus of each at the same place.
  public private(set) var luns: [UInt16] = []
  public private(set) var unitNexuses: [LogicalUnitNexus] = []
  /// What was last presented at the LUNs that were taken away.
  private var formerUnits: [UInt16: PresentedUnit] = [:]

  /// Without `port`, the one that `identity` names, in a target port group of its own; without
  /// `targetPorts`, it is the only one of the target.
  public init(
    identity: NexusIdentity, port: TargetPortIdentity? = nil,
    targetPorts: [TargetPortIdentity] = [], reservationPorts: [ReservationPorts.Port]? = nil,
    hasProtocolLevel2: Bool = false
  ) {
    let port = port ?? TargetPortIdentity(identity.target)
    self.identity = identity
    self.port = port
    self.targetPorts = targetPorts.isEmpty ? [port] : targetPorts
    self.reservationPorts =
      reservationPorts
      ?? [ReservationPorts.Port(identity.target, relativeIdentifier: port.relativePort)]
    self.hasProtocolLevel2 = hasProtocolLevel2
    precondition(self.targetPorts.contains(port), "a nexus is of a port of its target")
  }

  /// The target has these ports from here on. Whoever did not know them is told INQUIRY DATA HAS
  /// CHANGED: MULTIP and the SCSI Ports page name them (SPC-4 §6.6.2, §7.8.12), and initiators look
  /// at the target port groups anew by it.
  public func setPorts(
    _ targetPorts: [TargetPortIdentity], reservationPorts: [ReservationPorts.Port]
  ) {
    precondition(targetPorts.contains(port), "a nexus is of a port of its target")
    guard targetPorts != self.targetPorts else { return }
    self.targetPorts = targetPorts
    self.reservationPorts = reservationPorts
    for nexus in unitNexuses {
      nexus.server.accessPortsChanged(of: nexus)
      nexus.establish(.inquiryDataHasChanged)
    }
  }

  /// Presents `server`'s logical unit as `lun`, starting with the unit attention `attention`.
  public func attach(
    _ server: DeviceServer, as lun: UInt16, isReadOnly: Bool, attention: SenseData
  ) {
    let nexus = LogicalUnitNexus(
      of: self, server: server, lun: lun, isReadOnly: isReadOnly)
    server.attach(nexus, attention: attention)
    let index = place(of: lun)
    luns.insert(lun, at: index)
    unitNexuses.insert(nexus, at: index)
  }

  /// Ends the nexus with every logical unit. Its tasks must have ended before.
  public func detachAll() {
    for nexus in unitNexuses { detach(nexus) }
  }

  /// Aborts all tasks and ends the nexus with each logical unit as soon as its last task there has
  /// ended: with those that have none before this returns, with one whose store hangs much later.
  /// No command may come any more.
  public func detachWhenDrained() {
    for nexus in unitNexuses {
      nexus.server.drain(nexus) { [weak self] in self?.detach(nexus) }
    }
  }

  private func detach(_ nexus: LogicalUnitNexus) {
    guard let index = unitNexuses.firstIndex(where: { $0 === nexus }) else { return }
    luns.remove(at: index)
    unitNexuses.remove(at: index)
    nexus.server.detach(nexus)
  }

  /// Takes units out of the map; their nexuses stay for their last tasks.
  func remove(where isLeaving: (LogicalUnitNexus) -> Bool) -> [LogicalUnitNexus] {
    let leaving = unitNexuses.filter(isLeaving)
    unitNexuses.removeAll(where: isLeaving)
    luns = unitNexuses.map(\.lun)
    for nexus in leaving { formerUnits[nexus.lun] = PresentedUnit(nexus.server.unit) }
    return leaving
  }

  /// What the initiator may still know at `lun`, whenever it was taken away; forgets it.
  func takeFormerUnit(at lun: UInt16) -> PresentedUnit? { formerUnits.removeValue(forKey: lun) }

  /// Asked by every command: mostly LUNs count from 0 and have no gaps, so that they are places,
  /// too.
  public func unitNexus(at lun: UInt16) -> LogicalUnitNexus? {
    var index = Int(lun)
    if index >= luns.count || luns[index] != lun {
      index = place(of: lun)
      guard index < luns.count, luns[index] == lun else { return nil }
    }
    return unitNexuses[index]
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
