import AdministrationModel
import Synchronization

/// An administrator that remembers what it was asked and answers what it was told to.
final class FakeAdministrator: Administrator {
  struct State {
    var requests: [ChangeRequest] = []
    var calls: [String] = []
    /// The next calls end with it.
    var failure: AdministrationError?
    /// Changes wait until it is false.
    var isHeld = false
    /// Those that have come.
    var changeCount = 0
  }

  let state = Mutex(State())

  static let target = "iqn.2026-11.com.example:disk1"
  static let now = Timestamp(secondsSinceEpoch: 1_795_243_454)

  static var targetResource: TargetResource {
    var target = TargetResource(name: target, id: 1)
    target.luns = [LUNResource(lun: 1, store: "a/b"), LUNResource(lun: 7, store: "c")]
    target.chapUsers = ["iscsiadm"]
    target.mutualCHAPUser = "target"
    var entry = AccessEntryResource(initiator: "iqn.node1", addresses: ["192.0.2.0/24"])
    entry.chapUsers = ["node1"]
    target.acl = [entry, AccessEntryResource(initiator: "iqn.node1", addresses: ["::1"])]
    return target
  }

  static var sessionResource: SessionResource {
    var session = SessionResource(id: 3, initiator: "iqn.node1", target: target, since: now)
    session.connections = [
      ConnectionResource(
        cid: 0, localAddress: "192.0.2.1:3260", remoteAddress: "192.0.2.7:50000", since: now)
    ]
    return session
  }

  static var storeResource: StoreResource {
    StoreResource(name: "a/b", kind: .file, path: "/srv/a.img")
  }

  static var reservationResource: ReservationResource {
    var resource = ReservationResource(store: "a/b", generation: 9)
    resource.registrants = [
      RegistrantResource(key: "0x0000000000000001", initiator: "iqn.node1", target: target)
    ]
    resource.reservation = HeldReservation(
      type: "Write Exclusive – Registrants Only", holders: ["iqn.node1"], since: now)
    return resource
  }

  static var statisticsResource: StatisticsResource {
    var resource = StatisticsResource(at: now)
    resource.total.counters.readBytes = .max
    resource.loginFailures = ["wrong secret": 2]
    return resource
  }

  static let result = ChangeResult(
    outcomes: [ChangeOutcome(lun: LUNResource(lun: 7, store: "c"))],
    differences: [Difference(.added, "stores.c", new: "file /c", application: .live)],
    warnings: ["the secret is short"], savedTo: "/etc/swift-tgtd/targets.json")

  private func note(_ call: String) throws(AdministrationError) {
    let failure = state.withLock { state in
      state.calls.append(call)
      return state.failure
    }
    if let failure { throw failure }
  }

  var calls: [String] { state.withLock { $0.calls } }
  var requests: [ChangeRequest] { state.withLock { $0.requests } }

  func version() async throws(AdministrationError) -> VersionResource {
    try note("version")
    return VersionResource(name: "swift-tgtd", version: "1.2.3")
  }

  func status() async throws(AdministrationError) -> StatusResource {
    try note("status")
    return StatusResource(version: "1.2.3", phase: .running, processID: 42, startedAt: Self.now)
  }

  func targets(named name: String?) async throws(AdministrationError) -> [TargetResource] {
    try note("targets \(name ?? "*")")
    guard name == nil || name == Self.target else {
      throw AdministrationError(.notFound, "there is no target \(name ?? "")")
    }
    return [Self.targetResource]
  }

  func stores(named name: String?) async throws(AdministrationError) -> [StoreResource] {
    try note("stores \(name ?? "*")")
    return [Self.storeResource]
  }

  func portals() async throws(AdministrationError) -> [PortalResource] {
    try note("portals")
    return [PortalResource(address: "[::]:3260")]
  }

  func discovery() async throws(AdministrationError) -> DiscoveryResource {
    try note("discovery")
    return DiscoveryResource(chapUsers: ["d"], mutualCHAPUser: "m")
  }

  func sessions(id: UInt64?) async throws(AdministrationError) -> [SessionResource] {
    try note("sessions \(id.map { "\($0)" } ?? "*")")
    return [Self.sessionResource]
  }

  func endSession(_ id: UInt64, by ending: SessionEnding) async throws(AdministrationError) {
    try note("\(ending.rawValue) \(id)")
  }

  func reservations(store: String?) async throws(AdministrationError) -> [ReservationResource] {
    try note("reservations \(store ?? "*")")
    return [Self.reservationResource]
  }

  func clearReservations(store: String) async throws(AdministrationError) {
    try note("clear \(store)")
  }

  func statistics() async throws(AdministrationError) -> StatisticsResource {
    try note("statistics")
    return Self.statisticsResource
  }

  func metrics() async throws(AdministrationError) -> String {
    try note("metrics")
    return "# HELP x y\nx 1\n"
  }

  func notes(withSecrets: Bool) async throws(AdministrationError) -> [NoteResource] {
    try note("notes \(withSecrets)")
    return [NoteResource(key: "tgt/tid/1", value: Self.target)]
  }

  func change(_ request: ChangeRequest) async throws(AdministrationError) -> ChangeResult {
    state.withLock { $0.changeCount += 1 }
    while state.withLock({ $0.isHeld }) { try? await Task.sleep(for: .milliseconds(5)) }
    try note("change")
    state.withLock { $0.requests.append(request) }
    return Self.result
  }

  func configuration(
    withSecrets: Bool
  ) async throws(AdministrationError) -> ConfigurationResource {
    try note("configuration \(withSecrets)")
    return ConfigurationResource(text: "{}\n", isRedacted: !withSecrets, file: "/f")
  }

  func difference() async throws(AdministrationError) -> DifferenceList {
    try note("difference")
    return DifferenceList(Self.result.differences)
  }

  func reload(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult {
    try note("reload \(options.words)")
    return Self.result
  }

  func save(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult {
    try note("save \(options.words)")
    return Self.result
  }

  func apply(
    _ text: String, _ options: ChangeOptions
  ) async throws(AdministrationError) -> ChangeResult {
    try note("apply \(text) \(options.words)")
    return Self.result
  }
}

extension ChangeOptions {
  var words: String {
    [("force", force), ("runtimeOnly", runtimeOnly), ("now", now), ("dryRun", dryRun)]
      .filter(\.1).map(\.0).joined(separator: " ")
  }
}
