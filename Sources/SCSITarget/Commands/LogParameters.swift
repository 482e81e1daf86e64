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
      answer(
        task,
        try LogPageData(task.cdb, pages: logPages, parameters: logParameters).encoded())
    } catch {
      end(task, error)
    }
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
