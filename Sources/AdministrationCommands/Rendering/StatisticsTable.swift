internal import AdministrationModel

/// What was done between two readings, or since the start.
struct StatisticsTable {
  enum Subject: String, CaseIterable {
    case store, target, lun, session
  }

  private struct Row {
    var names: [String]
    var io: IOStatistics

    var operationCount: UInt64 {
      io.counters.reads &+ io.counters.writes &+ io.counters.others
    }
  }

  private let subject: Subject
  private let resource: StatisticsResource
  /// nil: since the start; then counts are shown and no rates.
  private let seconds: Double?
  private var rows: [Row]
  private let total: IOStatistics

  init(by subject: Subject, from earlier: StatisticsResource?, to now: StatisticsResource) {
    self.subject = subject
    resource = now
    seconds = earlier.map {
      max(0.001, Double(now.at.millisecondsSinceEpoch - $0.at.millisecondsSinceEpoch) / 1000)
    }
    let before = Dictionary(
      earlier.map { Self.rows(subject, $0) } ?? [], uniquingKeysWith: { first, _ in first })
    rows = Self.rows(subject, now).map { names, io in
      Row(names: names, io: before[names].map { io.since($0) } ?? io)
    }
    total = earlier.map { now.total.since($0.total) } ?? now.total
  }

  private static func rows(
    _ subject: Subject, _ resource: StatisticsResource
  ) -> [([String], IOStatistics)] {
    switch subject {
    case .store: resource.stores.map { ([$0.store], $0.io) }
    case .target: resource.targets.map { ([$0.target], $0.io) }
    case .lun:
      resource.luns.map { ([$0.target, $0.initiator ?? "-", "\($0.lun)", $0.store], $0.io) }
    case .session: resource.sessions.map { (["\($0.session)", $0.initiator, $0.target], $0.io) }
    }
  }

  // MARK: Text

  func text(on console: any Console) -> String {
    summary + "\n\n" + table.text(orElse: "no \(subject.rawValue)s", on: console)
  }

  private var summary: String {
    let counters = total.counters
    var parts = [Quantity.time(resource.at) ?? "-"]
    if seconds == nil {
      parts.append("since the start")
      parts.append("\(counters.reads &+ counters.writes &+ counters.others) operations")
    } else {
      parts.append("\(amount(counters.reads &+ counters.writes &+ counters.others)) IOPS")
    }
    parts.append("read \(bytes(counters.readBytes))")
    parts.append("written \(bytes(counters.writtenBytes))")
    parts.append("in flight \(counters.inFlight)")
    if resource.digestErrors > 0 { parts.append("digest errors \(resource.digestErrors)") }
    let refused = resource.loginFailures.values.reduce(UInt64(0)) { $0 &+ $1 }
    if refused > 0 { parts.append("refused logins \(refused)") }
    return parts.joined(separator: "  ")
  }

  private var names: [Table.Column] {
    switch subject {
    case .store: [.text("STORE")]
    case .target: [.text("TARGET")]
    case .lun: [.text("TARGET"), .text("FOR"), .number("LUN"), .text("STORE")]
    case .session: [.number("ID"), .text("INITIATOR"), .text("TARGET")]
    }
  }

  private static let latencies: [Table.Column] = [
    .number("READ P50"), .number("P99"), .number("WRITE P50"), .number("P99"),
  ]

  /// The daemon measures units, not sessions.
  private var hasLatencies: Bool { subject != .session }

  private var table: Table {
    let perSecond = seconds == nil ? "" : "/S"
    var columns = names
    columns += ["READS", "WRITES", "OTHERS"].map { Table.Column.number($0 + perSecond) }
    columns += [.number("READ"), .number("WRITTEN")]
    if hasLatencies { columns += Self.latencies }
    columns += [.number("QUEUE"), .number("ERRORS"), .number("CONFLICTS")]
    var table = Table(columns)
    let order = rows.indices.sorted { a, b in
      let (left, right) = (rows[a].operationCount, rows[b].operationCount)
      return left == right ? a < b : left > right
    }
    for index in order { table.add(cells(rows[index])) }
    return table
  }

  private func cells(_ row: Row) -> [Table.Cell] {
    let counters = row.io.counters
    var cells = row.names.map { Table.Cell($0) }
    cells += [counters.reads, counters.writes, counters.others].map { Table.Cell(amount($0)) }
    cells += [counters.readBytes, counters.writtenBytes].map { Table.Cell(bytes($0)) }
    if hasLatencies { cells += latencies(row.io) }
    cells += [
      Table.Cell(counters.inFlight),
      Table.Cell("\(counters.errors)", counters.errors > 0 ? .bad : .plain),
      Table.Cell(counters.reservationConflicts),
    ]
    return cells
  }

  private func latencies(_ io: IOStatistics) -> [Table.Cell] {
    [io.readLatency, io.writeLatency].flatMap { histogram in
      [0.5, 0.99].map { Table.Cell(Quantity.latency(histogram?.percentileMicroseconds($0))) }
    }
  }

  private func amount(_ count: UInt64) -> String {
    seconds.map { Quantity.rate(count, seconds: $0) } ?? "\(count)"
  }

  private func bytes(_ count: UInt64) -> String {
    seconds.map { Quantity.rate(bytes: count, seconds: $0) } ?? Quantity.size(count)
  }
}

extension IOStatistics {
  /// What was counted after `earlier`; all of it where the daemon has started anew.
  func since(_ earlier: IOStatistics) -> IOStatistics {
    guard let counters = counters.since(earlier.counters) else { return self }
    return IOStatistics(
      counters: counters,
      readLatency: earlier.readLatency.flatMap { readLatency?.since($0) } ?? readLatency,
      writeLatency: earlier.writeLatency.flatMap { writeLatency?.since($0) } ?? writeLatency)
  }
}

extension IOCounters {
  /// nil where one of them has become less.
  fileprivate func since(_ earlier: IOCounters) -> IOCounters? {
    let fields: [WritableKeyPath<IOCounters, UInt64>] = [
      \.reads, \.writes, \.others, \.readBytes, \.writtenBytes, \.errors, \.reservationConflicts,
    ]
    var rest = self
    for field in fields {
      guard self[keyPath: field] >= earlier[keyPath: field] else { return nil }
      rest[keyPath: field] = self[keyPath: field] - earlier[keyPath: field]
    }
    return rest
  }
}
