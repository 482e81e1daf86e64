internal import SCSIModel

// REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4 §6.35,
// §6.36).
extension DeviceServer {
  func reportSupportedOperationCodes(_ task: SCSITask) {
    do throws(SenseData) {
      let data = try table.reportSupportedOperationCodes(task.cdb, serving: unit.serves)
      answer(task, data)
    } catch {
      end(task, error)
    }
  }

  /// What iSCSI carries (RFC 7143 §11.5.1), on this nexus (RFC 7144 §6.3), and this target does.
  func reportSupportedTaskManagementFunctions(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    var functions: SupportedTaskManagementFunctions = [
      .abortTask, .abortTaskSet, .clearTaskSet, .logicalUnitReset, .targetReset,
    ]
    if nexus.initiatorTarget.hasProtocolLevel2 {
      functions.formUnion([.queryTask, .queryTaskSet, .queryAsynchronousEvent, .nexusReset])
    }
    answer(task, functions.encoded(isExtended: task.cdb.isReturnExtendedParameterData))
  }
}
