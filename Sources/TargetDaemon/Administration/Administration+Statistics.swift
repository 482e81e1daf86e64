internal import AdministrationModel
internal import ISCSITarget
internal import SCSITarget
internal import TargetConfig

extension Administration {
  func statistics() async throws(AdministrationError) -> StatisticsResource {
    let workers = try await workerStatistics()
    let sessions = try await summaries()
    let units = Dictionary(
      daemon.inventory.units.map { ($0.identity.name, IOStatistics($0.unitStatistics)) },
      uniquingKeysWith: { first, _ in first })
    var statistics = StatisticsResource(at: .current)
    for unit in units.values { statistics.total.add(unit) }
    for target in configuration.targets {
      let stores = Set(target.allLUNs.map(\.store))
      var total = IOStatistics()
      for store in stores { if let unit = units[store] { total.add(unit) } }
      statistics.targets.append(StatisticsResource.OfTarget(target: target.name, io: total))
      for lun in target.luns {
        guard let unit = units[lun.store] else { continue }
        statistics.luns.append(
          StatisticsResource.OfLUN(
            target: target.name, lun: lun.number, store: lun.store, io: unit))
      }
    }
    statistics.sessions = sessions.map { session in
      StatisticsResource.OfSession(
        session: session.id.rawValue, initiator: session.initiatorName,
        target: session.targetName,
        io: IOStatistics(counters: IOCounters(session.commands, inFlight: session.queueDepth)))
    }
    for worker in workers {
      for (reason, count) in worker.loginFailures {
        statistics.loginFailures[reason.title, default: 0] += count
      }
      statistics.digestErrors += worker.headerDigestErrors + worker.dataDigestErrors
    }
    return statistics
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
