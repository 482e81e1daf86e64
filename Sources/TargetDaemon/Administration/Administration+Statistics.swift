internal import AdministrationModel
internal import ConfigurationChanges
internal import ISCSITarget
internal import SCSITarget
internal import TargetConfig

extension Administration {
  func statistics() async throws(AdministrationError) -> StatisticsResource {
    let workers = try await workerStatistics()
    let sessions = try await summaries()
    var statistics = StatisticsResource(at: .current)
    statistics.stores = daemon.inventory.units.map {
      StatisticsResource.OfStore(store: $0.identity.name, io: IOStatistics($0.unitStatistics))
    }
    for store in statistics.stores { statistics.total.add(store.io) }
    let ios = Dictionary(
      statistics.stores.map { ($0.store, $0.io) }, uniquingKeysWith: { first, _ in first })
    for target in configuration.targets { statistics.add(target, ios) }
    statistics.sessions = sessions.map { session in
      StatisticsResource.OfSession(
        session: session.id.rawValue, initiator: session.initiatorName,
        target: session.targetName,
        io: IOStatistics(counters: IOCounters(session.commands, inFlight: session.queueDepth)))
    }
    statistics.loginFailures = workers.loginFailures
    for worker in workers {
      statistics.digestErrors += worker.headerDigestErrors + worker.dataDigestErrors
    }
    return statistics
  }
}

extension [WorkerStatistics] {
  /// Refused logins of all reactors, by reason.
  var loginFailures: [String: UInt64] {
    reduce(into: [:]) { all, worker in
      for (reason, count) in worker.loginFailures { all[reason.rawValue, default: 0] &+= count }
    }
  }
}

extension StatisticsResource {
  /// What a target and its LUNs show of what was done with stores.
  fileprivate mutating func add(
    _ target: TargetConfiguration.Target, _ stores: [String: IOStatistics]
  ) {
    var total = IOStatistics()
    for store in Set(target.allLUNs.map(\.store)) {
      if let io = stores[store] { total.add(io) }
    }
    targets.append(OfTarget(target: target.name, io: total))
    for (store, lun) in target.presentations(of: { stores[$0] != nil }) {
      guard let io = stores[store] else { continue }
      luns.append(
        OfLUN(target: target.name, initiator: lun.initiator, lun: lun.lun, store: store, io: io))
    }
  }
}

extension IOStatistics {
  init(_ unit: UnitStatistics) {
    self.init(
      counters: IOCounters(unit.commands, inFlight: unit.queueDepth),
      readLatency: .init(unit.readLatency, sumNanoseconds: unit.readNanoseconds),
      writeLatency: .init(unit.writeLatency, sumNanoseconds: unit.writeNanoseconds))
  }

  /// Adds what another did.
  mutating func add(_ other: IOStatistics) {
    counters.add(other.counters)
    readLatency.add(other.readLatency)
    writeLatency.add(other.writeLatency)
  }
}

extension IOCounters {
  fileprivate mutating func add(_ other: IOCounters) {
    reads &+= other.reads
    writes &+= other.writes
    others &+= other.others
    readBytes &+= other.readBytes
    writtenBytes &+= other.writtenBytes
    errors &+= other.errors
    reservationConflicts &+= other.reservationConflicts
    inFlight &+= other.inFlight
  }
}

extension AdministrationModel.LatencyHistogram {
  init(_ latency: SCSITarget.LatencyHistogram, sumNanoseconds: UInt64) {
    let bounds = latency.counts.indices.compactMap {
      SCSITarget.LatencyHistogram.upperBoundNanoseconds($0).map { max(1, $0 / 1000) }
    }
    self.init(
      boundsMicroseconds: bounds, counts: latency.counts, sumMicroseconds: sumNanoseconds / 1000)
  }
}

extension Optional<AdministrationModel.LatencyHistogram> {
  fileprivate mutating func add(_ other: AdministrationModel.LatencyHistogram?) {
    guard let other else { return }
    guard var sum = self else { return self = other }
    for (index, count) in other.counts.enumerated() where sum.counts.indices.contains(index) {
      sum.counts[index] &+= count
    }
    sum.sumMicroseconds &+= other.sumMicroseconds
    self = sum
  }
}
