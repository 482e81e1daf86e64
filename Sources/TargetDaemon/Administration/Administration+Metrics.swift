internal import AdministrationModel
internal import BackingStore
internal import ISCSITarget
internal import Reactor
internal import SCSITarget
internal import TargetConfig

// What a monitoring system collects.
extension Administration {
  func metrics() async throws(AdministrationError) -> String {
    let workers = try await workerStatistics()
    let sessions = try await summaries()
    var text = MetricsText()
    describeDaemon(&text)
    describeWorkers(workers, &text)
    describeSessions(sessions, &text)
    let units = daemon.inventory.served.map { ($0, $0.unit.unitStatistics) }
    describeStores(units.map(\.0), &text)
    describeCommands(units.map { ($0.name, $1) }, &text)
    describeLatencies(units.map { ($0.name, $1) }, &text)
    return text.text
  }

  private func describeDaemon(_ text: inout MetricsText) {
    let configuration = configuration
    text.family("swift_tgtd_info", .gauge, "The daemon and its version.")
    text.sample(
      "swift_tgtd_info",
      ["version": Version.text, "engine": daemon.reactors.engine.rawValue], 1)
    text.family("swift_tgtd_start_time_seconds", .gauge, "Start of the daemon, since 1970.")
    text.sample("swift_tgtd_start_time_seconds", startedAt.millisecondsSinceEpoch / 1000)
    text.family("swift_tgtd_targets", .gauge, "Targets.")
    text.sample("swift_tgtd_targets", configuration.targets.count)
    text.family("swift_tgtd_unsaved_changes", .gauge, "1: what runs is not what the file says.")
    text.sample("swift_tgtd_unsaved_changes", hasUnsavedChanges(running) ? 1 : 0)
    text.family("swift_tgtd_portal_up", .gauge, "1: the portal listens.")
    let listening = Set(daemon.inventory.portals.map { "\($0.portal.address)" })
    for portal in configuration.portals {
      let address = "\(portal.endpoint)"
      text.sample(
        "swift_tgtd_portal_up", ["portal": address], listening.contains(address) ? 1 : 0)
    }
  }

  // MARK: Reactors

  private func describeWorkers(_ workers: [WorkerStatistics], _ text: inout MetricsText) {
    func gauge(_ name: String, _ help: String, _ value: (WorkerStatistics) -> Int) {
      text.family("swift_tgtd_\(name)", .gauge, help)
      for worker in workers {
        text.sample("swift_tgtd_\(name)", ["reactor": "\(worker.reactorIndex)"], value(worker))
      }
    }
    gauge("connections", "TCP connections.") { $0.connections }
    gauge("unfinished_logins", "Connections that have not logged in.") { $0.halfOpenConnections }
    gauge("buffer_bytes", "Memory of commands and connections that is lent.") { $0.memoryLent }
    gauge("buffer_max_bytes", "The most it may be.") { $0.memoryMax }
    text.family("swift_tgtd_logins_total", .counter, "Connections that logged in to a target.")
    text.sample("swift_tgtd_logins_total", workers.reduce(0) { $0 &+ $1.logins })
    text.family("swift_tgtd_login_failures_total", .counter, "Logins refused, by reason.")
    for reason in LoginFailureReason.allCases {
      text.sample(
        "swift_tgtd_login_failures_total", ["reason": reason.rawValue],
        workers.reduce(0) { $0 &+ ($1.loginFailures[reason] ?? 0) })
    }
    text.family("swift_tgtd_digest_errors_total", .counter, "PDUs whose digest was wrong.")
    text.sample(
      "swift_tgtd_digest_errors_total", ["part": "header"],
      workers.reduce(0) { $0 &+ $1.headerDigestErrors })
    text.sample(
      "swift_tgtd_digest_errors_total", ["part": "data"],
      workers.reduce(0) { $0 &+ $1.dataDigestErrors })
  }

  private func describeSessions(_ sessions: [SessionSummary], _ text: inout MetricsText) {
    let counts = Dictionary(sessions.map { ($0.targetName, 1) }, uniquingKeysWith: +)
    text.family("swift_tgtd_sessions", .gauge, "Sessions of initiators.")
    for target in configuration.targets {
      text.sample("swift_tgtd_sessions", ["target": target.name], counts[target.name] ?? 0)
    }
  }

  // MARK: Stores

  private func describeStores(_ served: [Inventory.Served], _ text: inout MetricsText) {
    text.family("swift_tgtd_store_up", .gauge, "1: the store serves.")
    for served in served {
      text.sample(
        "swift_tgtd_store_up", ["store": served.name], StoreCondition(served).serves ? 1 : 0)
    }
    text.family(
      "swift_tgtd_store_endangered", .gauge,
      "1: its file or device was deleted, renamed, replaced or cut while it was served.")
    for served in served {
      text.sample(
        "swift_tgtd_store_endangered", ["store": served.name],
        served.opened.danger.danger == nil ? 0 : 1)
    }
    text.family("swift_tgtd_store_size_bytes", .gauge, "What initiators see.")
    for served in served {
      text.sample(
        "swift_tgtd_store_size_bytes", ["store": served.name], served.unit.geometry.capacityBytes)
    }
  }

  private func describeCommands(
    _ units: [(String, UnitStatistics)], _ text: inout MetricsText
  ) {
    text.family("swift_tgtd_commands_total", .counter, "Commands that ended with GOOD.")
    for (name, unit) in units {
      for (kind, count) in [
        ("read", unit.commands.reads), ("write", unit.commands.writes),
        ("other", unit.commands.others),
      ] {
        text.sample("swift_tgtd_commands_total", ["store": name, "kind": kind], count)
      }
    }
    text.family("swift_tgtd_bytes_total", .counter, "Bytes read and written.")
    for (name, unit) in units {
      text.sample(
        "swift_tgtd_bytes_total", ["store": name, "kind": "read"], unit.commands.bytesRead)
      text.sample(
        "swift_tgtd_bytes_total", ["store": name, "kind": "write"], unit.commands.bytesWritten)
    }
    func each(
      _ name: String, _ kind: MetricsText.Kind, _ help: String,
      _ value: (UnitStatistics) -> UInt64
    ) {
      text.family("swift_tgtd_\(name)", kind, help)
      for (store, unit) in units {
        text.sample("swift_tgtd_\(name)", ["store": store], value(unit))
      }
    }
    each("check_conditions_total", .counter, "Commands that ended with CHECK CONDITION.") {
      $0.commands.failures.reduce(0, &+)
    }
    each("reservation_conflicts_total", .counter, "RESERVATION CONFLICT.") {
      $0.commands.reservationConflicts
    }
    each("busy_total", .counter, "BUSY and TASK SET FULL.") { $0.commands.busy }
    each("aborted_total", .counter, "TASK ABORTED.") { $0.commands.aborted }
    each("queue_depth", .gauge, "Commands in progress.") { UInt64(clamping: $0.queueDepth) }
    each("queue_depth_max", .gauge, "The most there were at a time on one reactor.") {
      UInt64(clamping: $0.queueDepthMax)
    }
  }

  /// Of stores that did anything: a thousand idle ones would be fifty thousand lines.
  private func describeLatencies(
    _ units: [(String, UnitStatistics)], _ text: inout MetricsText
  ) {
    let name = "swift_tgtd_command_duration_seconds"
    text.family(name, .histogram, "From the arrival of a READ or WRITE to its status.")
    let bounds = (0..<SCSITarget.LatencyHistogram.bucketCount).compactMap {
      SCSITarget.LatencyHistogram.upperBoundNanoseconds($0).map { Double($0) / 1e9 }
    }
    for (store, unit) in units {
      for (kind, latency, sum) in [
        ("read", unit.readLatency, unit.readNanoseconds),
        ("write", unit.writeLatency, unit.writeNanoseconds),
      ] where latency.total > 0 {
        text.histogram(
          name, [("store", store), ("kind", kind)], bounds: bounds, counts: latency.counts,
          sumSeconds: Double(sum) / 1e9)
      }
    }
  }
}
