internal import AdministrationModel

/// What statistics are asked for.
enum StatisticsScope {
  case system, target, logicalUnit, session, connection
}

extension TgtadmCall {
  func showStatistics(_ scope: StatisticsScope) async throws(TgtFailure) {
    switch scope {
    case .connection: terminal.write(StatisticsListing.connections(of: try await session()))
    case .session:
      let session = try await session()
      let io = try await statistics().sessions.first { $0.session == session.id }?.io
      let row = StatisticsListing.Row(
        tid: request.tid ?? 0, lun: 0, sid: session.id, counters: io?.counters ?? IOCounters())
      terminal.write(
        StatisticsListing.table([row]) + "\n" + StatisticsListing.connections(of: session))
    case .system, .target, .logicalUnit: try await showUnits(scope)
    }
  }

  private func showUnits(_ scope: StatisticsScope) async throws(TgtFailure) {
    let state = try await state()
    let target = scope == .system ? nil : try state.target(request.tid)
    if scope == .logicalUnit, request.lun != 0, target?.lun(request.lun) == nil {
      throw .noLogicalUnit
    }
    let rows = try await statistics().luns.filter { row in
      row.initiator == nil && (target == nil || target?.name == row.target)
        && (scope != .logicalUnit || UInt64(row.lun) == request.lun)
    }.map { row in
      StatisticsListing.Row(
        tid: state.tid(row.target), lun: row.lun, sid: 0, counters: row.io.counters)
    }
    terminal.write(StatisticsListing.table(rows.sorted { ($0.tid, $0.lun) < ($1.tid, $1.lun) }))
  }

  private func statistics() async throws(TgtFailure) -> StatisticsResource {
    try await asking { daemon throws(AdministrationError) in try await daemon.statistics() }
  }
}
