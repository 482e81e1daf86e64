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

  /// On a terminal no wider than it is, as far as that goes.
  func text(on console: any Console) -> String {
    let width = console.columns
    let (table, leftOut) = table(within: width)
    var text = summary(within: width) + "\n\n"
    text += table.text(orElse: "no \(subject.rawValue)s", on: console)
    guard !rows.isEmpty, let last = leftOut.last else { return text }
    let names = ["not shown:"] + leftOut.dropLast().map { "\($0)," } + [last]
    return text + Self.lines(names, " ", within: width) + "\n"
  }

  private func summary(within width: Int?) -> String {
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
    return Self.lines(parts, "  ", within: width)
  }

  /// As many in a line as have room there.
  private static func lines(
    _ parts: [String], _ separator: String, within width: Int?
  ) -> String {
    var lines: [String] = []
    for part in parts {
      if let last = lines.last, last.count + separator.count + part.count <= width ?? .max {
        lines[lines.count - 1] = last + separator + part
      } else {
        lines.append(part)
      }
    }
    return lines.joined(separator: "\n")
  }

  // MARK: Columns

  /// A column of the table.
  private struct Field {
    var title: String
    var isNumber = true
    /// Where there is no room the columns with the highest go first; 0 stays.
    var dispensability: Int
    var cell: (Row) -> Table.Cell

    init(
      _ title: String, isNumber: Bool = true, _ dispensability: Int,
      _ cell: @escaping (Row) -> Table.Cell
    ) {
      self.title = title
      self.isNumber = isNumber
      self.dispensability = dispensability
      self.cell = cell
    }
  }

  private var names: [Field] {
    func name(_ index: Int, _ title: String, isNumber: Bool = false) -> Field {
      Field(title, isNumber: isNumber, 0) { Table.Cell($0.names[index]) }
    }
    return switch subject {
    case .store: [name(0, "STORE")]
    case .target: [name(0, "TARGET")]
    case .lun:
      [name(0, "TARGET"), name(1, "FOR"), name(2, "LUN", isNumber: true), name(3, "STORE")]
    case .session: [name(0, "ID", isNumber: true), name(1, "INITIATOR"), name(2, "TARGET")]
    }
  }

  private var fields: [Field] {
    let perSecond = seconds == nil ? "" : "/S"
    var fields = names
    fields += [
      Field("READS\(perSecond)", 0) { Table.Cell(amount($0.io.counters.reads)) },
      Field("WRITES\(perSecond)", 0) { Table.Cell(amount($0.io.counters.writes)) },
      Field("OTHERS\(perSecond)", 8) { Table.Cell(amount($0.io.counters.others)) },
      Field("READ", 1) { Table.Cell(bytes($0.io.counters.readBytes)) },
      Field("WRITTEN", 1) { Table.Cell(bytes($0.io.counters.writtenBytes)) },
    ]
    // The daemon measures units, not sessions.
    if subject != .session {
      fields += Self.latency("READ", \.readLatency) + Self.latency("WRITE", \.writeLatency)
    }
    let hasErrors = rows.contains { $0.io.counters.errors > 0 }
    let hasConflicts = rows.contains { $0.io.counters.reservationConflicts > 0 }
    fields += [
      Field("QUEUE", 6) { Table.Cell($0.io.counters.inFlight) },
      Field("ERRORS", hasErrors ? 2 : 9) {
        Table.Cell("\($0.io.counters.errors)", $0.io.counters.errors > 0 ? .bad : .plain)
      },
      Field("CONFLICTS", hasConflicts ? 3 : 10) {
        Table.Cell($0.io.counters.reservationConflicts)
      },
    ]
    return fields
  }

  private static func latency(
    _ kind: String, _ histogram: KeyPath<IOStatistics, LatencyHistogram?>
  ) -> [Field] {
    func cell(_ row: Row, _ share: Double) -> Table.Cell {
      Table.Cell(Quantity.latency(row.io[keyPath: histogram]?.percentileMicroseconds(share)))
    }
    return [
      Field("\(kind) P50", 7) { cell($0, 0.5) },
      Field("\(kind) P99", 5) { cell($0, 0.99) },
    ]
  }

  /// The busiest first; and the titles of the columns for which there is no room.
  private func table(within width: Int?) -> (Table, leftOut: [String]) {
    let order = rows.indices.sorted { a, b in
      let (left, right) = (rows[a].operationCount, rows[b].operationCount)
      return left == right ? a < b : left > right
    }
    let sorted = order.map { rows[$0] }
    var fields = fields
    var leftOut: [String] = []
    var table = Self.table(fields, sorted)
    guard let width else { return (table, []) }
    while let rank = fields.map(\.dispensability).max(), rank > 0,
      // What says little goes before names are shortened, the rest only afterwards.
      rank >= Self.littleSaying
        ? table.width > width : table.width(textsAtMost: Self.nameMin) > width
    {
      leftOut += fields.filter { $0.dispensability == rank }.map(\.title)
      fields.removeAll { $0.dispensability == rank }
      table = Self.table(fields, sorted)
    }
    table.shorten(to: width)
    return (table, leftOut)
  }

  private static let littleSaying = 7
  /// What is left of names at least, while there are columns to leave out.
  private static let nameMin = 20

  private static func table(_ fields: [Field], _ rows: [Row]) -> Table {
    var table = Table(
      fields.map { Table.Column(title: $0.title, isNumber: $0.isNumber) })
    for row in rows { table.add(fields.map { $0.cell(row) }) }
    return table
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
