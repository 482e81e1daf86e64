internal import SCSIModel
internal import Synchronization

/// A place in the LUN map of a nexus as it is to be.
public struct LUNMapEntry {
  public let lun: UInt16
  public let server: DeviceServer
  public let isReadOnly: Bool

  public init(lun: UInt16, server: DeviceServer, isReadOnly: Bool) {
    self.lun = lun
    self.server = server
    self.isReadOnly = isReadOnly
  }
}

/// What initiators may remember of a unit that was taken away from them, and of its blocks as they
/// were then.
struct PresentedUnit {
  let number: UInt64
  let blockBytes: UInt32
  let blockCount: UInt64

  init(_ unit: LogicalUnit) {
    number = unit.number
    blockBytes = unit.logicalBlockBytes
    blockCount = unit.blockCount.load(ordering: .relaxed)
  }
}

// A LUN map that changes while its initiator is logged in.
extension InitiatorTargetNexus {
  /// Makes the LUN map what `entries` say, each LUN once; true: the list of units is another one
  /// now.
  ///
  /// At once no new command reaches a unit that is taken away. Its tasks of this nexus end with
  /// TASK ABORTED, since an initiator that heard nothing would wait for its timeout and retry.
  /// `completion` when the last of their operations has ended and the nexus with these units is
  /// gone, before this returns or later.
  ///
  /// Who stays is told: REPORTED LUNS DATA HAS CHANGED (SPC-4 §5.8.7, by the units that stay),
  /// INQUIRY DATA HAS CHANGED and CAPACITY DATA HAS CHANGED (another unit at the LUN than was last
  /// there, also if there was none in between), MODE PARAMETERS CHANGED (only WP of the mode
  /// parameter header tells of a write protection, SBC-3 §6.4.1).
  public func changeMap(
    to entries: [LUNMapEntry], completion: @escaping () -> Void
  ) -> Bool {
    var wanted: [UInt16: LUNMapEntry] = [:]
    for entry in entries { wanted[entry.lun] = entry }
    let leaving = remove { wanted[$0.lun]?.server !== $0.server }
    protect(by: wanted)
    for lun in luns { wanted[lun] = nil }
    let hasChanged = !leaving.isEmpty || !wanted.isEmpty
    if hasChanged {
      for nexus in unitNexuses { nexus.establish(.reportedLUNsDataHasChanged) }
    }
    for entry in wanted.values.sorted(by: { $0.lun < $1.lun }) {
      attach(
        entry.server, as: entry.lun, isReadOnly: entry.isReadOnly,
        attention: .powerOnResetOrBusDeviceResetOccurred)
      tellOfExchange(at: entry.lun)
    }
    let gone = DrainBarrier(completion: completion)
    for nexus in leaving {
      gone.add()
      dismiss(nexus) { gone.taskEnded() }
    }
    gone.arm()
    return hasChanged
  }

  /// A host that kept its device is to look whether it is still the same (SPC-4 §6.6.1), and how
  /// large.
  private func tellOfExchange(at lun: UInt16) {
    guard let former = takeFormerUnit(at: lun), let nexus = unitNexus(at: lun) else { return }
    let unit = PresentedUnit(nexus.server.unit)
    if unit.number != former.number { nexus.establish(.inquiryDataHasChanged) }
    if unit.blockBytes != former.blockBytes || unit.blockCount != former.blockCount {
      nexus.establish(.capacityDataHasChanged)
    }
  }

  /// Write protection as it is to be, which counts from the next command to be dispatched.
  private func protect(by wanted: [UInt16: LUNMapEntry]) {
    for nexus in unitNexuses {
      guard let isReadOnly = wanted[nexus.lun]?.isReadOnly, isReadOnly != nexus.isReadOnly else {
        continue
      }
      nexus.isReadOnly = isReadOnly
      nexus.establish(.modeParametersChanged)
    }
  }

  /// Ends the tasks of a unit that is not in the map any more, then the nexus with it. Third-party
  /// copies of other units' tasks start no further step by it.
  private func dismiss(_ nexus: LogicalUnitNexus, completion: @escaping () -> Void) {
    nexus.isDismissed = true
    // Keeps the I_T nexus, too, which that of the unit does not.
    let barrier = DrainBarrier { [self] in
      precondition(nexus.initiatorTarget === self, "a nexus dismisses its own")
      nexus.server.detach(nexus)
      completion()
    }
    // Mapped anew, the unit tells the initiator of a reset, maybe before these tasks have ended.
    nexus.server.abortTasks(
      status: { _ in .taskAborted }, isToldAtOnce: { _ in true }, barrier: barrier
    ) { $0.nexus === nexus }
    // A reset that waits for the tasks of an earlier session would wait for ever.
    nexus.waitForOpening(barrier)
    barrier.arm()
  }
}
