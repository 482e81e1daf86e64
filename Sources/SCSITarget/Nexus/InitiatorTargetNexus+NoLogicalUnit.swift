public import Reactor
internal import SCSIModel

// Commands to a LUN that is not there, and to the REPORT LUNS well known logical unit
// (SPC-4 §6.6.1, §6.33, §6.39, SAM-5 §4.7.6).
extension InitiatorTargetNexus {
  /// Answers a task that has begun and for which there is no logical unit. It has ended when this
  /// returns; its owner is not called.
  public func perform(_ task: SCSITask, on reactor: Reactor) {
    precondition(task.phase == .idle, "a task is performed once")
    do throws(Refusal) {
      let bytes = try parameterDataWithoutUnit(task)
      let lengthMax = CommandTable.standard[task.command].allocationLength(of: task.cdb)
      guard task.returnData(bytes, lengthMax: lengthMax, from: reactor.buffers) else {
        throw .busy
      }
      task.phase = .ended
    } catch {
      task.refuse(error)
    }
  }

  private func parameterDataWithoutUnit(_ task: SCSITask) throws(Refusal) -> [UInt8] {
    do throws(SenseData) {
      task.command = try CommandTable.standard.decode(task.cdb)
      task.direction = .dataIn
      switch task.command {
      case .inquiry: return try inquiryWithoutUnit(task.cdb)
      case .reportLUNs: return reportLUNsData(for: task.cdb)
      case .requestSense:
        let format: SenseFormat = task.cdb.isDescriptorSense ? .descriptor : .fixed
        return SenseData.logicalUnitNotSupported.encoded(format).bytes
      default: throw .logicalUnitNotSupported
      }
    } catch {
      task.direction = .none
      throw Refusal(isUnitIndependent(task.cdb) ? error : .logicalUnitNotSupported)
    }
  }

  /// Whether the opcode is one that is looked at although there is no unit.
  private func isUnitIndependent(_ cdb: CommandDescriptorBlock) -> Bool {
    guard let command = CommandTable.standard.lookup(cdb) else { return false }
    return CommandTable.standard[command].traits.contains(.allowedWithoutLogicalUnit)
  }

  private func inquiryWithoutUnit(_ cdb: CommandDescriptorBlock) throws(SenseData) -> [UInt8] {
    guard cdb.isVitalProductData else {
      return StandardInquiryData(
        peripheral: .absent, vendor: "", product: "", revision: ""
      ).encoded()
    }
    guard cdb.vitalProductDataPage == VitalProductDataPage.supportedPages.rawValue else {
      throw .invalidFieldInCDB(byte: 2, bit: 7)
    }
    return VitalProductData.supportedPages([.supportedPages]).encoded(.absent)
  }
}
