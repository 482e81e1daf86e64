internal import Reactor
internal import SCSIModel

// LOG SENSE and LOG SELECT (SPC-4 §6.8, §6.7). The counters are each reactor's own, and added up
// here.
extension DeviceServer {
  /// The pages that this unit has; what it has used of the medium, only if somebody can look.
  private var logPages: [LogPage] {
    LogPage.allCases.filter {
      $0 != .logicalBlockProvisioning || unit.provisioning.resources != nil
    }
  }

  func logSense(_ task: SCSITask) {
    do throws(SenseData) {
      answer(task, try logPageData(task.cdb).encoded())
    } catch {
      end(task, error)
    }
  }

  private func logPageData(_ cdb: CommandDescriptorBlock) throws(SenseData) -> LogPageData {
    let code = cdb.bytes[2] & 0x3F
    let subpage = cdb.bytes[3]
    let pages = logPages
    guard pages.contains(where: { $0.code == code }) else {
      throw .invalidFieldInCDB(byte: 2, bit: 5)
    }
    if subpage == 0xFF || code == 0 {
      guard subpage == 0xFF || subpage == 0 else { throw .invalidFieldInCDB(byte: 3, bit: 7) }
      // The lists have no parameters to point at.
      guard cdb.parameterPointer == 0 else { throw .invalidFieldInCDB(byte: 5, bit: 7) }
      return subpage == 0 ? .supportedPages(pages) : .supportedSubpages(pages, of: code)
    }
    guard let page = pages.first(where: { $0.code == code && $0.subpage == subpage }) else {
      throw .invalidFieldInCDB(byte: 3, bit: 7)
    }
    return try LogPageData(page, logParameters(page), from: cdb.parameterPointer)
  }

  private func logParameters(_ page: LogPage) -> [LogParameter] {
    switch page {
    case .supportedPages, .supportedPagesAndSubpages: []
    case .logicalBlockProvisioning: unit.provisioning.resources?.parameters ?? []
    case .temperature: LogParameter.temperatures
    case .backgroundScan:
      [
        .backgroundScanStatus(
          powerOnMinutes: reactor.now.milliseconds(since: startTime).rawValue / 60_000)
      ]
    case .generalStatisticsAndPerformance: unit.statistics.parameters
    case .informationalExceptions: [.informationalExceptions]
    }
  }

  func logSelect(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    do throws(SenseData) {
      let list = try parameterList(of: task)
      switch try LogSelection(task.cdb, parameters: list, pages: logPages) {
      case .nothing: end(task, .good)
      case .reset(nil), .reset(.generalStatisticsAndPerformance):
        unit.resetStatistics()
        finish(task, nexus, telling: .logParametersChanged)
      case .reset: end(task, .good)
      }
    } catch {
      end(task, error)
    }
  }
}
