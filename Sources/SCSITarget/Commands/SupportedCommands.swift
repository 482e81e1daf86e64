internal import SCSIModel

// REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4 §6.35, §6.36).
extension DeviceServer {
  func reportSupportedOperationCodes(_ task: SCSITask) {
    do throws(SenseData) {
      answer(task, withoutUnserved(try table.reportSupportedOperationCodes(task.cdb), task.cdb))
    } catch {
      end(task, error)
    }
  }

  /// The table's answer less the commands that this unit, unlike others, does not serve.
  private func withoutUnserved(_ data: [UInt8], _ cdb: CommandDescriptorBlock) -> [UInt8] {
    guard !unit.serves(.unmap) else { return data }
    let opcode = table[.unmap].opcode
    guard cdb.bytes[2] & 0x07 == 0 else {
      return cdb.bytes[3] == opcode ? [0, 0x01, 0, 0] : data
    }
    // RCTD: a descriptor has 8 bytes, or 20 with its timeouts.
    let descriptorBytes = cdb.bytes[2] & 0x80 != 0 ? 20 : 8
    var list: [UInt8] = []
    for start in stride(from: 4, to: data.count, by: descriptorBytes)
    where data[start] != opcode {
      list += data[start..<start + descriptorBytes]
    }
    let length = UInt32(list.count)
    return [
      UInt8(length >> 24), UInt8(length >> 16 & 0xFF), UInt8(length >> 8 & 0xFF),
      UInt8(length & 0xFF),
    ]
      + list
  }

  /// What iSCSI carries (RFC 7143 §11.5.1) and this target does.
  func reportSupportedTaskManagementFunctions(_ task: SCSITask) {
    let functions: SupportedTaskManagementFunctions = [
      .abortTask, .abortTaskSet, .clearTaskSet, .logicalUnitReset, .targetReset,
    ]
    answer(task, functions.encoded(isExtended: task.cdb.isReturnExtendedParameterData))
  }
}
