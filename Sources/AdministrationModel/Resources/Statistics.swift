/// Counters of commands since the store was opened or the session began. They only grow: rates come
/// from two readings.
public struct IOCounters: Codable, Sendable, Equatable {
  public var reads: UInt64 = 0
  public var writes: UInt64 = 0
  /// All other commands.
  public var others: UInt64 = 0
  public var readBytes: UInt64 = 0
  public var writtenBytes: UInt64 = 0
  /// Commands that ended with CHECK CONDITION, but for unit attentions: these are news, and every
  /// login begins with one (SAM-5 §5.14).
  public var errors: UInt64 = 0
  public var reservationConflicts: UInt64 = 0
  /// Commands in flight now.
  public var inFlight: UInt64 = 0

  public init() {}
}

/// How long commands took, counted in buckets.
public struct LatencyHistogram: Codable, Sendable, Equatable {
  /// Ascending. Bucket i counts what took at most `boundsMicroseconds[i]`, and more than the bound
  /// before it; one bucket more, at the end, counts the rest.
  public var boundsMicroseconds: [UInt64]
  public var counts: [UInt64]
  public var sumMicroseconds: UInt64

  public init(boundsMicroseconds: [UInt64], counts: [UInt64], sumMicroseconds: UInt64 = 0) {
    self.boundsMicroseconds = boundsMicroseconds
    self.counts = counts
    self.sumMicroseconds = sumMicroseconds
  }

  public var count: UInt64 { counts.reduce(0) { $0.addingReportingOverflow($1).partialValue } }

  /// What that share (0…1) of the commands took at most, between the bounds of its bucket in
  /// proportion; nil when there was no command. The open bucket at the end gives its lower bound.
  public func percentileMicroseconds(_ share: Double) -> Double? {
    let wanted = Double(count) * min(max(share, 0), 1)
    guard wanted.isFinite, count > 0 else { return nil }
    var before = 0.0
    for (index, count) in counts.enumerated() where count > 0 {
      let lower = index == 0 ? 0 : Double(boundsMicroseconds[clamped: index - 1] ?? 0)
      if before + Double(count) >= wanted {
        guard let upper = boundsMicroseconds[clamped: index] else { return lower }
        return lower + (Double(upper) - lower) * ((wanted - before) / Double(count))
      }
      before += Double(count)
    }
    return boundsMicroseconds.last.map { Double($0) }
  }

  /// What was counted after `earlier`; all of it where the buckets are others.
  public func since(_ earlier: LatencyHistogram) -> LatencyHistogram {
    guard boundsMicroseconds == earlier.boundsMicroseconds, counts.count == earlier.counts.count
    else { return self }
    var rest = self
    for (index, count) in earlier.counts.enumerated() {
      rest.counts[index] = counts[index] >= count ? counts[index] - count : 0
    }
    rest.sumMicroseconds -= min(sumMicroseconds, earlier.sumMicroseconds)
    return rest
  }
}

extension Array {
  /// nil outside.
  fileprivate subscript(clamped index: Int) -> Element? {
    indices.contains(index) ? self[index] : nil
  }
}

/// Counters and latencies of whatever does I/O.
public struct IOStatistics: Codable, Sendable, Equatable {
  public var counters: IOCounters
  public var readLatency: LatencyHistogram?
  public var writeLatency: LatencyHistogram?

  public init(
    counters: IOCounters = IOCounters(), readLatency: LatencyHistogram? = nil,
    writeLatency: LatencyHistogram? = nil
  ) {
    self.counters = counters
    self.readLatency = readLatency
    self.writeLatency = writeLatency
  }
}

/// One reading of all statistics. What is counted is counted for the store and for the session;
/// rows of LUNs and targets repeat what stores did, so only rows of stores add up.
public struct StatisticsResource: Codable, Sendable, Equatable {
  public struct OfStore: Codable, Sendable, Equatable {
    public var store: String
    public var io: IOStatistics

    public init(store: String, io: IOStatistics) {
      self.store = store
      self.io = io
    }
  }

  public struct OfLUN: Codable, Sendable, Equatable {
    public var target: String
    /// The initiator of the entry whose own LUN it is; nil: the target's.
    public var initiator: String?
    public var lun: UInt16
    public var store: String
    /// The store's, through whatever LUN it was done.
    public var io: IOStatistics

    public init(
      target: String, initiator: String? = nil, lun: UInt16, store: String, io: IOStatistics
    ) {
      self.target = target
      self.initiator = initiator
      self.lun = lun
      self.store = store
      self.io = io
    }
  }

  public struct OfTarget: Codable, Sendable, Equatable {
    public var target: String
    /// That of the stores it presents, each once, through whatever target it was done.
    public var io: IOStatistics

    public init(target: String, io: IOStatistics) {
      self.target = target
      self.io = io
    }
  }

  public struct OfSession: Codable, Sendable, Equatable {
    public var session: UInt64
    public var initiator: String
    public var target: String
    public var io: IOStatistics

    public init(session: UInt64, initiator: String, target: String, io: IOStatistics) {
      self.session = session
      self.initiator = initiator
      self.target = target
      self.io = io
    }
  }

  public var at: Timestamp
  public var total: IOStatistics
  public var stores: [OfStore]
  public var targets: [OfTarget]
  public var luns: [OfLUN]
  public var sessions: [OfSession]
  /// Refused logins by reason, as the metrics name them: `notFound`.
  public var loginFailures: [String: UInt64]
  public var digestErrors: UInt64

  public init(at: Timestamp, total: IOStatistics = IOStatistics()) {
    self.at = at
    self.total = total
    stores = []
    targets = []
    luns = []
    sessions = []
    loginFailures = [:]
    digestErrors = 0
  }
}
