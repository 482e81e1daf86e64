/// Changes that are one transaction: all of them, in order, or none.
public struct ChangeRequest: Sendable, Equatable {
  public var changes: [Change]
  public var options: ChangeOptions

  public init(_ changes: [Change], _ options: ChangeOptions = ChangeOptions()) {
    self.changes = changes
    self.options = options
  }
}

/// How a change is made: query parameters of the request.
public struct ChangeOptions: Sendable, Equatable {
  /// Takes away what is in use, too, after its I/O has ended.
  public var force = false
  /// The configuration file stays as it is.
  public var runtimeOnly = false
  /// Ends sessions that no longer qualify; otherwise they go on until they log out.
  public var now = false
  /// Says what would happen, and does nothing.
  public var dryRun = false

  public init(
    force: Bool = false, runtimeOnly: Bool = false, now: Bool = false, dryRun: Bool = false
  ) {
    self.force = force
    self.runtimeOnly = runtimeOnly
    self.now = now
    self.dryRun = dryRun
  }
}

/// The body of a request for several changes.
public struct ChangeList: Codable, Sendable, Equatable {
  public var changes: [Change]

  public init(_ changes: [Change]) { self.changes = changes }
}

/// What a change brought about.
public struct ChangeResult: Codable, Sendable, Equatable {
  /// One for each change asked for, in that order; none for `config` requests.
  public var outcomes: [ChangeOutcome]
  /// What the configuration has now that it had not, and the other way round.
  public var differences: [Difference]
  public var warnings: [String]
  /// The file that was written; nil: none.
  public var savedTo: String?
  /// Who loses something by it, a sentence for each session; nil: that could not be found out in
  /// time.
  public var users: [String]?
  /// What is registered and reserved on stores that lose a LUN by it, or are closed. It stays on
  /// record with the store.
  public var reservations: [ReservationResource]?

  public init(
    outcomes: [ChangeOutcome] = [], differences: [Difference] = [], warnings: [String] = [],
    savedTo: String? = nil
  ) {
    self.outcomes = outcomes
    self.differences = differences
    self.warnings = warnings
    self.savedTo = savedTo
  }
}

/// What one change made or left, as it is now; after a removal, nothing.
public struct ChangeOutcome: Codable, Sendable, Equatable {
  public var target: TargetResource?
  public var lun: LUNResource?
  public var entry: AccessEntryResource?
  public var store: StoreResource?
  public var portal: PortalResource?

  public init(
    target: TargetResource? = nil, lun: LUNResource? = nil, entry: AccessEntryResource? = nil,
    store: StoreResource? = nil, portal: PortalResource? = nil
  ) {
    self.target = target
    self.lun = lun
    self.entry = entry
    self.store = store
    self.portal = portal
  }
}
