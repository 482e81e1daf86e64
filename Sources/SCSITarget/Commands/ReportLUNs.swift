internal import SCSIModel

// REPORT LUNS (SPC-4 §6.33).
extension DeviceServer {
  func reportLUNs(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    answer(task, nexus.initiatorTarget.reportLUNsData(for: task.cdb))
  }
}

extension InitiatorTargetNexus {
  /// The list for a validated REPORT LUNS. Whoever has it knows what "reported LUNs data has
  /// changed" would tell, so that is withdrawn (SAM-5 §5.14).
  func reportLUNsData(for cdb: CommandDescriptorBlock) -> [UInt8] {
    guard let selection = ReportLUNsSelection(rawValue: cdb.selectReport) else {
      preconditionFailure("the command table refuses reserved selections")
    }
    for nexus in unitNexuses { nexus.withdraw(.reportedLUNsDataHasChanged) }
    return ReportLUNsData(numbers: luns).encoded(selection)
  }
}
