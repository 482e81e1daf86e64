internal import SCSIModel

// REPORT REFERRALS (SBC-3 §5.23), and referrals in sense data: where the unit serves referrals and
// D_SENSE asks for descriptors, a command that names blocks is told of the target port groups that
// lead to them, if another than its own should or has to be used.
extension DeviceServer {
  func reportReferrals(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    let referral = referral(for: nexus)
    guard task.cdb.startingBlock.rawValue <= referral.lastBlock.rawValue else {
      return end(task, .logicalBlockAddressOutOfRange)
    }
    answer(task, referral.parameterData)
  }

  private func referral(for nexus: LogicalUnitNexus) -> UserDataSegmentReferral {
    // Once: the capacity may change at any time.
    let capacity = unit.capacity.rawValue
    return UserDataSegmentReferral(
      lastBlock: LogicalBlockAddress(max(capacity, 1) - 1), groups: targetPortGroups(nexus))
  }

  /// The other commands, and the steps of copies, hear of the state of the group alone.
  private func mayBeReferred(_ task: SCSITask) -> Bool {
    unit.servesReferrals && unit.modes.usesDescriptorSense && !task.isCopyStep
      && table[task.command].blocks != .none
  }

  /// ABORTED COMMAND instead of what the state of the group ends the command with, if the blocks
  /// can be reached through another one. A group in transition will tell itself where it leads.
  func necessaryReferral(_ task: SCSITask, _ nexus: LogicalUnitNexus) -> SenseData? {
    guard nexus.accessState != .transitioning, mayBeReferred(task),
      targetPortGroups(nexus).contains(where: \.state.isActive)
    else { return nil }
    return .referralIsNecessary
  }

  /// COMPLETED, with GOOD through a group that is not optimized, if there is one that is. Sense
  /// data besides that of CHECK CONDITION came with the transport's later versions (RFC 7144).
  func advisedReferral(_ task: SCSITask) -> SenseData? {
    guard let nexus = task.nexus, nexus.accessState == .activeNonOptimized, mayBeReferred(task),
      nexus.initiatorTarget.hasProtocolLevel2,
      targetPortGroups(nexus).contains(where: { $0.state == .activeOptimized })
    else { return nil }
    return .referralIsAdvised
  }

  /// What belongs to the sense data that the task ends with: its format, and where it refers to.
  func settleSense(of task: SCSITask, _ nexus: LogicalUnitNexus?) {
    task.usesDescriptorSense = unit.modes.usesDescriptorSense
    guard task.sense?.isReferral == true, let nexus else { return }
    task.referral = referral(for: nexus)
  }
}
